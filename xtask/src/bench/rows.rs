//! The rows: what is measured, of whom, at which concurrency.

use std::{path::Path, sync::Arc};

use serde_json::json;

use super::{
    contest::{Contestant, Row, Unit},
    load::{Kind, Request, Stream},
    peers,
    server::{EMAIL, PASSWORD, Server},
};

/// Settings of the product under load: limits out of the way.
pub(super) const SETTINGS: &str = r#"
[limits]
login = "1000000/1s"
messages = "1000000/1s"
sockets = 20000
sockets_per_user = 20000
streams_per_user = 20000
sockets_per_address = 20000
connections = 40000

[auth.password]
memory_kib = 19456
passes = 2
lanes = 1

[agents]
folder = "agents"
"#;

/// The same, and each piece of an answer is an event.
const EACH_PIECE: &str = "coalesce = \"0ms\"\n";

/// An agent that says fifty pieces at once, and one that says fifty a second.
pub(super) const AGENTS: [(&str, &str); 2] = [
    (
        "bench.toml",
        r#"
agent_id = "liaison.bench"
kind = "liaison"
realm = "bench"
description = "Says the same to everybody."
instructions = "Say the same to everybody."
model = "chatter"
"#,
    ),
    (
        "stream.toml",
        r#"
agent_id = "liaison.stream"
kind = "liaison"
realm = "bench"
description = "Says the same to everybody, slowly."
instructions = "Say the same to everybody, slowly."
model = "streamer"
"#,
    ),
];

/// Requests a second in the row with an open loop.
const RATE: u32 = 2_000;

/// Frames of the limit's turn: one that begins, fifty pieces, one that ends.
const FRAMES: usize = 52;

pub(super) fn all(product: &Path) -> Vec<Row> {
    let product: Arc<Path> = product.into();
    let row = |title, unit, callers, contestants| Row { title, unit, callers, contestants, absent: Vec::new() };
    let mut rows = vec![
        row(
            "submit acknowledged durably",
            Unit::Operations,
            &[1, 16, 64][..],
            vec![limit("/submit"), submit(&product, Kind::Ask)],
        ),
        row(
            "submit acknowledged durably, 2,000 a second whatever comes",
            Unit::Operations,
            &[64],
            vec![limit_at_rate("/submit"), submit(&product, |request| Kind::AskAtRate(request, RATE))],
        ),
        row(
            "executed to the end, no step",
            Unit::Operations,
            &[1, 64],
            vec![limit("/execute"), execute(&product, "bench_nothing")],
        ),
        row(
            "executed to the end, two steps",
            Unit::Operations,
            &[1, 64],
            vec![limit("/execute"), execute(&product, "bench_two_steps")],
        ),
        row("turn of fifty pieces on a socket, journaled", Unit::Frames, &[1, 100], vec![limit_turn(), turn(&product)]),
        row(
            "50 tokens a second on each socket",
            Unit::Streams,
            &[1_000, 2_000],
            vec![limit_stream(), stream(&product)],
        ),
        row("authenticated GET", Unit::Operations, &[64], vec![limit_get(), get(&product)]),
        row("sign-in", Unit::Operations, &[8], vec![limit_hash(), sign_in(&product)]),
    ];
    for row in &mut rows {
        peers::join(row);
    }
    rows
}

fn limit(path: &'static str) -> Contestant {
    let start = move || {
        let request = Request::post(path, None, &json!({"intent_type": "bench_nothing"}));
        Box::pin(async move { Ok((Server::limit(FRAMES).await?, Kind::Ask(request))) }) as _
    };
    Contestant { name: "limit", rounds: usize::MAX, start: Box::new(start) }
}

fn limit_get() -> Contestant {
    let start = || Box::pin(async { Ok((Server::limit(FRAMES).await?, Kind::Ask(Request::get("/ready", None)))) }) as _;
    Contestant { name: "limit", rounds: usize::MAX, start: Box::new(start) }
}

