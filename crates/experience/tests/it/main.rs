//! The face through its front door: a request in, an answer out, over a real guard and a real Runtime in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod console;
mod dead_letters;
mod house;
mod keys;
mod letters;
mod openapi;
mod permissions;
mod problems;
mod schedules;
mod serving;
mod sign_in;
mod sign_ins;
mod sockets;
mod tenants;
mod walls;
mod work;
