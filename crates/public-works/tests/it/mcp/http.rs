//! Servers at an address: what they hear is looked at to the byte, and they answer with what a test wants.

use std::{collections::BTreeMap, time::Duration};

use contract::Code;
use public_works::mcp::{Fault, Hidden, McpConfig, Server};
use runtime::FailureKind;
use serde_json::{Value, json};

use super::{assert_failed, call, greeting, text, tool, tools};
use crate::models::provider::{Act, Answer, Provider, Request};

fn json_answer(headers: &[(&'static str, &str)], body: &Value) -> Answer {
    Answer::error(200, headers, body)
}

fn result(request: &Request, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": request.body["id"], "result": result })
}

/// Answers as a good server does, but for calls.
fn polite(request: &Request, on_call: impl FnOnce(&Request) -> Answer) -> Answer {
    match request.body["method"].as_str() {
        Some("initialize") => json_answer(&[("mcp-session-id", "s1")], &result(request, &greeting())),
        Some("tools/list") => json_answer(&[], &result(request, &tools())),
        Some("tools/call") => on_call(request),
        Some(_) | None => Answer { status: 202, headers: Vec::new(), acts: Vec::new() },
    }
}

fn server_with(provider: &Provider, timeout: Duration) -> Server {
    let config = McpConfig {
        url: Some(provider.url("/mcp")),
        headers: Hidden(BTreeMap::from([("Authorization".to_owned(), "Bearer secret".to_owned())])),
        timeout,
        ..McpConfig::default()
    };
    config.check().unwrap();
    Server::new("shop", config).unwrap()
}

fn server(provider: &Provider) -> Server {
    server_with(provider, Duration::from_secs(30))
}

#[tokio::test]
async fn a_session_is_begun_once_and_named_from_then_on() {
    let provider =
        Provider::start(|_, request| polite(request, |request| json_answer(&[], &result(request, &text("Good.")))))
            .await;
    let server = server(&provider);
    let read = tool(&server, "read").await;
    assert_eq!(call(&server, &read, "good").await.unwrap()["summary"], "The server shop answered:\n\nGood.");
    let requests = provider.requests();
    let methods: Vec<&str> = requests.iter().filter_map(|request| request.body["method"].as_str()).collect();
    assert_eq!(methods, ["initialize", "notifications/initialized", "tools/list", "tools/call"]);
    let first = &requests[0];
    assert_eq!((first.path.as_str(), first.header("mcp-session-id")), ("/mcp", None));
    assert_eq!(first.header("accept"), Some("application/json, text/event-stream"));
    assert_eq!(first.body["params"]["protocolVersion"], "2025-06-18");
    for request in &requests {
        assert_eq!(request.header("authorization"), Some("Bearer secret"));
    }
    for request in &requests[1..] {
        assert_eq!(request.header("mcp-session-id"), Some("s1"));
        assert_eq!(request.header("mcp-protocol-version"), Some("2025-06-18"));
    }
    let params = &requests[3].body["params"];
    assert_eq!((&params["name"], &params["arguments"]), (&json!("read"), &json!({ "way": "good" })));
    assert_eq!(params["_meta"]["idempotency_key"], "exec_1/call");
}

#[tokio::test]
async fn a_stream_is_read_however_it_is_cut() {
    let provider = Provider::start(|_, request| {
        polite(request, |request| {
            let notice = json!({ "jsonrpc": "2.0", "method": "notifications/message" });
            let ping = json!({ "jsonrpc": "2.0", "id": 9, "method": "ping" });
            let answer = result(request, &text("Göod."));
            let stream =
                format!(": hello\n\nevent: message\ndata: {notice}\n\ndata: {ping}\n\nid: 1\ndata: {answer}\n\n");
            Answer::stream(stream.as_bytes().chunks(3))
        })
    })
    .await;
    let server = server(&provider);
    let read = tool(&server, "read").await;
    assert_eq!(call(&server, &read, "good").await.unwrap()["summary"], "The server shop answered:\n\nGöod.");
    let pong = provider.requests().into_iter().find(|request| request.body.get("method").is_none()).unwrap();
    assert_eq!(pong.body, json!({ "jsonrpc": "2.0", "id": 9, "result": {} }));
    assert_eq!(pong.header("mcp-session-id"), Some("s1"));
}

#[tokio::test]
async fn a_session_that_was_forgotten_is_begun_anew() {
    let provider = Provider::start(|number, request| {
        polite(request, |request| match number {
            3 => Answer::error(404, &[], &json!({})),
            _ => json_answer(&[], &result(request, &text("Good."))),
        })
    })
    .await;
    let server = server(&provider);
    let write = tool(&server, "write").await;
    call(&server, &write, "good").await.unwrap();
    let requests = provider.requests();
    assert_eq!(requests.iter().filter(|request| request.body["method"] == "initialize").count(), 2);
    assert_eq!(requests.iter().filter(|request| request.body["method"] == "tools/call").count(), 2);
}

#[tokio::test]
async fn what_a_server_does_wrong_ends_one_call() {
    let provider = Provider::start(|_, request| {
        polite(request, |request| {
            let good = result(request, &text("Good."));
            let notice = format!("data: {}\n\n", json!({ "jsonrpc": "2.0", "method": "notifications/message" }));
            match request.body["params"]["arguments"]["way"].as_str().unwrap() {
                "huge" => json_answer(&[], &json!("x".repeat(2 << 20))),
                "endless" => Answer::stream(vec![notice.repeat(100); 1_000]),
                "line" => Answer::stream(vec!["x".repeat(1 << 20); 6]),
                "html" => Answer {
                    status: 200,
                    headers: vec![("content-type", "text/html".to_owned())],
                    acts: vec![Act::Send(b"<h1>Hello</h1>".to_vec())],
                },
                "foreign" => json_answer(&[], &json!({ "jsonrpc": "2.0", "id": 4242, "result": {} })),
                "cut" => Answer::stream(["data: {\"jsonrpc\""]).then(Act::HangUp),
                "over" => Answer::stream([notice]),
                "credentials" => Answer::error(401, &[], &json!({ "secret": "of the server" })),
                "busy" => Answer::error(429, &[("retry-after", "7")], &json!({})),
                "elsewhere" => Answer::error(302, &[("location", "http://127.0.0.1:1/")], &json!({})),
                "refuses" => {
                    let error = json!({ "code": -32602, "message": "No\nsuch pen." });
                    json_answer(&[], &json!({ "jsonrpc": "2.0", "id": request.body["id"], "error": error }))
                }
                "listed" => json_answer(&[], &json!([{ "jsonrpc": "2.0", "method": "notifications/message" }, good])),
                _ => json_answer(&[], &good),
            }
        })
    })
    .await;
    let server = server(&provider);
    let (write, read) = (tool(&server, "write").await, tool(&server, "read").await);
    let (last, again) = (FailureKind::Final, FailureKind::Transient);
    for (way, code, kind, part) in [
        ("huge", Code::ResultTooLarge, last, "more than 1048576 bytes"),
        ("endless", Code::ExecutionFailed, last, "1,000 other messages"),
        ("line", Code::ExecutionFailed, last, "4 MiB"),
        ("html", Code::ExecutionFailed, last, "neither JSON nor a stream"),
        ("foreign", Code::ExecutionFailed, last, "none to what was asked"),
        ("cut", Code::Unavailable, again, "the connection to it broke"),
        ("over", Code::Unavailable, again, "it ended before it answered"),
        ("credentials", Code::Unavailable, last, "other credentials (status 401)"),
        ("busy", Code::Unavailable, again, "status 429"),
        ("elsewhere", Code::Unavailable, last, "status 302"),
        ("refuses", Code::ExecutionFailed, last, "“No such pen.”"),
    ] {
        assert_failed(call(&server, &read, way).await, code, kind, part);
        for good in ["good", "listed"] {
            call(&server, &read, good).await.unwrap();
        }
    }
    assert_eq!(call(&server, &read, "busy").await.unwrap_err().retry_after, Some(Duration::from_secs(7)));
    assert_failed(call(&server, &write, "cut").await, Code::Unavailable, last, "It may have been done");
}

#[tokio::test]
async fn a_silence_ends_with_the_patience() {
    let provider =
        Provider::start(|_, request| polite(request, |_| Answer::stream(["data: "]).then(Act::Silence))).await;
    let server = server_with(&provider, Duration::from_millis(300));
    let read = tool(&server, "read").await;
    assert_failed(call(&server, &read, "").await, Code::Timeout, FailureKind::Transient, "did not answer within 300ms");
    provider.seen.left.notified().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp?key=secret", listener.local_addr().unwrap());
    drop(listener);
    let server = Server::new("shop", McpConfig { url: Some(url), ..McpConfig::default() }).unwrap();
    let Err(fault @ Fault::NotReached(_)) = server.offer().await else { panic!("it is there") };
    assert!(!fault.to_string().contains("secret"), "{fault}");
}
