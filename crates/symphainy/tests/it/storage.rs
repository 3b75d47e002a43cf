//! The disk as an operator meets it: full, failing, read-only, somebody else's; and backups of a server that works.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use reqwest::Method;
use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use crate::{
    person::{PASSWORD, Person, http, orders},
    process::{Place, Server},
};

/// Gives a command file systems of its own, which end with it.
const NAMESPACE: [&str; 2] = ["unshare", "-rm"];

/// Whether file systems can be mounted here. Where they cannot, the tests that need one say so.
fn can_mount() -> bool {
    let tried = Command::new(NAMESPACE[0]).args([NAMESPACE[1], "mount", "-t", "tmpfs", "tmpfs", "/tmp"]).output();
    let can = tried.is_ok_and(|output| output.status.success());
    if !can {
        eprintln!("SKIPPED: no file system can be mounted here (unshare -rm), so that a full disk cannot be tried");
    }
    can
}

/// The beginning of a command that has `options` mounted at the data folder.
fn mounted(place: &Place, options: &str) -> Vec<String> {
    std::fs::create_dir_all(place.data_dir()).unwrap();
    let script = format!("mount {options} \"$0\" && exec \"$@\"");
    let data_dir = place.data_dir().display().to_string();
    [&NAMESPACE[..], &["sh", "-c", &script, &data_dir]].concat().into_iter().map(str::to_owned).collect()
}

/// The data folder as the server sees it.
fn inside(server: &Server, place: &Place) -> PathBuf {
    let root = PathBuf::from(format!("/proc/{}/root", server.pid().as_raw_nonzero()));
    root.join(place.data_dir().strip_prefix("/").unwrap())
}

