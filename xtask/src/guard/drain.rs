//! Many open sockets, and a server that is told to stop.

#![expect(clippy::disallowed_methods, reason = "it measures real time")]

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use futures_util::{StreamExt, future::join_all};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::{register, text};
use crate::bench::server::Server;

pub(super) const SOCKETS: usize = 5_000;
/// Until the last goodbye.
const MOST: Duration = Duration::from_secs(25);
/// Sockets that are opened at a time.
const AT_A_TIME: usize = 50;
const GOODBYE: u16 = 1012;
const SETTINGS: &str = "[limits]\nsockets = 20000\nsockets_per_user = 20000\nsockets_per_address = 20000\n";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(super) async fn run(binary: &Path, count: usize) -> anyhow::Result<()> {
    let server = Server::product(binary, SETTINGS, &[]).await?;
    let ada = register(&reqwest::Client::new(), &server, "ada@example.com").await?;
    let (token, session) = (text(&ada, "access_token")?, text(&ada, "session_id")?);
    let url = format!("ws://{}/api/runtime/agent?session_id={session}", server.address);
    let mut sockets = Vec::with_capacity(count);
    while sockets.len() < count {
        let batch = AT_A_TIME.min(count - sockets.len());
        for socket in join_all((0..batch).map(|_| open(&url, &token))).await {
            sockets.push(socket?);
        }
    }
    let began = Instant::now();
    let stopped = Command::new("kill").args(["-TERM", &server.process_id().to_string()]).status()?;
    ensure!(stopped.success(), "the server cannot be told to stop");
    let goodbyes = join_all(sockets.into_iter().map(|socket| goodbye(socket, began))).await;
    let mut times = Vec::with_capacity(count);
    for goodbye in goodbyes {
        times.push(goodbye?);
    }
    times.sort();
    let (half, last) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "{count} sockets closed with {GOODBYE}: half of them after {half:?}, the last after {last:?} (at most {MOST:?})"
    );
    ensure!(last <= MOST, "that takes too long");
    Ok(())
}

async fn open(url: &str, token: &str) -> anyhow::Result<Socket> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
    Ok(connect_async(request).await.context("a socket cannot be opened")?.0)
}

/// When the server said goodbye, which has to be the right one.
async fn goodbye(mut socket: Socket, began: Instant) -> anyhow::Result<Duration> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Close(Some(frame)))) => {
                ensure!(u16::from(frame.code) == GOODBYE, "a socket was closed with {}", frame.code);
                return Ok(began.elapsed());
            }
            Some(Ok(_)) => {}
            other => anyhow::bail!("a socket ended without a goodbye: {other:?}"),
        }
    }
}
