//! The port for mail: a letter goes out, or it does not. How letters travel is a plug's to know; when they are tried again, and what
//! they say, is the guard's (`guard/post.rs`, `guard/letters.rs`).

use async_trait::async_trait;

/// Plain text for one person. It may carry a token, so that nothing of it belongs into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// An address and no name.
    pub to: String,
    /// One line.
    pub subject: String,
    pub text: String,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[letter]")
    }
}

/// Why a letter did not go out. The source is for the log.
#[derive(Debug, thiserror::Error)]
pub enum NotDelivered {
    /// It may work later.
    #[error("the letter cannot be delivered now")]
    Later(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nobody takes it, now or later: such an address, or such a letter.
    #[error("the letter cannot be delivered")]
    Never(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Delivers letters, within a bounded time each.
#[async_trait]
pub trait Mail: Send + Sync {
    async fn deliver(&self, letter: &Letter) -> Result<(), NotDelivered>;
}
