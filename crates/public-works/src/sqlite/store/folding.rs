//! Folding the journal: what an execution told in many commits becomes few rows when it has ended. No event changes its number or a
//! byte of what clients get, so that nobody who reads can tell. It is done in small pieces, behind the news, from where the last piece
//! has left off.

use runtime::port::store::JournalEvent;
use rusqlite::{Connection, Transaction, params};

use super::{
    folded,
    journal::{EventsOfRow, SEPARATOR},
};
use crate::sqlite::DatabaseError;

/// How many rows of the journal one piece looks at.
const MAX_ROWS_LOOKED_AT: i64 = 1_000;

/// How many executions one piece folds: the writer does nothing else meanwhile.
const MAX_EXECUTIONS: i64 = 16;

/// An execution with fewer events is left as it is: there is nothing to gain.
const MIN_EVENTS: i64 = 8;

/// A row has at most so many events: whoever reads one of them reads all.
const MAX_EVENTS_OF_ROW: usize = 512;

/// How far a piece has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    pub executions: u64,
    /// How many rows were made of how many.
    pub rows_before: u64,
    pub rows_after: u64,
    /// Whether there is more to look at.
    pub more: bool,
}

/// An execution that has ended, and where its events are.
#[derive(Clone, Debug)]
struct Ended {
    execution: i64,
    stream: i64,
    first_seq: i64,
    last_seq: i64,
}

/// What a piece has to do.
pub(super) struct Plan {
    from: i64,
    folded_to: i64,
    ended: Vec<Ended>,
    more: bool,
}

impl Plan {
    pub(super) fn is_nothing(&self) -> bool {
        self.from == self.folded_to
    }
}

/// The number of the newest row.
pub(super) fn newest(connection: &Connection) -> Result<i64, DatabaseError> {
    let mut statement = connection.prepare_cached("SELECT coalesce(max(number), 0) FROM journal")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Looks for executions whose last row is among the next ones, up to the row `to`. An execution that ends again later has another
/// last row then.
pub(super) fn plan(connection: &Connection, to: i64) -> Result<Plan, DatabaseError> {
    let folded_to: i64 = connection.prepare_cached("SELECT folded_to FROM folding")?.query_row([], |row| row.get(0))?;
    let last = connection
        .prepare_cached(
            "SELECT coalesce(max(number), 0) FROM
                 (SELECT number FROM journal WHERE number > ?1 AND number <= ?2 ORDER BY number LIMIT ?3)",
        )?
        .query_row(params![folded_to, to, MAX_ROWS_LOOKED_AT], |row| row.get::<_, i64>(0))?
        .max(folded_to);
    let mut statement = connection.prepare_cached(
        "SELECT journal.number, executions.number, executions.stream, executions.first_seq, executions.last_seq
         FROM journal JOIN executions ON executions.number = journal.execution
         WHERE journal.number > ?1 AND journal.number <= ?2 AND executions.ended = 1
             AND executions.last_seq = journal.last_seq AND executions.last_seq - executions.first_seq >= ?3
         ORDER BY journal.number LIMIT ?4",
    )?;
    let found = statement
        .query_map(params![folded_to, last, MIN_EVENTS - 1, MAX_EXECUTIONS], |row| {
            let ended =
                Ended { execution: row.get(1)?, stream: row.get(2)?, first_seq: row.get(3)?, last_seq: row.get(4)? };
            Ok((row.get::<_, i64>(0)?, ended))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    // Where there are more than one piece takes, the next one goes on after the last of these.
    let is_full = i64::try_from(found.len()) == Ok(MAX_EXECUTIONS);
    let reached = found.last().filter(|_| is_full).map_or(last, |(number, _)| *number);
    let ended = found.into_iter().map(|(_, ended)| ended).collect();
    Ok(Plan { from: folded_to, folded_to: reached, ended, more: reached < to && reached > folded_to })
}

/// Folds what was planned, and remembers how far it has come.
pub(super) fn fold(transaction: &Transaction<'_>, plan: &Plan) -> Result<Folded, DatabaseError> {
    let mut done = Folded { more: plan.more, ..Folded::default() };
    for ended in &plan.ended {
        let (before, after) = fold_one(transaction, ended)?;
        done.executions += 1;
        done.rows_before += before;
        done.rows_after += after;
    }
    transaction.prepare_cached("UPDATE folding SET folded_to = ?1")?.execute([plan.folded_to])?;
    Ok(done)
}

/// A row that was read.
struct Row {
    number: i64,
    events: Vec<JournalEvent>,
}

impl Row {
    /// Whether it begins where `earlier` ends: the rows of another execution may stand between them.
    fn follows(&self, earlier: &Self) -> bool {
        match (earlier.events.last(), self.events.first()) {
            (Some(last), Some(first)) => first.seq == last.seq + 1,
            (None, _) | (_, None) => false,
        }
    }
}

/// Answers how many rows there were, and how many there are.
fn fold_one(transaction: &Transaction<'_>, ended: &Ended) -> Result<(u64, u64), DatabaseError> {
    // The execution may have been driven again since, or taken away.
    let still = "SELECT 1 FROM executions WHERE number = ?1 AND ended = 1 AND last_seq = ?2";
    if !transaction.prepare_cached(still)?.exists([ended.execution, ended.last_seq])? {
        return Ok((0, 0));
    }
    let mut statement = transaction.prepare_cached(
        "SELECT number, body FROM journal
         WHERE stream = ?1 AND last_seq BETWEEN ?2 AND ?3 AND execution = ?4 ORDER BY last_seq",
    )?;
    let mut rows = statement.query(params![ended.stream, ended.first_seq, ended.last_seq, ended.execution])?;
    let mut before = 0;
    let mut groups: Vec<Vec<Row>> = Vec::new();
    while let Some(row) = rows.next()? {
        before += 1;
        let body = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        // What this version cannot read it leaves as it is.
        let events = EventsOfRow::new(body).collect::<Result<_, _>>().unwrap_or_default();
        let row = Row { number: row.get(0)?, events };
        match groups.last_mut() {
            Some(group) if fits(group, &row) => group.push(row),
            Some(_) | None => groups.push(vec![row]),
        }
    }
    drop(rows);
    for group in &groups {
        write(transaction, group)?;
    }
    Ok((before, groups.len() as u64))
}

fn fits(group: &[Row], row: &Row) -> bool {
    let events: usize = group.iter().map(|row| row.events.len()).sum();
    events + row.events.len() <= MAX_EVENTS_OF_ROW && group.last().is_some_and(|last| row.follows(last))
}

/// The last row of a group takes everything: it has the number by which the group is found.
fn write(transaction: &Transaction<'_>, group: &[Row]) -> Result<(), DatabaseError> {
    let Some((last, others)) = group.split_last() else { return Ok(()) };
    let events: Vec<JournalEvent> = group.iter().flat_map(|row| row.events.iter().cloned()).collect();
    let body = folded::fold(&events).join(&SEPARATOR.to_string());
    if events.is_empty() {
        return Ok(());
    }
    for row in others {
        transaction.prepare_cached("DELETE FROM journal WHERE number = ?1")?.execute([row.number])?;
    }
    transaction
        .prepare_cached("UPDATE journal SET body = ?2 WHERE number = ?1")?
        .execute(params![last.number, body])?;
    Ok(())
}
