//! What may happen to an execution, as one pure function over values: no task, no clock, no storage, no chance.

mod decide;
mod redrive;
mod state;
#[cfg(test)]
mod tests;

pub use decide::{Asked, Command, Decision, Refusal, RetryPolicy, accept, decide};
pub use redrive::RedriveRefusal;
pub use state::{Header, Phase, Redriven, STATE_VERSION, State};
