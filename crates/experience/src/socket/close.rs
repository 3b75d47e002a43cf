//! Why a socket ends, and the code that says so (RFC 6455 section 7.4; the 4000s are the contract's).

use axum::extract::ws::CloseFrame;
use tokio_tungstenite::tungstenite;

/// The reasons for which we close a socket, and two in which nobody is left to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// What was asked for has been told to its end.
    Done,
    /// The server is going away; come back.
    Draining,
    /// The client closed, or said that it will.
    ByClient,
    /// The connection is dead.
    Gone,
    Protocol,
    NotText,
    NotUtf8,
    TooManyBadFrames,
    TooBig,
    /// Something broke on our side.
    Broken,
    /// What we send is not read.
    Slow,
    TokenExpired,
    NotAllowed,
    TooManyMessages,
}

impl Close {
    /// The frame that tells the client; `None` where there is nobody to tell.
    pub(crate) fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::ByClient | Self::Gone => return None,
            Self::Done => (1000, "done"),
            Self::Draining => (1012, "the server restarts: connect again and resume"),
            Self::Protocol => (1002, "not the WebSocket protocol"),
            Self::NotText => (1003, "send text frames"),
            Self::NotUtf8 => (1007, "a text frame has to be UTF-8"),
            Self::TooManyBadFrames => (1008, "too many frames could not be understood"),
            Self::TooBig => (1009, "the message is too big"),
            Self::Broken => (1011, "something broke on our side: connect again and resume"),
            Self::Slow => (1013, "read faster: connect again and resume"),
            Self::TokenExpired => (4401, "the token has expired"),
            Self::NotAllowed => (4403, "no longer allowed"),
            Self::TooManyMessages => (4429, "too many messages"),
        };
        Some(CloseFrame { code, reason: reason.into() })
    }

    /// What an error while reading means.
    pub(crate) fn from_error(error: axum::Error) -> Self {
        use tungstenite::Error;
        match error.into_inner().downcast::<Error>().map(|error| *error) {
            Ok(Error::Capacity(_)) => Self::TooBig,
            Ok(Error::Utf8(_)) => Self::NotUtf8,
            Ok(Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => Self::Gone,
            Ok(Error::Protocol(_)) => Self::Protocol,
            Ok(Error::ConnectionClosed | Error::AlreadyClosed) => Self::ByClient,
            Ok(_) | Err(_) => Self::Gone,
        }
    }
}
