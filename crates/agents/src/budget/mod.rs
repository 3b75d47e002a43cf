//! Budgets: what model calls may cost by tenant, user, agent and run. The expected cost is set aside before a call is made, so that
//! calls at the same time cannot go over together; afterwards it becomes what the model says that it was.

mod ledger;
mod limit;

use std::sync::Arc;

use contract::{AgentId, Code, ExecutionId, Owner, Timestamp};
use runtime::Failure;

pub use ledger::{Ledger, LedgerError, MemoryLedger, Refusal, Reservation, contract as ledger_contract};
pub use limit::{LONGEST_WINDOW, Limit, Scope, Spend, Unit};

use crate::model::{LanguageModel, ModelRequest, Usage};

/// Whose money it is while nobody has signed in: all anonymous sessions are one tenant, or each would have a budget of its own.
const ANONYMOUS: &str = "anonymous";

/// The limits, and the ledger that they are held against.
#[derive(Clone)]
pub struct Budgets {
    ledger: Arc<dyn Ledger>,
    limits: Arc<[Limit]>,
}

/// Who makes a call, and when.
pub(crate) struct Caller<'a> {
    pub(crate) owner: &'a Owner,
    pub(crate) agent_id: &'a AgentId,
    pub(crate) run: &'a ExecutionId,
    /// The same for the same call in the same attempt, and for no other.
    pub(crate) call: String,
    pub(crate) now: Timestamp,
}

/// What was set aside for a call.
pub(crate) struct SetAside {
    call: String,
    expected: Usage,
}

impl Budgets {
    pub fn new(ledger: Arc<dyn Ledger>, limits: Vec<Limit>) -> Self {
        Self { ledger, limits: limits.into() }
    }

    /// Sets the expected cost of a call aside, or fails with `budget_exhausted`: then the call must not be made. `None` where there
    /// is nothing to watch: a call that costs nothing, or no limits.
    pub(crate) async fn set_aside(
        &self,
        model: &dyn LanguageModel,
        request: &ModelRequest,
        caller: Caller<'_>,
    ) -> Result<Option<SetAside>, Failure> {
        if self.limits.is_empty() {
            return Ok(None);
        }
        let expected = model.expected(request);
        if expected.total() == 0 {
            return Ok(None);
        }
        let tenant = caller.owner.tenant_id().map_or(ANONYMOUS.to_owned(), ToString::to_string);
        let reservation = Reservation {
            call: caller.call.clone(),
            tenant,
            user: caller.owner.space(),
            agent: caller.agent_id.to_string(),
            run: caller.run.to_string(),
            expected: Spend { tokens: expected.total(), micros: model.cost(expected) },
            at: caller.now,
        };
        match self.ledger.reserve(&reservation, &self.limits).await.map_err(failure)? {
            None => Ok(Some(SetAside { call: caller.call, expected })),
            Some(refusal) => Err(Failure::new(Code::BudgetExhausted, refusal.to_string())),
        }
    }

    /// Writes down what a call cost after all. A provider that counts nothing is taken to have read what was expected and to have
    /// said `text`.
    pub(crate) async fn settle(
        &self,
        model: &dyn LanguageModel,
        set_aside: SetAside,
        usage: Usage,
        text: &str,
    ) -> Result<(), Failure> {
        let usage = if usage.total() > 0 {
            usage
        } else {
            let output_tokens = (text.len() as u64).div_ceil(BYTES_OF_A_TOKEN).min(set_aside.expected.output_tokens);
            Usage { input_tokens: set_aside.expected.input_tokens, output_tokens }
        };
        let spent = Spend { tokens: usage.total(), micros: model.cost(usage) };
        self.ledger.settle(&set_aside.call, spent).await.map_err(failure)
    }

    /// Gives back what was set aside for a call that came to nothing.
    pub(crate) async fn give_back(&self, set_aside: SetAside) -> Result<(), Failure> {
        self.ledger.settle(&set_aside.call, Spend::default()).await.map_err(failure)
    }
}

/// About how many bytes of text are a token.
const BYTES_OF_A_TOKEN: u64 = 4;

fn failure(_: LedgerError) -> Failure {
    Failure::transient(Code::Unavailable, "What was spent cannot be read just now.")
}
