//! API keys: made by a person who is signed in, shown once, listed, ended; and from a key to whoever it stands for. A key makes no
//! keys, so that a leaked one dies with its revocation.

use std::time::Duration;

use contract::{
    ApiKeyId, SessionId, Timestamp, UserId,
    auth::Secret,
    key::{ApiKey, CreateApiKey, CreatedApiKey},
    problem::FieldError,
    session::Session,
};
use serde_json::Map;

use super::{SecurityGuard, authenticate::check_standing, register::check_name};
use crate::{
    Caller, GuardError, Permission,
    api_key::{self, ApiKeyText},
    clock::random,
    keys::{KeyCreated, KeyLookup, KeyStanding, NewApiKey},
};

/// How long a key works where nobody says.
const DEFAULT_TTL: Duration = Duration::from_secs(90 * 24 * 3_600);
/// No key works longer: what is never renewed is never missed when it leaks.
const LONGEST_TTL: Duration = Duration::from_secs(366 * 24 * 3_600);
/// The most intents that a key can be limited to.
const MAX_INTENTS: usize = 100;
/// A use is written down when the last one that was is older: a write for each request would cost more than it tells.
const LAST_USE_EVERY: Duration = Duration::from_secs(600);

impl SecurityGuard {
    /// Makes a key for the caller, or for a service account of theirs. What is wrong is said at once.
    ///
    /// # Errors
    /// `Invalid`; `Forbidden` with a key, and for somebody else without `member:manage`; `Conflict` where there are too many.
    pub async fn create_key(&self, caller: &Caller, request: CreateApiKey) -> Result<CreatedApiKey, GuardError> {
        let guard = &self.0;
        only_signed_in(caller)?;
        let user_id = whose(caller, request.user_id.clone())?;
        let now = guard.clock.now();
        let expires_at = request.expires_at.unwrap_or_else(|| now.after(DEFAULT_TTL));
        check(&request, expires_at, now)?;
        let text = ApiKeyText::new(&*guard.clock);
        let api_key = ApiKey {
            key_id: ApiKeyId::from_parts(now, random(&*guard.clock)),
            name: request.name.trim().to_owned(),
            hint: text.hint(),
            user_id: user_id.clone(),
            tenant_id: caller.tenant_id().clone(),
            scopes: request.scopes,
            intents: request.intents,
            created_at: now,
            expires_at,
            last_used_at: None,
        };
        let session = Session {
            session_id: SessionId::from_random(random(&*guard.clock)),
            tenant_id: Some(caller.tenant_id().clone()),
            user_id: Some(user_id),
            is_anonymous: false,
            created_at: now,
            updated_at: now,
            expires_at,
            metadata: Map::new(),
            state: Map::new(),
        };
        let for_service_account = api_key.user_id != *caller.user_id();
        let new = NewApiKey { api_key: api_key.clone(), hash: text.hash, session, for_service_account };
        match guard.accounts.create_key(new).await? {
            KeyCreated::Done => Ok(CreatedApiKey { key: Secret(text.text), api_key }),
            KeyCreated::TooMany => Err(GuardError::Conflict("There are 50 keys already. Revoke one that is not used.")),
            KeyCreated::NoSuchUser => Err(GuardError::NotFound("service account")),
        }
    }

    /// The caller's keys in the tenant that they are in, or those of another member for who manages members.
    pub async fn list_keys(&self, caller: &Caller, user_id: Option<UserId>) -> Result<Vec<ApiKey>, GuardError> {
        only_signed_in(caller)?;
        let user_id = whose(caller, user_id)?;
        Ok(self.0.accounts.keys(caller.tenant_id(), &user_id, self.0.clock.now()).await?)
    }

    /// Ends a key, at the next request and on its sockets.
    pub async fn revoke_key(
        &self,
        caller: &Caller,
        user_id: Option<UserId>,
        key_id: &ApiKeyId,
    ) -> Result<(), GuardError> {
        let guard = &self.0;
        only_signed_in(caller)?;
        let user_id = whose(caller, user_id)?;
        let ended = guard.accounts.revoke_key(caller.tenant_id(), &user_id, key_id, guard.clock.now()).await?;
        guard.verified.forget_key(key_id);
        if ended { Ok(()) } else { Err(GuardError::NotFound("API key")) }
    }

    pub(super) async fn verify_key(&self, text: &str, now: Timestamp) -> Result<Caller, GuardError> {
        let hash = api_key::hash(text).ok_or(GuardError::TokenInvalid)?;
        self.enter_with_key(KeyLookup::Hash(hash), now).await
    }

    pub(super) async fn look_again_at_key(&self, key_id: &ApiKeyId, now: Timestamp) -> Result<Caller, GuardError> {
        self.enter_with_key(KeyLookup::Id(key_id.clone()), now).await
    }

    async fn enter_with_key(&self, key: KeyLookup, now: Timestamp) -> Result<Caller, GuardError> {
        let found = self.0.accounts.standing_by_key(&key, now).await?.ok_or(GuardError::TokenInvalid)?;
        let KeyStanding { standing, mut api_key, session_id } = found;
        let standing = check_standing(Some(standing))?;
        if api_key.last_used_at.is_none_or(|last| now >= last.after(LAST_USE_EVERY)) {
            api_key.last_used_at = Some(now);
            self.note_use(&api_key.key_id, now).await;
        }
        Ok(Caller::with_key(KeyStanding { standing, api_key, session_id }))
    }

    /// That it could not be written down keeps nobody out.
    async fn note_use(&self, key_id: &ApiKeyId, now: Timestamp) {
        if let Err(error) = self.0.accounts.key_used(key_id, now).await {
            tracing::warn!(%key_id, %error, "the use of an API key could not be written down");
        }
    }
}

fn only_signed_in(caller: &Caller) -> Result<(), GuardError> {
    match caller.is_signed_in() {
        true => Ok(()),
        false => Err(GuardError::Forbidden(
            "API keys are managed by a person who is signed in, not with a key. Sign in first.",
        )),
    }
}

/// Whose keys it is about: the caller's, or those of whom the caller manages.
fn whose(caller: &Caller, user_id: Option<UserId>) -> Result<UserId, GuardError> {
    match user_id {
        Some(user_id) if user_id != *caller.user_id() && !caller.may(Permission::ManageMembers) => {
            Err(GuardError::Forbidden("Keys of somebody else need the permission member:manage."))
        }
        Some(user_id) => Ok(user_id),
        None => Ok(caller.user_id().clone()),
    }
}

fn check(request: &CreateApiKey, expires_at: Timestamp, now: Timestamp) -> Result<(), GuardError> {
    let mut errors = Vec::new();
    errors.extend(check_name(&request.name).err());
    if expires_at <= now || expires_at > now.after(LONGEST_TTL) {
        errors.push(FieldError::new("expires_at", "Choose an instant within the next 366 days."));
    }
    for scope in request.scopes.iter().flatten() {
        if scope.parse::<Permission>().is_err() {
            let known: Vec<&str> = Permission::ALL.iter().map(|permission| permission.as_str()).collect();
            errors.push(FieldError::new("scopes", format!("Choose out of these: {}.", known.join(", "))));
            break;
        }
    }
    let is_word = |intent: &String| {
        (1..=100).contains(&intent.len())
            && intent.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    };
    if !request.intents.iter().flatten().all(is_word) || request.intents.iter().flatten().count() > MAX_INTENTS {
        errors
            .push(FieldError::new("intents", "Name at most 100 intents. GET /api/intents lists those that there are."));
    }
    if errors.is_empty() { Ok(()) } else { Err(GuardError::Invalid(errors)) }
}
