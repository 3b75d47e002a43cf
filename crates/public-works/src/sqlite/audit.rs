//! Reading all of a data directory to see that what is kept holds together: the database by itself, its tables with each other, and the
//! objects with both. It changes nothing and disturbs no server: it sees the database at one moment.

use std::{collections::BTreeSet, path::Path};

use contract::EventType;
use rusqlite::{Connection, Row};

use super::{
    connect,
    database::DATABASE_FILE,
    error::OpenError,
    store::{journal::EventsOfRow, search},
};
use crate::objects;

/// The objects without which something that is kept cannot be read, or cannot go on.
pub(crate) const NEEDED_OBJECTS: &str = "
    SELECT json_extract(content, '$.object_id') FROM artifacts
    WHERE content IS NOT NULL AND lifecycle_state <> 'deleted'
    UNION
    SELECT json_extract(attachment.value, '$.object_id')
    FROM executions, json_each(executions.state, '$.header.attachments') AS attachment WHERE ended = 0";

/// What executions that have ended were given. It may have been deleted since, with the artifact that was made of it.
pub(crate) const WANTED_OBJECTS: &str = "
    SELECT json_extract(attachment.value, '$.object_id')
    FROM executions, json_each(executions.state, '$.header.attachments') AS attachment WHERE ended = 1";

/// How many of the things that are wrong are named; the rest is counted.
const MAX_NAMED: usize = 5;

/// One question, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: &'static str,
    /// What was looked at, where nothing is wrong.
    pub looked_at: String,
    pub problem: Option<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in a sentence without its full stop.
    pub what: String,
    /// Whether something is lost; else it only takes space.
    pub is_loss: bool,
}

