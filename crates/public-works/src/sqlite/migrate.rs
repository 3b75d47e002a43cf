//! The schema, as numbered SQL files that are applied once, in their order, each in a transaction of its own. The text of
//! what was applied is kept in the database, so that a file that was changed afterwards is noticed.

use std::path::Path;

use runtime::torture::{CrashPoint, crash_point};
use rusqlite::{Connection, TransactionBehavior};

use super::{connect, database::DATABASE_FILE, error::OpenError, inspect};

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
    Migration { name: "0005_pending_intents", sql: include_str!("migrations/0005_pending_intents.sql") },
    Migration { name: "0006_keys", sql: include_str!("migrations/0006_keys.sql") },
    Migration { name: "0007_schedules", sql: include_str!("migrations/0007_schedules.sql") },
    Migration { name: "0008_approval_roles", sql: include_str!("migrations/0008_approval_roles.sql") },
    Migration { name: "0009_folding", sql: include_str!("migrations/0009_folding.sql") },
    Migration { name: "0010_second_factors", sql: include_str!("migrations/0010_second_factors.sql") },
    Migration { name: "0011_api_keys", sql: include_str!("migrations/0011_api_keys.sql") },
    Migration { name: "0012_tenants", sql: include_str!("migrations/0012_tenants.sql") },
    Migration { name: "0013_identities", sql: include_str!("migrations/0013_identities.sql") },
    Migration { name: "0014_schedule_authority", sql: include_str!("migrations/0014_schedule_authority.sql") },
    Migration { name: "0015_mail", sql: include_str!("migrations/0015_mail.sql") },
    Migration { name: "0016_spending", sql: include_str!("migrations/0016_spending.sql") },
];

/// Where it is written down what was applied.
const LIST: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    version INTEGER PRIMARY KEY, name TEXT NOT NULL, sql TEXT NOT NULL
) STRICT";

/// Brings the database to the newest of `migrations`.
pub(crate) fn migrate(path: &Path, connection: &mut Connection, migrations: &[Migration]) -> Result<(), OpenError> {
    let failed = |source| OpenError::of(path, source);
    if is_foreign(connection).map_err(failed)? {
        return Err(OpenError::ForeignDatabase { path: path.to_owned() });
    }
    connection.execute_batch(LIST).map_err(failed)?;
    let applied = applied(connection).map_err(failed)?;
    check(path, &applied, migrations)?;
    for migration in &migrations[applied.len()..] {
        apply(connection, migration).map_err(failed)?;
    }
    Ok(())
}

/// What the next start would do to the schema of a data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// How many steps the database has.
    pub found: u32,
    /// The names of those that it has not.
    pub names: Vec<&'static str>,
}

/// Looks, and changes nothing. `None` where there is no database yet.
pub fn pending(data_directory: &Path) -> Result<Option<Pending>, OpenError> {
    let path = data_directory.join(DATABASE_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let failed = |source| OpenError::of(&path, source);
    let connection = connect::reader(&path).map_err(failed)?;
    if is_foreign(&connection).map_err(failed)? {
        return Err(OpenError::ForeignDatabase { path: path.clone() });
    }
    let applied = if inspect::schema(&connection).map_err(failed)? == 0 {
        Vec::new()
    } else {
        applied(&connection).map_err(failed)?
    };
    check(&path, &applied, MIGRATIONS)?;
    let names = MIGRATIONS[applied.len()..].iter().map(|migration| migration.name).collect();
    Ok(Some(Pending { found: u32::try_from(applied.len()).unwrap_or(u32::MAX), names }))
}

/// How many steps this program knows.
pub(crate) fn known() -> u32 {
    u32::try_from(MIGRATIONS.len()).expect("there are few migrations")
}

/// Whether there are tables, and none of ours among them.
fn is_foreign(connection: &Connection) -> rusqlite::Result<bool> {
    let tables = "SELECT count(*) > 0 AND sum(name = 'schema_migrations') = 0 FROM sqlite_schema";
    connection.query_row(tables, [], |row| Ok(row.get::<_, Option<bool>>(0)?.unwrap_or(false)))
}

/// Whether what was applied is the beginning of what there is.
fn check(path: &Path, applied: &[String], migrations: &[Migration]) -> Result<(), OpenError> {
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
    Ok(())
}

/// The texts of the applied migrations, in their order.
fn applied(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT sql FROM schema_migrations ORDER BY version")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn apply(connection: &mut Connection, migration: &Migration) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(migration.sql)?;
    transaction
        .execute("INSERT INTO schema_migrations (name, sql) VALUES (?1, ?2)", [migration.name, migration.sql])?;
    crash_point(CrashPoint::MigrationUncommitted);
    transaction.commit()?;
    crash_point(CrashPoint::MigrationCommitted);
    Ok(())
}
