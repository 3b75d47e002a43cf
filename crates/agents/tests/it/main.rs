//! Agents through their front doors: the built-in model over a table of utterances, and turns through a Runtime in memory.

mod house;
mod turns;
mod utterances;
