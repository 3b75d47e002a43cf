//! Signing in at an identity provider of the operator's: the authorization code flow of OpenID Connect with PKCE (RFC 7636). What binds
//! the answer to the browser that asked is a seed in a cookie; state, nonce and verifier follow from it, so that nothing has to be kept
//! here in between.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use contract::{Timestamp, auth::Secret};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::{
    Clock, GuardError,
    clock::random,
    providers::{Identity, KeySource, Provider, ProviderConfig, TokenRequest},
    secrets::{base64url, same, sha256},
};

/// How long somebody may take at the provider.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);
/// What a provider says of itself is asked for again after this time; what is known goes on where it does not answer.
const MAX_AGE: Duration = Duration::from_secs(600);
/// However many ask, the provider is asked no more often.
const FETCH_EVERY: Duration = Duration::from_secs(30);
/// The longest code and state that are looked at, in bytes.
const MAX_PARAMETER_BYTES: usize = 4_096;
/// Where a provider sends people back to.
pub(crate) const CALLBACK: &str = "/api/auth/oidc/callback";

const UNREACHABLE: GuardError = GuardError::Forbidden(
    "The identity provider cannot be reached, or does not say what it has to. Try again in a minute.",
);
const NOT_FROM_HERE: GuardError = GuardError::Forbidden(
    "This sign-in did not begin in this browser, or took too long. Begin again at GET /api/auth/oidc/start.",
);
const NOT_LET_IN: GuardError =
    GuardError::Forbidden("The identity provider did not let you in. Begin again at GET /api/auth/oidc/start.");

/// The section `auth.oidc`. Without an issuer nobody signs in that way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OidcConfig {
    /// Letter for letter what the provider calls itself; `/.well-known/openid-configuration` below it is read.
    pub issuer: String,
    pub client_id: String,
    /// Absent for a public client.
    pub client_secret: Option<Secret>,
    /// What is registered with the provider: our address, with `/api/auth/oidc/callback`.
    pub redirect: String,
}

impl OidcConfig {
    pub fn is_on(&self) -> bool {
        !self.issuer.is_empty()
    }

    /// What is wrong with it.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let is_address = |text: &str| text.starts_with("https://") || text.starts_with("http://");
        match () {
            () if !self.is_on() && *self != Self::default() => Err("needs an issuer"),
            () if !self.is_on() => Ok(()),
            () if !is_address(&self.issuer) => {
                Err("the issuer must be an address, such as \"https://login.example.com\"")
            }
            () if self.client_id.is_empty() => Err("needs a client_id"),
            () if !is_address(&self.redirect) || !self.redirect.ends_with(CALLBACK) => {
                Err("redirect must be like \"https://app.example.com/api/auth/oidc/callback\"")
            }
            () => Ok(()),
        }
    }
}

/// What the provider says of itself (OpenID Connect Discovery, section 3).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
}

struct Found {
    metadata: Metadata,
    provider: Arc<Provider>,
}

#[derive(Default)]
struct Known {
    found: Option<Arc<Found>>,
    fetched_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
}

/// The configured provider.
pub(crate) struct Oidc {
    config: OidcConfig,
    source: Arc<dyn KeySource>,
    known: Mutex<Known>,
    /// One fetch at a time; who comes meanwhile waits for what it brings.
    fetching: Semaphore,
}

/// Where to send the browser, and what to give it.
#[derive(Clone, Debug)]
pub struct OidcStart {
    pub location: String,
    pub cookie: Secret,
    /// Seconds for which the cookie is good.
    pub cookie_seconds: u64,
}

/// What the browser brings back.
#[derive(Clone, Debug, Default)]
pub struct OidcCallback {
    pub code: Option<Secret>,
    pub state: Option<String>,
    /// RFC 9207.
    pub iss: Option<String>,
}

/// What one sign-in hangs together by.
struct Bond {
    state: String,
    nonce: String,
    verifier: String,
}

/// `cookie` is `<seed>.<seconds>`; each part follows from all of it, and none from another.
fn bond(cookie: &str) -> Bond {
    let part = |name: &str| base64url(&sha256(&[name.as_bytes(), b"\0", cookie.as_bytes()]));
    Bond { state: part("state"), nonce: part("nonce"), verifier: part("verifier") }
}

impl Oidc {
    pub(crate) fn new(config: &OidcConfig, source: &Arc<dyn KeySource>) -> Self {
        let (config, source) = (config.clone(), Arc::clone(source));
        Self { config, source, known: Mutex::default(), fetching: Semaphore::new(1) }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn start(&self, clock: &dyn Clock) -> Result<OidcStart, GuardError> {
        let now = clock.now();
        let found = self.find(now).await?;
        let cookie = format!("{}.{}", base64url(&random::<32>(clock)), now.as_millis() / 1_000);
        let Bond { state, nonce, verifier } = bond(&cookie);
        let challenge = base64url(&sha256(&[verifier.as_bytes()]));
        let endpoint = &found.metadata.authorization_endpoint;
        let mut location = format!("{endpoint}{}", if endpoint.contains('?') { '&' } else { '?' });
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", &self.config.client_id),
            ("redirect_uri", &self.config.redirect),
            ("scope", "openid email profile"),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ] {
            location.push_str(&format!("{name}={}&", percent_encoded(value)));
        }
        location.pop();
        Ok(OidcStart { location, cookie: Secret(cookie), cookie_seconds: PATIENCE.as_secs() })
    }

