//! The schema, as numbered SQL files that are applied once, in their order, each in a transaction of its own. The text of
//! what was applied is kept in the database, so that a file that was changed afterwards is noticed.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::error::OpenError;

/// One step of the schema. Its number is its place in the list, counted from 1. A released file never changes.
pub(crate) struct Migration {
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// All of them; a new one goes to the end.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_runtime", sql: include_str!("migrations/0001_runtime.sql") },
    Migration { name: "0002_accounts", sql: include_str!("migrations/0002_accounts.sql") },
    Migration { name: "0003_execution_lists", sql: include_str!("migrations/0003_execution_lists.sql") },
    Migration { name: "0004_audit", sql: include_str!("migrations/0004_audit.sql") },
];

/// Brings the database to the newest of `migrations`.
pub(crate) fn migrate(path: &Path, connection: &mut Connection, migrations: &[Migration]) -> Result<(), OpenError> {
    let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let applied = applied(connection).map_err(failed)?;
    let known = u32::try_from(migrations.len()).expect("there are few migrations");
    let found = u32::try_from(applied.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(OpenError::NewerSchema { path: path.to_owned(), found, known });
    }
    for (version, (sql, migration)) in (1..).zip(applied.iter().zip(migrations)) {
        if sql != migration.sql {
            return Err(OpenError::ForeignSchema { path: path.to_owned(), version });
        }
    }
    for migration in &migrations[applied.len()..] {
        apply(connection, migration).map_err(failed)?;
    }
    Ok(())
}

/// The texts of the applied migrations, in their order.
fn applied(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_migrations (
            version INTEGER PRIMARY KEY, name TEXT NOT NULL, sql TEXT NOT NULL
        ) STRICT",
    )?;
    let mut statement = connection.prepare("SELECT sql FROM schema_migrations ORDER BY version")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn apply(connection: &mut Connection, migration: &Migration) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(migration.sql)?;
    transaction
        .execute("INSERT INTO schema_migrations (name, sql) VALUES (?1, ?2)", [migration.name, migration.sql])?;
    transaction.commit()
}
