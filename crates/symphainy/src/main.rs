//! The only binary: reads what was asked for and does it.

use std::process::ExitCode;

fn main() -> ExitCode {
    symphainy::run()
}
