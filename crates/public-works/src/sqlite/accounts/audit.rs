//! The audit in SQLite. What links a record to the one before stands in the guard.

use async_trait::async_trait;
use contract::{TenantId, audit::AuditEntry};
use rusqlite::{Connection, Row};
use security_guard::{
    AuditLog,
    accounts::StoreError,
    audit::{AuditBound, AuditRow, ChainEnds, ChainPlace, next_row},
};

use super::{
    Answer, SqliteAccounts,
    rows::{count, execute, find, instant, list, optional_word},
};

fn ends(connection: &Connection) -> Answer<ChainEnds> {
    let found = find(connection, "SELECT * FROM audit_ends", &[], |row| {
        Ok(ChainEnds {
            before: ChainPlace { number: number(row, "before_number")?, hash: row.get("before_hash")? },
            last: ChainPlace { number: number(row, "last_number")?, hash: row.get("last_hash")? },
        })
    })?;
    // The migration wrote it.
    Ok(found.ok_or(rusqlite::Error::QueryReturnedNoRows)?)
}

fn number(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    Ok(u64::try_from(number).unwrap_or(0))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn audit_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        number: number(row, "number")?,
        text: row.get("text")?,
        at: instant(row, "at")?,
        tenant_id: optional_word(row, "tenant_id")?,
        hash: row.get("hash")?,
    })
}

fn append(connection: &Connection, entry: &AuditEntry) -> Answer<ChainPlace> {
    let row = next_row(ends(connection)?.last, entry);
    let place = ChainPlace { number: row.number, hash: row.hash };
    execute(
        connection,
        "INSERT INTO audit (number, at, tenant_id, text, hash) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            &signed(row.number),
            &row.at.as_millis(),
            &row.tenant_id.as_ref().map(TenantId::as_str),
            &row.text,
            &row.hash,
        ],
    )?;
    let sql = "UPDATE audit_ends SET last_number = ?1, last_hash = ?2";
    execute(connection, sql, &[&signed(place.number), &place.hash])?;
    Ok(place)
}

/// Only rows at the beginning go, so that what is left is one chain.
fn trim(connection: &Connection, bound: AuditBound, limit: usize) -> Answer<u64> {
    let ChainEnds { before, last } = ends(connection)?;
    let kept = last.number - before.number;
    let too_many = kept.saturating_sub(bound.records);
    let sql = "SELECT coalesce(min(number), ?2) AS first_young FROM audit WHERE at >= ?1";
    let first_young =
        find(connection, sql, &[&bound.since.as_millis(), &signed(last.number + 1)], |row| number(row, "first_young"))?;
    let too_old = first_young.unwrap_or(0).saturating_sub(before.number + 1);
    let forgotten = too_many.max(too_old).min(limit as u64);
    if forgotten == 0 {
        return Ok(0);
    }
    let until = signed(before.number + forgotten);
    let sql = "UPDATE audit_ends SET before_number = ?1, before_hash = (SELECT hash FROM audit WHERE number = ?1)";
    execute(connection, sql, &[&until])?;
    execute(connection, "DELETE FROM audit WHERE number <= ?1", &[&until])?;
    Ok(forgotten)
}

#[async_trait]
impl AuditLog for SqliteAccounts {
    async fn append(&self, entry: AuditEntry) -> Result<ChainPlace, StoreError> {
        self.write(move |transaction| append(transaction, &entry)).await
    }

    async fn chain_ends(&self) -> Result<ChainEnds, StoreError> {
        self.read(ends).await
    }

    async fn audit_after(&self, number: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let sql = "SELECT * FROM audit WHERE number > ?1 ORDER BY number LIMIT ?2";
        self.read(move |connection| list(connection, sql, &[&signed(number), &count(limit)], audit_row)).await
    }

    async fn audit_of(&self, tenant_id: &TenantId, before: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let tenant_id = tenant_id.clone();
        let sql = "SELECT * FROM audit WHERE tenant_id = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3";
        self.read(move |connection| {
            list(connection, sql, &[&tenant_id.as_str(), &signed(before), &count(limit)], audit_row)
        })
        .await
    }

    async fn trim_audit(&self, bound: AuditBound, limit: usize) -> Result<u64, StoreError> {
        self.write(move |transaction| trim(transaction, bound, limit)).await
    }
}
