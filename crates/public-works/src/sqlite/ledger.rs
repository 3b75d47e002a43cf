//! What model calls cost, in SQLite: a row a call. It is kept beside the journal and not read off the recorded steps, because these
//! are folded and moved away with their conversations while a window still counts them.

use agents::budget::{LONGEST_WINDOW, Ledger, LedgerError, Limit, Refusal, Reservation, Scope, Spend, Unit};
use async_trait::async_trait;
use rusqlite::{Transaction, params};

use super::{Database, DatabaseError};

/// How many rows that no window counts any more are deleted with each call.
const FORGOTTEN_AT_ONCE: u32 = 100;

/// The plug.
#[derive(Clone, Debug)]
pub struct SqliteLedger {
    database: Database,
}

impl SqliteLedger {
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn reserve(&self, reservation: &Reservation, limits: &[Limit]) -> Result<Option<Refusal>, LedgerError> {
        let (reservation, limits) = (reservation.clone(), limits.to_vec());
        // One thread writes, so that nobody else spends between the sum and the row.
        let work = move |transaction: &Transaction<'_>| reserve(transaction, &reservation, &limits);
        self.database.write(work).await.map_err(ledger_error)
    }

    async fn settle(&self, call: &str, spent: Spend) -> Result<(), LedgerError> {
        let call = call.to_owned();
        let work = move |transaction: &Transaction<'_>| -> Result<(), DatabaseError> {
            transaction
                .prepare_cached("UPDATE spending SET tokens = ?2, micros = ?3, settled = 1 WHERE call = ?1")?
                .execute(params![call, number(spent.tokens), number(spent.micros)])?;
            Ok(())
        };
        self.database.write(work).await.map_err(ledger_error)
    }
}

fn reserve(
    transaction: &Transaction<'_>,
    reservation: &Reservation,
    limits: &[Limit],
) -> Result<Option<Refusal>, DatabaseError> {
    for limit in limits {
        let spent = spent(transaction, reservation, limit)?;
        if spent.saturating_add(reservation.expected.of(limit.unit)) > limit.most {
            return Ok(Some(Refusal { limit: limit.clone(), spent }));
        }
    }
    transaction
        .prepare_cached(
            "DELETE FROM spending WHERE number IN (SELECT number FROM spending WHERE spent_at < ?1 LIMIT ?2)",
        )?
        .execute(params![reservation.at.before(LONGEST_WINDOW).as_millis(), FORGOTTEN_AT_ONCE])?;
    transaction
        .prepare_cached(
            "INSERT INTO spending (call, tenant, user, agent, run, tokens, micros, settled, spent_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8)
             ON CONFLICT (call) DO UPDATE SET tokens = ?6, micros = ?7, settled = 0, spent_at = ?8",
        )?
        .execute(params![
            reservation.call,
            reservation.tenant,
            reservation.user,
            reservation.agent,
            reservation.run,
            number(reservation.expected.tokens),
            number(reservation.expected.micros),
            reservation.at.as_millis(),
        ])?;
    Ok(None)
}

fn spent(transaction: &Transaction<'_>, reservation: &Reservation, limit: &Limit) -> Result<u64, DatabaseError> {
    let amount = match limit.unit {
        Unit::Tokens => "tokens",
        Unit::Money => "micros",
    };
    let who = match limit.scope {
        Scope::Tenant => "tenant",
        Scope::User => "user",
        Scope::Agent => "agent",
        Scope::Run => "run",
    };
    let sum: i64 = transaction
        .prepare_cached(&format!(
            "SELECT coalesce(sum({amount}), 0) FROM spending WHERE {who} = ?1 AND spent_at > ?2 AND call <> ?3"
        ))?
        .query_row(
            params![reservation.key(limit.scope), reservation.at.before(limit.window).as_millis(), reservation.call],
            |row| row.get(0),
        )?;
    Ok(u64::try_from(sum).unwrap_or(0))
}

/// The most that a row holds, so that no sum of rows overflows: a million of them are less than the largest integer.
const MOST: u64 = 1 << 40;

fn number(amount: u64) -> i64 {
    i64::try_from(amount.min(MOST)).unwrap_or(i64::MAX)
}

fn ledger_error(error: DatabaseError) -> LedgerError {
    LedgerError(Box::new(error))
}
