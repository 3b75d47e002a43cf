//! The Runtime through its client: what was acknowledged happens, once, and is told without a hole.

mod house;
mod lifecycle;
mod steering;
mod telling;
