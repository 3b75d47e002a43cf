//! One request to a provider and the events of its answer, within bounds of time and size. What is in the events is not known here.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::try_unfold};
use reqwest::{
    Client, Response,
    header::{ACCEPT, CONTENT_TYPE, HeaderValue},
};
use runtime::Clock;
use sse_stream::SseByteStream;
use tokio::time::{Instant, timeout};

use super::{
    config::{ApiKey, ModelConfig},
    fault::{Fault, Kind},
    wire::WireRequest,
};

/// The longest answer, in bytes on the wire.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// The longest line of an answer, in bytes.
const MAX_LINE_BYTES: usize = 1024 * 1024;

/// As much as is read of an error, in bytes.
const MAX_ERROR_BYTES: usize = 16 * 1024;

/// How long an error's body may take.
const ERROR_PATIENCE: Duration = Duration::from_secs(5);

/// Sends the request, and answers when the provider begins to answer with success.
pub(super) async fn send(
    client: &Client,
    base_url: &str,
    request: &WireRequest,
    key: Option<&ApiKey>,
    config: &ModelConfig,
    clock: &dyn Clock,
) -> Result<Response, Fault> {
    let mut builder =
        client.post(format!("{base_url}{}", request.path)).header(ACCEPT, "text/event-stream").json(&request.body);
    for (name, value) in request.more_headers {
        builder = builder.header(*name, *value);
    }
    if let Some(key) = key {
        let mut value = HeaderValue::from_str(&request.key_value(key))
            .map_err(|_| Fault::new(Kind::Key, "the key has characters that no header may have"))?;
        value.set_sensitive(true);
        builder = builder.header(request.key_header.0, value);
    }
    let response = match timeout(config.first_byte_timeout, builder.send()).await {
        Ok(response) => response.map_err(|error| unreachable(&error))?,
        Err(_) => return Err(silent(config.first_byte_timeout)),
    };
    let status = response.status();
    if !status.is_success() {
        let headers = response.headers().clone();
        let body = timeout(ERROR_PATIENCE, error_body(response)).await.unwrap_or_default();
        return Err(Fault::of_status(status, &headers, &body, clock.now()));
    }
    match response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes) {
        Some(kind) if !kind.starts_with(b"text/event-stream") => {
            let kind = String::from_utf8_lossy(kind);
            Err(Fault::new(Kind::NotThere, format!("the answer is {kind} and no text/event-stream")))
        }
        Some(_) | None => Ok(response),
    }
}

/// The data of the answer's events. An event without data is passed over.
pub(super) fn events(response: Response, config: &ModelConfig) -> impl Stream<Item = Result<String, Fault>> + use<> {
    let (first, idle) = (config.first_byte_timeout, config.idle_timeout);
    let state =
        Reading { response, received: 0, line: 0, patience: first, idle, ends: Instant::now() + config.answer_timeout };
    let bytes = Box::pin(try_unfold(state, Reading::next));
    SseByteStream::new(bytes).filter_map(async |event| match event {
        Ok(event) => event.data.filter(|data| !data.is_empty()).map(Ok),
        Err(sse_stream::Error::Body(fault)) => Some(Err(match fault.downcast::<Fault>() {
            Ok(fault) => *fault,
            Err(other) => Fault::new(Kind::Unreachable, other.to_string()),
        })),
        Err(error) => Some(Err(Fault::new(Kind::Garbage, error.to_string()))),
    })
}

struct Reading {
    response: Response,
    received: usize,
    /// The length of the line under way.
    line: usize,
    patience: Duration,
    idle: Duration,
    ends: Instant,
}

impl Reading {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Fault> {
        let until = (Instant::now() + self.patience).min(self.ends);
        let chunk = match tokio::time::timeout_at(until, self.response.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| unreachable(&error))?,
            Err(_) => return Err(silent(self.patience)),
        };
        let Some(chunk) = chunk else { return Ok(None) };
        self.patience = self.idle;
        self.received += chunk.len();
        if self.received > MAX_ANSWER_BYTES {
            return Err(Fault::new(Kind::Endless, format!("more than {MAX_ANSWER_BYTES} bytes")));
        }
        self.measure(&chunk)?;
        Ok(Some((chunk, self)))
    }

    fn measure(&mut self, chunk: &[u8]) -> Result<(), Fault> {
        for (place, part) in chunk.split(|byte| *byte == b'\n').enumerate() {
            self.line = if place == 0 { self.line + part.len() } else { part.len() };
            if self.line > MAX_LINE_BYTES {
                return Err(Fault::new(Kind::Endless, format!("a line of more than {MAX_LINE_BYTES} bytes")));
            }
        }
        Ok(())
    }
}

async fn error_body(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = MAX_ERROR_BYTES - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() >= room {
            break;
        }
    }
    body
}

/// An error of the HTTP client, without the address: it is of no use in a log that names the model.
fn unreachable(error: &reqwest::Error) -> Fault {
    let mut words = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        words.push(inner.to_string());
        cause = inner.source();
    }
    Fault::new(Kind::Unreachable, words.join(": "))
}

fn silent(patience: Duration) -> Fault {
    Fault::new(Kind::Silent, format!("nothing came for {} ms", patience.as_millis()))
}