/// Asks all questions. `before` is told the name of each one first. `None` where there is no database.
pub fn audit(data_directory: &Path, mut before: impl FnMut(&'static str)) -> Result<Option<Vec<Check>>, OpenError> {
    let path = data_directory.join(DATABASE_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let mut look = || -> rusqlite::Result<Vec<Check>> {
        let connection = connect::reader(&path)?;
        connection.execute_batch("BEGIN")?;
        let mut checks = Vec::new();
        for (name, question) in QUESTIONS {
            before(name);
            let (looked_at, problem) = question(&connection, data_directory)?;
            checks.push(Check { name, looked_at, problem });
        }
        Ok(checks)
    };
    look().map(Some).map_err(|source| OpenError::of(&path, source))
}

type Answer = rusqlite::Result<(String, Option<Problem>)>;

type Question = fn(&Connection, &Path) -> Answer;

const QUESTIONS: [(&str, Question); 6] = [
    ("pages", pages),
    ("references", references),
    ("streams", streams),
    ("executions", executions),
    ("search index", search_index),
    ("objects", objects_and_rows),
];

/// SQLite's own look at every page, every index and the index of the search.
fn pages(connection: &Connection, _: &Path) -> Answer {
    let mut statement = connection.prepare("PRAGMA integrity_check(5)")?;
    let said = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    let problem = (said != ["ok"]).then(|| loss(said.join("; ")));
    Ok(("every page and every index was read".to_owned(), problem))
}

fn references(connection: &Connection, _: &Path) -> Answer {
    let mut strays = Wrong::default();
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        strays.add(format!("a row of {table} names one of {parent} that is not there"));
    }
    for (what, sql) in [
        ("an execution without a space", "SELECT id FROM executions WHERE space NOT IN (SELECT number FROM spaces)"),
        ("an execution without a stream", "SELECT id FROM executions WHERE stream NOT IN (SELECT number FROM streams)"),
        (
            "an approval without an execution",
            "SELECT hook_id FROM approvals WHERE execution NOT IN (SELECT number FROM executions)",
        ),
        (
            "a step without an execution",
            "SELECT name FROM steps WHERE execution NOT IN (SELECT number FROM executions)",
        ),
        ("a message without a stream", "SELECT id FROM messages WHERE stream NOT IN (SELECT number FROM streams)"),
        ("an artifact without a space", "SELECT id FROM artifacts WHERE space NOT IN (SELECT number FROM spaces)"),
    ] {
        for id in names(connection, sql)? {
            strays.add(format!("{what}: {id}"));
        }
    }
    Ok(("every row that is named is there".to_owned(), strays.problem()))
}

/// Every stream has the numbers from its beginning to its head, each once.
fn streams(connection: &Connection, _: &Path) -> Answer {
    let mut wrong = Wrong::default();
    let heads = connection
        .prepare("SELECT number, head FROM streams ORDER BY number")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(i64, i64)>, _>>()?;
    let mut statement = connection.prepare("SELECT last_seq, body FROM journal WHERE stream = ?1 ORDER BY last_seq")?;
    let mut events: u64 = 0;
    for (stream, head) in &heads {
        let mut reached = 0;
        let mut rows = statement.query([stream])?;
        while let Some(row) = rows.next()? {
            match numbers(row, reached) {
                Ok(numbers) => {
                    events += numbers;
                    reached = row.get(0)?;
                }
                Err(what) => {
                    wrong.add(format!("stream {stream} after {reached}: {what}"));
                    reached = row.get(0)?;
                }
            }
        }
        if reached != *head {
            wrong.add(format!("stream {stream} ends at {reached}, and its head is {head}"));
        }
    }
    let orphans = "SELECT DISTINCT stream FROM journal WHERE stream NOT IN (SELECT number FROM streams)";
    for stream in names(connection, orphans)? {
        wrong.add(format!("there are events of stream {stream}, which is not there"));
    }
    Ok((format!("{} streams with {events} events, without a hole", heads.len()), wrong.problem()))
}

/// How many events a row has, which begin right after `before` and end with the row's number.
fn numbers(row: &Row<'_>, before: i64) -> Result<u64, String> {
    let cannot = |error: rusqlite::Error| format!("a row cannot be read ({error})");
    let last_seq: i64 = row.get(0).map_err(cannot)?;
    let body: String = row.get(1).map_err(cannot)?;
    let mut expected = before + 1;
    let mut count = 0;
    for event in EventsOfRow::new(&body) {
        let event = event.map_err(|error| format!("an event cannot be read ({error})"))?;
        // The beginning of a conversation may have been taken away: one event stands for it, with the number of the last one.
        if expected == 1 && event.event_type == EventType::HistoryRemoved {
            expected = i64::try_from(event.seq).unwrap_or(i64::MAX);
        }
        if i64::try_from(event.seq) != Ok(expected) {
            return Err(format!("{expected} is expected and {} follows", event.seq));
        }
        expected += 1;
        count += 1;
    }
    if expected == last_seq + 1 {
        Ok(count)
    } else {
        Err(format!("a row ends at {}, and says {last_seq}", expected - 1))
    }
}

/// An execution's events lie within its bounds, and its columns say what its state says.
fn executions(connection: &Connection, _: &Path) -> Answer {
    let mut wrong = Wrong::default();
    for (what, sql) in [
        (
            "its columns and its state differ",
            "SELECT id FROM executions
             WHERE ended <> (status IN ('completed', 'failed', 'cancelled'))
                OR json_extract(state, '$.phase.phase') <> status OR json_extract(state, '$.revision') <> revision",
        ),
        ("it has ended and has no last event", "SELECT id FROM executions WHERE ended = 1 AND last_seq IS NULL"),
        (
            "its bounds are not in its stream",
            "SELECT executions.id FROM executions JOIN streams ON streams.number = executions.stream
             WHERE first_seq < 1 OR first_seq > head OR coalesce(last_seq, first_seq) NOT BETWEEN first_seq AND head",
        ),
        (
            "it has events outside of its bounds",
            "SELECT DISTINCT executions.id FROM journal JOIN executions ON executions.number = journal.execution
             WHERE journal.stream <> executions.stream OR journal.last_seq < first_seq
                OR journal.last_seq > coalesce(executions.last_seq, journal.last_seq)",
        ),
        (
            "there are events of it, and it is not there",
            "SELECT DISTINCT execution FROM journal
             WHERE execution <> 0 AND execution NOT IN (SELECT number FROM executions)",
        ),
    ] {
        for id in names(connection, sql)? {
            wrong.add(format!("{id}: {what}"));
        }
    }
    let count: i64 = connection.query_row("SELECT count(*) FROM executions", [], |row| row.get(0))?;
    Ok((format!("{count} executions, each with its events"), wrong.problem()))
}

fn search_index(connection: &Connection, _: &Path) -> Answer {
    let mut wrong = Wrong::default();
    let mut statement = connection.prepare(
        "SELECT artifact_search.rowid, artifact_search.space, artifacts.space FROM artifact_search
         LEFT JOIN artifacts ON artifacts.number = artifact_search.rowid",
    )?;
    let mut rows = statement.query([])?;
    let mut texts = 0;
    while let Some(row) = rows.next()? {
        let (number, word, space): (i64, String, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        match space {
            None => wrong.add(format!("there is a text of artifact {number}, which is not there")),
            Some(space) if search::word(space) != word => {
                wrong.add(format!("the text of artifact {number} is in another owner's space"));
            }
            Some(_) => texts += 1,
        }
    }
    Ok((format!("{texts} texts, each with its artifact"), wrong.problem()))
}

/// Rows without their objects are a loss; objects without rows are what an interrupted upload leaves behind.
fn objects_and_rows(connection: &Connection, data_directory: &Path) -> Answer {
    let root = data_directory.join(objects::FOLDER);
    let there = match objects::ids(&root) {
        Ok(ids) => BTreeSet::from_iter(ids),
        Err(error) => return Ok((String::new(), Some(loss(format!("{} cannot be read ({error})", root.display()))))),
    };
    let needed = BTreeSet::from_iter(names(connection, NEEDED_OBJECTS)?);
    let wanted = BTreeSet::from_iter(names(connection, WANTED_OBJECTS)?);
    let mut lost = Wrong::default();
    for id in needed.difference(&there) {
        lost.add(format!("{id} is named and not there"));
    }
    let strays = there.iter().filter(|id| !needed.contains(*id) && !wanted.contains(*id)).count();
    let problem = lost.problem().or_else(|| {
        (strays > 0).then(|| Problem {
            what: format!("{strays} objects are named by nothing: uploads that are under way, or were interrupted"),
            is_loss: false,
        })
    });
    Ok((format!("{} objects, each where it is named", there.len()), problem))
}

fn names(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let text = |row: &Row<'_>| {
        Ok(match row.get_ref(0)? {
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            other => other.as_str()?.to_owned(),
        })
    };
    connection.prepare(sql)?.query_map([], text)?.collect()
}

/// What is wrong: the first things by name, the others by their number.
#[derive(Default)]
struct Wrong {
    named: Vec<String>,
    others: u64,
}

impl Wrong {
    fn add(&mut self, what: String) {
        if self.named.len() < MAX_NAMED {
            self.named.push(what);
        } else {
            self.others += 1;
        }
    }

    fn problem(self) -> Option<Problem> {
        let mut what = self.named.join("; ");
        if self.others > 0 {
            what.push_str(&format!("; and {} more", self.others));
        }
        (!what.is_empty()).then(|| loss(what))
    }
}

fn loss(what: String) -> Problem {
    Problem { what, is_loss: true }
}
