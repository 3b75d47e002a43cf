//! What has been: folding changes nothing that anybody reads, and what another version wrote harms nobody else.

use contract::{EventType, ExecutionId, Timestamp};
use public_works::{
    Database, SqliteStore,
    sqlite::{DatabaseError, KeptFrom, Pass, audit, rusqlite},
};
use runtime::{
    Store, StoreError,
    machine::{Command, State, decide},
    port::store::{Change, ExecutionFilter, Fence, JournalEvent, MAX_PAGE, NewEvent, PageRequest, StreamId, StreamKey},
};
use serde_json::json;

use crate::store::{open, submission, user};

async fn begun(store: &SqliteStore, conversation: Option<&str>, number: i64) -> State {
    let submission = submission(&user(), conversation, number);
    let state = submission.state.clone();
    store.submit(submission).await.unwrap();
    moved(store, &state, Command::Start, Vec::new()).await
}

async fn moved(store: &SqliteStore, state: &State, command: Command, told: Vec<NewEvent>) -> State {
    let decision = decide(state, command, state.header.created_at).unwrap();
    let mut change = Change::new(state.header.execution_id.clone(), Fence::Revision(state.revision));
    change.events = told.into_iter().chain(decision.events).collect();
    change.next = Some(decision.next.clone());
    store.commit(change).await.unwrap();
    decision.next
}

async fn complete(store: &SqliteStore, state: &State) -> State {
    let command = Command::Complete { result: json!({"response": "hello"}), artifacts: Default::default() };
    moved(store, state, command, Vec::new()).await
}

async fn say(store: &SqliteStore, state: &State, tokens: &[&str]) {
    let id = &state.header.execution_id;
    let event = |token: &&str| {
        let data = json!({
            "agent_id": "guide", "conversation_id": "c1", "execution_id": id, "token": token,
        });
        NewEvent::new(EventType::AgentToken, id, state.header.created_at, &data)
    };
    let mut change = Change::new(id.clone(), Fence::Attempt(state.attempt()));
    change.events = tokens.iter().map(event).collect();
    store.commit(change).await.unwrap();
}

async fn stream_of(store: &SqliteStore, id: &ExecutionId) -> StreamId {
    store.stream(&StreamKey::Execution(id.clone())).await.unwrap().unwrap().stream
}

/// What everybody reads: the stream from every cursor, and each execution's part of it.
async fn readings(store: &SqliteStore, stream: StreamId, of: &[&State]) -> Vec<Vec<JournalEvent>> {
    let all = store.events(stream, 0, None, MAX_PAGE).await.unwrap();
    let mut readings = Vec::new();
    for after in 0..=all.len() as u64 {
        for limit in [1, 7, MAX_PAGE] {
            readings.push(store.events(stream, after, None, limit).await.unwrap());
        }
        for state in of {
            let id = Some(&state.header.execution_id);
            readings.push(store.events(stream, after, id, MAX_PAGE).await.unwrap());
        }
    }
    readings
}

