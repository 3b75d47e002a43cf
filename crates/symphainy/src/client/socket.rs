//! The agent socket from the client's side: frames out, frames in. What they mean stands where they are shown.

use contract::ExecutionId;
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, protocol::CloseFrame},
};

use super::{Api, ApiError};

/// A frame of the server, in the platform's dialect. Fields that a frame does not have are empty.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Heard {
    #[serde(default, rename = "type")]
    pub(crate) frame_type: String,
    #[serde(default)]
    pub(crate) event_type: String,
    pub(crate) seq: Option<u64>,
    pub(crate) execution_id: Option<ExecutionId>,
    #[serde(default)]
    pub(crate) data: Value,
    /// Of an `error`: one sentence, and what it answers.
    pub(crate) error: Option<String>,
    pub(crate) reply_to: Option<String>,
}

impl Heard {
    /// A text in the data of the event; empty where there is none.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.data[key].as_str().unwrap_or_default()
    }
}

/// Why a socket has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    /// The close code (RFC 6455), where the server gave one.
    pub(crate) code: Option<u16>,
    pub(crate) reason: String,
}

impl Closed {
    /// Whether coming back may help: not where the server has said that this client is not wanted.
    pub(crate) fn may_pass(&self) -> bool {
        !matches!(self.code, Some(1002 | 1003 | 1007..=1009 | 4403))
    }
}

/// An open socket.
pub(crate) struct AgentSocket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl AgentSocket {
    /// Opens a socket with a fresh ticket.
    pub(crate) async fn connect(api: &mut Api) -> Result<Self, ApiError> {
        let ticket = api.ticket().await?;
        let server = api.server().replacen("http", "ws", 1);
        let session = api.session_id().map(|id| format!("&session_id={id}")).unwrap_or_default();
        let url = format!("{server}/api/runtime/agent?ticket={}{session}", ticket.0);
        match connect_async(url).await {
            Ok((stream, _)) => Ok(Self { stream }),
            Err(Error::Http(response)) => Err(refused(response.body().as_deref().unwrap_or_default())),
            Err(_) => Err(ApiError::NoAnswer(format!("The socket of {} cannot be opened. Try again.", api.server()))),
        }
    }

    /// Sends a frame; a socket that has ended says so at the next frame.
    pub(crate) async fn send(&mut self, frame: &Value) {
        // The end is told once, by `next`.
        let _ = self.stream.send(Message::text(frame.to_string())).await;
    }

    /// The next frame. A caller that stops waiting loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Heard, Closed> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    // A frame that this client does not know is not for it.
                    if let Ok(heard) = serde_json::from_str(text.as_str()) {
                        return Ok(heard);
                    }
                }
                Some(Ok(Message::Close(frame))) => return Err(closed(frame)),
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(_)) | None => return Err(closed(None)),
            }
        }
    }

    /// Says goodbye.
    pub(crate) async fn close(mut self) {
        // Whoever is gone already needs no goodbye.
        let _ = self.stream.close(None).await;
    }
}

fn closed(frame: Option<CloseFrame>) -> Closed {
    match frame {
        Some(frame) => Closed { code: Some(frame.code.into()), reason: frame.reason.to_string() },
        None => Closed { code: None, reason: String::new() },
    }
}

fn refused(body: &[u8]) -> ApiError {
    match serde_json::from_slice(body) {
        Ok(problem) => ApiError::Refused(Box::new(problem)),
        Err(_) => ApiError::NoAnswer("The server refused the socket, and not as Symphainy does.".to_owned()),
    }
}
