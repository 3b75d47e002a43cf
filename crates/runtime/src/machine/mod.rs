//! What may happen to an execution, as one pure function over values: no task, no clock, no storage, no chance.

mod decide;
mod state;
#[cfg(test)]
mod tests;

pub use decide::{Command, Decision, Refusal, RetryPolicy, accept, decide};
pub use state::{Header, Phase, State};
