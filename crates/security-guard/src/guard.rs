//! The guard itself: made once at start-up from its ports, cheap to clone, handed to whoever lets people in. Each
//! verb has a file of its own below `guard/`.

mod audit;
mod authenticate;
mod csrf;
mod delegate;
mod factors;
mod identities;
mod keys;
mod letters;
mod login;
mod logout;
mod oidc;
mod password;
mod post;
mod recovery;
mod refresh;
mod register;
mod sessions;
mod sign_ins;
mod signing;
mod tenants;
mod tickets;
mod users;

use std::{
    net::IpAddr,
    sync::{Arc, RwLock},
};

use contract::{
    SessionId, SignInId,
    auth::{AuthResponse, Me, Secret, SignInSummary, Tenant, User},
    session::Session,
};
use serde_json::Value;
use tokio::sync::Notify;

pub use audit::CheckedChain;
pub(crate) use letters::is_link;
pub use login::LoginAnswer;
pub use password::HeldBack;
pub use register::Welcome;
pub use signing::Rotation;
pub use tenants::Switched;
pub use users::{NewUser, UserPage, UserSummary};

use crate::{
    Accounts, Caller, Clock, GuardConfig, GuardError, KeyedLimiter,
    access_token::{AccessTokens, Subject},
    accounts::{FreshSession, NewSignIn, SignedInAs, SigningKey, Standing, TokenHash},
    clock::random,
    hashing::Hashing,
    known_sessions::KnownSessions,
    mail::Mail,
    memory::MemoryMail,
    oidc::Oidc,
    peer::Peer,
    providers::{KeySource, NoKeySource, Providers},
    refresh_token::RefreshToken,
    secrets,
    tickets::Tickets,
    verified::Verified,
};

/// Who is asking, and may they come in.
#[derive(Clone)]
pub struct SecurityGuard(Arc<Inner>);

struct Inner {
    config: GuardConfig,
    accounts: Arc<dyn Accounts>,
    clock: Arc<dyn Clock>,
    mail: Arc<dyn Mail>,
    /// A letter came into the outbox.
    posted: Notify,
    /// Exchanged whole when the keys are rotated.
    access_tokens: RwLock<Arc<AccessTokens>>,
    refresh_secret: [u8; 32],
    hashing: Arc<Hashing>,
    providers: Providers,
    oidc: Oidc,
    verified: Verified,
    sessions: KnownSessions,
    tickets: Tickets,
    logins: KeyedLimiter<IpAddr>,
    registrations: KeyedLimiter<IpAddr>,
    /// Letters, by whoever asks for them and by whoever gets them.
    letters: KeyedLimiter<IpAddr>,
    letters_to: KeyedLimiter<TokenHash>,
    anonymous_sessions: KeyedLimiter<IpAddr>,
    /// Refusals that are put on record.
    refusals: KeyedLimiter<IpAddr>,
}

