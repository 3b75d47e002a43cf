//! What a client knows of an execution or a conversation: what was promised to it, and each event that it was shown.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
};

use serde_json::Value;

/// What has to become of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    Completed,
    Cancelled,
    /// Its cancellation raced with its end, or a decision about it was never answered.
    Either,
}

/// What was asked for; what comes of it follows from that.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    pub(super) steps: usize,
    pub(super) children: usize,
    pub(super) failures: u32,
    pub(super) hold: bool,
    pub(super) keep: bool,
}

/// An acknowledged execution.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) execution_id: String,
    pub(super) ticket: u64,
    pub(super) asked: Asked,
    pub(super) promise: Promise,
    pub(super) seen: Seen,
}

/// A stream as far as it was shown: a digest of each event, byte for byte, by its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    digests: Vec<u64>,
    /// The event that ended the execution, where the stream is one execution's.
    pub(super) end: Option<String>,
}

/// An event as it was sent, without the word that a socket puts in front.
pub(super) struct Shown {
    pub(super) seq: u64,
    pub(super) event_type: String,
    pub(super) execution_id: String,
    pub(super) data: Value,
    digest: u64,
}

impl Shown {
    /// Reads the JSON of an event; `None` where it is none.
    pub(super) fn read(json: &str) -> Option<Self> {
        let bare = json.strip_prefix(r#"{"type":"runtime_event","#).or_else(|| json.strip_prefix('{'))?;
        let mut event: Value = serde_json::from_str(json).ok()?;
        let mut hasher = DefaultHasher::new();
        bare.hash(&mut hasher);
        Some(Self {
            seq: event["seq"].as_u64()?,
            event_type: event["event_type"].as_str()?.to_owned(),
            execution_id: event["execution_id"].as_str()?.to_owned(),
            data: event["data"].take(),
            digest: hasher.finish(),
        })
    }

    pub(super) fn ends_execution(&self) -> bool {
        matches!(self.event_type.as_str(), "execution.completed" | "execution.failed" | "execution.cancelled")
    }
}

impl Seen {
    /// The newest place that was shown.
    pub(super) fn head(&self) -> u64 {
        self.digests.len() as u64
    }

    /// Takes a shown event in, where it is what it was, or what comes next.
    pub(super) fn take(&mut self, shown: &Shown) -> Result<(), String> {
        let head = self.head();
        if shown.seq == head + 1 {
            self.digests.push(shown.digest);
            return Ok(());
        }
        match usize::try_from(shown.seq).ok().and_then(|seq| self.digests.get(seq.checked_sub(1)?)) {
            Some(digest) if *digest == shown.digest => Ok(()),
            Some(_) => Err(format!("event {} ({}) is not what it was", shown.seq, shown.event_type)),
            None => Err(format!("after event {head} comes event {} ({})", shown.seq, shown.event_type)),
        }
    }

    /// Takes what a viewer was shown who asked for what comes after `after`: all of it, once, in order.
    pub(super) fn take_all(&mut self, after: u64, shown: &[Shown]) -> Result<(), String> {
        for (event, seq) in shown.iter().zip(after + 1..) {
            if event.seq != seq {
                return Err(format!(
                    "a viewer that had event {} was shown event {} ({}) next",
                    seq - 1,
                    event.seq,
                    event.event_type
                ));
            }
            self.take(event)?;
        }
        Ok(())
    }
}

/// The events in the body of a stream of Server-Sent Events; a last one that is not whole is left out.
pub(super) fn server_sent(body: &[u8]) -> Vec<Shown> {
    let text = String::from_utf8_lossy(body);
    let whole = text.rfind("\n\n").map_or("", |end| &text[..end]);
    whole
        .split("\n\n")
        .filter_map(|event| event.lines().find_map(|line| line.strip_prefix("data: ")))
        .filter_map(Shown::read)
        .collect()
}
