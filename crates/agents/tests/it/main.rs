//! Agents through their front doors: the built-in model over a table of utterances, and turns through a Runtime in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod house;
mod schema;
mod sessions;
mod turns;
mod utterances;
