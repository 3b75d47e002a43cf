//! The load: callers that each send the next request when the last was answered (a closed loop), over kept connections, with
//! as little work of their own as can be, because they share the machine with the server.

#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest, protocol::WebSocketConfig};

/// What the callers do.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) address: SocketAddr,
    pub(super) kind: Kind,
    pub(super) callers: usize,
    pub(super) warm_up: Duration,
    pub(super) duration: Duration,
}

#[derive(Clone)]
pub(super) enum Kind {
    /// POSTs a body again and again.
    Post { path: String, authorization: Option<String>, body: Arc<str> },
    /// Sends a message on a socket and reads until the frame that ends the turn.
    Turn { path: String, authorization: Option<String>, ends: &'static str, text: &'static str },
}

/// What was measured.
pub(super) struct Cell {
    pub(super) seconds: f64,
    /// Latencies of whole operations in microseconds.
    pub(super) whole: Histogram<u64>,
    /// Latencies until the first frame, for turns.
    pub(super) first: Histogram<u64>,
    /// Frames, for turns.
    pub(super) frames: u64,
}

impl Cell {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { seconds: 0.0, whole: Histogram::new(3)?, first: Histogram::new(3)?, frames: 0 })
    }

    pub(super) fn rate(&self) -> f64 {
        self.whole.len() as f64 / self.seconds
    }

    pub(super) fn frame_rate(&self) -> f64 {
        self.frames as f64 / self.seconds
    }

    pub(super) fn p50_ms(&self) -> f64 {
        self.whole.value_at_quantile(0.5) as f64 / 1_000.0
    }

    fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.whole.add(&other.whole)?;
        self.first.add(&other.first)?;
        self.frames += other.frames;
        Ok(())
    }
}

/// Runs the callers side by side. Any error fails the whole cell: a figure with errors in it is no figure.
pub(super) async fn run(job: &Job) -> anyhow::Result<Cell> {
    let begin = Instant::now() + job.warm_up;
    let end = begin + job.duration;
    let mut callers = JoinSet::new();
    for number in 0..job.callers {
        let job = job.clone();
        callers.spawn(async move {
            match job.kind.clone() {
                Kind::Post { path, authorization, body } => {
                    post_until(&job, &path, authorization.as_deref(), &body, begin, end).await
                }
                Kind::Turn { path, authorization, ends, text } => {
                    let caller = Caller { number, ends, text };
                    turns_until(&job, &caller, &path, authorization.as_deref(), begin, end).await
                }
            }
        });
    }
    let mut cell = Cell::new()?;
    while let Some(done) = callers.join_next().await {
        cell.add(&done??)?;
    }
    cell.seconds = job.duration.as_secs_f64();
    Ok(cell)
}

async fn post_until(
    job: &Job,
    path: &str,
    authorization: Option<&str>,
    body: &str,
    begin: Instant,
    end: Instant,
) -> anyhow::Result<Cell> {
    let mut cell = Cell::new()?;
    let authorization = authorization.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\n{authorization}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        job.address,
        body.len()
    );
    let mut connection = TcpStream::connect(job.address).await?;
    connection.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4_096);
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(cell);
        }
        connection.write_all(request.as_bytes()).await?;
        read_answer(&mut connection, &mut buffer).await?;
        if sent >= begin {
            cell.whole.record(sent.elapsed().as_micros() as u64)?;
        }
    }
}

/// Reads one answer with a content-length and checks that it is a success.
async fn read_answer(connection: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    buffer.clear();
    loop {
        let read = connection.read_buf(buffer).await?;
        ensure!(read > 0, "the server closed the connection");
        let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head])?;
        ensure!(text.starts_with("HTTP/1.1 200"), "an answer that is no success: {}", String::from_utf8_lossy(buffer));
        let length: usize = text
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:").map(|value| value.trim().to_owned())
            })
            .context("the answer has no content-length")?
            .parse()?;
        let whole = head + 4 + length;
        while buffer.len() < whole {
            ensure!(connection.read_buf(buffer).await? > 0, "the server closed the connection");
        }
        return Ok(());
    }
}

/// Who talks, what they say, and what ends the answer.
struct Caller {
    number: usize,
    ends: &'static str,
    text: &'static str,
}

async fn turns_until(
    job: &Job,
    caller: &Caller,
    path: &str,
    authorization: Option<&str>,
    begin: Instant,
    end: Instant,
) -> anyhow::Result<Cell> {
    let mut cell = Cell::new()?;
    let mut request = format!("ws://{}{path}", job.address).into_client_request()?;
    if let Some(token) = authorization {
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
    }
    let config = WebSocketConfig::default().read_buffer_size(64 * 1_024);
    let stream = TcpStream::connect(job.address).await?;
    stream.set_nodelay(true)?;
    let (mut socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
    for turn in 0_u64.. {
        let sent = Instant::now();
        if sent >= end {
            break;
        }
        let conversation_id = format!("bench-{}", caller.number);
        let payload = json!({"text": caller.text, "context": {"conversation_id": conversation_id}});
        let message = json!({"type": "agent.message", "id": format!("m{turn}"), "payload": payload});
        socket.send(Message::text(message.to_string())).await?;
        let frames = read_turn(&mut socket, caller.ends, sent, sent >= begin, &mut cell).await?;
        if sent >= begin {
            cell.whole.record(sent.elapsed().as_micros() as u64)?;
            cell.frames += frames;
        }
    }
    socket.close(None).await?;
    Ok(cell)
}

async fn read_turn(
    socket: &mut tokio_tungstenite::WebSocketStream<TcpStream>,
    ends: &str,
    sent: Instant,
    counts: bool,
    cell: &mut Cell,
) -> anyhow::Result<u64> {
    let mut frames = 0;
    loop {
        let frame = socket.next().await.context("the server closed the socket")??;
        let Message::Text(text) = frame else { continue };
        frames += 1;
        if frames == 1 && counts {
            cell.first.record(sent.elapsed().as_micros() as u64)?;
        }
        if text.contains(ends) {
            return Ok(frames);
        }
        if text.contains(r#""type":"error""#) || text.contains("failed") {
            bail!("the server says: {text}");
        }
    }
}
