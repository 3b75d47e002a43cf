//! Identity providers of others: tokens that they sign are credentials here, verified by the keys that they publish (RFC 7517). A
//! provider that is down does not matter for keys that are known; what is signed by an unknown one is refused (fail closed).

mod keys;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{Timestamp, auth::Secret};
use jsonwebtoken::{Algorithm, AlgorithmFamily, Validation, decode, decode_header};
use serde::{Deserialize, Serialize};

use crate::{GuardError, email::EmailAddress, secrets::same};

use keys::PublishedKeys;

/// How far the clock of a provider may differ from ours.
const LEEWAY: Duration = Duration::from_secs(5);
/// The longest subject that is kept, in bytes (OpenID Connect Core, section 2).
const MAX_SUBJECT_BYTES: usize = 255;
/// The longest name that is taken over, in characters.
const MAX_NAME_CHARACTERS: usize = 100;

/// One provider, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// `iss` of its tokens, letter for letter.
    pub issuer: String,
    /// `aud` of the tokens that are for us.
    pub audience: String,
    /// Where it publishes its keys.
    pub jwks: String,
}

/// Brings what a provider publishes. A plug resolves names, bounds time and size, and reaches for nothing inside that an operator
/// has not allowed.
#[async_trait]
pub trait KeySource: Send + Sync {
    async fn fetch(&self, address: &str) -> Result<Vec<u8>, Unfetched>;

    /// Sends a form, and brings what is answered to it.
    async fn exchange(&self, request: TokenRequest) -> Result<Vec<u8>, Unfetched>;
}

/// A form for the token endpoint of a provider (RFC 6749, section 4.1.3).
#[derive(Clone, Debug)]
pub struct TokenRequest {
    pub address: String,
    pub form: Vec<(&'static str, Secret)>,
    /// Name and password of HTTP's own sign-in, where the provider takes it.
    pub basic: Option<(String, Secret)>,
}

/// Why nothing came. It is for the log.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Unfetched(#[from] pub Box<dyn std::error::Error + Send + Sync>);

/// For a guard without providers: there is nothing to be had.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKeySource;

#[async_trait]
impl KeySource for NoKeySource {
    async fn fetch(&self, _address: &str) -> Result<Vec<u8>, Unfetched> {
        Err(Unfetched("this guard fetches nothing".into()))
    }

    async fn exchange(&self, _request: TokenRequest) -> Result<Vec<u8>, Unfetched> {
        Err(Unfetched("this guard fetches nothing".into()))
    }
}

/// Who somebody is at a provider: the pair is one person for ever, and nothing else in a token is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdentityKey {
    pub issuer: String,
    pub subject: String,
}

/// What a token of a provider says, once it is known to be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) key: IdentityKey,
    /// As the provider shows them; it opens nothing here.
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) expires_at: Timestamp,
}

/// All of them.
pub(crate) struct Providers(Vec<Provider>);

pub(crate) struct Provider {
    config: ProviderConfig,
    keys: PublishedKeys,
}

#[derive(Deserialize)]
struct Issuer {
    iss: String,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    azp: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

impl Providers {
    pub(crate) fn new(configs: &[ProviderConfig], source: &Arc<dyn KeySource>) -> Self {
        Self(configs.iter().map(|config| Provider::new(config.clone(), source)).collect())
    }

    /// Whether a token says that it is one of theirs; nothing of it is believed yet.
    pub(crate) fn claim(&self, token: &str) -> bool {
        !self.0.is_empty() && self.of(token).is_some()
    }

    fn of(&self, token: &str) -> Option<&Provider> {
        let payload = token.split('.').nth(1)?;
        let bytes = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let Issuer { iss } = serde_json::from_slice(&bytes).ok()?;
        self.0.iter().find(|provider| provider.config.issuer == iss)
    }

    /// Who a token is for.
    pub(crate) async fn verify(&self, token: &str, now: Timestamp) -> Result<Identity, GuardError> {
        self.of(token).ok_or(GuardError::TokenInvalid)?.verify(token, now).await
    }
}

impl Provider {
    pub(crate) fn new(config: ProviderConfig, source: &Arc<dyn KeySource>) -> Self {
        Self { keys: PublishedKeys::new(config.jwks.clone(), Arc::clone(source)), config }
    }

