//! Others that do the same, where they are installed: they take their turns beside the product. What is not installed is said to be
//! missing, and nothing is installed from here.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use super::{
    contest::{Contestant, Row},
    load::{Kind, Request},
    server::Server,
};

/// Python with FastAPI and uvicorn in it; made by
/// `python3 -m venv target/peers/fastapi && target/peers/fastapi/bin/pip install fastapi uvicorn`.
const FASTAPI: &str = "target/peers/fastapi/bin/python";

const FASTAPI_MISSING: &str = "FastAPI with uvicorn and SQLite, because it is not installed: \
    `python3 -m venv target/peers/fastapi && target/peers/fastapi/bin/pip install fastapi uvicorn`";

/// Adds the peers that can do what the row measures.
pub(super) fn join(row: &mut Row) {
    let request = match row.title {
        "submit acknowledged durably" => Request::post("/submit", None, &json!({"intent_type": "bench_nothing"})),
        "authenticated GET" => Request::get("/ready", None),
        _ => return,
    };
    let python = root().join(FASTAPI);
    if !python.exists() {
        row.absent.push(FASTAPI_MISSING.to_owned());
        return;
    }
    let start = move || {
        let (python, kind) = (python.clone(), Kind::Ask(request.clone()));
        Box::pin(async move {
            let server = Server::peer(|data, address| uvicorn(&python, data, address), "/ready").await?;
            Ok((server, kind))
        }) as _
    };
    row.contestants.push(Contestant { name: "FastAPI + SQLite", start: Box::new(start) });
}

fn uvicorn(python: &Path, data: &Path, address: std::net::SocketAddr) -> Command {
    let mut command = Command::new(python);
    command.current_dir(root().join("xtask/peers")).env("PEER_DATA", data).env("PYTHONDONTWRITEBYTECODE", "1");
    command.args(["-m", "uvicorn", "fastapi_app:app", "--no-access-log", "--log-level", "warning"]);
    command.args(["--host", &address.ip().to_string(), "--port", &address.port().to_string()]);
    command
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
