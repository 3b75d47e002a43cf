//! The load: callers that each send the next request when the last was answered (a closed loop) or when its time has come (an open
//! one), over kept connections, with as little work of their own as can be, because they share the machine with the server.

#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest, protocol::WebSocketConfig};

use super::cell::Seen;

/// What the callers do, and for how long.
pub(super) struct Job {
    pub(super) address: SocketAddr,
    pub(super) kind: Kind,
    pub(super) callers: usize,
    pub(super) duration: Duration,
}

#[derive(Clone)]
pub(super) enum Kind {
    /// Sends a request again and again.
    Ask(Request),
    /// Sends so many requests a second, all callers together, however long the answers take.
    AskAtRate(Request, u32),
    /// Submits an intent and reads its events until it has ended.
    Execute { submit: Request, token: String },
    /// Sends a message on a socket and reads until the frame that ends the turn.
    Turn { path: String, token: Option<String>, ends: &'static str },
    /// Sends one message on a socket, and reads an answer that does not end.
    Stream(Stream),
}

/// An answer that does not end while it is measured.
#[derive(Clone)]
pub(super) struct Stream {
    pub(super) path: String,
    pub(super) token: Option<String>,
    /// What the frame has that brings a token.
    pub(super) first: &'static str,
}

pub(super) type Socket = tokio_tungstenite::WebSocketStream<TcpStream>;

/// A request that is the same each time.
#[derive(Clone)]
pub(super) struct Request {
    method: &'static str,
    path: String,
    token: Option<String>,
    body: String,
}

impl Request {
    pub(super) fn get(path: &str, token: Option<&str>) -> Self {
        Self { method: "GET", path: path.to_owned(), token: token.map(str::to_owned), body: String::new() }
    }

    pub(super) fn post(path: &str, token: Option<&str>, body: &Value) -> Self {
        let token = token.map(str::to_owned);
        Self { method: "POST", path: path.to_owned(), token, body: body.to_string() }
    }

    fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        let Self { method, path, body, .. } = self;
        let length = body.len();
        let authorization =
            self.token.as_ref().map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\n{authorization}content-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// Runs the callers side by side. Any error fails the whole cell: a figure with errors in it is no figure.
pub(super) async fn run(job: &Job) -> anyhow::Result<Seen> {
    let begin = Instant::now();
    let (end, callers_in_all) = (begin + job.duration, job.callers);
    let mut callers = JoinSet::new();
    for number in 0..job.callers {
        let (address, kind, callers_in_all) = (job.address, job.kind.clone(), callers_in_all);
        callers.spawn(async move {
            match kind {
                Kind::Ask(request) => ask_until(address, &request, end).await,
                Kind::AskAtRate(request, rate) => {
                    let pace = Pace { begin, number, callers: callers_in_all, rate };
                    ask_at_pace(address, &request, &pace, end).await
                }
                Kind::Execute { submit, token } => execute_until(address, &submit, &token, end).await,
                Kind::Turn { path, token, ends } => {
                    let caller = Caller { number, ends };
                    turns_until(address, &caller, &path, token.as_deref(), end).await
                }
                Kind::Stream(_) => bail!("streams are measured while they flow"),
            }
        });
    }
    let mut seen = Seen::nothing()?;
    while let Some(done) = callers.join_next().await {
        seen.add(&done??)?;
    }
    Ok(seen)
}

async fn ask_until(address: SocketAddr, request: &Request, end: Instant) -> anyhow::Result<Seen> {
    let mut seen = Seen::nothing()?;
    let request = request.bytes(address);
    let mut connection = Connection::open(address).await?;
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(seen);
        }
        connection.ask(&request).await?;
        seen.whole.record(micros(sent))?;
    }
}

/// When one of many callers sends.
struct Pace {
    begin: Instant,
    number: usize,
    callers: usize,
    /// Requests a second of all callers.
    rate: u32,
}

impl Pace {
    /// The callers take turns, so that requests come evenly.
    fn at(&self, request: u32) -> Instant {
        let place = f64::from(request) * self.callers as f64 + self.number as f64;
        self.begin + Duration::from_secs_f64(place / f64::from(self.rate))
    }
}

/// An open loop: what a request waits because an earlier one was slow counts as its own time, because those who ask do not
/// wait for each other. What the timer is late does not.
async fn ask_at_pace(address: SocketAddr, request: &Request, pace: &Pace, end: Instant) -> anyhow::Result<Seen> {
    let mut seen = Seen::nothing()?;
    let request = request.bytes(address);
    let mut connection = Connection::open(address).await?;
    for number in 0.. {
        let wanted = pace.at(number);
        if wanted >= end {
            break;
        }
        let is_early = Instant::now() < wanted;
        let sent = if is_early {
            tokio::time::sleep_until(wanted.into()).await;
            Instant::now()
        } else {
            wanted
        };
        connection.ask(&request).await?;
        seen.whole.record(micros(sent))?;
    }
    Ok(seen)
}

