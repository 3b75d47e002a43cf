//! Programs: a script of the shell that answers with whatever bytes, silences and ends a test wants.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use contract::Code;
use public_works::mcp::{Fault, Hidden, McpConfig, Server};
use runtime::FailureKind;
use serde_json::{Value, json};

use super::{assert_failed, call, greeting, text, tool, tools};

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server of this script. `$id` is the request's id, `answer` sends a result, `line` has the message.
fn server(folder: &Path, greeting: &Value, tools: &Value, on_call: &str, timeout: Duration) -> Server {
    let script = format!(
        "answer() {{ printf '{{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":%s}}\\n' \"$id\" \"$1\"; }}\n\
         while read -r line; do\n\
         id=${{line#*\\\"id\\\":}}; id=${{id%%[,\\}}]*}}\n\
         case $line in\n\
         *'\"initialize\"'*) answer '{greeting}';;\n\
         *'\"tools/list\"'*) answer '{tools}';;\n\
         *'\"tools/call\"'*) {on_call};;\n\
         esac\ndone\n"
    );
    let path = folder.join("server.sh");
    fs::write(&path, script).unwrap();
    let config = McpConfig {
        command: Some("sh".to_owned()),
        args: vec![path.display().to_string()],
        env: Hidden(BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())])),
        timeout,
        start_timeout: PATIENCE,
        ..McpConfig::default()
    };
    config.check().unwrap();
    Server::new("shop", config).unwrap()
}

/// What a call can be answered with, by the way that it names.
fn ways(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "case $line in\n\
         *'\"good\"'*) answer '{good}';;\n\
         *noisy*) echo 'Hello!'; echo '{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}}'\n\
           echo '{{\"jsonrpc\":\"2.0\",\"id\":\"p1\",\"method\":\"ping\"}}'; read -r pong\n\
           echo '{{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"elicitation/create\"}}'; read -r no\n\
           printf '%s\\n%s\\n' \"$pong\" \"$no\" > {folder}/heard; answer '{good}';;\n\
         *huge*) head -c 3000000 /dev/zero | tr '\\0' x; echo;;\n\
         *garbage*) yes garbage;;\n\
         *flood*) yes '{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{{}}}}';;\n\
         *others*) yes '{{\"jsonrpc\":\"2.0\",\"id\":4242,\"result\":{{}}}}';;\n\
         *dies*) echo 'Out of luck.' >&2; exit 3;;\n\
         *half*) printf '{{\"jsonrpc\":\"2.0\",\"id\":'; exit 0;;\n\
         *shapeless*) answer '[1]';;\n\
         *refuses*) printf '{{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{{\"code\":-32602,\"message\":\"No such pen.\"}}}}\\n' \"$id\";;\n\
         *wrong*) answer '{wrong}';;\n\
         *deep*) head -c 200000 /dev/zero | tr '\\0' '['; echo; answer '{good}';;\n\
         *shouts*) yes 'Trouble!' | head -c 499995 >&2; answer '{good}';;\n\
         *silent*) sleep 1000 > {folder}/alive;;\n\
         *counts*) n=$((n + 1)); answer '{{\"content\":[{{\"type\":\"text\",\"text\":\"'$n'\"}}]}}';;\n\
         esac",
        good = text("Good."),
        wrong = json!({ "content": [{ "type": "text", "text": "It is broken." }], "isError": true }),
    )
}

#[tokio::test]
async fn what_a_program_does_wrong_ends_one_call() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), &greeting(), &tools(), &ways(folder.path()), PATIENCE);
    let (write, read) = (tool(&server, "write").await, tool(&server, "read").await);
    let (last, again) = (FailureKind::Final, FailureKind::Transient);
    for (way, code, kind, part) in [
        ("huge", Code::ResultTooLarge, last, "more than 1048576 bytes. Ask for less"),
        ("garbage", Code::ExecutionFailed, last, "1,000 other messages"),
        ("flood", Code::ExecutionFailed, last, "1,000 other messages"),
        ("others", Code::ExecutionFailed, last, "1,000 other messages"),
        ("dies", Code::Unavailable, again, "“Out of luck.”"),
        ("half", Code::Unavailable, again, "it ended before it answered"),
        ("shapeless", Code::ExecutionFailed, last, "its answer has no result"),
        ("refuses", Code::ExecutionFailed, last, "it refused: “No such pen.”"),
        ("wrong", Code::ExecutionFailed, last, "it refused: “It is broken.”"),
    ] {
        assert_failed(call(&server, &read, way).await, code, kind, part);
        for good in ["good", "noisy", "deep", "shouts"] {
            let answer = call(&server, &read, good).await.unwrap();
            assert_eq!(answer["summary"], "The server shop answered:\n\nGood.", "{good} after {way}");
        }
    }
    // What may have been done is not done again by itself.
    assert_failed(call(&server, &write, "dies").await, Code::Unavailable, last, "It may have been done");
    let heard = fs::read_to_string(folder.path().join("heard")).unwrap();
    let heard: Vec<Value> = heard.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(heard[0], json!({ "jsonrpc": "2.0", "id": "p1", "result": {} }));
    assert_eq!((&heard[1]["id"], &heard[1]["error"]["code"]), (&json!(7), &json!(-32601)));
}