async fn measure(database: &Database) -> (i64, i64) {
    let sizes = "SELECT count(*), sum(length(body)) FROM journal";
    let size = |connection: &rusqlite::Connection| -> Result<_, DatabaseError> {
        Ok(connection.query_row(sizes, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
    };
    database.read(size).await.unwrap()
}

async fn fold_all(store: &SqliteStore) -> u64 {
    let mut executions = 0;
    loop {
        let folded = store.fold(store.newest_row().await.unwrap()).await.unwrap();
        executions += folded.executions;
        if !folded.more {
            return executions;
        }
    }
}

#[tokio::test]
async fn folding_changes_nothing_that_anybody_reads() {
    let directory = tempfile::tempdir().unwrap();
    let (database, store) = open(directory.path());
    let first = begun(&store, Some("c1"), 1).await;
    let second = begun(&store, Some("c1"), 2).await;
    let words = ["Das ", "ist \"so\"", ",\n", "\u{1b}🦀", ""];
    for round in 0..40 {
        say(&store, &first, &words[round % 5..=round % 5]).await;
        if round % 9 == 0 {
            say(&store, &second, &words).await;
        }
    }
    let first = complete(&store, &first).await;
    let stream = stream_of(&store, &first.header.execution_id).await;
    let of = [&first, &second];
    let (rows, bytes) = measure(&database).await;
    let before = readings(&store, stream, &of).await;
    assert_eq!(fold_all(&store).await, 1, "the second one has not ended");
    assert_eq!(readings(&store, stream, &of).await, before);
    let (fewer, smaller) = measure(&database).await;
    assert!(fewer < rows / 2 && smaller < bytes, "{rows} rows, {bytes} bytes: {fewer} rows, {smaller} bytes");

    let second = complete(&store, &second).await;
    let of = [&first, &second];
    let before = readings(&store, stream, &of).await;
    assert_eq!(fold_all(&store).await, 1);
    assert_eq!(fold_all(&store).await, 0, "once is enough");
    assert_eq!(readings(&store, stream, &of).await, before);
    let told: usize = store.events(stream, 0, None, MAX_PAGE).await.unwrap().iter().map(|event| event.json.len()).sum();
    let (_, kept) = measure(&database).await;
    assert!(kept * 3 < i64::try_from(told).unwrap(), "{told} bytes are told, {kept} are kept");
    // What comes afterwards goes on as ever.
    say(&store, &begun(&store, Some("c1"), 3).await, &words).await;
    let numbers: Vec<u64> =
        store.events(stream, 0, None, MAX_PAGE).await.unwrap().iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    database.close().await;
    for check in audit(directory.path(), |_| {}).unwrap().unwrap() {
        assert_eq!(check.problem, None, "{check:?}");
    }
}

#[tokio::test]
async fn what_another_version_wrote_harms_nobody_else() {
    let directory = tempfile::tempdir().unwrap();
    let (database, store) = open(directory.path());
    let (mine, newer, broken) =
        (begun(&store, Some("c1"), 1).await, begun(&store, Some("c1"), 2).await, begun(&store, None, 3).await);
    let (newer, broken) = (newer.header.execution_id, broken.header.execution_id);
    let change = (newer.to_string(), broken.to_string());
    database
        .write(move |transaction| {
            let replace = "UPDATE executions SET state = replace(state, ?2, ?3) WHERE id = ?1";
            transaction.execute(replace, [&change.0, "{\"version\":1,", "{\"version\":999,"])?;
            transaction.execute(replace, [&change.1, "\"running\"", "\"meditating\""])?;
            let events = "UPDATE journal SET body = replace(body, 'execution.started', 'execution.dreamt')
                          WHERE execution = (SELECT number FROM executions WHERE id = ?1)";
            transaction.execute(events, [&change.0])?;
            Ok::<_, DatabaseError>(())
        })
        .await
        .unwrap();
    for id in [&newer, &broken] {
        let error = store.execution(id).await.unwrap_err();
        assert!(matches!(error, StoreError::Unreadable(_)), "{error:?}");
    }
    let readable = vec![mine.clone()];
    assert_eq!(store.unfinished(None, 1).await.unwrap(), readable);
    assert_eq!(store.unfinished(None, 10).await.unwrap(), readable);
    let listed = store.executions(&user(), &ExecutionFilter::default(), PageRequest::first(10)).await.unwrap();
    assert_eq!(listed.items, readable);
    // An event that nobody here knows is passed on as it is.
    let stream = stream_of(&store, &mine.header.execution_id).await;
    let events = store.events(stream, 0, None, 10).await.unwrap();
    let unknown = events.iter().find(|event| event.event_type == EventType::Unknown).unwrap();
    assert!(unknown.json.contains("execution.dreamt") && unknown.event().execution_id == newer);
    complete(&store, &mine).await;
}

async fn take_away(store: &SqliteStore, kept: &KeptFrom) -> Vec<String> {
    let (mut pass, mut lines) = (Pass::default(), Vec::new());
    while !pass.is_over() {
        let found = store.find_expired(kept, pass).await.unwrap();
        for expired in &found.expired {
            lines.push(store.archive_line(expired).await.unwrap());
            assert!(store.remove(expired, Timestamp::from_millis(1_900_000_000_000)).await.unwrap());
        }
        pass = found.pass;
    }
    lines
}

#[tokio::test]
async fn a_conversation_loses_its_beginning_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let (database, store) = open(directory.path());
    // Two turns that ran at the same time, one that has not ended, and one after it.
    let (first, second) = (begun(&store, Some("c1"), 1).await, begun(&store, Some("c1"), 2).await);
    say(&store, &first, &["a", "b"]).await;
    say(&store, &second, &["c"]).await;
    let (first, second) = (complete(&store, &first).await, complete(&store, &second).await);
    let waiting = begun(&store, Some("c1"), 3).await;
    let later = begun(&store, Some("c1"), 4).await;
    complete(&store, &later).await;
    let alone = begun(&store, None, 5).await;
    let alone = complete(&store, &alone).await;
    let young = begun(&store, None, 50).await;
    complete(&store, &young).await;
    fold_all(&store).await;
    let stream = stream_of(&store, &first.header.execution_id).await;
    let before = store.events(stream, 0, None, MAX_PAGE).await.unwrap();

    let tenant = user().tenant_id().unwrap().clone();
    let instant = Timestamp::from_millis(1_800_000_000_010);
    let forever = KeptFrom { default: Some(instant), tenants: [(tenant.clone(), None)].into() };
    assert_eq!(take_away(&store, &forever).await, Vec::<String>::new(), "this tenant keeps everything");
    let kept = KeptFrom { default: None, tenants: [(tenant, Some(instant))].into() };
    let lines = take_away(&store, &kept).await;
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert_eq!(take_away(&store, &kept).await, Vec::<String>::new(), "once is enough");

    for gone in [&first, &second, &alone] {
        assert_eq!(store.execution(&gone.header.execution_id).await.unwrap(), None);
    }
    for there in [&waiting, &later, &young] {
        assert!(store.execution(&there.header.execution_id).await.unwrap().is_some());
    }
    // One event stands for all that are gone, with the number of the last; after it everything is what it was.
    let after = store.events(stream, 0, None, MAX_PAGE).await.unwrap();
    let removed = usize::try_from(after[0].seq).unwrap();
    assert_eq!(after[0].event_type, EventType::HistoryRemoved);
    assert_eq!(after[0].event().data, json!({ "first_seq": 1, "last_seq": removed }));
    assert_eq!(after[1..], before[removed..]);
    for cursor in 0..=before.len() {
        let page = store.events(stream, cursor as u64, None, MAX_PAGE).await.unwrap();
        let expected: Vec<_> = after.iter().filter(|event| event.seq > cursor as u64).cloned().collect();
        assert_eq!(page, expected, "after {cursor}");
    }
    let messages = store.messages(&user(), &"c1".parse().unwrap(), None, 10).await.unwrap();
    let said: Vec<&str> = messages.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(said, ["message 3", "message 4"]);
    let archived: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(archived["events"].as_array().unwrap().len(), removed);
    assert_eq!(
        (archived["executions"].as_array().unwrap().len(), archived["messages"].as_array().unwrap().len()),
        (2, 2)
    );

    // What waited ends, and then the rest is old too.
    complete(&store, &waiting).await;
    assert_eq!(take_away(&store, &kept).await.len(), 1);
    let last = store.events(stream, 0, None, MAX_PAGE).await.unwrap();
    assert_eq!((last.len(), last[0].seq), (1, before.len() as u64 + 1));
    complete(&store, &begun(&store, Some("c1"), 60).await).await;
    let numbers: Vec<u64> = store.events(stream, 0, None, MAX_PAGE).await.unwrap().iter().map(|e| e.seq).collect();
    assert_eq!(numbers, (last[0].seq..last[0].seq + 4).collect::<Vec<_>>(), "the numbers go on");
    assert_eq!(fold_all(&store).await, 0);
    database.close().await;
    for check in audit(directory.path(), |_| {}).unwrap().unwrap() {
        assert_eq!(check.problem, None, "{check:?}");
    }
}
