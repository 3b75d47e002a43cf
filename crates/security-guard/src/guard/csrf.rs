//! The second wall against forged requests: a token that belongs to a sign-in and travels in a header, which another site
//! cannot read and so cannot send. It follows from the sign-in and a secret of the server; nothing is kept.

use super::SecurityGuard;
use crate::{
    Caller,
    secrets::{base64url, keyed_hash, same},
};

/// What keeps this use of the secret apart from every other.
const PURPOSE: &str = "csrf:";

impl SecurityGuard {
    /// The token of the caller's sign-in; `None` for a credential that belongs to none.
    pub fn csrf_token(&self, caller: &Caller) -> Option<String> {
        let sign_in_id = caller.sign_in_id()?;
        Some(base64url(&keyed_hash(&self.0.refresh_secret, format!("{PURPOSE}{sign_in_id}").as_bytes())))
    }

    /// Whether this is it.
    pub fn is_csrf_token(&self, caller: &Caller, presented: &str) -> bool {
        self.csrf_token(caller).is_some_and(|token| same(token.as_bytes(), presented.as_bytes()))
    }
}
