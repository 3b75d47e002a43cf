//! Access tokens: JWTs (RFC 7519, RFC 9068) signed with Ed25519, and the public keys for others to verify them.
//! Time comes from the caller; whether the sign-in still stands is not for this file to know.

use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use contract::{SessionId, SignInId, TenantId, Timestamp, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Clock, GuardError,
    accounts::SigningKey,
    clock::random,
    config::AuthConfig,
    secrets::base64url,
    signing::{self, KeyState, KeySummary},
};

/// Longer texts are refused before anything is computed from them.
pub(crate) const MAX_TOKEN_BYTES: usize = 4_096;
/// The media type of access tokens (RFC 9068), so that no other JWT of ours can pass for one.
const TOKEN_TYPE: &str = "at+jwt";

/// What a token says. Times are whole seconds since 1970 (RFC 7519, `NumericDate`) and nothing else is read as one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: UserId,
    pub(crate) tid: TenantId,
    pub(crate) sid: SignInId,
    pub(crate) ses: SessionId,
    /// Who acts for the subject (RFC 8693, section 4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) act: Option<Actor>,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    pub(crate) jti: String,
}

/// A service account that acts for somebody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Actor {
    pub(crate) sub: UserId,
}

impl Claims {
    pub(crate) fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.exp.saturating_mul(1_000))
    }
}

/// For whom a token is made.
pub(crate) struct Subject {
    pub(crate) user_id: UserId,
    pub(crate) tenant_id: TenantId,
    pub(crate) sign_in_id: SignInId,
    pub(crate) session_id: SessionId,
    pub(crate) actor: Option<UserId>,
}

/// Signs and verifies with the server's keys.
pub(crate) struct AccessTokens {
    issuer: String,
    audience: String,
    ttl: Duration,
    leeway: Duration,
    keys: Vec<Key>,
    /// The same keys as they are kept, for the order of their lives.
    kept: Vec<SigningKey>,
}

struct Key {
    key_id: String,
    public_key: Vec<u8>,
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl Key {
    fn read(key: &SigningKey) -> Result<Self, GuardError> {
        let pair = Ed25519KeyPair::from_pkcs8(&key.pkcs8).map_err(GuardError::internal)?;
        let public_key = pair.public_key().as_ref().to_vec();
        Ok(Self {
            key_id: key.key_id.clone(),
            signing: EncodingKey::from_ed_der(&key.pkcs8),
            verifying: DecodingKey::from_ed_der(&public_key),
            public_key,
        })
    }
}

impl AccessTokens {
    pub(crate) fn new(config: &AuthConfig, secrets: &[SigningKey]) -> Result<Self, GuardError> {
        let keys: Vec<Key> = secrets.iter().map(Key::read).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(GuardError::internal("the accounts hold no signing key"));
        }
        Ok(Self {
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            ttl: config.access_token_ttl,
            leeway: config.leeway,
            keys,
            kept: secrets.to_vec(),
        })
    }

    /// A token and the instant at which it expires.
    pub(crate) fn issue(&self, subject: Subject, clock: &dyn Clock) -> Result<(String, Timestamp), GuardError> {
        let key = self.signing_key(clock.now());
        let issued_at = clock.now().as_millis() / 1_000;
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: subject.user_id,
            tid: subject.tenant_id,
            sid: subject.sign_in_id,
            ses: subject.session_id,
            act: subject.actor.map(|sub| Actor { sub }),
            iat: issued_at,
            exp: issued_at.saturating_add(i64::try_from(self.ttl.as_secs()).unwrap_or(i64::MAX)),
            jti: base64url(&random::<16>(clock)),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(key.key_id.clone());
        let token = encode(&header, &claims, &key.signing).map_err(GuardError::internal)?;
        Ok((token, claims.expires_at()))
    }

    /// What a token says, if it is one of ours and in time.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, GuardError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(GuardError::TokenInvalid);
        }
        let header = decode_header(token).map_err(|_| GuardError::TokenInvalid)?;
        // An extension that has to be understood is not understood here (RFC 7515, section 4.1.11).
        if header.typ.as_deref() != Some(TOKEN_TYPE) || header.crit.is_some() {
            return Err(GuardError::TokenInvalid);
        }
        let key = self.known(now).find(|key| Some(&key.key_id) == header.kid.as_ref());
        let key = key.ok_or(GuardError::TokenInvalid)?;
        let claims =
            decode::<Claims>(token, &key.verifying, &self.validation()).map_err(|_| GuardError::TokenInvalid)?.claims;
        self.check_time(&claims, now).map(|()| claims)
    }

    /// Time is left out: the library reads the system's clock, and takes fractions for whole seconds.
    fn validation(&self) -> Validation {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation
    }

    fn check_time(&self, claims: &Claims, now: Timestamp) -> Result<(), GuardError> {
        let issued_at = Timestamp::from_millis(claims.iat.saturating_mul(1_000));
        if issued_at > now.after(self.leeway) {
            return Err(GuardError::TokenInvalid);
        }
        if self.is_over(claims.expires_at(), now) { Err(GuardError::TokenExpired) } else { Ok(()) }
    }

    pub(crate) fn is_over(&self, expires_at: Timestamp, now: Timestamp) -> bool {
        now >= expires_at.after(self.leeway)
    }

    /// What each key does at this instant, oldest first.
    pub(crate) fn signing_keys(&self, now: Timestamp) -> Vec<KeySummary> {
        signing::states(&self.kept, now, self.ttl + self.leeway)
    }

    fn signing_key(&self, now: Timestamp) -> &Key {
        let position = self.signing_keys(now).iter().position(|key| key.state == KeyState::Signing);
        &self.keys[position.expect("one of the keys signs, and `new` refuses an empty list")]
    }

    /// The keys whose tokens may be alive.
    fn known(&self, now: Timestamp) -> impl Iterator<Item = &Key> {
        let states = self.signing_keys(now);
        self.keys.iter().zip(states).filter(|(_, key)| key.state != KeyState::Retired).map(|(key, _)| key)
    }

    /// How long a new token lives, in seconds.
    pub(crate) fn ttl_seconds(&self) -> u64 {
        self.ttl.as_secs()
    }

    /// The public keys (RFC 7517, RFC 8037).
    pub(crate) fn jwks(&self, now: Timestamp) -> Value {
        let keys: Vec<Value> = self
            .known(now)
            .map(|key| {
                json!({
                    "kty": "OKP", "crv": "Ed25519", "x": base64url(&key.public_key),
                    "kid": key.key_id, "alg": "EdDSA", "use": "sig",
                })
            })
            .collect();
        json!({ "keys": keys })
    }
}

#[cfg(test)]
#[path = "access_token_tests.rs"]
mod tests;
