//! Answers that flow for as long as they are measured: many sockets, each with a model that speaks at a pace. What counts is how soon
//! the first token comes and what all of it costs, not how much flows.

#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use super::{
    Plan,
    cell::Seen,
    load::{self, Socket, Stream},
    server::Server,
    system::{Meter, Use},
};

/// Within which all answers begin, one after the other: people do not all ask at once.
const BEGINNINGS: Duration = Duration::from_secs(4);

/// Sockets that are opened at once.
const OPENED_TOGETHER: usize = 32;

/// Begins an answer on each socket, and then looks at what they cost for the plan's duration.
pub(super) async fn run(server: &Server, stream: &Stream, sockets: usize, plan: &Plan) -> anyhow::Result<(Seen, Use)> {
    let frames = Arc::new(AtomicU64::new(0));
    let opened = open(server.address, stream, sockets).await?;
    let begin = Instant::now();
    let mut firsts = JoinSet::new();
    let mut flowing = JoinSet::new();
    for (number, mut socket) in opened.into_iter().enumerate() {
        let at = begin + BEGINNINGS.mul_f64(number as f64 / sockets as f64);
        let (frames, first) = (Arc::clone(&frames), stream.first);
        let (sender, receiver) = tokio::sync::oneshot::channel();
        firsts.spawn(receiver);
        flowing.spawn(async move {
            tokio::time::sleep_until(at.into()).await;
            let sent = Instant::now();
            socket.send(load::message("liaison.stream", &format!("stream-{number}"), 0)).await?;
            wait_for(&mut socket, first).await?;
            // Whoever counted has gone only where the measurement has failed.
            let _ = sender.send(load::micros(sent));
            read(&mut socket, &frames).await
        });
    }
    let mut seen = Seen::nothing()?;
    while let Some(first) = firsts.join_next().await {
        match first? {
            Ok(micros) => seen.first.record(micros)?,
            Err(_) => return Err(broken(&mut flowing).await),
        }
    }
    let meter = Meter::start(server.process_id(), server.folder());
    let before = frames.load(Ordering::Relaxed);
    tokio::time::sleep(plan.duration).await;
    seen.frames = frames.load(Ordering::Relaxed) - before;
    let used = meter.stop();
    if let Some(ended) = flowing.try_join_next() {
        ended??;
        bail!("an answer ended while it was measured");
    }
    flowing.abort_all();
    Ok((seen, used))
}

/// Why a socket has ended.
async fn broken(flowing: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Error {
    while let Some(ended) = flowing.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error,
            Err(error) => return error.into(),
        }
    }
    anyhow::anyhow!("a socket ended without a reason")
}

/// Opens so many sockets.
pub(super) async fn open(address: SocketAddr, stream: &Stream, sockets: usize) -> anyhow::Result<Vec<Socket>> {
    let mut opened = Vec::with_capacity(sockets);
    while opened.len() < sockets {
        let together = OPENED_TOGETHER.min(sockets - opened.len());
        let opening = (0..together).map(|_| load::connect(address, &stream.path, stream.token.as_deref(), 4 * 1_024));
        opened.extend(futures_util::future::try_join_all(opening).await?);
    }
    Ok(opened)
}

async fn wait_for(socket: &mut Socket, first: &str) -> anyhow::Result<()> {
    loop {
        let Message::Text(text) = socket.next().await.context("the server closed the socket")?? else { continue };
        if text.contains(first) {
            return Ok(());
        }
        if text.contains(r#""type":"error""#) || text.contains("failed") {
            bail!("the server says: {text}");
        }
    }
}

async fn read(socket: &mut Socket, frames: &AtomicU64) -> anyhow::Result<()> {
    loop {
        if let Message::Text(_) = socket.next().await.context("the server closed the socket")?? {
            frames.fetch_add(1, Ordering::Relaxed);
        }
    }
}
