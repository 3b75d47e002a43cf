//! A server that is a program on this machine: messages are lines on its standard input and output. A program does one call at a time,
//! so that whatever it does wrong concerns that call; it is kept for the next one only after it behaved.

use std::{
    process::Stdio,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    task::JoinSet,
};
use tracing::debug;

use super::{
    config::McpConfig,
    fault::{Fault, quoted},
    message::{Expected, Heard, MAX_MESSAGE_BYTES, agreed_version, initialize, initialized},
};

/// The longest line of a program's errors that is read as one, in bytes.
const MAX_ERROR_LINE_BYTES: usize = 4 * 1024;

/// How many lines of a program's errors are logged; all are read.
const MAX_LOGGED_LINES: usize = 50;

/// How long a program that is no longer needed may take to end by itself.
const END_PATIENCE: Duration = Duration::from_secs(1);

/// The id of the first message on a connection.
const FIRST_ID: u64 = 0;

/// How programs are started, and the one that is kept.
pub(super) struct Programs {
    name: String,
    command: String,
    config: McpConfig,
    /// The one that did the call before.
    kept: Mutex<Option<Program>>,
}

impl Programs {
    pub(super) fn new(name: &str, command: &str, config: &McpConfig) -> Self {
        Self { name: name.to_owned(), command: command.to_owned(), config: config.clone(), kept: Mutex::default() }
    }

    /// Has a program answer. One that does not answer as it should is ended, and so is one whose answer nobody waits for any more.
    pub(super) async fn ask(&self, id: u64, message: &Value, sent: &AtomicBool) -> Result<Value, Fault> {
        let mut program = match self.take() {
            Some(program) => program,
            None => self.start().await?,
        };
        sent.store(true, Ordering::Relaxed);
        let answer = program.ask(id, message).await;
        // What it refuses, it refuses in the protocol's own way.
        if matches!(answer, Ok(_) | Err(Fault::Refused(_))) {
            self.keep(program).await;
        }
        answer
    }

    /// The one that is kept, unless it has ended meanwhile.
    fn take(&self) -> Option<Program> {
        let mut program = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        program.is_alive().then_some(program)
    }

    /// Keeps it, unless another one is kept.
    async fn keep(&self, program: Program) {
        let spare = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            match &*kept {
                Some(_) => Some(program),
                None => {
                    *kept = Some(program);
                    None
                }
            }
        };
        if let Some(spare) = spare {
            spare.end().await;
        }
    }

    async fn start(&self) -> Result<Program, Fault> {
        let mut program = Program::start(&self.name, &self.command, &self.config)?;
        let result = program.ask(FIRST_ID, &initialize(FIRST_ID)).await?;
        agreed_version(&result)?;
        program.send(&initialized()).await?;
        Ok(program)
    }
}

/// A program that runs. It and whatever it started are killed when this is dropped.
struct Program {
    child: Child,
    /// `None` once it is to end.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    last_words: Arc<Mutex<String>>,
    errors: JoinSet<()>,
}

impl Program {
    fn start(name: &str, command: &str, config: &McpConfig) -> Result<Self, Fault> {
        let mut child = Command::new(command)
            .args(&config.args)
            .env_clear()
            .envs(&config.env.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Launchers such as npx start the server proper as a child of theirs.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Fault::NotStarted(format!("{command}: {error}")))?;
        let gone = || Fault::NotStarted("it has no input or output".to_owned());
        let input = child.stdin.take().ok_or_else(gone)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(gone)?);
        let errors = BufReader::new(child.stderr.take().ok_or_else(gone)?);
        let last_words = Arc::new(Mutex::new(String::new()));
        let mut reading = JoinSet::new();
        reading.spawn(read_errors(name.to_owned(), errors, Arc::clone(&last_words)));
        Ok(Self { child, input: Some(input), output, last_words, errors: reading })
    }

    fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    async fn send(&mut self, message: &Value) -> Result<(), Fault> {
        let mut line = message.to_string().into_bytes();
        line.push(b'\n');
        let written = match &mut self.input {
            Some(input) => input.write_all(&line).await.is_ok() && input.flush().await.is_ok(),
            None => false,
        };
        if written { Ok(()) } else { Err(self.ended().await) }
    }

    async fn ask(&mut self, id: u64, message: &Value) -> Result<Value, Fault> {
        self.send(message).await?;
        let mut expected = Expected::new(id);
        loop {
            let Some(line) = read_line(&mut self.output, MAX_MESSAGE_BYTES).await? else {
                return Err(self.ended().await);
            };
            match expected.hear(&line)? {
                Heard::Answer(result) => return Ok(result),
                Heard::Reply(reply) => self.send(&reply).await?,
                Heard::Nothing => {}
            }
        }
    }

    async fn ended(&mut self) -> Fault {
        // What it said last may be on its way still.
        let _ = tokio::time::timeout(END_PATIENCE, self.errors.join_next()).await;
        let last = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        Fault::Ended(if last.is_empty() { String::new() } else { format!("; its last words: “{last}”") })
    }

    /// Tells it to end by closing its input, as the protocol wants it, and does not wait for long.
    async fn end(mut self) {
        self.input = None;
        let _ = tokio::time::timeout(END_PATIENCE, self.child.wait()).await;
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has an id until somebody saw its end, so that the number is still its own.
        let id = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(group) = id {
            // It may have ended a moment ago; then there is nothing to end.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// The next line, without its end; `None` where there is no further one.
async fn read_line(from: &mut (impl AsyncBufRead + Unpin), most: usize) -> Result<Option<Vec<u8>>, Fault> {
    let mut line = Vec::new();
    loop {
        let here = from.fill_buf().await.map_err(|error| Fault::Broken(error.to_string()))?;
        if here.is_empty() {
            // Half a line at the end is no message.
            return Ok(None);
        }
        let end = here.iter().position(|byte| *byte == b'\n');
        let part = &here[..end.unwrap_or(here.len())];
        if line.len() + part.len() > most {
            return Err(Fault::TooLarge(most));
        }
        line.extend_from_slice(part);
        let used = part.len() + usize::from(end.is_some());
        from.consume(used);
        if end.is_some() {
            return Ok(Some(line));
        }
    }
}

/// Reads what a program says of itself, so that it can go on; logs the first of it and remembers the last.
async fn read_errors(name: String, mut errors: impl AsyncBufRead + Unpin, last_words: Arc<Mutex<String>>) {
    let mut logged = 0;
    let mut line = Vec::new();
    loop {
        let used = match errors.fill_buf().await {
            Ok([]) | Err(_) => return,
            Ok(here) => {
                let end = here.iter().position(|byte| *byte == b'\n');
                let part = &here[..end.unwrap_or(here.len())];
                let room = MAX_ERROR_LINE_BYTES.saturating_sub(line.len());
                line.extend_from_slice(&part[..part.len().min(room)]);
                let used = part.len() + usize::from(end.is_some());
                if end.is_none() {
                    errors.consume(used);
                    continue;
                }
                used
            }
        };
        errors.consume(used);
        let said = quoted(&String::from_utf8_lossy(&line));
        line.clear();
        if said.is_empty() {
            continue;
        }
        if logged < MAX_LOGGED_LINES {
            debug!(server = name, said, "an MCP server says");
            logged += 1;
        }
        *last_words.lock().unwrap_or_else(PoisonError::into_inner) = said;
    }
}
