//! A kept connection that speaks as much HTTP/1.1 as is needed, and that can be lost at any moment: what was read until then is
//! not thrown away.

use std::{fmt::Write, net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// How long an answer may take while the server lives. Longer is a server that hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no answer, or not all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The connection broke, or there was none.
    Broken,
    /// It did not come in time.
    Late,
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    method: &'static str,
    path: String,
    headers: String,
    body: Vec<u8>,
}

impl Request {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), headers: String::new(), body: Vec::new() }
    }

    pub(super) fn json(method: &'static str, path: impl Into<String>, body: &Value) -> Self {
        let headers = "content-type: application/json\r\n".to_owned();
        Self { method, path: path.into(), headers, body: body.to_string().into_bytes() }
    }

    /// A form with one file, and perhaps a session.
    pub(super) fn upload(file_name: &str, bytes: &[u8], session_id: Option<&str>) -> Self {
        const BOUNDARY: &str = "-----a-line-that-no-file-has";
        let mut body = Vec::new();
        if let Some(session_id) = session_id {
            let field =
                format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"session_id\"\r\n\r\n{session_id}\r\n");
            body.extend_from_slice(field.as_bytes());
        }
        let head = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{file_name}\"\r\n\
             content-type: text/plain\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let headers = format!("content-type: multipart/form-data; boundary={BOUNDARY}\r\n");
        Self { method: "POST", path: "/api/files".to_owned(), headers, body }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        write!(self.headers, "{name}: {value}\r\n").expect("a text takes everything");
        self
    }

    pub(super) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        let Self { method, path, headers, body } = self;
        let length = body.len();
        let mut bytes =
            format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\n{headers}content-length: {length}\r\n\r\n")
                .into_bytes();
        bytes.extend_from_slice(body);
        bytes
    }
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// Whether the body came to its end.
    pub(super) is_whole: bool,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub(super) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, buffer: Vec::with_capacity(8_192) }
    }

    /// The answer, all of it.
    pub(super) async fn ask(&mut self, request: &Request) -> Result<Answer, Lost> {
        match self.read(request).await? {
            answer if answer.is_whole => Ok(answer),
            _ => Err(Lost::Broken),
        }
    }

    /// The answer, or as much of its body as came.
    pub(super) async fn read(&mut self, request: &Request) -> Result<Answer, Lost> {
        let outcome = match tokio::time::timeout(PATIENCE, self.exchange(request)).await {
            Ok(outcome) => outcome.map_err(|_| Lost::Broken),
            Err(_) => Err(Lost::Late),
        };
        if !outcome.as_ref().is_ok_and(|answer| answer.is_whole) {
            self.stream = None;
        }
        outcome
    }

    async fn exchange(&mut self, request: &Request) -> std::io::Result<Answer> {
        self.buffer.clear();
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                self.stream.insert(stream)
            }
        };
        stream.write_all(&request.bytes(self.address)).await?;
        let head = loop {
            if let Some(head) = find(&self.buffer, b"\r\n\r\n") {
                break head;
            }
            more(stream, &mut self.buffer).await?;
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let status = text.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
        let chunked = text.contains("transfer-encoding: chunked");
        let mut raw = self.buffer.split_off(head + 4);
        if chunked {
            let mut body = Vec::new();
            let is_whole = unchunk(stream, &mut raw, &mut body).await;
            return Ok(Answer { status, body, is_whole });
        }
        let length = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        while raw.len() < length {
            more(stream, &mut raw).await?;
        }
        raw.truncate(length);
        Ok(Answer { status, body: raw, is_whole: true })
    }
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    match stream.read_buf(buffer).await? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// Moves the chunks of `raw` and what follows on the stream into `body`; false where the stream ends before the last one.
async fn unchunk(stream: &mut TcpStream, raw: &mut Vec<u8>, body: &mut Vec<u8>) -> bool {
    loop {
        while let Some(line) = find(raw, b"\r\n") {
            let size = std::str::from_utf8(&raw[..line]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
            let Some(size) = size else { return false };
            let (begin, end) = (line + 2, line + 2 + size);
            if raw.len() < end + 2 {
                break;
            }
            body.extend_from_slice(&raw[begin..end]);
            raw.drain(..end + 2);
            if size == 0 {
                return true;
            }
        }
        if more(stream, raw).await.is_err() {
            return false;
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
