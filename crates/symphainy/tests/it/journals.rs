//! Journals of earlier versions: data folders as they were when a process was killed, kept as SQL. Each is opened, recovered and read
//! by the program of today, for ever. A change of what is stored adds a fixture and never changes one.

use std::path::{Path, PathBuf};

use public_works::{
    SqliteStore,
    sqlite::rusqlite::{Connection, OptionalExtension},
};
use serde_json::{Value, json};

use crate::{
    person::{Person, last, seqs},
    process::Place,
};

/// Slow enough to be killed in the middle, and patient enough for any test that opens it later.
const SLOW: &str = "[agents.builtin]\npace = \"200ms\"\n[runtime]\napproval_ttl = \"36500d\"\n";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journals")
}

/// Run with `BLESS=1` in the environment to keep the journal of today's version beside the others.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "whoever runs the test says that there may be a new fixture")]
async fn a_journal_of_today_is_read() {
    let place = Place::new();
    make(&place).await;
    let path = place.data_dir().join("symphainy.db");
    let sql = dump(&Connection::open(path).unwrap());
    if std::env::var_os("BLESS").is_some() {
        let steps = sql.matches("INSERT OR REPLACE INTO schema_migrations ").count();
        std::fs::create_dir_all(fixtures()).unwrap();
        std::fs::write(fixtures().join(format!("{steps:04}.sql")), &sql).unwrap();
    }
    is_read("today", &sql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_journal_of_an_earlier_version_is_read() {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        is_read(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap()).await;
    }
}

/// A data folder with an execution in every phase, of a process that was killed in the middle of a turn.
async fn make(place: &Place) {
    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    let mut socket = ada.socket().await;
    socket.turn("c1", "m1", "what can I do here?").await;
    socket.turn("c1", "m2", "which files do I have?").await;
    let submit = |intent: &str, parameters: Value, more: Value| {
        let mut body = json!({ "intent_type": intent, "session_id": ada.session_id, "parameters": parameters });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let ada = &ada;
        async move { ada.post("/api/intent/submit", body).await["execution_id"].as_str().unwrap().to_owned() }
    };
    let completed = submit("list_files", json!({}), json!({})).await;
    let failed = submit("get_parsed_file", json!({ "file": "nothing.csv" }), json!({})).await;
    for ended in [completed, failed] {
        ada.events(&ended).await;
    }
    assert!(server.stop().success());
    // One conversation is folded, as it is some time after its turns.
    fold(&place.data_dir()).await;

    place.set(SLOW);
    let server = place.serve(&[]);
    let ada = ada.at(&server.url);
    let submit = |intent: &str, parameters: Value, more: Value| {
        let mut body = json!({ "intent_type": intent, "session_id": ada.session_id, "parameters": parameters });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let ada = &ada;
        async move { ada.post("/api/intent/submit", body).await["execution_id"].as_str().unwrap().to_owned() }
    };
    let file = place.path().join("orders.csv");
    std::fs::write(&file, "a,b\n1,2\n").unwrap();
    ada.upload(&file).await;
    submit("delete_file", json!({ "file": "orders.csv" }), json!({})).await;
    let in_a_while = contract::Timestamp::from_millis(later());
    submit("list_files", json!({}), json!({ "run_at": in_a_while })).await;
    let cancelled = submit("list_files", json!({}), json!({ "run_at": in_a_while })).await;
    ada.post(&format!("/api/execution/{cancelled}/cancel"), json!({ "reason": "It was to be cancelled." })).await;
    let mut socket = ada.socket().await;
    socket.say("c2", "m1", "which files do I have?").await;
    // The model's first answer is recorded, its tool has run, and it is saying what came of it.
    socket.until(|frame| frame["event_type"] == "agent.tool" && frame["data"]["state"] == "completed").await;
    socket.until(|frame| frame["event_type"] == "agent.token").await;
    server.kill();
}

/// What an agent has begun to say is not carried on by another one of its name.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_is_not_finished_under_another_definition() {
    let place = Place::new();
    place.set(SLOW);
    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    let mut socket = ada.socket().await;
    socket.say("c1", "m1", "which files do I have?").await;
    socket.until(|frame| frame["event_type"] == "agent.tool" && frame["data"]["state"] == "completed").await;
    server.kill();
    std::fs::create_dir(place.path().join("agents")).unwrap();
    let definition = "agent_id = \"guide\"\nkind = \"guide\"\nsurfaces = [\"general\"]\n\
                      description = \"Another one.\"\ninstructions = \"Be somebody else.\"\n";
    std::fs::write(place.path().join("agents/guide.toml"), definition).unwrap();
    let server = place.serve(&[]);
    let ada = ada.at(&server.url);
    let mut socket = ada.socket().await;
    socket.send(json!({ "type": "agent.resume", "conversation_id": "c1", "after": 0 })).await;
    let frames = socket.until(|frame| frame["event_type"] == "agent.failed").await;
    let failed = last(&frames, "agent.failed");
    assert_eq!(failed["code"], "version_mismatch", "{failed}");
    // It harms nothing else: the same person is answered by the new one.
    let frames = socket.turn("c1", "m2", "hello").await;
    assert_eq!(frames.last().unwrap()["event_type"], "agent.completed");
}

