//! The promises of the database that hold for every table.

use public_works::{
    Database,
    sqlite::{DatabaseError, OpenError, rusqlite},
};

async fn count(database: &Database) -> i64 {
    database
        .read(|connection| {
            Ok::<_, DatabaseError>(connection.query_row("SELECT count(*) FROM notes", [], |row| row.get(0))?)
        })
        .await
        .unwrap()
}

async fn insert(database: &Database, note: i64) -> Result<(), DatabaseError> {
    database
        .write(move |transaction| {
            transaction.prepare_cached("INSERT INTO notes VALUES (?1)")?.execute([note])?;
            Ok(())
        })
        .await
}

async fn with_notes(directory: &std::path::Path) -> Database {
    let database = Database::open(directory).unwrap();
    database
        .write(|transaction| {
            transaction.execute_batch("CREATE TABLE IF NOT EXISTS notes (note INTEGER PRIMARY KEY)")?;
            Ok::<_, DatabaseError>(())
        })
        .await
        .unwrap();
    database
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let database = with_notes(directory.path()).await;
    for note in 0..100 {
        insert(&database, note).await.unwrap();
    }
    drop(database);
    let database = with_notes(directory.path()).await;
    assert_eq!(count(&database).await, 100);
    database.close().await;
    let database = with_notes(directory.path()).await;
    assert_eq!(count(&database).await, 100);
}

#[tokio::test]
async fn a_refused_job_takes_only_itself_back() {
    let directory = tempfile::tempdir().unwrap();
    let database = with_notes(directory.path()).await;
    let jobs = (0..200).map(|note| {
        let database = database.clone();
        async move {
            database
                .write(move |transaction| {
                    transaction.execute("INSERT INTO notes VALUES (?1)", [note])?;
                    match note % 3 {
                        0 => Ok(()),
                        1 => Err(DatabaseError::Busy),
                        _ => panic!("a job that panics, as it should in this test"),
                    }
                })
                .await
        }
    });
    let outcomes = futures_util::future::join_all(jobs).await;
    for (note, outcome) in outcomes.iter().enumerate() {
        let fits = match note % 3 {
            0 => outcome.is_ok(),
            1 => matches!(outcome, Err(DatabaseError::Busy)),
            _ => matches!(outcome, Err(DatabaseError::Panicked)),
        };
        assert!(fits, "{note}: {outcome:?}");
    }
    assert_eq!(count(&database).await, 67);
}

#[tokio::test]
async fn a_panic_in_a_question_answers_that_question_only() {
    let directory = tempfile::tempdir().unwrap();
    let database = with_notes(directory.path()).await;
    for _ in 0..10 {
        let outcome: Result<(), DatabaseError> =
            database.read(|_| panic!("a question that panics, as it should in this test")).await;
        assert!(matches!(outcome, Err(DatabaseError::Panicked)), "{outcome:?}");
    }
    assert_eq!(count(&database).await, 0);
}

#[tokio::test]
async fn readers_cannot_write() {
    let directory = tempfile::tempdir().unwrap();
    let database = with_notes(directory.path()).await;
    let outcome =
        database.read(|connection| Ok::<_, DatabaseError>(connection.execute("DELETE FROM notes", [])?)).await;
    assert!(matches!(outcome, Err(DatabaseError::Failed(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_directory_has_one_process() {
    let directory = tempfile::tempdir().unwrap();
    let database = with_notes(directory.path()).await;
    let error = Database::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    assert!(error.to_string().contains("--data-dir"), "{error}");
    drop(database);
    Database::open(directory.path()).unwrap();
}

#[tokio::test]
async fn a_schema_of_the_future_is_refused_with_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let database = with_notes(directory.path()).await;
    let path = database.path().to_owned();
    drop(database);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute("INSERT INTO schema_migrations (version, name, sql) VALUES (9999, 'later', '')", []).unwrap();
    drop(connection);
    let error = Database::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::NewerSchema { .. }), "{error:?}");
    assert!(error.to_string().contains("newer version"), "{error}");
}

#[tokio::test]
async fn a_schema_of_somebody_else_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = with_notes(directory.path()).await.path().to_owned();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute("UPDATE schema_migrations SET sql = sql || '-- changed' WHERE version = 1", []).unwrap();
    drop(connection);
    let error = Database::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::ForeignSchema { version: 1, .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("symphainy.db"), "x".repeat(8192)).unwrap();
    let error = Database::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::NoDatabase { .. }), "{error:?}");
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("symphainy.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = Database::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::ForeignDatabase { .. }), "{error:?}");
    let tables = rusqlite::Connection::open(&path).unwrap();
    let count: i64 = tables.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1, "nothing of ours was made in it");
    assert_eq!(std::fs::read(&path).unwrap().len(), before.len());
}

#[tokio::test]
async fn a_full_disk_refuses_one_write_and_heals() {
    let directory = tempfile::tempdir().unwrap();
    let database = with_notes(directory.path()).await;
    let pages = |limit: i64| {
        let database = database.clone();
        async move {
            database
                .write(move |transaction| {
                    transaction.pragma_update_and_check(None, "max_page_count", limit, |_| Ok(()))?;
                    Ok::<_, DatabaseError>(())
                })
                .await
                .unwrap();
        }
    };
    pages(1).await;
    let big = || {
        database.write(|transaction| {
            transaction.execute_batch("CREATE TABLE IF NOT EXISTS big (text TEXT)")?;
            transaction.execute("INSERT INTO big VALUES (hex(zeroblob(100000)))", [])?;
            Ok::<_, DatabaseError>(())
        })
    };
    let outcome = big().await;
    assert!(matches!(outcome, Err(DatabaseError::Full)), "{outcome:?}");
    pages(1_000_000).await;
    big().await.unwrap();
}
