//! The product put together: configuration, wiring, life and commands. It is the only place that knows every room, and the
//! only one that reads the system's clock, chance and environment.

pub mod config;
pub mod wiring;

mod clock;
mod commands;
mod exit;
mod lifecycle;
mod logs;

use std::process::ExitCode;

pub use clock::SystemClock;

/// Does what the command line says. The exit code is one of `sysexits.h`.
pub fn run() -> ExitCode {
    commands::run()
}
