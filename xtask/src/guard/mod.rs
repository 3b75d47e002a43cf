//! What the Security Guard promises in figures, measured on the real binary: nobody is signed out by lost replies, a sign-in
//! takes as long for an unknown address as for a known one, and sockets are told to leave in time.

mod drain;
mod refresh;
mod timing;

use std::path::PathBuf;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::bench::server::{Server, product_binary};

/// The password of everybody here.
const PASSWORD: &str = "correct horse battery";

/// Which figures, and how large the run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Figure {
    /// Rounds of ten concurrent refreshes with a fifth of the replies lost: how many sign-outs nobody wanted
    Refresh,
    /// Wrong sign-ins at known and unknown addresses: the medians of their times
    Timing,
    /// Open sockets when the server is told to stop: how long until each has its goodbye
    Drain,
}

/// Measures one figure, at its full size where none is given, and fails where the promise is not kept. Without a binary the
/// product is built as a user would build it.
pub(crate) async fn run(figure: Figure, size: Option<usize>, binary: Option<PathBuf>) -> anyhow::Result<()> {
    println!("{}", crate::machine::line());
    let binary = binary.map_or_else(product_binary, Ok)?;
    match figure {
        Figure::Refresh => refresh::run(&binary, size.unwrap_or(refresh::ROUNDS)).await,
        Figure::Timing => timing::run(&binary, size.unwrap_or(timing::TRIES)).await,
        Figure::Drain => drain::run(&binary, size.unwrap_or(drain::SOCKETS)).await,
    }
}

/// Asks, and answers the status with the body.
async fn ask(client: &reqwest::Client, server: &Server, path: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
    let answer = client.post(format!("http://{}{path}", server.address)).json(body).send().await?;
    let status = answer.status().as_u16();
    Ok((status, answer.json().await.unwrap_or_default()))
}

/// Registers somebody; the answer with their tokens.
async fn register(client: &reqwest::Client, server: &Server, email: &str) -> anyhow::Result<Value> {
    let body = json!({ "name": "Ada", "email": email, "password": PASSWORD });
    let (status, answer) = ask(client, server, "/api/auth/register", &body).await?;
    ensure!(status == 200, "registration failed: {answer}");
    Ok(answer)
}

fn text(answer: &Value, field: &str) -> anyhow::Result<String> {
    Ok(answer[field].as_str().with_context(|| format!("there is no {field} in {answer}"))?.to_owned())
}