/// Tells the JWT library which cryptography to use. [`SecurityGuard::open`] calls it; a second call does nothing.
pub fn install_crypto_provider() {
    // An error means that it is installed already, which is what was asked for.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}

/// What the guard stands on.
#[derive(Clone)]
pub struct Plugs {
    pub accounts: Arc<dyn Accounts>,
    pub clock: Arc<dyn Clock>,
    /// The way to the keys of the identity providers that the config names.
    pub keys: Arc<dyn KeySource>,
    pub mail: Arc<dyn Mail>,
}

impl SecurityGuard {
    /// Checks the config and reads the server's secrets, or makes them at the first start.
    pub async fn open(
        config: GuardConfig,
        accounts: Arc<dyn Accounts>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, GuardError> {
        let (keys, mail) = (Arc::new(NoKeySource), Arc::new(MemoryMail::default()));
        Self::open_with(config, Plugs { accounts, clock, keys, mail }).await
    }

    /// The same with ways to the outside.
    pub async fn open_with(config: GuardConfig, plugs: Plugs) -> Result<Self, GuardError> {
        let Plugs { accounts, clock, keys, mail } = plugs;
        install_crypto_provider();
        config.check()?;
        let secrets = accounts.secrets(secrets::make(&*clock)?).await?;
        Ok(Self(Arc::new(Inner {
            access_tokens: RwLock::new(Arc::new(AccessTokens::new(&config.auth, &secrets.signing_keys)?)),
            refresh_secret: secrets.refresh_secret,
            hashing: Hashing::start(&config.auth.password, &*clock)?,
            providers: Providers::new(&config.auth.providers, &keys),
            oidc: Oidc::new(&config.auth.oidc, &keys),
            verified: Verified::new(),
            sessions: KnownSessions::default(),
            tickets: Tickets::new(config.auth.ticket_ttl),
            logins: KeyedLimiter::new(config.limits.login),
            registrations: KeyedLimiter::new(config.limits.register),
            letters: KeyedLimiter::new(config.limits.letters),
            letters_to: KeyedLimiter::new(config.limits.letters_to),
            anonymous_sessions: KeyedLimiter::new(config.limits.anonymous_sessions),
            refusals: KeyedLimiter::new(audit::REFUSALS_RECORDED),
            config,
            accounts,
            clock,
            mail,
            posted: Notify::new(),
        })))
    }

    /// The public keys of access tokens (RFC 7517).
    pub fn jwks(&self) -> Value {
        self.0.tokens().jwks(self.0.clock.now())
    }

    /// How many password hashes have been computed since the start: what signing in costs.
    pub fn hashes_computed(&self) -> u64 {
        self.0.hashing.computed()
    }
}

/// What a registration, a sign-in and a refresh give: tokens, and who they are for.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub access_token: Secret,
    pub refresh_token: Secret,
    /// Seconds until the access token expires.
    pub expires_in: u64,
    pub caller: Caller,
    /// The session of work: the one that was claimed, or a new one.
    pub session: Session,
}

impl SignedIn {
    /// The contract's body, with the tokens in it.
    pub fn response(&self, message: impl Into<String>) -> AuthResponse {
        let body = self.caller.auth_response(&self.access_token, self.expires_in, message.into());
        AuthResponse { refresh_token: Some(self.refresh_token.clone()), ..body }
    }
}

impl Caller {
    /// The contract's body, without a refresh token.
    fn auth_response(&self, access_token: &Secret, expires_in: u64, message: String) -> AuthResponse {
        AuthResponse {
            success: true,
            access_token: Some(access_token.clone()),
            refresh_token: None,
            token_type: "Bearer".to_owned(),
            expires_in,
            session_id: self.session_id().clone(),
            user_id: self.user_id().clone(),
            tenant_id: self.tenant_id().clone(),
            roles: words(self.roles()),
            permissions: words(self.permissions()),
            message,
            csrf_token: None,
            user: self.profile(),
        }
    }

    /// The caller as they see themselves.
    pub fn profile(&self) -> User {
        User {
            id: self.user_id().clone(),
            email: self.email().to_owned(),
            name: self.name().to_owned(),
            avatar_url: None,
            tenant_id: self.tenant_id().clone(),
            permissions: words(self.permissions()),
            roles: words(self.roles()),
        }
    }

    /// The answer of `GET /api/auth/me`; refused to a credential that is neither a sign-in's nor an API key.
    pub fn me(&self) -> Result<Me, GuardError> {
        let standing = self.standing();
        let (sign_in_id, created_at, expires_at) = match (&standing.sign_in, self.api_key()) {
            (Some(sign_in), _) => (Some(sign_in.sign_in_id.clone()), sign_in.created_at, sign_in.expires_at),
            (None, Some(key)) => (None, key.created_at, key.expires_at),
            (None, None) if self.identity().is_some() => (None, standing.user.created_at, self.expires_at()),
            (None, None) => return Err(GuardError::NotSignedIn),
        };
        Ok(Me {
            user: self.profile(),
            tenant: Tenant {
                id: standing.tenant.tenant_id.clone(),
                name: standing.tenant.name.clone(),
                created_at: standing.tenant.created_at,
            },
            roles: words(self.roles()),
            permissions: words(self.permissions()),
            session: SignInSummary { sign_in_id, session_id: self.session_id().clone(), created_at, expires_at },
            api_key: self.api_key().cloned(),
            actor: self.actor().cloned(),
        })
    }
}

fn words<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

impl Inner {
    /// A sign-in took a session over, where one came along: its id alone opens nothing any more.
    fn claimed(&self, session_id: Option<&SessionId>) {
        if let Some(session_id) = session_id {
            self.sessions.forget(session_id);
            self.verified.session_ended(session_id);
        }
    }

    fn tokens(&self) -> Arc<AccessTokens> {
        self.access_tokens.read().expect("no holder of this lock can panic").clone()
    }

    fn use_keys(&self, keys: &[SigningKey]) -> Result<(), GuardError> {
        let tokens = Arc::new(AccessTokens::new(&self.config.auth, keys)?);
        *self.access_tokens.write().expect("no holder of this lock can panic") = tokens;
        Ok(())
    }

    fn new_sign_in(&self, refresh_token: &RefreshToken, session_id: Option<SessionId>, peer: &Peer) -> NewSignIn {
        let now = self.clock.now();
        NewSignIn {
            sign_in_id: SignInId::from_parts(now, random(&*self.clock)),
            refresh_token: refresh_token.hash,
            session_id,
            fresh_session: self.fresh_session(),
            device: peer.device.clone(),
            now,
            expires_at: now.after(self.config.auth.refresh_token_ttl),
        }
    }

    fn fresh_session(&self) -> FreshSession {
        FreshSession {
            session_id: SessionId::from_random(random(&*self.clock)),
            expires_at: self.clock.now().after(self.config.session.ttl),
        }
    }

    /// An access token for what the accounts have just written, and all of it together.
    fn signed_in(&self, found: SignedInAs, refresh_token: RefreshToken) -> Result<SignedIn, GuardError> {
        let SignedInAs { standing, session } = found;
        // It may have been somebody's anonymous session until now.
        self.sessions.forget(&session.session_id);
        let (access_token, caller) = self.access_token(standing, &session)?;
        Ok(SignedIn {
            access_token,
            refresh_token: Secret(refresh_token.text),
            expires_in: self.tokens().ttl_seconds(),
            caller,
            session,
        })
    }

    /// An access token for a sign-in as it stands, and the caller that it stands for.
    fn access_token(&self, standing: Standing, session: &Session) -> Result<(Secret, Caller), GuardError> {
        let sign_in = standing.sign_in.as_ref().ok_or_else(|| GuardError::internal("a sign-in came without its id"))?;
        let subject = Subject {
            user_id: standing.user.user_id.clone(),
            tenant_id: standing.tenant.tenant_id.clone(),
            sign_in_id: sign_in.sign_in_id.clone(),
            session_id: session.session_id.clone(),
            actor: None,
        };
        let (access_token, expires_at) = self.tokens().issue(subject, &*self.clock)?;
        Ok((Secret(access_token), Caller::new(standing, session.session_id.clone(), expires_at)))
    }
}
