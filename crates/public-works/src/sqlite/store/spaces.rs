//! The spaces of owners: everything that is kept stands in one, and a claim moves it to another.

use contract::Owner;
use runtime::torture::{Bug, CrashPoint, crash_point, has_bug};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::rows::to_json;
use crate::sqlite::DatabaseError;

/// How much of a conversation's id is kept when it has to be told apart from another one, in bytes: with the rest it is
/// still an id.
const RENAMED_ID_BYTES: usize = 96;

/// The space of an owner for writing; it is made where there is none yet. A write for an anonymous session that was just
/// claimed goes where the rest of it went.
pub(super) fn space_for(transaction: &Transaction<'_>, owner: &Owner) -> Result<i64, DatabaseError> {
    let space = owner.space();
    let known = transaction
        .prepare_cached("SELECT coalesce(moved_to, number) FROM spaces WHERE space = ?1")?
        .query_row([&space], |row| row.get(0))
        .optional()?;
    if let Some(number) = known {
        return Ok(number);
    }
    transaction
        .prepare_cached("INSERT INTO spaces (space, owner) VALUES (?1, ?2)")?
        .execute([&space, &to_json(owner)])?;
    Ok(transaction.last_insert_rowid())
}

/// The space of an owner for reading; `None` where the owner has nothing, or nothing any more.
pub(super) fn space_of(connection: &Connection, owner: &Owner) -> Result<Option<i64>, DatabaseError> {
    let number = connection
        .prepare_cached("SELECT number FROM spaces WHERE space = ?1 AND moved_to IS NULL")?
        .query_row([owner.space()], |row| row.get(0))
        .optional()?;
    Ok(number)
}

/// Makes everything of `from` belong to `to`, in the caller's transaction: executions, conversations, artifacts, approvals
/// and idempotency keys. Streams keep their numbers and events. A conversation whose id `to` uses already gets another
/// one. Nothing can be kept for `from` any more; what still comes for it goes to `to`.
pub fn move_space(transaction: &Transaction<'_>, from: &Owner, to: &Owner) -> Result<(), DatabaseError> {
    let (from, to) = (space_for(transaction, from)?, space_for(transaction, to)?);
    if from == to {
        return Ok(());
    }
    rename_conversations(transaction, from, to)?;
    let search = "UPDATE artifact_search SET space = ?1 WHERE rowid IN (SELECT number FROM artifacts WHERE space = ?2)";
    transaction.prepare_cached(search)?.execute(params![super::search::word(to), from])?;
    // The new owner's own key wins over the same key of the anonymous time.
    for move_rows in [
        "UPDATE streams SET space = ?2 WHERE space = ?1 AND conversation_id IS NOT NULL",
        "UPDATE executions SET space = ?2 WHERE space = ?1",
        "UPDATE approvals SET space = ?2 WHERE space = ?1",
        "UPDATE artifacts SET space = ?2 WHERE space = ?1",
        "UPDATE OR IGNORE pending_intents SET space = ?2 WHERE space = ?1",
        "UPDATE schedules SET space = ?2 WHERE space = ?1",
        "UPDATE OR IGNORE idempotency SET space = ?2 WHERE space = ?1",
        "UPDATE spaces SET moved_to = ?2 WHERE number = ?1",
    ] {
        if move_rows.contains("UPDATE artifacts") && has_bug(Bug::ClaimLeavesBehind) {
            continue;
        }
        transaction.prepare_cached(move_rows)?.execute([from, to])?;
    }
    transaction.prepare_cached("DELETE FROM idempotency WHERE space = ?1")?.execute([from])?;
    crash_point(CrashPoint::ClaimUncommitted);
    Ok(())
}

/// Gives new ids to the conversations of `from` whose ids `to` uses.
fn rename_conversations(transaction: &Transaction<'_>, from: i64, to: i64) -> Result<(), DatabaseError> {
    let mut statement = transaction.prepare_cached(
        "SELECT mine.number, mine.conversation_id FROM streams AS mine
         JOIN streams AS theirs ON theirs.space = ?2 AND theirs.conversation_id = mine.conversation_id
         WHERE mine.space = ?1 AND mine.conversation_id IS NOT NULL",
    )?;
    let twice = statement
        .query_map([from, to], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(i64, String)>, _>>()?;
    for (stream, id) in twice {
        let id = free_id(transaction, to, stream, &id)?;
        transaction
            .prepare_cached("UPDATE streams SET conversation_id = ?2 WHERE number = ?1")?
            .execute(params![stream, id])?;
    }
    Ok(())
}

/// An id that says where it comes from and that neither `to` nor anybody's stream of the same number uses.
fn free_id(transaction: &Transaction<'_>, to: i64, stream: i64, id: &str) -> Result<String, DatabaseError> {
    // Ids are ASCII, so that every place is one between characters.
    let beginning = &id[..id.len().min(RENAMED_ID_BYTES)];
    let mut candidate = format!("{beginning}~{stream}");
    let mut taken = transaction.prepare_cached("SELECT 1 FROM streams WHERE space = ?1 AND conversation_id = ?2")?;
    while taken.exists(params![to, candidate])? {
        candidate.push('~');
    }
    Ok(candidate)
}
