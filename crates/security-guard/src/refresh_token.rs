//! Refresh tokens: 256 random bits for a person to hold, of which only the SHA-256 is kept. A token's successor
//! follows from the token and a secret of the server, so that a client that lost the reply can be given the same
//! one again although nobody has stored it: whoever reads the store has hashes, and a secret that is no use without
//! a token.

use crate::{
    Clock,
    accounts::TokenHash,
    clock::random,
    secrets::{base64url, hash_token, keyed_hash},
};

/// What refresh tokens begin with, so that secret scanners and people can tell what they have found.
const PREFIX: &str = "symr_";
/// Longer texts are not looked at.
const MAX_BYTES: usize = 128;

/// A refresh token and what is kept of it.
pub(crate) struct RefreshToken {
    pub(crate) text: String,
    pub(crate) hash: TokenHash,
}

impl RefreshToken {
    /// The first token of a family.
    pub(crate) fn first(clock: &dyn Clock) -> Self {
        Self::from_bytes(&random(clock))
    }

    /// A token as a client sent it; `None` where it cannot be one.
    pub(crate) fn presented(text: &str) -> Option<Self> {
        let shaped = text.len() <= MAX_BYTES && text.starts_with(PREFIX);
        shaped.then(|| Self { text: text.to_owned(), hash: hash_token(text) })
    }

    /// The one token that can follow this one.
    pub(crate) fn successor(&self, secret: &[u8; 32]) -> Self {
        Self::from_bytes(&keyed_hash(secret, self.text.as_bytes()))
    }

    fn from_bytes(bytes: &[u8; 32]) -> Self {
        let text = format!("{PREFIX}{}", base64url(bytes));
        let hash = hash_token(&text);
        Self { text, hash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_one_successor_for_one_secret() {
        let token = RefreshToken::from_bytes(&[7; 32]);
        assert_eq!(token.successor(&[1; 32]).text, token.successor(&[1; 32]).text);
        assert_ne!(token.successor(&[1; 32]).text, token.successor(&[2; 32]).text);
        assert_ne!(token.successor(&[1; 32]).text, token.text);
        assert!(RefreshToken::presented(&token.text).is_some_and(|presented| presented.hash == token.hash));
        for text in ["", "x", &"symr_".repeat(100)] {
            assert!(RefreshToken::presented(text).is_none(), "{text}");
        }
    }
}
