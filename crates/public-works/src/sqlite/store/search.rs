//! Full-text search over artifacts, within one owner's space. What a person types is words and never syntax.

use contract::Owner;
use runtime::port::store::{MAX_PAGE, SearchHit};
use rusqlite::{Connection, Transaction, params};

use super::{artifacts, spaces};
use crate::sqlite::DatabaseError;

/// More words than these do not narrow a search any more; the rest is not looked at.
const MAX_WORDS: usize = 32;

/// The word that every text of a space carries, so that a search meets that space's texts only.
pub(crate) fn word(space: i64) -> String {
    format!("s{space}")
}

/// Makes an artifact be found by `text`, and by nothing where it is empty.
pub(super) fn index(transaction: &Transaction<'_>, space: i64, artifact: i64, text: &str) -> Result<(), DatabaseError> {
    if text.is_empty() {
        transaction.prepare_cached("DELETE FROM artifact_search WHERE rowid = ?1")?.execute([artifact])?;
    } else {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO artifact_search (rowid, space, text) VALUES (?1, ?2, ?3)")?
            .execute(params![artifact, word(space), text])?;
    }
    Ok(())
}

pub(super) fn search(
    connection: &Connection,
    owner: &Owner,
    text: &str,
    limit: u32,
) -> Result<Vec<SearchHit>, DatabaseError> {
    let Some(space) = spaces::space_of(connection, owner)? else { return Ok(Vec::new()) };
    let Some(question) = question(space, text) else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT artifacts.body, snippet(artifact_search, 1, '**', '**', '…', 16) FROM artifact_search
         JOIN artifacts ON artifacts.number = artifact_search.rowid
         WHERE artifact_search MATCH ?1 AND artifacts.space = ?2 AND artifacts.lifecycle_state <> 'deleted'
         ORDER BY bm25(artifact_search, 0.0, 1.0) LIMIT ?3",
    )?;
    let hits = statement.query_map(params![question, space, limit.min(MAX_PAGE)], |row| {
        Ok(SearchHit { artifact: artifacts::artifact(row, owner)?, snippet: row.get(1)? })
    })?;
    Ok(hits.collect::<Result<_, _>>()?)
}

/// The question in FTS5's language, with each word quoted; `None` where there is no word.
fn question(space: i64, text: &str) -> Option<String> {
    let words = text.split(|character: char| character.is_whitespace() || character.is_control());
    let words = words.filter(|word| word.chars().any(char::is_alphanumeric));
    let quoted: Vec<String> = words.take(MAX_WORDS).map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
    if quoted.is_empty() {
        return None;
    }
    Some(format!("space : \"{}\" AND text : ({})", word(space), quoted.join(" AND ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_and_nothing_else_is_asked() {
        for (text, asked) in [
            ("", None),
            (" \" * ( ) - ^ \0 ", None),
            ("revenue", Some(r#"space : "s7" AND text : ("revenue")"#)),
            ("a\0b NOT \"c", Some(r#"space : "s7" AND text : ("a" AND "b" AND "NOT" AND """c")"#)),
            ("space:s8", Some(r#"space : "s7" AND text : ("space:s8")"#)),
        ] {
            assert_eq!(question(7, text).as_deref(), asked, "{text:?}");
        }
    }
}
