//! How far long work has come, on one line of a terminal that is taken back when it is done. In a pipe there is nothing to see.

use std::io::{self, IsTerminal, Write};

use crate::paint::TAKE_BACK;

/// A line on standard error, where that is a terminal.
pub(crate) struct ProgressLine {
    is_shown: bool,
    last: String,
}

impl ProgressLine {
    pub(crate) fn new() -> Self {
        Self { is_shown: io::stderr().is_terminal(), last: String::new() }
    }

    /// Shows what is being done, and how much of it is done where that is known.
    pub(crate) fn show(&mut self, what: &str, of: Option<(u64, u64)>) {
        let line = match of {
            Some((done, total)) if total > 0 => format!("{what} {}%", done.saturating_mul(100) / total),
            Some(_) | None => what.to_owned(),
        };
        if self.is_shown && line != self.last {
            // Nobody is left to be shown anything where this fails.
            let _ = write!(io::stderr(), "{TAKE_BACK}{line}");
            self.last = line;
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if !self.last.is_empty() {
            let _ = write!(io::stderr(), "{TAKE_BACK}");
        }
    }
}
