//! Archives: what was taken away, in files of one JSON object a line that any program can read. A line is on the disk before what it
//! tells of is taken away; after a crash in between it may stand there twice.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use contract::{ConversationId, Event, ExecutionId, Owner, Timestamp};
use serde::Deserialize;

/// An archive has what people said.
const FILE_MODE: u32 = 0o600;

/// The longest line that is read, in bytes.
const MAX_LINE_BYTES: u64 = 256 * 1024 * 1024;

/// The file of a day in a folder of archives.
pub(crate) fn file_of_day(folder: &Path, now: Timestamp) -> PathBuf {
    let day: String = now.to_string().chars().take_while(|character| *character != 'T').collect();
    folder.join(format!("history-{day}.jsonl"))
}

/// Adds lines to a file, durably; the file and its folder are made where they are not there.
pub(crate) fn append(path: &Path, lines: &[String]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let is_new = !path.exists();
    let mut file = File::options().create(true).append(true).mode(FILE_MODE).open(path)?;
    let mut text = lines.join("\n");
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    if is_new {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// One line, as far as a story needs it.
#[derive(Debug, Deserialize)]
pub(crate) struct Archived {
    pub(crate) owner: Owner,
    pub(crate) conversation_id: Option<ConversationId>,
    pub(crate) events: Vec<Event>,
}

/// Reads the lines of a file that pass, one at a time.
pub(crate) fn read(path: &Path, mut wanted: impl FnMut(Archived)) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = String::new();
    loop {
        line.clear();
        if io::Read::take(&mut reader, MAX_LINE_BYTES).read_line(&mut line)? == 0 {
            return Ok(());
        }
        match serde_json::from_str(&line) {
            Ok(archived) => wanted(archived),
            // The last line of a file may be cut off by a crash: what it tells of was not taken away then.
            Err(_) if !line.ends_with('\n') => return Ok(()),
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
    }
}

/// The events of one owner's conversation out of archived lines, each once.
pub(crate) fn conversation(lines: Vec<Archived>) -> Vec<Event> {
    let mut events: Vec<Event> = lines.into_iter().flat_map(|line| line.events).collect();
    // An event that stands for removed ones has the number of the last of them, which is archived itself.
    events.retain(|event| event.event_type != contract::EventType::HistoryRemoved);
    events.sort_by_key(|event| event.seq);
    events.dedup_by_key(|event| event.seq);
    events
}

/// The events of an execution and of all that it called, each once.
pub(crate) fn execution(lines: Vec<Archived>, id: &ExecutionId) -> Vec<Event> {
    let mut events: Vec<Event> = lines.into_iter().flat_map(|line| line.events).collect();
    events.sort_by(|one, other| {
        (one.timestamp, one.seq, &one.execution_id).cmp(&(other.timestamp, other.seq, &other.execution_id))
    });
    events.dedup();
    let mut family = std::collections::HashSet::from([id.clone()]);
    events.retain(|event| {
        let caller = event.data["parent_execution_id"].as_str().and_then(|caller| caller.parse().ok());
        if caller.is_some_and(|caller: ExecutionId| family.contains(&caller)) {
            family.insert(event.execution_id.clone());
        }
        family.contains(&event.execution_id)
    });
    events
}
