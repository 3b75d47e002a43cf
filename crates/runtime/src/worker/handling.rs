//! Calling a handler: within its time, and no longer than it is wanted.

use std::time::Duration;

use contract::Code;
use serde_json::Value;

use super::Run;
use crate::{
    context::ExecutionContext,
    handler::{Failure, Handler},
};

/// How long a handler that was asked to stop may take before it is dropped.
const CANCEL_GRACE: Duration = Duration::from_secs(5);

/// How long an attempt may take: the handler's own limit, or what is left until the execution's deadline.
struct TimeLimit {
    left: Duration,
    is_deadline: bool,
}

impl TimeLimit {
    fn of(run: &Run, handler: &dyn Handler) -> Self {
        let limit = handler.time_limit();
        let until_deadline = run.header().timing.deadline.map(|deadline| deadline.since(run.now()));
        match until_deadline.filter(|left| *left < limit) {
            Some(left) => Self { left, is_deadline: true },
            None => Self { left: limit, is_deadline: false },
        }
    }

    fn failure(&self) -> Failure {
        if self.is_deadline {
            return Failure::new(Code::Timeout, "Its deadline passed, and it was stopped.");
        }
        let seconds = self.left.as_secs();
        Failure::new(Code::Timeout, format!("It took longer than {seconds} seconds and was stopped."))
    }
}

/// Calls the handler within its time, and drops it when it was asked to stop and does not.
pub(super) async fn handle(run: &Run, handler: &dyn Handler, context: &ExecutionContext) -> Result<Value, Failure> {
    if run.journal.is_hurried() {
        run.journal.flushed().await?;
    }
    let limit = TimeLimit::of(run, handler);
    let mut handling = std::pin::pin!(handler.execute(context, run.header().parameters.clone()));
    tokio::select! {
        biased;
        outcome = &mut handling => outcome,
        () = tokio::time::sleep(limit.left) => {
            run.cancellation().cancel();
            Err(limit.failure())
        }
        () = run.cancellation().cancelled() => {
            match tokio::time::timeout(CANCEL_GRACE, handling).await {
                Ok(outcome) => outcome,
                Err(_) => Err(run.cancel_failure()),
            }
        }
    }
}
