//! What a model wants to be done: intents as children of the turn, and the hand-over to another agent. It knows what an agent may do;
//! whether the person may is the Runtime's to say.

use std::{collections::BTreeMap, sync::Arc};

use contract::{
    AgentId, ArtifactId, Code, EventType,
    agent::{AgentKind, RoutingReason, RoutingRule},
    execution::ExecutionStatus,
};
use futures_util::future::join_all;
use runtime::{Begun, Call, CallOutcome, Failure, FailureKind};
use serde_json::{Map, Value, json};

use super::run::Turn;
use crate::{
    analysis::IntentAnalysis,
    model::{HAND_OFF, ToolCall, ToolOutcome, ToolResult, Tools},
};

/// How often a turn may change hands. A message of three parts for three realms takes five: to the first liaison, back, to the second,
/// back, and to the third.
const MAX_HOPS: u32 = 6;

/// The longest reason that an agent can give for a hand-over, in characters.
const MAX_REASON_CHARS: usize = 300;

impl Turn<'_> {
    /// Uses the tools: those between two hand-overs at the same time. What comes after a hand-over is not done: it would be another
    /// agent's.
    pub(super) async fn use_tools(&mut self, calls: Vec<ToolCall>) -> Result<Vec<ToolResult>, Failure> {
        let mut outcomes = Vec::with_capacity(calls.len());
        let mut rest = calls.as_slice();
        while !rest.is_empty() {
            let until = rest.iter().position(|call| call.name == HAND_OFF).unwrap_or(rest.len());
            let (intents, after) = rest.split_at(until);
            outcomes.extend(self.use_intents(intents).await?);
            let Some((hand_off, after)) = after.split_first() else { break };
            let outcome = self.hand_off(hand_off).await?;
            rest = if matches!(outcome, ToolOutcome::HandedOff { .. }) { &[] } else { after };
            outcomes.push(outcome);
        }
        let too_late = || failed(Code::Conflict, "It was not done: the conversation was handed over before.");
        outcomes.resize_with(calls.len(), too_late);
        Ok(calls.into_iter().zip(outcomes).map(|(call, outcome)| ToolResult { call, outcome }).collect())
    }

    /// Has all of these executed at the same time. They are begun in their order, so that a turn that starts again finds each again.
    async fn use_intents(&mut self, calls: &[ToolCall]) -> Result<Vec<ToolOutcome>, Failure> {
        let mut outcomes: Vec<Option<ToolOutcome>> = calls.iter().map(|call| self.refusal(call)).collect();
        let (places, wanted): (Vec<usize>, Vec<Call>) = calls
            .iter()
            .enumerate()
            .filter(|(place, _)| outcomes[*place].is_none())
            .map(|(place, call)| (place, self.wanted(call)))
            .unzip();
        for call in &wanted {
            self.remember_first(&call.intent_type, &call.parameters);
            self.tell_tool(&call.intent_type, "started", Map::new()).await?;
        }
        if wanted.is_empty() {
            return Ok(outcomes.into_iter().flatten().collect());
        }
        self.context.act_as(&self.agent.agent_id);
        let begun = self.context.begin(wanted).await?;
        let waiting = places.iter().zip(begun).map(|(place, begun)| self.see_through(&calls[*place].name, begun));
        let ended = join_all(waiting).await;
        for (place, ended) in places.into_iter().zip(ended) {
            let outcome = ended?;
            if let ToolOutcome::Completed { artifacts, .. } = &outcome {
                self.collect(artifacts).await?;
            }
            outcomes[place] = Some(outcome);
        }
        Ok(outcomes.into_iter().flatten().collect())
    }

    /// Why a call is not made at all.
    fn refusal(&self, call: &ToolCall) -> Option<ToolOutcome> {
        if !self.tools.intents.iter().any(|intent| intent.intent_type == call.name) {
            return Some(failed(Code::Forbidden, format!("{} may not use {}.", self.agent.agent_id, call.name)));
        }
        call.unreadable.clone().map(|problem| failed(Code::ValidationFailed, problem))
    }

    fn wanted(&self, call: &ToolCall) -> Call {
        let asks = self.agent.approval.contains(&call.name);
        let approval = asks.then(|| format!("{} only does {} when you agree.", self.agent.agent_id, call.name));
        Call { intent_type: call.name.clone(), parameters: call.arguments.clone(), approval }
    }

    /// Waits for a call's end, and tells it.
    async fn see_through(&self, intent_type: &str, begun: Result<Begun, Failure>) -> Result<ToolOutcome, Failure> {
        match begun {
            Ok(begun) => self.ended(intent_type, self.context.outcome(begun).await?).await,
            // The Runtime did not take it: a mistake of the model, or not for this person. It can be told.
            Err(Failure {
                kind: FailureKind::Final,
                code: code @ (Code::UnknownIntent | Code::ValidationFailed | Code::PolicyRefused),
                message,
                ..
            }) => {
                let about = json!({ "error": message, "code": code.as_str() });
                self.tell_tool(intent_type, "failed", fields(about)).await?;
                Ok(failed(code, message))
            }
            Err(failure) => Err(failure),
        }
    }

    async fn ended(&self, intent_type: &str, outcome: CallOutcome) -> Result<ToolOutcome, Failure> {
        let child = json!(outcome.execution_id);
        if outcome.status == ExecutionStatus::Completed {
            let about = json!({ "tool_execution_id": child, "artifacts": outcome.artifacts });
            self.tell_tool(intent_type, "completed", fields(about)).await?;
            return Ok(ToolOutcome::Completed { result: outcome.result, artifacts: outcome.artifacts });
        }
        let (code, message) = match outcome.problem {
            Some(problem) => (problem.code, problem.message),
            None => (Code::ExecutionFailed.as_str().to_owned(), "It did not end well.".to_owned()),
        };
        let about = json!({ "tool_execution_id": child, "error": message, "code": code });
        self.tell_tool(intent_type, "failed", fields(about)).await?;
        let refused = [Code::ApprovalRejected.as_str(), Code::ApprovalExpired.as_str()].contains(&code.as_str());
        Ok(if refused { ToolOutcome::Refused { message } } else { ToolOutcome::Failed { code, message } })
    }

    async fn tell_tool(&self, intent_type: &str, state: &str, more: Map<String, Value>) -> Result<(), Failure> {
        let mut data = self.about();
        data.insert("intent".to_owned(), json!(intent_type));
        data.insert("state".to_owned(), json!(state));
        data.extend(more);
        self.context.emit(EventType::AgentTool, &Value::Object(data)).await
    }

    /// Keeps what a tool made for the end of the turn, without the payload: whoever wants it reads the artifact.
    async fn collect(&mut self, artifacts: &BTreeMap<String, ArtifactId>) -> Result<(), Failure> {
        for (key, id) in artifacts {
            let Some(artifact) = self.context.artifact(id).await? else {
                continue;
            };
            let described = json!({
                "artifact_id": artifact.artifact_id,
                "artifact_type": artifact.artifact_type,
                "lifecycle_state": artifact.lifecycle_state,
                "semantic_descriptor": artifact.semantic_descriptor,
                "parent_artifacts": artifact.parent_artifacts,
            });
            let key = free_key(&self.artifacts, key);
            self.artifacts.insert(key, described);
        }
        Ok(())
    }

    fn remember_first(&mut self, intent_type: &str, parameters: &Map<String, Value>) {
        if self.first_call.is_none() {
            self.first_call = Some(IntentAnalysis {
                agent_id: self.agent.agent_id.clone(),
                intent_type: Some(intent_type.to_owned()),
                parameters: parameters.clone(),
                confidence: 1.0,
                needs_clarification: false,
                alternatives: Vec::new(),
            });
        }
    }

    async fn hand_off(&mut self, call: &ToolCall) -> Result<ToolOutcome, Failure> {
        let wanted = call.arguments.get("agent_id").and_then(Value::as_str);
        let target = wanted.and_then(|name| name.parse::<AgentId>().ok());
        let Some(target) = target.filter(|target| self.tools.hand_off_to.contains(target)) else {
            return Ok(failed(Code::UnknownAgent, "There is no such agent to hand over to."));
        };
        if self.hops >= MAX_HOPS {
            return Ok(failed(Code::Conflict, "The conversation has changed hands too often in this turn."));
        }
        let Some(next) = self.handler.directory.get(&target).cloned() else {
            return Ok(failed(Code::UnknownAgent, "There is no such agent to hand over to."));
        };
        let rule = if next.kind == AgentKind::Guide { RoutingRule::HandBack } else { RoutingRule::HandOff };
        let given = call.arguments.get("reason").and_then(Value::as_str).unwrap_or_default();
        let reason: String = given.chars().take(MAX_REASON_CHARS).collect();
        self.hops += 1;
        self.tools = Arc::new(Tools::of(&next, &self.handler.directory, self.handler.catalogue.of(self.context)));
        self.handed_off_from = Some(std::mem::replace(&mut self.agent, next).agent_id.clone());
        self.announce(&RoutingReason { rule, reason }).await?;
        Ok(ToolOutcome::HandedOff { to: target })
    }
}

fn failed(code: Code, message: impl Into<String>) -> ToolOutcome {
    ToolOutcome::Failed { code: code.as_str().to_owned(), message: message.into() }
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

/// `file`, and where there is one already `file_2`.
fn free_key(taken: &Map<String, Value>, key: &str) -> String {
    if !taken.contains_key(key) {
        return key.to_owned();
    }
    let numbered = (2..).map(|number| format!("{key}_{number}"));
    numbered.into_iter().find(|key| !taken.contains_key(key)).expect("there are more numbers than artifacts")
}
