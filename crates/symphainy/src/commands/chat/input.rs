//! What is typed: lines from standard input, read by a thread of their own, because nothing else can wait for a terminal.

use std::{io, thread};

use tokio::sync::mpsc;

use crate::exit::Complaint;

/// Lines that wait to be heard.
const MAX_WAITING: usize = 16;

/// Standard input, line by line.
pub(super) struct Input {
    lines: mpsc::Receiver<String>,
}

impl Input {
    /// The thread ends with the input, or with the process: a read cannot be called back.
    pub(super) fn open() -> Result<Self, Complaint> {
        let (sender, lines) = mpsc::channel(MAX_WAITING);
        let read = move || {
            for line in io::stdin().lines().map_while(Result::ok) {
                if sender.blocking_send(line).is_err() {
                    break;
                }
            }
        };
        let started = thread::Builder::new().name("chat-input".to_owned()).spawn(read);
        started.map_err(|error| Complaint::internal(format!("No thread can be started ({error}).")))?;
        Ok(Self { lines })
    }

    /// The next line; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<String> {
        self.lines.recv().await
    }
}
