//! What goes wrong with a server, for the log and for a person. What the server itself says is quoted shortly, as the words of somebody
//! else.

use std::time::Duration;

use contract::Code;
use runtime::Failure;

/// The most characters that are quoted of what a server says.
const MAX_QUOTED_CHARS: usize = 300;

/// Why a server did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("it cannot be started ({0})")]
    NotStarted(String),
    #[error("it cannot be reached ({0})")]
    NotReached(String),
    /// With the last line of its errors, where it wrote any.
    #[error("it ended before it answered{0}")]
    Ended(String),
    #[error("the connection to it broke ({0})")]
    Broken(String),
    #[error("it did not answer within {0:?}")]
    Silent(Duration),
    #[error("its answer has more than {0} bytes")]
    TooLarge(usize),
    #[error("it said more than {0} before it answered")]
    Flood(&'static str),
    #[error("it does not speak the Model Context Protocol: {0}")]
    Garbage(String),
    #[error("it speaks the version {0:?} of the Model Context Protocol, which is not known here")]
    Version(String),
    #[error("it wants other credentials (status {0})")]
    Credentials(u16),
    #[error("it answered with the status {0}")]
    Status(u16, Option<Duration>),
    /// It no longer knows the session.
    #[error("it ended the session")]
    SessionLost,
    #[error("it refused: “{0}”")]
    Refused(String),
}

impl Fault {
    /// What a person reads. `may_be_done`: it was asked, and what it was asked for changes something each time it is done.
    pub(super) fn told(self, server: &str, may_be_done: bool) -> Failure {
        let message = |advice: &str| format!("The server {server} did not do it: {self}. {advice}");
        let (code, advice) = match &self {
            Self::NotStarted(_) | Self::NotReached(_) | Self::Credentials(_) | Self::Version(_) => {
                (Code::Unavailable, "Whoever runs this house has to look at its settings.")
            }
            Self::Ended(_) | Self::Broken(_) | Self::Status(..) | Self::SessionLost => {
                (Code::Unavailable, "Try again later.")
            }
            Self::Silent(_) => (Code::Timeout, "Try again later, or ask for less at once."),
            Self::TooLarge(_) => (Code::ResultTooLarge, "Ask for less at once."),
            Self::Flood(_) | Self::Garbage(_) => {
                (Code::ExecutionFailed, "Whoever runs this house has to look at that server.")
            }
            Self::Refused(_) => (Code::ExecutionFailed, "Ask differently."),
        };
        // 429 says that nothing was begun.
        if may_be_done && self.may_pass() && !matches!(self, Self::Status(429, _)) {
            let advice = "It may have been done all the same: look before you ask again.";
            return Failure::new(code, message(advice));
        }
        let message = message(advice);
        match &self {
            Self::Status(_, Some(wait)) => Failure::transient(code, message).retry_after(*wait),
            fault if fault.may_pass() => Failure::transient(code, message),
            _ => Failure::new(code, message),
        }
    }

    /// Whether it is worth another try.
    fn may_pass(&self) -> bool {
        match self {
            Self::NotReached(_) | Self::Ended(_) | Self::Broken(_) | Self::Silent(_) | Self::SessionLost => true,
            Self::Status(status, _) => *status == 429 || *status >= 500,
            Self::NotStarted(_)
            | Self::TooLarge(_)
            | Self::Flood(_)
            | Self::Garbage(_)
            | Self::Version(_)
            | Self::Credentials(_)
            | Self::Refused(_) => false,
        }
    }
}

/// What somebody else said, on one line and not for long.
pub(super) fn quoted(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|letter| !letter.is_control()).collect();
    match line.char_indices().nth(MAX_QUOTED_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