    /// Who comes back. The browser has to be the one that was sent.
    pub(crate) async fn finish(
        &self,
        cookie: Option<&str>,
        callback: &OidcCallback,
        now: Timestamp,
    ) -> Result<Identity, GuardError> {
        let cookie = cookie.filter(|cookie| is_fresh(cookie, now)).ok_or(NOT_FROM_HERE)?;
        let Bond { state, nonce, verifier } = bond(cookie);
        let shown = callback.state.as_deref().filter(|shown| shown.len() <= MAX_PARAMETER_BYTES);
        if !shown.is_some_and(|shown| same(shown.as_bytes(), state.as_bytes())) {
            return Err(NOT_FROM_HERE);
        }
        let is_theirs = callback.iss.as_ref().is_none_or(|issuer| *issuer == self.config.issuer);
        let code = callback.code.as_ref().filter(|code| is_theirs && code.0.len() <= MAX_PARAMETER_BYTES);
        let code = code.ok_or(NOT_LET_IN)?;
        let found = self.find(now).await?;
        let id_token = self.exchange(&found.metadata, code, verifier).await?;
        let identity = found.provider.verify_id_token(&id_token, &nonce, now).await;
        identity.map_err(|error| match error {
            GuardError::TokenInvalid | GuardError::TokenExpired => NOT_LET_IN,
            other => other,
        })
    }

    async fn exchange(&self, metadata: &Metadata, code: &Secret, verifier: String) -> Result<String, GuardError> {
        let OidcConfig { client_id, client_secret, redirect, .. } = &self.config;
        let mut form = vec![
            ("grant_type", Secret("authorization_code".to_owned())),
            ("code", code.clone()),
            ("redirect_uri", Secret(redirect.clone())),
            ("code_verifier", Secret(verifier)),
        ];
        let methods = metadata.token_endpoint_auth_methods_supported.as_deref();
        // The default where the provider says nothing.
        let takes_basic = methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
        let basic = client_secret.as_ref().filter(|_| takes_basic);
        if basic.is_none() {
            form.push(("client_id", Secret(client_id.clone())));
            form.extend(client_secret.as_ref().map(|secret| ("client_secret", secret.clone())));
        }
        let request = TokenRequest {
            address: metadata.token_endpoint.clone(),
            form,
            basic: basic.map(|secret| (client_id.clone(), secret.clone())),
        };
        let answer = self.source.exchange(request).await.map_err(|error| {
            tracing::warn!(%error, "the identity provider did not exchange a code");
            NOT_LET_IN
        })?;
        let answer: TokenAnswer = serde_json::from_slice(&answer).map_err(|_| NOT_LET_IN)?;
        Ok(answer.id_token)
    }

    async fn find(&self, now: Timestamp) -> Result<Arc<Found>, GuardError> {
        if !self.config.is_on() {
            return Err(GuardError::NotFound("identity provider"));
        }
        if self.wants_fetch(now) {
            let _place = self.fetching.acquire().await.map_err(GuardError::internal)?;
            if self.wants_fetch(now) {
                self.lock().tried_at = Some(now);
                match self.fetch().await {
                    Ok(found) => self.know(found, now),
                    Err(error) => tracing::warn!(%error, "the identity provider does not say what it is"),
                }
            }
        }
        self.lock().found.clone().ok_or(UNREACHABLE)
    }

    fn wants_fetch(&self, now: Timestamp) -> bool {
        let known = self.lock();
        known.fetched_at.is_none_or(|at| now >= at.after(MAX_AGE))
            && known.tried_at.is_none_or(|at| now >= at.after(FETCH_EVERY))
    }

    async fn fetch(&self) -> Result<Metadata, Box<dyn std::error::Error + Send + Sync>> {
        let issuer = &self.config.issuer;
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata: Metadata = serde_json::from_slice(&self.source.fetch(&address).await?)?;
        if metadata.issuer != *issuer {
            return Err(format!("it calls itself {:?}", metadata.issuer).into());
        }
        // The browser is sent there: nowhere less protected than where the issuer is.
        if !metadata.authorization_endpoint.starts_with("https://") && !issuer.starts_with("http://") {
            return Err("its authorization endpoint speaks no TLS".into());
        }
        Ok(metadata)
    }

    fn know(&self, metadata: Metadata, now: Timestamp) {
        let mut known = self.lock();
        // Keys that are known stay known where they are published at the same place.
        let same_place = known.found.as_ref().filter(|found| found.metadata.jwks_uri == metadata.jwks_uri);
        let provider = same_place.map(|found| Arc::clone(&found.provider)).unwrap_or_else(|| {
            let config = ProviderConfig {
                issuer: self.config.issuer.clone(),
                audience: self.config.client_id.clone(),
                jwks: metadata.jwks_uri.clone(),
            };
            Arc::new(Provider::new(config, &self.source))
        });
        known.found = Some(Arc::new(Found { metadata, provider }));
        known.fetched_at = Some(now);
    }
}

fn is_fresh(cookie: &str, now: Timestamp) -> bool {
    let began = cookie.rsplit_once('.').and_then(|(_, seconds)| seconds.parse::<i64>().ok());
    let began = began.and_then(|seconds| seconds.checked_mul(1_000)).map(Timestamp::from_millis);
    cookie.len() <= 100 && began.is_some_and(|began| began <= now && now < began.after(PATIENCE))
}

/// RFC 3986, section 2.1.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}