async fn execute_until(address: SocketAddr, submit: &Request, token: &str, end: Instant) -> anyhow::Result<Seen> {
    let mut seen = Seen::nothing()?;
    let submit = submit.bytes(address);
    let mut connection = Connection::open(address).await?;
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(seen);
        }
        let answer: Value = serde_json::from_slice(connection.ask(&submit).await?)?;
        let id = answer["execution_id"].as_str().context("no execution_id")?;
        let events = Request::get(&format!("/api/execution/{id}/events"), Some(token)).bytes(address);
        let events = connection.ask(&events).await?;
        ensure!(
            find(events, b"execution.completed").is_some(),
            "an execution did not complete: {}",
            String::from_utf8_lossy(events)
        );
        seen.whole.record(micros(sent))?;
    }
}

/// A kept connection that speaks as much HTTP/1.1 as the servers here do.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8_192) })
    }

    /// Sends a request and answers the body of a success, with the marks of chunks where it came in chunks.
    async fn ask(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            self.read().await?;
            if let Some(head) = find(&self.buffer, b"\r\n\r\n") {
                break head;
            }
        };
        let text = std::str::from_utf8(&self.buffer[..head])?.to_ascii_lowercase();
        ensure!(
            text.starts_with("http/1.1 2"),
            "an answer that is no success: {}",
            String::from_utf8_lossy(&self.buffer)
        );
        let body = head + 4;
        match text.lines().find_map(|line| line.strip_prefix("content-length:")) {
            Some(length) => {
                let whole = body + length.trim().parse::<usize>()?;
                while self.buffer.len() < whole {
                    self.read().await?;
                }
            }
            None => {
                while !self.buffer.ends_with(b"\r\n0\r\n\r\n") {
                    self.read().await?;
                }
            }
        }
        Ok(&self.buffer[body..])
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server closed the connection");
        Ok(())
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

pub(super) fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Who talks on a socket, and what ends the answer.
struct Caller {
    number: usize,
    ends: &'static str,
}

async fn turns_until(
    address: SocketAddr,
    caller: &Caller,
    path: &str,
    token: Option<&str>,
    end: Instant,
) -> anyhow::Result<Seen> {
    let mut seen = Seen::nothing()?;
    let mut socket = connect(address, path, token, 64 * 1_024).await?;
    // The warm-up and the measurement talk in conversations of their own.
    let conversation_id =
        format!("bench-{}-{:?}", caller.number, end).replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    for turn in 0_u64.. {
        let sent = Instant::now();
        if sent >= end {
            break;
        }
        socket.send(message("liaison.bench", &conversation_id, turn)).await?;
        read_turn(&mut socket, caller.ends, sent, &mut seen).await?;
        seen.whole.record(micros(sent))?;
    }
    socket.close(None).await?;
    Ok(seen)
}

/// Opens a socket; with a small buffer where there are many of them.
pub(super) async fn connect(
    address: SocketAddr,
    path: &str,
    token: Option<&str>,
    buffer_bytes: usize,
) -> anyhow::Result<Socket> {
    let mut request = format!("ws://{address}{path}").into_client_request()?;
    if let Some(token) = token {
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
    }
    let config = WebSocketConfig::default().read_buffer_size(buffer_bytes);
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
    Ok(socket)
}

/// What a person says to an agent.
pub(super) fn message(agent_id: &str, conversation_id: &str, number: u64) -> Message {
    let context = json!({"conversation_id": conversation_id});
    let payload = json!({"text": "Say something.", "agent_id": agent_id, "context": context});
    let message = json!({"type": "agent.message", "id": format!("m{number}"), "payload": payload});
    Message::text(message.to_string())
}

/// Turn after turn on one socket.
pub(super) struct Talk {
    socket: Socket,
    said: u64,
}

impl Talk {
    pub(super) async fn open(address: SocketAddr, path: &str, token: &str) -> anyhow::Result<Self> {
        Ok(Self { socket: connect(address, path, Some(token), 64 * 1_024).await?, said: 0 })
    }

    /// So many turns of a conversation, to their ends.
    pub(super) async fn turns(&mut self, conversation_id: &str, turns: u64) -> anyhow::Result<()> {
        let mut seen = Seen::nothing()?;
        for _ in 0..turns {
            self.said += 1;
            self.socket.send(message("liaison.bench", conversation_id, self.said)).await?;
            read_turn(&mut self.socket, "execution.completed", Instant::now(), &mut seen).await?;
        }
        Ok(())
    }
}

async fn read_turn(socket: &mut Socket, ends: &str, sent: Instant, seen: &mut Seen) -> anyhow::Result<()> {
    let mut is_first = true;
    loop {
        let frame = socket.next().await.context("the server closed the socket")??;
        let Message::Text(text) = frame else { continue };
        seen.frames += 1;
        if is_first {
            seen.first.record(micros(sent))?;
            is_first = false;
        }
        if text.contains(ends) {
            return Ok(());
        }
        if text.contains(r#""type":"error""#) || text.contains("failed") {
            bail!("the server says: {text}");
        }
    }
}