/// A time that is allowed and that no test of today reaches.
#[expect(clippy::disallowed_methods, reason = "the server under test goes by the clock of the machine")]
fn later() -> i64 {
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap() + 300 * DAY_MS
}

async fn fold(data_dir: &Path) {
    let database = public_works::Database::open(data_dir).unwrap();
    let store = SqliteStore::new(database.clone());
    while store.fold(store.newest_row().await.unwrap()).await.unwrap().more {}
    database.close().await;
}

/// Every table as SQL: the schema as it was applied, and then the rows.
fn dump(connection: &Connection) -> String {
    let texts = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let list = texts("SELECT sql FROM sqlite_schema WHERE name = 'schema_migrations'");
    let mut lines: Vec<String> = list.into_iter().map(|sql| sql + ";").collect();
    lines.extend(texts("SELECT sql FROM schema_migrations ORDER BY version"));
    // The tables below the search are its own.
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'artifact_search_%'";
    for table in texts(tables) {
        let columns = texts(&format!("SELECT name FROM pragma_table_info('{table}')"));
        let values: Vec<String> = columns.iter().map(|name| format!("quote({name})")).collect();
        lines.extend(texts(&format!(
            "SELECT 'INSERT OR REPLACE INTO {table} ({}) VALUES (' || {} || ');' FROM {table}",
            columns.join(", "),
            values.join(" || ', ' || ")
        )));
    }
    lines.join("\n") + "\n"
}

/// Opens a journal with the program of today, and sees everything in it come to its end.
async fn is_read(name: &str, sql: &str) {
    let place = Place::new();
    place.set("[runtime]\napproval_ttl = \"36500d\"\n");
    std::fs::create_dir_all(place.data_dir()).unwrap();
    let path = place.data_dir().join("symphainy.db");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap_or_else(|error| panic!("{name}: {error}"));
    let told = told_in(&Connection::open(&path).unwrap(), "c2");
    let server = place.serve(&[]);
    let ada = Person::sign_in(&server.url, "Ada").await;

    let mut socket = ada.socket().await;
    socket.send(json!({ "type": "agent.resume", "conversation_id": "c2", "after": 0 })).await;
    let frames = socket.until(|frame| frame["event_type"] == "agent.completed").await;
    assert_eq!(seqs(&frames), (1..=frames.len() as u64).collect::<Vec<_>>(), "{name}: no hole");
    assert!(frames.len() as u64 > told, "{name}: it went on from {told}");
    assert_eq!(last(&frames, "agent.started")["attempt"], 2, "{name}");
    let count = |event_type: &str, key: &str, value: &str| {
        frames.iter().filter(|frame| frame["event_type"] == event_type && frame["data"][key] == value).count()
    };
    assert_eq!(count("execution.step_completed", "step", "model:0"), 1, "{name}: a recorded step does not run again");
    assert_eq!(count("execution.accepted", "intent_type", "list_files"), 1, "{name}: nor does what it called");

    let all = conversation(&ada, "c1", 0).await;
    assert_eq!(seqs(&all), (1..=all.len() as u64).collect::<Vec<_>>(), "{name}");
    for after in [1, 7, all.len() - 1] {
        assert_eq!(conversation(&ada, "c1", after).await, all[after..], "{name}: after {after}");
    }
    assert_eq!(ada.get("/api/conversations/c1").await["messages"].as_array().unwrap().len(), 4, "{name}");

    let mut by_status = std::collections::BTreeMap::<String, Vec<Value>>::new();
    for execution in ada.get("/api/executions?limit=100").await["executions"].as_array().unwrap() {
        by_status.entry(execution["status"].as_str().unwrap().to_owned()).or_default().push(execution.clone());
    }
    for status in ["completed", "failed", "cancelled", "awaiting_approval"] {
        assert!(by_status.contains_key(status), "{name}: {status} is missing in {by_status:#?}");
    }
    let approvals = ada.get("/api/approvals").await;
    let hook_id = approvals["approvals"][0]["hook_id"].as_str().unwrap();
    ada.post(&format!("/api/approvals/{hook_id}"), json!({ "approved": true })).await;
    let awaited = by_status["awaiting_approval"][0]["execution_id"].as_str().unwrap();
    let ended = ada.events(awaited).await;
    assert_eq!(ended.last().unwrap()["event_type"], "execution.completed", "{name}: what was agreed to is done");
    assert!(server.stop().success(), "{name}: {}", place.log());
    place.run(&["doctor", "--deep", "--listen", "127.0.0.1:0"], "", &[]).well();
}

/// The head of a conversation's stream.
fn told_in(connection: &Connection, conversation: &str) -> u64 {
    let head = "SELECT head FROM streams WHERE conversation_id = ?1";
    let head: Option<i64> = connection.query_row(head, [conversation], |row| row.get(0)).optional().unwrap();
    u64::try_from(head.unwrap()).unwrap()
}

/// The events of a conversation that has come to rest, after a cursor.
async fn conversation(person: &Person, id: &str, after: usize) -> Vec<Value> {
    let head = person.get(&format!("/api/conversations/{id}")).await["cursor"].clone();
    let mut socket = person.socket().await;
    socket.send(json!({ "type": "agent.resume", "conversation_id": id, "after": after })).await;
    let frames = socket.until(|frame| frame["seq"] == head).await;
    frames.into_iter().filter(|frame| frame["seq"].is_u64()).collect()
}
