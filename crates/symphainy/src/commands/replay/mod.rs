//! `symphainy replay`: the story of a conversation or an execution, told from its journal, on a data folder or through a server.

mod routing;
mod story;

use std::{io, path::Path};

use contract::{
    AgentId, ConversationId, Event, ExecutionId, Owner,
    conversation::EventPage,
    execution::{Execution, ExecutionPage},
};
use public_works::sqlite::{Held, Past, PastError};
use serde_json::json;

use super::load_config;
use crate::{
    archive_file::{self, Archived},
    banner::DEFAULT_SERVER,
    cli::{ReplayArguments, SignInArguments},
    client::{Api, sign_in},
    environment,
    exit::{Complaint, Exit},
    output::show,
    paint::{Paint, tame},
    wiring,
};
use story::{Entry, Tone};

/// Events that are asked of a server at a time.
const PAGE: u32 = 200;

/// The most executions that a server is asked for in one story.
const MAX_EXECUTIONS: usize = 500;

/// Where the server is that is meant where no flag says it.
const SERVER_VARIABLE: &str = "SYMPHAINY_SERVER";

pub(crate) async fn replay(arguments: ReplayArguments) -> Result<Exit, Complaint> {
    if arguments.routing {
        return routing::replay(&arguments).await;
    }
    let id = arguments.id.clone().unwrap_or_default();
    let asks_server = arguments.server.is_some() || arguments.email.is_some();
    let events = if let Some(path) = &arguments.from {
        let (path, wanted, user) = (path.clone(), id.clone(), arguments.user.clone());
        let read = tokio::task::spawn_blocking(move || from_archive(&path, &wanted, user.as_deref()));
        read.await.map_err(|error| Complaint::internal(format!("Reading the archive broke ({error}).")))??
    } else if asks_server {
        from_server(&arguments, &id).await?
    } else {
        let data_dir = load_config(&arguments.house.flags())?.server.data_dir;
        let (wanted, user) = (id.clone(), arguments.user.clone());
        let read = tokio::task::spawn_blocking(move || from_folder(&data_dir, &wanted, user.as_deref()));
        read.await.map_err(|error| Complaint::internal(format!("Reading the data broke ({error}).")))??
    };
    let entries = story::tell(&events);
    show(&if arguments.json {
        json!({ "id": id, "events": events.len(), "entries": entries }).to_string() + "\n"
    } else {
        text(&entries, Paint::of(&io::stdout()))
    });
    Ok(Exit::Success)
}

/// Whether the id is one that the Runtime gives to executions.
fn is_execution(id: &str) -> bool {
    id.starts_with("exec_")
}

fn parse<T: std::str::FromStr>(id: &str) -> Result<T, Complaint> {
    id.parse().map_err(|_| Complaint::usage(format!("{id:?} is no id: ids have letters, digits and . _ : ~ -")))
}

fn not_there(id: &str) -> Complaint {
    let what = if is_execution(id) { "execution" } else { "conversation" };
    Complaint::new(Exit::Data, format!("There is no {what} {id} here."))
}

fn from_folder(data_dir: &Path, id: &str, user: Option<&str>) -> Result<Vec<Event>, Complaint> {
    let past = Past::open(data_dir).map_err(|error| complaint(&error))?;
    if is_execution(id) {
        let events = past.execution(&parse::<ExecutionId>(id)?).map_err(|error| complaint(&error))?;
        return events.ok_or_else(|| not_there(id));
    }
    let named = past.conversations(Some(&parse::<ConversationId>(id)?)).map_err(|error| complaint(&error))?;
    let of_user = |held: &Held| user.is_none_or(|user| owner_word(&held.owner) == user);
    let found: Vec<Held> = named.into_iter().filter(of_user).collect();
    refuse_several(id, found.iter().map(|held| &held.owner))?;
    let held = found.first().ok_or_else(|| not_there(id))?;
    past.conversation(held).map_err(|error| complaint(&error))
}

fn from_archive(path: &Path, id: &str, user: Option<&str>) -> Result<Vec<Event>, Complaint> {
    let mut lines: Vec<Archived> = Vec::new();
    let execution = is_execution(id).then(|| parse::<ExecutionId>(id)).transpose()?;
    let read = archive_file::read(path, |line| {
        let is_wanted = match &execution {
            Some(_) => true,
            None => line.conversation_id.as_ref().is_some_and(|held| held.as_str() == id),
        };
        if is_wanted && user.is_none_or(|user| owner_word(&line.owner) == user) {
            lines.push(line);
        }
    });
    read.map_err(|error| Complaint::new(Exit::Data, format!("{} cannot be read ({error}).", path.display())))?;
    let events = match &execution {
        Some(execution) => archive_file::execution(lines, execution),
        None => {
            refuse_several(id, lines.iter().map(|line| &line.owner))?;
            archive_file::conversation(lines)
        }
    };
    if events.is_empty() { Err(not_there(id)) } else { Ok(events) }
}

