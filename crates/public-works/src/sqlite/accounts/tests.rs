//! The guard's own suite over SQLite, each case on a database of its own, and what only a database can show.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use contract::TenantId;
use security_guard::contract_suite;
use serde_json::Map;

use super::*;

fn nothing_to_move(_: &Transaction<'_>, _: &Owner, _: &Owner) -> Answer<()> {
    Ok(())
}

fn cannot_move(_: &Transaction<'_>, _: &Owner, _: &Owner) -> Answer<()> {
    Err(DatabaseError::Full)
}

/// Keeps a word of what it was asked, in a table of its own.
fn remember_the_move(transaction: &Transaction<'_>, from: &Owner, to: &Owner) -> Answer<()> {
    transaction.execute_batch("CREATE TABLE IF NOT EXISTS moves (origin TEXT, destination TEXT) STRICT")?;
    transaction.execute("INSERT INTO moves VALUES (?1, ?2)", [from.space(), to.space()])?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_in_sqlite_keep_the_contract() {
    let root = tempfile::tempdir().unwrap();
    let next = AtomicU32::new(0);
    contract_suite::run(|| async {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let database = Database::open(&root.path().join(number.to_string())).unwrap();
        Arc::new(SqliteAccounts::new(database, nothing_to_move)) as Arc<dyn Accounts>
    })
    .await;
}

fn anonymous(session_id: &SessionId) -> Session {
    let at = Timestamp::from_millis;
    Session {
        session_id: session_id.clone(),
        tenant_id: None,
        user_id: None,
        is_anonymous: true,
        created_at: at(0),
        updated_at: at(0),
        expires_at: at(1_000),
        metadata: Map::new(),
        state: Map::new(),
    }
}

fn claim(session_id: &SessionId) -> ClaimRequest {
    ClaimRequest {
        session_id: session_id.clone(),
        tenant_id: "tenant_1".parse::<TenantId>().unwrap(),
        user_id: "user_1".parse().unwrap(),
        metadata: Map::new(),
        now: Timestamp::from_millis(1),
        expires_at: Timestamp::from_millis(2_000),
    }
}

#[tokio::test]
async fn a_claim_moves_everything_or_nothing() {
    let root = tempfile::tempdir().unwrap();
    let database = Database::open(root.path()).unwrap();
    let session_id: SessionId = "sess_1".parse().unwrap();
    let broken = SqliteAccounts::new(database.clone(), cannot_move);
    broken.create_session(anonymous(&session_id)).await.unwrap();
    assert!(matches!(broken.claim_session(claim(&session_id)).await, Err(StoreError::Full(_))));
    let untouched = broken.session(&session_id, Timestamp::from_millis(1)).await.unwrap();
    assert_eq!(untouched, Some(anonymous(&session_id)));

    let accounts = SqliteAccounts::new(database.clone(), remember_the_move);
    assert!(matches!(accounts.claim_session(claim(&session_id)).await, Ok(Claim::Claimed(_))));
    assert!(matches!(accounts.claim_session(claim(&session_id)).await, Ok(Claim::AlreadyYours(_))));
    let moves: Answer<Vec<(String, String)>> = database
        .read(|connection| {
            let mut statement = connection.prepare("SELECT origin, destination FROM moves")?;
            let moves = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(moves.collect::<rusqlite::Result<_>>()?)
        })
        .await;
    assert_eq!(moves.unwrap(), [("anonymous/sess_1".to_owned(), "tenant_1/user_1".to_owned())], "exactly once");
}
