//! What becomes of a message that comes while an earlier turn of its conversation has not ended. The conversation's key says
//! which turns these are, and the store decides between those that come at the same moment.

use std::sync::Arc;

use contract::{ExecutionId, agent::TurnPolicy, intent::Submitted};
use serde_json::Value;

use super::{Shared, steer::MAX_CONFLICTS};
use crate::{
    client::RuntimeError,
    machine::{Command, Header, State, decide},
    port::{
        StoreError,
        store::{Change, Fence, Gate, MAX_PAGE, NewMessage, Object},
    },
    submit::{Acceptance, accepted},
};

/// Why a turn ends that a newer message took the place of.
const SUPERSEDED: &str = "A newer message took its place.";

/// What stands between messages that are answered at once.
const PARAGRAPH: &str = "\n\n";

/// How a turn's parameters call what was said, and who is to answer. Only turns that the same agent answers are joined.
const SAID: &str = "text";
const ANSWERED_BY: &str = "agent_id";

impl Shared {
    /// Accepts by the policy of what is asked for. Whatever has no key neither waits nor is waited for.
    pub(crate) async fn accept_by(
        self: &Arc<Self>,
        policy: TurnPolicy,
        mut acceptance: Acceptance,
    ) -> Result<Submitted, RuntimeError> {
        if acceptance.header.concurrency_key.is_none() {
            return self.accept(acceptance).await;
        }
        match policy {
            TurnPolicy::Queue => self.accept_to_wait(acceptance).await,
            TurnPolicy::Interrupt => {
                acceptance.header.supersedes = true;
                self.accept(acceptance).await
            }
            TurnPolicy::Merge => {
                let shared = Arc::clone(self);
                // What was begun is finished, also when whoever asked goes away.
                let merged = self.tasks.spawn(async move { shared.accept_merging(acceptance).await });
                merged.await.map_err(|_| RuntimeError::Unavailable)?
            }
            TurnPolicy::Reject => {
                acceptance.gate = Some(Gate::AtMost(0));
                self.accept(acceptance).await.map_err(|error| said_why(error, RuntimeError::TurnInProgress))
            }
        }
    }

    async fn accept_to_wait(self: &Arc<Self>, mut acceptance: Acceptance) -> Result<Submitted, RuntimeError> {
        // One runs, and so many wait for it.
        acceptance.gate = Some(Gate::AtMost(self.config.waiting_per_key));
        self.accept(acceptance).await.map_err(|error| said_why(error, RuntimeError::TooManyWaiting))
    }

    async fn accept_merging(self: &Arc<Self>, acceptance: Acceptance) -> Result<Submitted, RuntimeError> {
        for _ in 0..MAX_CONFLICTS {
            if let Some(answer) = self.known(&acceptance).await? {
                return Ok(answer);
            }
            let key = acceptance.header.concurrency_key.as_deref().unwrap_or_default();
            let unfinished = self.store.unfinished_of_key(key, MAX_PAGE).await?;
            let waiting = unfinished.iter().rev().find(|state| state.waits_for_its_first_attempt());
            let outcome = match (waiting, &acceptance.message) {
                (Some(waiting), Some(message)) => match self.joined(waiting, &acceptance.header, message) {
                    Some(parameters) => self.join(waiting, parameters, &acceptance).await,
                    None => return self.accept_to_wait(acceptance).await,
                },
                (_, None) => return self.accept_to_wait(acceptance).await,
                (None, Some(_)) => {
                    let gate = Some(Gate::NoneWaiting);
                    self.accept(Acceptance { gate, ..acceptance.clone() }).await
                }
            };
            match outcome {
                // Another one came in between: it is looked at again.
                Err(RuntimeError::Held) => {}
                outcome => return outcome,
            }
        }
        Err(RuntimeError::Unavailable)
    }

    /// The answer that the same message got before.
    async fn known(&self, acceptance: &Acceptance) -> Result<Option<Submitted>, RuntimeError> {
        let Some(idempotency) = acceptance.idempotency.first() else { return Ok(None) };
        let owner = &acceptance.header.owner;
        match self.store.recall(owner, &idempotency.key, self.clock.now()).await? {
            None => Ok(None),
            Some(known) if known.fingerprint == idempotency.fingerprint => {
                Ok(Some(accepted(known.execution_id, known.intent_id, known.created_at)))
            }
            Some(_) => Err(RuntimeError::IdempotencyMismatch),
        }
    }

    /// What a waiting turn's parameters and a new message come to, where they can be one turn.
    fn joined(&self, waiting: &State, new: &Header, message: &NewMessage) -> Option<Object> {
        let old = &waiting.header;
        let same =
            old.intent_type == new.intent_type && old.parameters.get(ANSWERED_BY) == new.parameters.get(ANSWERED_BY);
        let said = old.parameters.get(SAID).and_then(Value::as_str).filter(|_| same)?;
        let mut parameters = old.parameters.clone();
        parameters.insert(SAID.to_owned(), Value::String(format!("{said}{PARAGRAPH}{}", message.content)));
        // Together they may be too long.
        self.check(&old.intent_type, &parameters).is_ok().then_some(parameters)
    }

    async fn join(
        self: &Arc<Self>,
        waiting: &State,
        parameters: Object,
        acceptance: &Acceptance,
    ) -> Result<Submitted, RuntimeError> {
        let Some(message) = acceptance.message.clone() else { return Err(RuntimeError::Held) };
        let metadata = acceptance.header.metadata.clone();
        let command = Command::Join { parameters, message: message.clone(), metadata };
        let Ok(decision) = decide(waiting, command, self.clock.now()) else { return Err(RuntimeError::Held) };
        let header = &waiting.header;
        let mut change = Change::new(header.execution_id.clone(), Fence::Revision(waiting.revision));
        change.events = decision.events;
        change.next = Some(decision.next.clone());
        change.message = Some(message);
        change.idempotency = acceptance.idempotency.first().cloned();
        match self.commit(change).await {
            Ok(()) => {
                // Where it waits here it goes on with what is stored now; where it has just been begun it begins again.
                self.wait_or_run(decision.next);
                Ok(accepted(header.execution_id.clone(), header.intent_id.clone(), header.created_at))
            }
            Err(StoreError::Conflict) => Err(RuntimeError::Held),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends all that was accepted before this one under its key.
    pub(crate) async fn supersede(self: &Arc<Self>, header: &Header) -> Result<(), RuntimeError> {
        let Some(key) = &header.concurrency_key else { return Ok(()) };
        for earlier in self.earlier(key, &header.execution_id).await? {
            self.cancel(&earlier, SUPERSEDED).await?;
        }
        Ok(())
    }

    async fn earlier(&self, key: &str, id: &ExecutionId) -> Result<Vec<ExecutionId>, StoreError> {
        let unfinished = self.store.unfinished_of_key(key, MAX_PAGE).await?;
        let ids = unfinished.into_iter().map(|state| state.header.execution_id);
        Ok(ids.take_while(|earlier| earlier != id).collect())
    }
}

/// A closed gate in the words of the policy that set it up.
fn said_why(error: RuntimeError, why: RuntimeError) -> RuntimeError {
    match error {
        RuntimeError::Held => why,
        other => other,
    }
}
