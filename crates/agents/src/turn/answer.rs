//! How a turn ends: the agent's answer enters the conversation together with the end of the execution, whichever end it is.

use contract::{AgentId, EventType};
use runtime::{Failure, FailureKind};
use serde_json::{Map, Value, json};

use super::run::Turn;
use crate::analysis::IntentAnalysis;

impl Turn<'_> {
    /// Says the last word. Nothing of it is told while the execution may yet be tried again.
    pub(super) async fn end(self, outcome: Result<(), Failure>) -> Result<Value, Failure> {
        match outcome {
            Ok(()) => Ok(self.completed()),
            Err(failure) => {
                match failure.kind {
                    FailureKind::Cancelled => self.cancelled(),
                    FailureKind::Final | FailureKind::Transient => self.failed(&failure),
                    FailureKind::Fenced => {}
                }
                Err(failure)
            }
        }
    }

    fn completed(self) -> Value {
        let response = self.said();
        let usage = json!({
            "model": self.model,
            "model_calls": self.asked,
            "input_tokens": self.usage.input_tokens,
            "output_tokens": self.usage.output_tokens,
            "cost_micros": self.cost_micros,
        });
        let analysis = self.analysis();
        let mut data = self.event_data();
        data.insert("response".to_owned(), json!(response));
        data.insert("usage".to_owned(), usage.clone());
        data.insert("artifacts".to_owned(), Value::Object(self.artifacts.clone()));
        data.insert("intent_analysis".to_owned(), json!(analysis));
        self.answer(response.clone(), EventType::AgentCompleted, data);
        json!({
            "response": response,
            "agent_id": self.agent.agent_id,
            "agent_type": self.agent.kind,
            "handed_off_from": self.handed_off_from,
            "intent_analysis": analysis,
            "artifacts": self.artifacts,
            "usage": usage,
        })
    }

    fn cancelled(&self) {
        let response = self.said();
        let mut data = self.event_data();
        data.insert("response".to_owned(), json!(response));
        self.answer(response, EventType::AgentCancelled, data);
    }

    fn failed(&self, failure: &Failure) {
        let said = self.said();
        let mut data = self.event_data();
        data.insert("error".to_owned(), json!(failure.message));
        data.insert("code".to_owned(), json!(failure.code.as_str()));
        data.insert("response".to_owned(), json!(said));
        let content =
            if said.is_empty() { failure.message.to_string() } else { format!("{said}\n\n{}", failure.message) };
        self.answer(content, EventType::AgentFailed, data);
    }

    fn answer(&self, content: String, event_type: EventType, data: Map<String, Value>) {
        self.context.answer(self.agent.agent_id.clone(), content, event_type, Value::Object(data));
    }

    fn event_data(&self) -> Map<String, Value> {
        let mut data = self.about();
        data.insert("agent_type".to_owned(), json!(self.agent.kind));
        data.insert("reply_to".to_owned(), json!(self.reply_to));
        if let Some(from) = &self.handed_off_from {
            data.insert("handed_off_from".to_owned(), json!(from));
        }
        data
    }

    /// What the model said that it understood, or else what it did.
    fn analysis(&self) -> IntentAnalysis {
        self.reading.clone().or_else(|| self.first_call.clone()).unwrap_or_else(|| nothing_asked(&self.agent.agent_id))
    }
}

fn nothing_asked(agent_id: &AgentId) -> IntentAnalysis {
    IntentAnalysis {
        agent_id: agent_id.clone(),
        intent_type: None,
        parameters: Map::new(),
        confidence: 1.0,
        needs_clarification: false,
        alternatives: Vec::new(),
    }
}