fn fill_up(path: &Path) {
    let mut ballast = File::create(path).unwrap();
    for size in [1 << 16, 1 << 10, 1] {
        while ballast.write_all(&vec![0; size]).is_ok() {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_heals_by_itself() {
    if !can_mount() {
        return;
    }
    let place = Place::new();
    let wrapper = mounted(&place, "-t tmpfs -o size=24m tmpfs");
    let server = place.serve_under(&wrapper, &[]);
    let ada = Person::register(&server.url, "Ada").await;
    let submit = json!({ "intent_type": "list_files", "session_id": ada.session_id });
    let before = ada.post("/api/intent/submit", submit.clone()).await;
    ada.events(before["execution_id"].as_str().unwrap()).await;

    let ballast = inside(&server, &place).join("ballast");
    fill_up(&ballast);
    let bob = json!({ "name": "Bob", "email": "bob@example.com", "password": PASSWORD });
    for (path, body) in [("/api/intent/submit", &submit), ("/api/auth/register", &bob)] {
        let answer = ada.send(Method::POST, path, Some(body)).await;
        assert_eq!(answer.status(), 507, "{path}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["error"], "storage_full", "{path}");
        assert!(problem["detail"].as_str().unwrap().contains("make room"), "{problem}");
    }
    assert_eq!(ada.get("/api/auth/me").await["user"]["email"], "ada@example.com", "what is there can be read");
    let turn = json!({ "message": "hello", "session_id": ada.session_id });
    let refused = ada.send(Method::POST, "/api/v1/guide-agent/chat", Some(&turn)).await;
    assert_eq!(refused.status(), 507);

    std::fs::remove_file(ballast).unwrap();
    let after = ada.post("/api/intent/submit", submit).await;
    let events = ada.events(after["execution_id"].as_str().unwrap()).await;
    assert_eq!(events.last().unwrap()["event_type"], "execution.completed");
    ada.upload(&orders()).await;
    assert!(server.stop().success(), "{}", place.log());
}

/// A write that fails in another way than for want of space says nothing about what is on the disk: the process ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_disk_ends_the_process_and_nothing_acknowledged_is_lost() {
    let place = Place::new();
    let wrapper = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"].map(str::to_owned);
    let server = place.serve_under(&wrapper, &[]);
    let ada = Person::register(&server.url, "Ada").await;
    let submit = json!({ "intent_type": "list_files", "session_id": ada.session_id });
    let mut acknowledged = Vec::new();
    for _ in 0..10 {
        acknowledged.push(ada.post("/api/intent/submit", submit.clone()).await["execution_id"].clone());
    }
    // From here on the log cannot grow: the system refuses the write, and SQLite calls that an error of the disk.
    let log = place.data_dir().join("symphainy.db-wal").metadata().unwrap().len();
    prlimit(Some(server.pid()), Resource::Fsize, Rlimit { current: Some(log), maximum: None }).unwrap();
    let refused = http().post(format!("{}/api/session/create-anonymous", server.url)).json(&json!({})).send().await;
    assert!(refused.is_err() || !refused.unwrap().status().is_success(), "nothing is promised any more");
    assert_eq!(server.ended().code(), Some(74), "{}", place.log());
    assert!(place.log().contains("The storage failed"), "{}", place.log());

    let server = place.serve(&[]);
    let ada = ada.at(&server.url);
    for id in &acknowledged {
        let events = ada.events(id.as_str().unwrap()).await;
        assert_eq!(events.last().unwrap()["event_type"], "execution.completed");
    }
}

#[test]
fn who_cannot_use_the_data_folder_says_why() {
    let start = ["serve", "--listen", "127.0.0.1:0"];
    let place = Place::new();
    std::fs::create_dir_all(place.data_dir()).unwrap();
    let database = place.data_dir().join("symphainy.db");
    std::fs::write(&database, "Dear diary, ".repeat(1_000)).unwrap();
    let said = place.run(&start, "", &[]);
    assert_eq!((said.exit, said.errors.contains("is no database")), (65, true), "{said:?}");
    std::fs::remove_file(&database).unwrap();
    let foreign = public_works::sqlite::rusqlite::Connection::open(&database).unwrap();
    foreign.execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    drop(foreign);
    let said = place.run(&start, "", &[]);
    assert_eq!((said.exit, said.errors.contains("made by another program")), (65, true), "{said:?}");

    if !can_mount() {
        return;
    }
    let place = Place::new();
    let said = place.run_under(&mounted(&place, "-t tmpfs -o size=64k tmpfs"), &start);
    assert_eq!((said.exit, said.errors.contains("no space left")), (74, true), "{said:?}");
    let read_only = mounted(&place, "-t tmpfs -o ro tmpfs");
    let said = place.run_under(&read_only, &start);
    assert_eq!((said.exit, said.errors.contains("this user may write to")), (73, true), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_working_server_is_backed_up_and_restored() {
    let place = Place::new();
    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    let file = ada.upload(&orders()).await;
    let mut socket = ada.socket().await;
    socket.turn("c1", "m1", "how good is this data?").await;
    // Somebody writes on while the backup is made.
    let submit = json!({ "intent_type": "list_files", "session_id": ada.session_id });
    let (ada, mut later) = (std::sync::Arc::new(ada), Vec::new());
    let backup = place.path().join("backup");
    let backing_up = {
        let mut command = place.command(&["backup", "backup", "--json"]);
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    while !backing_up.is_finished() {
        later.push(ada.post("/api/intent/submit", submit.clone()).await);
    }
    let output = backing_up.await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(said["manifest"]["objects"].as_u64() >= Some(1), "{said}");
    assert!(!later.is_empty());
    assert_eq!(place.run(&["backup", "backup"], "", &[]).exit, 73, "it is there already");
    assert_eq!(place.run(&["restore", "backup", "--replace"], "", &[]).exit, 69, "the folder is in use");
    assert!(place.run(&["restore", "backup", "--check"], "", &[]).well().contains("is whole"));
    let deep: Value = serde_json::from_str(&doctor(&place, &[])).unwrap();
    assert_eq!(deep["ok"], true, "{deep}");
    let cursor = ada.get("/api/conversations/c1").await["cursor"].clone();
    drop(server);

    assert_eq!(place.run(&["restore", "backup"], "", &[]).exit, 65, "the folder has data");
    place.run(&["restore", "backup", "--data-dir", "elsewhere"], "", &[]).well();
    let deep: Value = serde_json::from_str(&doctor(&place, &["--data-dir", "elsewhere"])).unwrap();
    assert!(deep["ok"] == true && deep["checks"].as_array().unwrap().len() > 12, "{deep}");
    let server = place.serve(&["--data-dir", "elsewhere"]);
    let ada = ada.at(&server.url);
    assert_eq!(ada.get("/api/conversations/c1").await["cursor"], cursor);
    let path = format!("/api/artifacts/{}/content", file["artifact_id"].as_str().unwrap());
    let content = ada.send(Method::GET, &path, None).await.bytes().await.unwrap();
    assert_eq!(content, std::fs::read(orders()).unwrap());
    drop(server);

    std::fs::write(backup.join("symphainy.db"), "something else").unwrap();
    let said = place.run(&["restore", "backup", "--replace"], "", &[]);
    assert_eq!((said.exit, said.errors.contains("is damaged")), (65, true), "{said:?}");
    assert!(place.serve(&[]).stop().success(), "what was there was not touched");
}

fn doctor(place: &Place, more: &[&str]) -> String {
    place.run(&[&["doctor", "--deep", "--json", "--listen", "127.0.0.1:0"], more].concat(), "", &[]).well()
}

#[test]
fn a_damaged_journal_is_found() {
    let place = Place::new();
    let server = place.serve(&[]);
    let environment = [("SYMPHAINY_SERVER", server.url.as_str())];
    place.run(&["chat", "--anonymous", "hello"], "", &environment).well();
    drop(server);
    doctor(&place, &[]);
    let database = public_works::sqlite::rusqlite::Connection::open(place.data_dir().join("symphainy.db")).unwrap();
    for (check, harm, heal) in [
        ("streams", "UPDATE streams SET head = head + 1", "UPDATE streams SET head = head - 1"),
        (
            "executions",
            "UPDATE executions SET last_seq = last_seq - 1",
            "UPDATE executions SET last_seq = last_seq + 1",
        ),
        ("references", "UPDATE executions SET space = space + 9", "UPDATE executions SET space = space - 9"),
        (
            "search index",
            "INSERT INTO artifact_search (rowid, space, text) VALUES (99, 's1', 'stray')",
            "DELETE FROM artifact_search WHERE rowid = 99",
        ),
    ] {
        database.execute_batch(harm).unwrap();
        let said = place.run(&["doctor", "--deep", "--listen", "127.0.0.1:0"], "", &[]);
        assert_eq!(said.exit, 1, "{said:?}");
        assert!(said.output.contains(&format!("fail  {check}")), "{check}: {}", said.output);
        database.execute_batch(heal).unwrap();
        doctor(&place, &[]);
    }
}

#[test]
fn the_schema_is_brought_up_to_date_when_asked() {
    let place = Place::new();
    assert_eq!(place.run(&["migrate"], "", &[]).exit, 65, "there is no data yet");
    assert!(place.serve(&[]).stop().success());
    assert!(place.run(&["migrate"], "", &[]).well().contains("nothing to do"));
    // As it was before the first step.
    std::fs::remove_dir_all(place.data_dir()).unwrap();
    std::fs::create_dir_all(place.data_dir()).unwrap();
    let path = place.data_dir().join("symphainy.db");
    public_works::sqlite::rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA user_version = 0; VACUUM")
        .unwrap();
    let said = place.run(&["migrate", "--check", "--json"], "", &[]);
    let steps: Value = serde_json::from_str(&said.output).unwrap();
    assert_eq!((said.exit, &steps["steps"][0], &steps["applied"]), (1, &json!("0001_runtime"), &json!(false)));
    let said = place.run(&["migrate"], "", &[]).well();
    assert!(said.contains("were applied") && said.contains("0002_accounts"), "{said}");
    assert_eq!(place.run(&["migrate", "--check"], "", &[]).exit, 0);
}