/// Two owners may have conversations of the same name.
fn refuse_several<'owner>(id: &str, owners: impl Iterator<Item = &'owner Owner>) -> Result<(), Complaint> {
    let mut words: Vec<String> = owners.map(owner_word).collect();
    words.sort();
    words.dedup();
    if words.len() <= 1 {
        return Ok(());
    }
    Err(Complaint::usage(format!(
        "Several have a conversation {id}. Say whose: --user {}.",
        words.join(", or --user ")
    )))
}

/// How an owner is called on a command line.
fn owner_word(owner: &Owner) -> String {
    match owner {
        Owner::User { user_id, .. } => user_id.to_string(),
        Owner::Anonymous { session_id } => session_id.to_string(),
    }
}

fn complaint(error: &PastError) -> Complaint {
    match error {
        PastError::NoData(_) | PastError::TooLong | PastError::Unreadable { .. } => {
            Complaint::new(Exit::Data, error.to_string())
        }
        PastError::Open(error) => wiring::open_complaint(error),
    }
}

async fn from_server(arguments: &ReplayArguments, id: &str) -> Result<Vec<Event>, Complaint> {
    let server = arguments.server.clone().or_else(|| environment::get(SERVER_VARIABLE));
    let sign_in_arguments = SignInArguments {
        server: server.unwrap_or_else(|| DEFAULT_SERVER.to_owned()),
        email: arguments.email.clone(),
        register: None,
        remember: false,
    };
    let mut api = sign_in(&sign_in_arguments).await?;
    if is_execution(id) { execution(&mut api, &parse(id)?).await } else { conversation(&mut api, &parse(id)?).await }
}

async fn conversation(api: &mut Api, id: &ConversationId) -> Result<Vec<Event>, Complaint> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.seq);
        let page: EventPage = api.get(&format!("/api/conversations/{id}/events?after={after}&limit={PAGE}")).await?;
        if page.events.is_empty() {
            return Ok(events);
        }
        events.extend(page.events);
    }
}

/// An execution and all that it called, each asked for by itself.
async fn execution(api: &mut Api, id: &ExecutionId) -> Result<Vec<Event>, Complaint> {
    let mut events = Vec::new();
    let mut wanted = vec![id.clone()];
    let mut asked = 0;
    while let Some(id) = wanted.pop() {
        asked += 1;
        if asked > MAX_EXECUTIONS {
            let sentence =
                format!("It has called more than {MAX_EXECUTIONS} others. Read it on the data folder (--data-dir).");
            return Err(Complaint::new(Exit::Data, sentence));
        }
        let own: Execution = api.get(&format!("/api/execution/{id}/status")).await?;
        events.extend(own.events);
        let called: ExecutionPage = api.get(&format!("/api/executions?parent={id}&limit={PAGE}")).await?;
        wanted.extend(called.executions.into_iter().map(|called| called.execution_id));
    }
    events.sort_by_key(|event: &Event| (event.timestamp, event.seq));
    Ok(events)
}

/// The story for a person: a line an entry, with the time since the beginning.
fn text(entries: &[Entry], paint: Paint) -> String {
    let Some(first) = entries.first() else { return "Nothing has happened.\n".to_owned() };
    let mut output = paint.dim(&format!("{}\n", first.at));
    for entry in entries {
        let since = duration(u64::try_from(entry.at.since(first.at).as_millis()).unwrap_or(u64::MAX));
        let words = tame(&entry.text);
        let words = match entry.tone {
            Tone::Plain => words,
            Tone::Good => paint.good(&words),
            Tone::Doubtful => paint.doubtful(&words),
            Tone::Bad => paint.bad(&words),
        };
        let mut remarks = Vec::new();
        remarks.extend(entry.events.map(|events| format!("{events} tokens")));
        remarks.extend(entry.took_ms.map(duration));
        let remarks = match remarks.as_slice() {
            [] => String::new(),
            remarks => paint.dim(&format!("  ({})", remarks.join(", "))),
        };
        let line = format!("{since:>10}  {:>5}  {}{words}{remarks}\n", entry.seq, "  ".repeat(entry.depth));
        output.push_str(&line);
    }
    output
}

/// A length of time as people say it.
fn duration(millis: u64) -> String {
    const SECOND: u64 = 1_000;
    const MINUTE: u64 = 60 * SECOND;
    const HOUR: u64 = 60 * MINUTE;
    match millis {
        0..SECOND => format!("{millis}ms"),
        SECOND..MINUTE => format!("{}.{}s", millis / SECOND, millis % SECOND / 100),
        MINUTE..HOUR => format!("{}m {}s", millis / MINUTE, millis % MINUTE / SECOND),
        _ => format!("{}h {}m", millis / HOUR, millis % HOUR / MINUTE),
    }
}

/// An agent's name where there is one.
fn agent_id(event: &Event) -> Option<AgentId> {
    event.data["agent_id"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (millis, text) in [(7, "7ms"), (1_250, "1.2s"), (61_000, "1m 1s"), (3 * 60 * 60 * 1_000 + 60_000, "3h 1m")]
        {
            assert_eq!(duration(millis), text);
        }
    }
}