    async fn verify(&self, token: &str, now: Timestamp) -> Result<Identity, GuardError> {
        let claims = self.claims(token, now).await?;
        self.read(claims, now)
    }

    /// Who an id token is for that was asked for with this nonce (OpenID Connect Core, section 3.1.3.7).
    pub(crate) async fn verify_id_token(
        &self,
        token: &str,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Identity, GuardError> {
        let claims = self.claims(token, now).await?;
        let has_nonce = claims.nonce.as_ref().is_some_and(|found| same(found.as_bytes(), nonce.as_bytes()));
        let is_ours = claims.azp.as_ref().is_none_or(|party| *party == self.config.audience);
        if !has_nonce || !is_ours {
            return Err(GuardError::TokenInvalid);
        }
        self.read(claims, now)
    }

    /// What a token says, once its signature, issuer and audience are known to be right.
    async fn claims(&self, token: &str, now: Timestamp) -> Result<Claims, GuardError> {
        let header = decode_header(token).map_err(|_| GuardError::TokenInvalid)?;
        // Whoever publishes a key must not be able to sign with what everybody knows: a symmetric signature is none.
        if header.crit.is_some() || header.alg.family() == AlgorithmFamily::Hmac {
            return Err(GuardError::TokenInvalid);
        }
        let key_id = header.kid.ok_or(GuardError::TokenInvalid)?;
        let key = self.keys.find(&key_id, header.alg, now).await.ok_or(GuardError::TokenInvalid)?;
        let claims =
            decode::<Claims>(token, &key, &self.validation(header.alg)).map_err(|_| GuardError::TokenInvalid)?;
        Ok(claims.claims)
    }

    /// Time is left out: the library reads the system's clock.
    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&self.config.issuer]);
        validation.set_audience(&[&self.config.audience]);
        validation
    }

    fn read(&self, claims: Claims, now: Timestamp) -> Result<Identity, GuardError> {
        let instant = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1_000));
        let begins = [claims.nbf, claims.iat].into_iter().flatten().map(instant).max();
        let fits = (1..=MAX_SUBJECT_BYTES).contains(&claims.sub.len()) && !claims.sub.chars().any(char::is_control);
        if !fits || begins.is_some_and(|begins| begins > now.after(LEEWAY)) {
            return Err(GuardError::TokenInvalid);
        }
        let expires_at = instant(claims.exp);
        if now >= expires_at {
            return Err(GuardError::TokenExpired);
        }
        let email = claims.email.and_then(|email| email.parse::<EmailAddress>().ok());
        let email = email.map(|email| email.shown().to_owned()).unwrap_or_default();
        let name: String =
            claims.name.unwrap_or_default().chars().filter(|character| !character.is_control()).collect();
        let name = match (name.trim(), email.split('@').next()) {
            ("", Some(local)) if !local.is_empty() => local.to_owned(),
            ("", _) => claims.sub.clone(),
            (name, _) => name.to_owned(),
        };
        Ok(Identity {
            key: IdentityKey { issuer: self.config.issuer.clone(), subject: claims.sub },
            email,
            name: name.chars().take(MAX_NAME_CHARACTERS).collect(),
            expires_at,
        })
    }
}

/// What is wrong with the configured providers.
pub(crate) fn check(configs: &[ProviderConfig], own_issuer: &str) -> Result<(), String> {
    for (place, config) in configs.iter().enumerate() {
        let wrong = |problem: &str| Err(format!("{:?}: {problem}", config.issuer));
        if config.issuer.is_empty() || config.audience.is_empty() || config.jwks.is_empty() {
            return wrong("issuer, audience and jwks must not be empty");
        }
        if config.issuer == own_issuer {
            return wrong("this issuer is our own (auth.issuer)");
        }
        if configs[..place].iter().any(|other| other.issuer == config.issuer) {
            return wrong("this issuer is named twice");
        }
    }
    Ok(())
}
