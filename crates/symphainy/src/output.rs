//! Standard output, where it may happen that nobody reads any more: a pipe that was closed ends no command and breaks none.

use std::io::{self, Write};

/// Writes at once.
pub(crate) fn show(text: &str) {
    let mut output = io::stdout().lock();
    // Whoever closed the other end does not want to read on.
    let _ = output.write_all(text.as_bytes());
    let _ = output.flush();
}

/// Writes a line.
pub(crate) fn show_line(text: &str) {
    show(&format!("{text}\n"));
}
