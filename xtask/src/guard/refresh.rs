//! Ten tabs share a refresh token and refresh at once, again and again, while a fifth of the replies are lost.

use std::{path::Path, time::Duration};

use anyhow::ensure;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{ask, register, text};
use crate::bench::server::Server;

/// The promise: none in so many rounds.
pub(super) const ROUNDS: usize = 10_000;
const TABS: usize = 10;
/// Of 256 replies so many are lost.
const LOST_IN_256: u8 = 51;
/// How long a tab waits for a reply that is lost on the way: often long enough for the server to have done its work.
const GIVES_UP_AFTER: Duration = Duration::from_millis(2);

pub(super) async fn run(binary: &Path, rounds: usize) -> anyhow::Result<()> {
    let server = Server::product(binary, "", &[]).await?;
    let client = reqwest::Client::new();
    let mut shared = text(&register(&client, &server, "ada@example.com").await?, "refresh_token")?;
    let (mut lots, mut lost, mut sign_outs) = (Lots(7), 0_usize, 0_usize);
    for _ in 0..rounds {
        let is_lost: Vec<bool> = (0..TABS).map(|_| lots.draw() < LOST_IN_256).collect();
        let body = json!({ "refresh_token": shared });
        let tabs = is_lost.iter().map(|is_lost| refresh(&client, &server, &body, *is_lost));
        let mut arrived: Vec<String> = Vec::new();
        for outcome in join_all(tabs).await {
            match outcome? {
                Reply::Lost => lost += 1,
                Reply::Next(token) => arrived.push(token),
                Reply::SignedOut => sign_outs += 1,
            }
        }
        ensure!(sign_outs == 0, "somebody was signed out who did not want it, after {lost} lost replies");
        arrived.dedup();
        ensure!(arrived.len() <= 1, "two tabs got different successors");
        // Where all replies were lost, the old token is all that the tabs have.
        shared = arrived.pop().unwrap_or(shared);
    }
    println!(
        "unwanted sign-outs: {sign_outs} in {rounds} rounds of {TABS} concurrent refreshes, {lost} replies lost (at most 0)"
    );
    Ok(())
}

enum Reply {
    Lost,
    Next(String),
    SignedOut,
}

async fn refresh(client: &reqwest::Client, server: &Server, body: &Value, is_lost: bool) -> anyhow::Result<Reply> {
    let asked = ask(client, server, "/api/auth/refresh", body);
    if is_lost {
        // The connection breaks with the request under way, or the reply comes and nobody reads it.
        let _ = tokio::time::timeout(GIVES_UP_AFTER, asked).await;
        return Ok(Reply::Lost);
    }
    match asked.await? {
        (200, answer) => Ok(Reply::Next(text(&answer, "refresh_token")?)),
        (401, _) => Ok(Reply::SignedOut),
        (status, answer) => anyhow::bail!("a refresh was answered with {status}: {answer}"),
    }
}

/// The same lots in each run (xorshift).
struct Lots(u64);

impl Lots {
    fn draw(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_le_bytes()[3]
    }
}
