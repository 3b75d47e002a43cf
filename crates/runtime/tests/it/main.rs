//! The Runtime through its client: what was acknowledged happens, once, and is told without a hole.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_handlers;
mod dead_letters;
mod house;
mod lifecycle;
mod policy;
mod schedules;
mod simulation;
mod steering;
mod telling;
mod timing;
mod turns;