fn limit_turn() -> Contestant {
    let start = || {
        Box::pin(async {
            let kind = Kind::Turn { path: "/turn".to_owned(), token: None, ends: "agent.completed" };
            Ok((Server::limit(FRAMES).await?, kind))
        }) as _
    };
    Contestant { name: "limit", rounds: usize::MAX, start: Box::new(start) }
}

fn limit_at_rate(path: &'static str) -> Contestant {
    let start = move || {
        let request = Request::post(path, None, &json!({"intent_type": "bench_nothing"}));
        Box::pin(async move { Ok((Server::limit(FRAMES).await?, Kind::AskAtRate(request, RATE))) }) as _
    };
    Contestant { name: "limit", rounds: usize::MAX, start: Box::new(start) }
}

fn limit_stream() -> Contestant {
    let start = || {
        let stream = Stream { path: "/stream".to_owned(), token: None, first: "agent.token" };
        Box::pin(async { Ok((Server::limit(FRAMES).await?, Kind::Stream(stream))) }) as _
    };
    Contestant { name: "limit", rounds: usize::MAX, start: Box::new(start) }
}

fn limit_hash() -> Contestant {
    let start = || {
        let request = Request::post("/hash", None, &json!({}));
        Box::pin(async { Ok((Server::limit(FRAMES).await?, Kind::Ask(request))) }) as _
    };
    Contestant { name: "limit", rounds: usize::MAX, start: Box::new(start) }
}

fn submit(product: &Arc<Path>, kind: impl Fn(Request) -> Kind + Copy + 'static) -> Contestant {
    ours(product, "", move |token, session_id| {
        kind(Request::post("/api/intent/submit", Some(token), &intent("bench_nothing", session_id)))
    })
}

fn execute(product: &Arc<Path>, intent_type: &'static str) -> Contestant {
    ours(product, "", move |token, session_id| Kind::Execute {
        submit: Request::post("/api/intent/submit", Some(token), &intent(intent_type, session_id)),
        token: token.to_owned(),
    })
}

fn turn(product: &Arc<Path>) -> Contestant {
    ours(product, EACH_PIECE, |token, session_id| Kind::Turn {
        path: agent_socket(session_id),
        token: Some(token.to_owned()),
        ends: "execution.completed",
    })
}

fn stream(product: &Arc<Path>) -> Contestant {
    ours(product, "", |token, session_id| {
        let (path, token) = (agent_socket(session_id), Some(token.to_owned()));
        Kind::Stream(Stream { path, token, first: "agent.token" })
    })
}

fn get(product: &Arc<Path>) -> Contestant {
    ours(product, "", |token, _| Kind::Ask(Request::get("/api/auth/me", Some(token))))
}

fn sign_in(product: &Arc<Path>) -> Contestant {
    let body = json!({"email": EMAIL, "password": PASSWORD});
    ours(product, "", move |_, _| Kind::Ask(Request::post("/api/auth/login", None, &body)))
}

pub(super) fn agent_socket(session_id: &str) -> String {
    format!("/api/runtime/agent?session_id={session_id}")
}

pub(super) fn intent(intent_type: &str, session_id: &str) -> serde_json::Value {
    json!({"intent_type": intent_type, "session_id": session_id, "parameters": {}})
}

/// The product with somebody who is signed in; `more` is added to its settings.
fn ours(product: &Arc<Path>, more: &str, kind: impl Fn(&str, &str) -> Kind + 'static) -> Contestant {
    let (product, kind) = (Arc::clone(product), Arc::new(kind));
    let settings: Arc<str> = format!("{SETTINGS}{more}").into();
    let start = move || {
        let (product, settings, kind) = (Arc::clone(&product), Arc::clone(&settings), Arc::clone(&kind));
        Box::pin(async move {
            let server = Server::product(&product, &settings, &AGENTS).await?;
            let (token, session_id) = server.somebody().await?;
            Ok((server, kind(&token, &session_id)))
        }) as _
    };
    Contestant { name: "symphainy", rounds: usize::MAX, start: Box::new(start) }
}
