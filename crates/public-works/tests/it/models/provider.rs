//! A provider on a port of its own: it hears requests to the byte, and answers with the bytes, silences and ends that a test wants.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
};

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) acts: Vec<Act>,
}

pub(crate) enum Act {
    /// A chunk of the body, sent at once.
    Send(Vec<u8>),
    /// Waits for this, and goes on.
    Wait(Arc<Notify>),
    /// Says nothing until the client goes away.
    Silence,
    /// Drops the connection in the midst of the body.
    HangUp,
}

impl Answer {
    /// An event stream in these chunks.
    pub(crate) fn stream<C: AsRef<[u8]>>(chunks: impl IntoIterator<Item = C>) -> Self {
        let acts = chunks.into_iter().map(|chunk| Act::Send(chunk.as_ref().to_vec())).collect();
        Self { status: 200, headers: vec![("content-type", "text/event-stream".to_owned())], acts }
    }

    pub(crate) fn error(status: u16, headers: &[(&'static str, &str)], body: &Value) -> Self {
        let mut headers: Vec<_> = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        headers.push(("content-type", "application/json".to_owned()));
        Self { status, headers, acts: vec![Act::Send(body.to_string().into_bytes())] }
    }

    pub(crate) fn then(mut self, act: Act) -> Self {
        self.acts.push(act);
        self
    }
}

type Script = dyn Fn(usize, &Request) -> Answer + Send + Sync;

/// What it saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) requests: Mutex<Vec<Request>>,
    pub(crate) answering: AtomicUsize,
    pub(crate) most_answering: AtomicUsize,
    /// Tells of each client that went away from a silence.
    pub(crate) left: Notify,
}

pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    _serving: JoinSet<()>,
}

impl Provider {
    /// `script` is asked for each answer, with the number of the request, from 0.
    pub(crate) async fn start(script: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let mut serving = JoinSet::new();
        let script: Arc<Script> = Arc::new(script);
        let shared = Arc::clone(&seen);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&script), Arc::clone(&shared)));
            }
        });
        Self { address, seen, _serving: serving }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.requests.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// Answers one request after the other until the client has no more, or the script drops it.
async fn serve(stream: TcpStream, script: Arc<Script>, seen: Arc<Seen>) {
    stream.set_nodelay(true).unwrap();
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        let number = {
            let mut requests = seen.requests.lock().unwrap();
            requests.push(request.clone());
            requests.len() - 1
        };
        let answer = script(number, &request);
        let answering = seen.answering.fetch_add(1, Ordering::SeqCst) + 1;
        seen.most_answering.fetch_max(answering, Ordering::SeqCst);
        let goes_on = write(&mut stream, answer, &seen).await;
        seen.answering.fetch_sub(1, Ordering::SeqCst);
        if !goes_on {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let headers: Vec<(String, String)> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request { path, headers, body: serde_json::from_slice(&body).unwrap() })
}

/// Whether the connection can be used again.
async fn write(stream: &mut BufReader<TcpStream>, answer: Answer, seen: &Seen) -> bool {
    let mut head = format!("HTTP/1.1 {} Said\r\ntransfer-encoding: chunked\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    if stream.write_all(head.as_bytes()).await.is_err() {
        return false;
    }
    for act in answer.acts {
        match act {
            Act::Send(bytes) if bytes.is_empty() => {}
            Act::Send(bytes) => {
                let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
                chunk.extend_from_slice(&bytes);
                chunk.extend_from_slice(b"\r\n");
                if stream.write_all(&chunk).await.is_err() {
                    return false;
                }
            }
            Act::Wait(notify) => notify.notified().await,
            Act::Silence => {
                // The client sends nothing more on this connection, so that a byte or an end is its leaving.
                let _ = tokio::time::timeout(Duration::from_secs(30), stream.read_u8()).await;
                seen.left.notify_one();
                return false;
            }
            Act::HangUp => return false,
        }
    }
    stream.write_all(b"0\r\n\r\n").await.is_ok()
}
