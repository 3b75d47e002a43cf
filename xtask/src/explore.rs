//! Schemathesis against the real server: cases made of the OpenAPI document, as somebody who is signed in, as an anonymous session
//! and without a credential. No answer may be a server error, and each has to be one that the document describes.

#![expect(clippy::disallowed_methods, reason = "the seed is printed")]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use crate::bench::server::{Server, product_binary};

/// Where it is looked for when it is not on the path.
const INSTALLED: &str = "target/schemathesis/bin/schemathesis";
const INSTALL: &str = "python3 -m venv target/schemathesis && target/schemathesis/bin/pip install schemathesis==4.32.0";

/// Limits that do not stand in the way, a token that lasts, and a cheap model.
const SETTINGS: &str = "[limits]\nlogin = \"100000/1s\"\nlogin_account = \"1000000/15m\"\nregister = \"100000/1s\"\n\
    anonymous_sessions = \"100000/1s\"\nanonymous_intents = 1000000\n[auth]\naccess_token_ttl = \"12h\"\n";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance";
const PHASES: &str = "examples,coverage,fuzzing,stateful";
/// What streams until the client leaves, and what wants to become a socket.
const ENDLESS: &str = r"^/api/(execution/\{id\}/(events|stream)|(experience|runtime)/agent)$";
/// What would end the sign-in that the pass goes by.
const SIGN_OUT: &str = r"^/api/auth/(logout|sign-ins.*)$";

#[derive(clap::Args)]
pub(crate) struct Exploration {
    /// Cases for each operation and phase
    #[arg(long, default_value_t = 100)]
    cases: u32,
    /// The seed of an earlier run, to have the same cases again
    #[arg(long)]
    seed: Option<u32>,
    /// Only one of the passes
    #[arg(long, value_enum)]
    only: Option<Who>,
    /// Only the paths that contain this (a regular expression)
    #[arg(long)]
    paths: Option<String>,
    /// Explore this build instead of one that is made first
    #[arg(long)]
    binary: Option<PathBuf>,
}

/// The bodies in which an anonymous session's id is a credential.
const BODIES_OF_A_SESSION: [&str; 5] = ["SubmitIntent", "UploadForm", "RequestTicket", "Chat", "Analyze"];

/// Who asks in a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Who {
    /// A user with an access token
    User,
    /// Whoever has an anonymous session's id
    Anonymous,
    /// Nobody
    Nobody,
}

const EVERYBODY: [Who; 3] = [Who::User, Who::Anonymous, Who::Nobody];

/// Explores as each of them, on a fresh server each, and fails where one pass found something.
pub(crate) async fn run(plan: Exploration) -> anyhow::Result<()> {
    println!("{}", crate::machine::line());
    let schemathesis = installed()?;
    let binary = plan.binary.clone().map_or_else(product_binary, Ok)?;
    let seed = plan.seed.unwrap_or_else(rand::random);
    println!("seed {seed}, {} cases for each operation", plan.cases);
    let mut failed = Vec::new();
    for who in EVERYBODY.into_iter().filter(|who| plan.only.is_none_or(|only| only == *who)) {
        println!("\n==> {who:?}");
        let server = Server::product(&binary, SETTINGS, &[]).await?;
        if !pass(&server, who, &schemathesis, seed, &plan).await? {
            failed.push(who);
        }
    }
    ensure!(failed.is_empty(), "something was found as {failed:?}; `--seed {seed}` finds it again");
    println!("\nnothing was found; seed {seed}");
    Ok(())
}

fn installed() -> anyhow::Result<PathBuf> {
    for program in [INSTALLED, "schemathesis"] {
        if Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success()) {
            let is_path = program.contains('/');
            return Ok(if is_path { std::path::absolute(program)? } else { program.into() });
        }
    }
    bail!("schemathesis is neither on the path nor in target/. Install it: {INSTALL}")
}

/// Whether nothing was found.
async fn pass(server: &Server, who: Who, schemathesis: &Path, seed: u32, plan: &Exploration) -> anyhow::Result<bool> {
    let base = format!("http://{}", server.address);
    let mut command = Command::new(schemathesis);
    // It leaves files where it runs.
    command.current_dir(server.folder()).arg("run");
    let credential = match who {
        Who::User => {
            let (token, _) = server.somebody().await?;
            command.arg(format!("{base}/openapi.json"));
            command.args(["--header", &format!("Authorization: Bearer {token}")]);
            token
        }
        Who::Anonymous => {
            let session_id = anonymous_session(&base).await?;
            command.arg(document_of(&base, &session_id, server.folder()).await?).args(["--url", &base]);
            session_id
        }
        Who::Nobody => {
            command.arg(format!("{base}/openapi.json"));
            String::new()
        }
    };
    command.args(["--checks", CHECKS, "--phases", PHASES, "--workers", "1", "--no-color", "--warnings", "off"]);
    command.args(["--continue-on-failure", "--request-timeout", "30", "--generation-database", "none"]);
    command.args(["--seed", &seed.to_string(), "--max-examples", &plan.cases.to_string()]);
    // Of several such options the last one alone counts.
    let excluded = if who == Who::User { format!("{ENDLESS}|{SIGN_OUT}") } else { ENDLESS.to_owned() };
    command.args(["--exclude-path-regex", &excluded]);
    if let Some(paths) = &plan.paths {
        command.args(["--include-path-regex", paths]);
    }
    let found_nothing = command.status().context("schemathesis does not start")?.success();
    let log = server.log();
    let panics = log.matches("panicked at").count();
    println!("{panics} panics in the server's log");
    ensure!(credential.is_empty() || !log.contains(&credential), "the credential stands in the server's log");
    check_credential(&base, who, &credential).await?;
    Ok(found_nothing && panics == 0)
}

async fn anonymous_session(base: &str) -> anyhow::Result<String> {
    let answer = reqwest::Client::new().post(format!("{base}/api/session/create-anonymous")).send().await?;
    let answer: Value = answer.error_for_status()?.json().await?;
    Ok(answer["session_id"].as_str().context("there is no session_id")?.to_owned())
}

/// The API's document with that session wherever a body may name one, written down.
async fn document_of(base: &str, session_id: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    let mut document: Value = reqwest::get(format!("{base}/openapi.json")).await?.json().await?;
    for body in BODIES_OF_A_SESSION {
        let place = document.pointer_mut(&format!("/components/schemas/{body}/properties/session_id"));
        *place.with_context(|| format!("{body} has no session_id"))? = json!({"type": "string", "enum": [session_id]});
    }
    let path = folder.join("openapi.json");
    std::fs::write(&path, document.to_string())?;
    Ok(path)
}

/// A pass that ended its own credential would show little.
async fn check_credential(base: &str, who: Who, credential: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::new();
    let asked = match who {
        Who::User => client.get(format!("{base}/api/auth/me")).bearer_auth(credential),
        Who::Anonymous => client.post(format!("{base}/api/auth/ticket")).json(&json!({"session_id": credential})),
        Who::Nobody => return Ok(()),
    };
    let answer = asked.send().await?;
    ensure!(answer.status().is_success(), "the pass has ended its own credential: {}", answer.text().await?);
    Ok(())
}
