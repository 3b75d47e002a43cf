//! The face through its front door: a request in, an answer out, over a real guard and a real Runtime in memory.

mod house;
mod openapi;
mod problems;
mod sign_in;
mod walls;
mod work;
