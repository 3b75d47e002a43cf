//! A server that is reached by streamable HTTP: each message is a request, answered with JSON or with a stream of events. An operator
//! names the address; redirects are not followed, and proxies of the environment are not used.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream::try_unfold};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use serde_json::Value;
use sse_stream::SseByteStream;
use tokio::sync::Mutex;

use super::{
    config::{Hidden, McpConfig},
    fault::Fault,
    message::{Expected, Heard, MAX_MESSAGE_BYTES, MAX_TRAFFIC_BYTES, agreed_version, initialize, initialized},
};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// How long a connection may take to come about.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection is kept for the next call.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// The longest wait that a server can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);

/// The longest name of a session, in bytes.
const MAX_SESSION_BYTES: usize = 1024;

/// A server at an address.
pub(super) struct Remote {
    client: Client,
    url: Url,
    headers: HeaderMap,
    session: Mutex<Option<Arc<Session>>>,
}

/// What was agreed on with the server.
struct Session {
    id: Option<HeaderValue>,
    version: &'static str,
}

/// What every request carries, out of the configuration.
pub(super) fn headers(settings: &Hidden) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &settings.0 {
        let known = HeaderName::try_from(name).map_err(|_| format!("{name:?} is no name of a header"))?;
        let mut value =
            HeaderValue::from_str(value).map_err(|_| format!("{name} has characters that no header may have"))?;
        value.set_sensitive(true);
        headers.insert(known, value);
    }
    Ok(headers)
}

impl Remote {
    pub(super) fn new(config: &McpConfig) -> Result<Self, Fault> {
        let client = Client::builder()
            .connect_timeout(CONNECT_PATIENCE)
            .pool_idle_timeout(KEPT_FOR)
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("symphainy/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Fault::NotReached(error.to_string()))?;
        let url = config.address().map_err(Fault::NotReached)?;
        let headers = headers(&config.headers).map_err(Fault::NotReached)?;
        Ok(Self { client, url, headers, session: Mutex::default() })
    }

    /// Asks, in a new session where there is none or the server has forgotten it: then it has done nothing.
    pub(super) async fn ask(&self, id: u64, message: &Value, sent: &AtomicBool) -> Result<Value, Fault> {
        let session = self.session().await?;
        sent.store(true, Ordering::Relaxed);
        match self.exchange(id, message, Some(&session)).await {
            Err(Fault::SessionLost) => {
                sent.store(false, Ordering::Relaxed);
                self.forget(&session).await;
                let session = self.session().await?;
                sent.store(true, Ordering::Relaxed);
                self.exchange(id, message, Some(&session)).await
            }
            answer => answer,
        }
    }

    async fn session(&self) -> Result<Arc<Session>, Fault> {
        let mut session = self.session.lock().await;
        if let Some(session) = &*session {
            return Ok(Arc::clone(session));
        }
        let response = self.post(&initialize(0), None).await?;
        let id = response.headers().get(SESSION).cloned();
        if id.as_ref().is_some_and(|id| id.len() > MAX_SESSION_BYTES) {
            return Err(Fault::Garbage("its session has too long a name".to_owned()));
        }
        let result = self.read(0, response, None).await?;
        let begun = Arc::new(Session { id, version: agreed_version(&result)? });
        self.post(&initialized(), Some(&begun)).await?;
        *session = Some(Arc::clone(&begun));
        Ok(begun)
    }

    async fn forget(&self, lost: &Arc<Session>) {
        let mut session = self.session.lock().await;
        if session.as_ref().is_some_and(|present| Arc::ptr_eq(present, lost)) {
            *session = None;
        }
    }

    async fn exchange(&self, id: u64, message: &Value, session: Option<&Session>) -> Result<Value, Fault> {
        let response = self.post(message, session).await?;
        self.read(id, response, session).await
    }

    /// Sends a message, and answers when the server begins to answer with success.
    async fn post(&self, message: &Value, session: Option<&Session>) -> Result<Response, Fault> {
        let mut request = self.client.post(self.url.clone()).headers(self.headers.clone()).json(message);
        request = request.header(ACCEPT, "application/json, text/event-stream");
        if let Some(session) = session {
            request = request.header(VERSION, session.version);
            if let Some(id) = &session.id {
                request = request.header(SESSION, id);
            }
        }
        let response = request.send().await.map_err(|error| lost(&error))?;
        match response.status() {
            status if status.is_success() => Ok(response),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Fault::Credentials(response.status().as_u16())),
            StatusCode::NOT_FOUND if session.is_some_and(|session| session.id.is_some()) => Err(Fault::SessionLost),
            status => Err(Fault::Status(status.as_u16(), retry_after(response.headers()))),
        }
    }

    /// The answer among what the server says.
    async fn read(&self, id: u64, response: Response, session: Option<&Session>) -> Result<Value, Fault> {
        let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        if kind.starts_with(b"text/event-stream") {
            return self.read_events(id, response, session).await;
        }
        if !kind.starts_with(b"application/json") {
            return Err(Fault::Garbage("its answer is neither JSON nor a stream of events".to_owned()));
        }
        let body = body(response).await?;
        match Expected::new(id).hear(&body)? {
            Heard::Answer(result) => Ok(result),
            Heard::Reply(_) | Heard::Nothing => Err(Fault::Garbage("its answer is none to what was asked".to_owned())),
        }
    }

    async fn read_events(&self, id: u64, response: Response, session: Option<&Session>) -> Result<Value, Fault> {
        let mut expected = Expected::new(id);
        let mut events = SseByteStream::new(Box::pin(try_unfold((response, 0), chunk)));
        while let Some(event) = events.next().await {
            let data = event.map_err(broken)?.data.unwrap_or_default();
            if data.is_empty() {
                continue;
            }
            match expected.hear(data.as_bytes())? {
                Heard::Answer(result) => return Ok(result),
                Heard::Reply(reply) => {
                    self.post(&reply, session).await?;
                }
                Heard::Nothing => {}
            }
        }
        Err(Fault::Ended(String::new()))
    }
}

/// The next bytes of a stream, as long as there are not too many.
async fn chunk((mut response, received): (Response, usize)) -> Result<Option<(Bytes, (Response, usize))>, Fault> {
    let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? else { return Ok(None) };
    let received = received + chunk.len();
    if received > MAX_TRAFFIC_BYTES {
        return Err(Fault::Flood("4 MiB"));
    }
    Ok(Some((chunk, (response, received))))
}

async fn body(mut response: Response) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
        if body.len() + chunk.len() > MAX_MESSAGE_BYTES {
            return Err(Fault::TooLarge(MAX_MESSAGE_BYTES));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn broken(error: sse_stream::Error) -> Fault {
    match error {
        sse_stream::Error::Body(fault) => match fault.downcast::<Fault>() {
            Ok(fault) => *fault,
            Err(other) => Fault::Broken(other.to_string()),
        },
        other => Fault::Garbage(other.to_string()),
    }
}

/// An error of the HTTP client, without the address, which may have a key in its query.
fn lost(error: &reqwest::Error) -> Fault {
    let mut words = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        words.push(inner.to_string());
        cause = inner.source();
    }
    if error.is_connect() { Fault::NotReached(words.join(": ")) } else { Fault::Broken(words.join(": ")) }
}

/// In seconds; a date is not worth a calendar here.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}
