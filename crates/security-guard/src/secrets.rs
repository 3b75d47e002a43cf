//! Making the server's secrets, hashing tokens, and telling two secrets apart in constant time. The cryptography is
//! aws-lc's.

use std::fmt::Write;

use aws_lc_rs::{
    digest, hmac,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    Clock, GuardError,
    accounts::{ServerSecrets, SigningKey, TokenHash},
    clock::random,
};

/// New secrets for a server that has none. The chance is the clock's.
pub(crate) fn make(clock: &dyn Clock) -> Result<ServerSecrets, GuardError> {
    Ok(ServerSecrets { signing_keys: vec![make_signing_key(clock)?], refresh_secret: random(clock) })
}

/// A new key that signs access tokens.
pub(crate) fn make_signing_key(clock: &dyn Clock) -> Result<SigningKey, GuardError> {
    let pair = Ed25519KeyPair::from_seed_unchecked(&random::<32>(clock)).map_err(GuardError::internal)?;
    let pkcs8 = pair.to_pkcs8().map_err(GuardError::internal)?.as_ref().to_vec();
    Ok(SigningKey { key_id: thumbprint(pair.public_key().as_ref()), pkcs8, created_at: clock.now() })
}

/// The thumbprint of an Ed25519 public key (RFC 7638, RFC 8037).
fn thumbprint(public_key: &[u8]) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64url(public_key));
    base64url(digest::digest(&digest::SHA256, members.as_bytes()).as_ref())
}

/// What of a token is kept and compared.
pub(crate) fn hash_token(token: &str) -> TokenHash {
    TokenHash(sized(digest::digest(&digest::SHA256, token.as_bytes()).as_ref()))
}

/// SHA-256 over these parts, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    sized(context.finish().as_ref())
}

/// HMAC-SHA-256 (RFC 2104).
pub(crate) fn keyed_hash(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    sized(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref())
}

fn sized(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().expect("SHA-256 has 32 bytes")
}

/// Whether two secrets are the same, in a time that depends on their lengths alone.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(left, right).is_ok()
}

/// Base64 for URLs, without padding (RFC 4648, section 5).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Two characters a byte, in lower case.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        // Appendix A.2 and A.3.
        let key = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(thumbprint(&key), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
