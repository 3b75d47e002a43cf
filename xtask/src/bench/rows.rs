//! The rows: what is measured, of whom, at which concurrency.

use std::{path::Path, sync::Arc};

use serde_json::json;

use super::{
    contest::{Contestant, Row, Unit},
    load::{Kind, Request},
    server::Server,
};

/// Settings of the product under load: limits out of the way, each piece of an answer an event.
const SETTINGS: &str = r#"
[limits]
messages = "1000000/1s"
sockets_per_user = 10000
sockets_per_address = 10000

[agents]
coalesce = "0ms"
folder = "agents"
"#;

/// The agent that says fifty pieces.
const AGENT: &str = r#"
agent_id = "liaison.bench"
kind = "liaison"
realm = "bench"
description = "Says the same to everybody."
instructions = "Say the same to everybody."
model = "chatter"
"#;

/// Frames of the limit's turn: one that begins, fifty pieces, one that ends.
const FRAMES: usize = 52;

pub(super) fn all(product: &Path) -> Vec<Row> {
    let product: Arc<Path> = product.into();
    vec![
        Row {
            title: "submit acknowledged durably",
            unit: Unit::Operations,
            callers: &[1, 16, 64],
            contestants: vec![limit("/submit"), submit(&product)],
        },
        Row {
            title: "executed to the end, no step",
            unit: Unit::Operations,
            callers: &[1, 64],
            contestants: vec![limit("/execute"), execute(&product, "bench_nothing")],
        },
        Row {
            title: "executed to the end, two steps",
            unit: Unit::Operations,
            callers: &[1, 64],
            contestants: vec![limit("/execute"), execute(&product, "bench_two_steps")],
        },
        Row {
            title: "turn of fifty pieces on a socket, journaled",
            unit: Unit::Frames,
            callers: &[1, 100],
            contestants: vec![limit_turn(), turn(&product)],
        },
        Row {
            title: "authenticated GET",
            unit: Unit::Operations,
            callers: &[64],
            contestants: vec![limit_get(), get(&product)],
        },
    ]
}

fn limit(path: &'static str) -> Contestant {
    let start = move || {
        let request = Request::post(path, None, &json!({"intent_type": "bench_nothing"}));
        Box::pin(async move { Ok((Server::limit(FRAMES).await?, Kind::Ask(request))) }) as _
    };
    Contestant { name: "limit", start: Box::new(start) }
}

fn limit_get() -> Contestant {
    let start = || Box::pin(async { Ok((Server::limit(FRAMES).await?, Kind::Ask(Request::get("/ready", None)))) }) as _;
    Contestant { name: "limit", start: Box::new(start) }
}

fn limit_turn() -> Contestant {
    let start = || {
        Box::pin(async {
            let kind = Kind::Turn { path: "/turn".to_owned(), token: None, ends: "agent.completed" };
            Ok((Server::limit(FRAMES).await?, kind))
        }) as _
    };
    Contestant { name: "limit", start: Box::new(start) }
}

fn submit(product: &Arc<Path>) -> Contestant {
    ours(product, |token, session_id| {
        Kind::Ask(Request::post("/api/intent/submit", Some(token), &intent("bench_nothing", session_id)))
    })
}

fn execute(product: &Arc<Path>, intent_type: &'static str) -> Contestant {
    ours(product, move |token, session_id| Kind::Execute {
        submit: Request::post("/api/intent/submit", Some(token), &intent(intent_type, session_id)),
        token: token.to_owned(),
    })
}

fn turn(product: &Arc<Path>) -> Contestant {
    ours(product, |token, session_id| Kind::Turn {
        path: format!("/api/runtime/agent?session_id={session_id}"),
        token: Some(token.to_owned()),
        ends: "execution.completed",
    })
}

fn get(product: &Arc<Path>) -> Contestant {
    ours(product, |token, _| Kind::Ask(Request::get("/api/auth/me", Some(token))))
}

fn intent(intent_type: &str, session_id: &str) -> serde_json::Value {
    json!({"intent_type": intent_type, "session_id": session_id, "parameters": {}})
}

/// The product with somebody who is signed in.
fn ours(product: &Arc<Path>, kind: impl Fn(&str, &str) -> Kind + Copy + 'static) -> Contestant {
    let product = Arc::clone(product);
    let start = move || {
        let product = Arc::clone(&product);
        Box::pin(async move {
            let server = Server::product(&product, SETTINGS, &[("bench.toml", AGENT)]).await?;
            let (token, session_id) = server.somebody().await?;
            Ok((server, kind(&token, &session_id)))
        }) as _
    };
    Contestant { name: "symphainy", start: Box::new(start) }
}
