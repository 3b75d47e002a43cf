//! Others that do the same, where they are installed: they take their turns beside the product. What is not installed is said to be
//! missing, and nothing is installed from here.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use serde_json::json;

use super::{
    contest::{Contestant, Row},
    load::{Kind, Request},
    server::Server,
};

/// Somebody else's server.
struct Peer {
    name: &'static str,
    /// How it is installed, from the root of the project.
    install: &'static str,
    /// What is there once it is.
    installed: &'static str,
    /// Answers a GET as soon as the server is ready.
    ready: &'static str,
    command: fn(&Path, SocketAddr) -> Command,
    /// How it is asked for what the row measures, where it can do that.
    request: fn(&Row) -> Option<Request>,
}

/// Peers are measured for the order of magnitude, and take longer to start than to be measured.
const ROUNDS: usize = 2;

const PEERS: [Peer; 2] = [
    Peer {
        name: "FastAPI + SQLite",
        install: "python3 -m venv target/peers/fastapi && target/peers/fastapi/bin/pip install fastapi uvicorn",
        installed: "target/peers/fastapi/bin/python",
        ready: "/ready",
        command: uvicorn,
        request: |row| match row.title {
            "submit acknowledged durably" => Some(post("/submit")),
            "authenticated GET" => Some(Request::get("/ready", None)),
            _ => None,
        },
    },
    Peer {
        name: "Restate",
        install: "npm install --prefix target/peers/restate @restatedev/restate-server @restatedev/restate-sdk",
        installed: "target/peers/restate/node_modules/.bin/restate-server",
        ready: "/Bench/ready",
        command: restate,
        request: |row| match row.title {
            "submit acknowledged durably" => Some(post("/Bench/nothing/send")),
            "executed to the end, no step" => Some(post("/Bench/nothing")),
            "executed to the end, two steps" => Some(post("/Bench/twoSteps")),
            _ => None,
        },
    },
];

/// Adds the peers that can do what the row measures.
pub(super) fn join(row: &mut Row) {
    for peer in &PEERS {
        let Some(request) = (peer.request)(row) else { continue };
        if root().join(peer.installed).exists() {
            row.contestants.push(contestant(peer, request));
        } else {
            row.absent.push(format!("{}, because it is not installed: `{}`", peer.name, peer.install));
        }
    }
}

fn post(path: &str) -> Request {
    Request::post(path, None, &json!({"intent_type": "bench_nothing"}))
}

fn contestant(peer: &'static Peer, request: Request) -> Contestant {
    let request = Arc::new(request);
    let start = move || {
        let kind = Kind::Ask((*request).clone());
        Box::pin(async move { Ok((Server::peer(peer.command, peer.ready).await?, kind)) }) as _
    };
    Contestant { name: peer.name, rounds: ROUNDS, start: Box::new(start) }
}

fn uvicorn(data: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new(root().join("target/peers/fastapi/bin/python"));
    command.current_dir(root().join("xtask/peers")).env("PEER_DATA", data).env("PYTHONDONTWRITEBYTECODE", "1");
    command.args(["-m", "uvicorn", "fastapi_app:app", "--no-access-log", "--log-level", "warning"]);
    command.args(["--host", &address.ip().to_string(), "--port", &address.port().to_string()]);
    command
}

fn restate(data: &Path, address: SocketAddr) -> Command {
    let packages = root().join("target/peers/restate/node_modules");
    let mut command = Command::new("node");
    command.arg(root().join("xtask/peers/restate_service.cjs"));
    command.env("PEER_DATA", data).env("PEER_LISTEN", address.to_string());
    command.env("PEER_SDK", packages.join("@restatedev/restate-sdk"));
    command.env("PEER_SERVER", packages.join(".bin/restate-server"));
    command
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