#[tokio::test]
async fn one_that_is_silent_holds_nobody_up_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("alive");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let server = server(folder.path(), &greeting(), &tools(), &ways(folder.path()), Duration::from_secs(3));
    let read = tool(&server, "read").await;
    // Its end is seen when the last process that could write there is gone.
    let gone = tokio::task::spawn_blocking(move || fs::read(fifo).unwrap());
    let silent = call(&server, &read, "silent");
    let others = async {
        for _ in 0..3 {
            call(&server, &read, "good").await.unwrap();
        }
    };
    let (silent, ()) = tokio::join!(silent, others);
    assert_failed(silent, Code::Timeout, FailureKind::Transient, "did not answer within 3s");
    let left = tokio::time::timeout(PATIENCE, gone).await.expect("what it started is still there").unwrap();
    assert!(left.is_empty());
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("alive");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let server = server(folder.path(), &greeting(), &tools(), &ways(folder.path()), PATIENCE);
    let read = tool(&server, "read").await;
    let begun = tokio::task::spawn_blocking(move || fs::File::open(fifo).unwrap());
    let opened = tokio::select! {
        answer = call(&server, &read, "silent") => panic!("{answer:?}"),
        opened = begun => opened.unwrap(),
    };
    let gone = tokio::task::spawn_blocking(move || std::io::read_to_string(opened).unwrap());
    tokio::time::timeout(PATIENCE, gone).await.expect("what it started is still there").unwrap();
}

#[tokio::test]
async fn calls_one_after_the_other_meet_the_same_program() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), &greeting(), &tools(), &ways(folder.path()), PATIENCE);
    let read = tool(&server, "read").await;
    for count in ["1", "2", "3"] {
        assert!(call(&server, &read, "counts").await.unwrap()["summary"].as_str().unwrap().ends_with(count));
    }
}

#[tokio::test]
async fn a_program_that_is_none_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let start = |command: &str, args: &[&str]| {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let config =
            McpConfig { command: Some(command.to_owned()), args, start_timeout: PATIENCE, ..McpConfig::default() };
        Server::new("shop", config).unwrap()
    };
    let missing = start("/no/such/program", &[]).offer().await;
    assert!(matches!(&missing, Err(Fault::NotStarted(why)) if why.starts_with("/no/such/program: ")), "{missing:?}");
    let ends = start("/bin/sh", &["-c", "echo 'No key.' >&2"]).offer().await;
    assert_eq!(ends, Err(Fault::Ended("; its last words: “No key.”".to_owned())));
    let old = json!({ "protocolVersion": "1999-01-01" });
    let old = server(folder.path(), &old, &tools(), ":", PATIENCE).offer().await;
    assert_eq!(old, Err(Fault::Version("1999-01-01".to_owned())));
}

#[tokio::test]
async fn a_list_has_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let schema = json!({ "type": "object" });
    let many: Vec<Value> =
        (0..300).map(|number| json!({ "name": format!("t{number}"), "inputSchema": schema })).collect();
    let offer = server(folder.path(), &greeting(), &json!({ "tools": many }), ":", PATIENCE).offer().await.unwrap();
    assert_eq!((offer.tools.len(), offer.left_out.as_slice()), (200, &["all after the first 200".to_owned()][..]));

    let odd = json!({ "nextCursor": "more", "tools": [
        { "name": "a.b", "inputSchema": schema },
        { "name": "a/b", "inputSchema": schema },
        { "name": "lies", "inputSchema": { "type": "object", "properties": { "a": { "$ref": "file:///etc/passwd" } } } },
        "nonsense",
    ] });
    // It has the same page again and again.
    let offer = server(folder.path(), &greeting(), &odd, ":", PATIENCE).offer().await.unwrap();
    let names: Vec<&str> = offer.tools.iter().map(|tool| tool.descriptor.intent_type.as_str()).collect();
    assert_eq!(names, ["shop_a_b"]);
    assert!(offer.left_out.iter().any(|reason| reason.starts_with("lies: ")), "{:?}", offer.left_out);
    let none = server(folder.path(), &greeting(), &json!({ "tools": 5 }), ":", PATIENCE).offer().await;
    assert!(matches!(none, Err(Fault::Garbage(_))), "{none:?}");
}
