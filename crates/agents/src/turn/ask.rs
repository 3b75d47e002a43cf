//! Asking a model: its answer goes out as it comes, and the whole of it is a recorded step. Where the agent's own model does not
//! answer, the next in its chain is asked, as long as nothing was said.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use contract::Code;
use runtime::Failure;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::run::Turn;
use crate::{
    analysis::IntentAnalysis,
    budget::{Caller, SetAside},
    model::{LanguageModel, ModelError, ModelRequest, Piece, ReplySink, ToolCall, Usage},
};

/// The most tools that one answer of a model may want.
const MAX_CALLS: usize = 16;
/// The most text of one answer, in bytes: a model that never stops is stopped.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// A whole answer of a model, as it is recorded.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Reply {
    pub(super) text: String,
    pub(super) calls: Vec<ToolCall>,
    pub(super) usage: Usage,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reading: Option<IntentAnalysis>,
    /// Who answered; records from before there was a choice have none.
    #[serde(default)]
    pub(super) model: String,
    /// What it cost, in millionths of a dollar.
    #[serde(default)]
    pub(super) cost_micros: u64,
    /// The digest of the definition under which it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    definition: Option<String>,
}

impl Turn<'_> {
    /// Asks the model, or takes what it was recorded to have said.
    pub(super) async fn ask(&mut self) -> Result<Reply, Failure> {
        let chain = self.handler.models.chain(&self.agent);
        if chain.is_empty() {
            let (agent, model) = (&self.agent.agent_id, self.handler.models.name_for(&self.agent));
            return Err(Failure::new(
                Code::ModelUnavailable,
                format!("The model {model} of {agent} is not configured."),
            ));
        }
        let request = self.request();
        let step = format!("model:{}", self.asked);
        self.asked += 1;
        let is_new = AtomicBool::new(false);
        let turn = &*self;
        let work = || async {
            is_new.store(true, Ordering::Relaxed);
            turn.ask_chain(&step, &chain, &request).await
        };
        let reply = self.context.step(&step, work).await?;
        self.refuse_another_definition(&reply)?;
        // An attempt that starts again tells everything again: its tokens count from its own `agent.started` on.
        if !is_new.load(Ordering::Relaxed) && !reply.text.is_empty() {
            self.speak(&reply.text, true).await?;
        }
        Ok(reply)
    }

    /// What was said under one definition is not carried on under another: it may have promised what the other does not do.
    fn refuse_another_definition(&self, reply: &Reply) -> Result<(), Failure> {
        match &reply.definition {
            Some(definition) if *definition != self.agent.digest() => {
                let agent = &self.agent.agent_id;
                let message = format!("The agent {agent} was changed while it was answering. Ask again.");
                Err(Failure::new(Code::VersionMismatch, message))
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn ask_chain(
        &self,
        step: &str,
        chain: &[Arc<dyn LanguageModel>],
        request: &ModelRequest,
    ) -> Result<Reply, Failure> {
        let mut last = Failure::new(Code::ModelUnavailable, "There is no model to ask.");
        for model in chain {
            let set_aside = match self.set_aside(step, &**model, request).await {
                Ok(set_aside) => set_aside,
                // The next one may be cheaper, or free.
                Err(failure) if failure.code == Code::BudgetExhausted => {
                    last = failure;
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            let definition = Some(self.agent.digest());
            let reply = Reply { model: model.name().to_owned(), definition, ..Reply::default() };
            let mut sink = Speaker { turn: self, about: self.about(), reply, failure: None };
            let outcome = model.reply(request, &mut sink).await;
            let Speaker { reply, failure, .. } = sink;
            let reply = self.settle(&**model, set_aside, reply, &outcome).await?;
            match (outcome, failure) {
                (_, Some(failure)) => return Err(failure),
                (Ok(()), None) => return Ok(reply),
                // What was said cannot be unsaid: the attempt starts again, and so does its text.
                (Err(error), None) if !reply.text.is_empty() => return Err(model_failure(error)),
                (Err(error), None) => last = model_failure(error),
            }
        }
        Err(last)
    }
}

/// What a call may cost is set aside before it is made. What a cancelled or killed one had set aside stays so: nobody knows what of it
/// was used.
impl Turn<'_> {
    async fn set_aside(
        &self,
        step: &str,
        model: &dyn LanguageModel,
        request: &ModelRequest,
    ) -> Result<Option<SetAside>, Failure> {
        let Some(budgets) = self.handler.models.budgets() else { return Ok(None) };
        let caller = Caller {
            owner: &request.owner,
            agent_id: &self.agent.agent_id,
            run: self.context.execution_id(),
            call: format!("{}/{}/{}", self.context.step_key(step), self.context.attempt(), model.name()),
            now: self.context.now(),
        };
        budgets.set_aside(model, request, caller).await
    }

    async fn settle(
        &self,
        model: &dyn LanguageModel,
        set_aside: Option<SetAside>,
        mut reply: Reply,
        outcome: &Result<(), ModelError>,
    ) -> Result<Reply, Failure> {
        reply.cost_micros = model.cost(reply.usage);
        if let (Some(budgets), Some(set_aside)) = (self.handler.models.budgets(), set_aside) {
            let said_nothing = reply.text.is_empty() && reply.calls.is_empty() && reply.usage.total() == 0;
            match outcome {
                Err(_) if said_nothing => budgets.give_back(set_aside).await?,
                Ok(()) | Err(_) => budgets.settle(model, set_aside, reply.usage, &reply.text).await?,
            }
        }
        Ok(reply)
    }
}

/// Takes a model's answer: text goes out at once, and all of it is kept to be recorded.
struct Speaker<'t, 'a> {
    turn: &'t Turn<'a>,
    /// What stands beside each piece; nobody else speaks while a model answers.
    about: Map<String, Value>,
    reply: Reply,
    failure: Option<Failure>,
}

#[async_trait]
impl ReplySink for Speaker<'_, '_> {
    async fn take(&mut self, piece: Piece) -> Result<(), ModelError> {
        match piece {
            Piece::Text(text) => self.text(&text).await,
            Piece::ToolCall(_) if self.reply.calls.len() >= MAX_CALLS => {
                Err(ModelError::Final(format!("The model wants more than {MAX_CALLS} tools at once.")))
            }
            Piece::ToolCall(call) => {
                self.reply.calls.push(call);
                Ok(())
            }
            Piece::Usage(usage) => {
                self.reply.usage.add(usage);
                Ok(())
            }
            Piece::Reading(reading) => {
                self.reply.reading = Some(reading);
                Ok(())
            }
        }
    }
}

impl Speaker<'_, '_> {
    async fn text(&mut self, text: &str) -> Result<(), ModelError> {
        if text.is_empty() {
            return Ok(());
        }
        if self.reply.text.len() + text.len() > MAX_TEXT_BYTES {
            return Err(ModelError::Final("The model does not stop talking; the turn was ended.".to_owned()));
        }
        let begins = self.reply.text.is_empty();
        self.reply.text.push_str(text);
        match self.turn.speak_beside(text, begins, &self.about).await {
            Ok(()) => Ok(()),
            Err(failure) => {
                self.failure = Some(failure);
                Err(ModelError::Stopped)
            }
        }
    }
}

fn model_failure(error: ModelError) -> Failure {
    match error {
        ModelError::Transient(message) => Failure::transient(Code::ModelUnavailable, message),
        ModelError::Final(message) => Failure::new(Code::ModelUnavailable, message),
        ModelError::Stopped => Failure::new(Code::Internal, "The model stopped without a reason."),
    }
}
