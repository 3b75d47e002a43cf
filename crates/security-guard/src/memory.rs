//! Accounts in memory: for tests, and for a server that should forget everything. One lock is one transaction. It
//! keeps nothing of the Runtime's, so that a claim moves the session alone.

mod audit;
mod factors;
mod identities;
mod keys;
mod mailbox;
mod tenants;

pub use mailbox::MemoryMail;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use contract::{ApiKeyId, Owner, SessionId, SignInId, TenantId, Timestamp, UserId, session::Session};
use serde_json::Map;

use crate::{
    accounts::{
        Accounts, Claim, ClaimRequest, Credentials, NewAccount, NewSignIn, PasswordHash, Registered, RotateRequest,
        Rotated, RotatedToken, ServerSecrets, SignIn, SignInOutcome, SignInRequest, SignedInAs, SigningKey, Standing,
        StoreError, Tenant, TokenHash, TokenRuling, TokenState, User, UserRows, rule_on_token,
    },
    providers::IdentityKey,
    roles::Role,
    tenants::NewInvitation,
};

/// The plug.
#[derive(Default)]
pub struct MemoryAccounts(Mutex<State>);

#[derive(Default)]
struct State {
    secrets: Option<ServerSecrets>,
    users: BTreeMap<UserId, UserRow>,
    by_email: HashMap<String, UserId>,
    tenants: HashMap<TenantId, Tenant>,
    sign_ins: HashMap<SignInId, SignInRow>,
    tokens: HashMap<TokenHash, TokenRow>,
    sessions: HashMap<SessionId, Session>,
    failures: HashMap<TokenHash, Failures>,
    audit: audit::Chain,
    factors: HashMap<UserId, factors::FactorRow>,
    keys: BTreeMap<ApiKeyId, keys::KeyRow>,
    invitations: Vec<NewInvitation>,
    outbox: mailbox::Outbox,
    /// Users whose addresses are known to be theirs.
    verified: HashSet<UserId>,
    identities: HashMap<IdentityKey, identities::IdentityRow>,
    /// Who joined a tenant after somebody else, and when among all who did.
    places: HashMap<(TenantId, UserId), u64>,
    joined: u64,
}

struct UserRow {
    user: User,
    password_hash: PasswordHash,
    /// In the order in which the user joined; a sign-in begins in the first.
    memberships: Vec<(TenantId, Role)>,
    is_service_account: bool,
}

struct SignInRow {
    sign_in: SignIn,
    user_id: UserId,
    tenant_id: TenantId,
    revoked: bool,
}

struct TokenRow {
    sign_in_id: SignInId,
    expires_at: Timestamp,
    rotated: Option<(Timestamp, TokenHash)>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    since: Timestamp,
}

impl MemoryAccounts {
    pub fn new() -> Self {
        Self::default()
    }

    #[cfg(test)]
    pub(crate) fn hash_of(&self, email_key: &str) -> Option<PasswordHash> {
        let state = self.lock();
        let user_id = state.by_email.get(email_key)?;
        state.users.get(user_id).map(|row| row.password_hash.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no holder of this lock can panic")
    }
}

impl State {
    fn standing(&self, user_id: &UserId, tenant_id: &TenantId, sign_in: Option<SignIn>) -> Option<Standing> {
        let row = self.users.get(user_id)?;
        let of_tenant = |(member_of, role): &(TenantId, Role)| (member_of == tenant_id).then_some(*role);
        let roles: Vec<Role> = row.memberships.iter().filter_map(of_tenant).collect();
        if roles.is_empty() {
            return None;
        }
        Some(Standing { user: row.user.clone(), tenant: self.tenants.get(tenant_id)?.clone(), roles, sign_in })
    }

    /// Writes the sign-in and finds its session: the one that came along, or a fresh one.
    fn write_sign_in(&mut self, user_id: &UserId, new: NewSignIn) -> Option<SignedInAs> {
        let tenant_id = self.users.get(user_id)?.memberships.first()?.0.clone();
        let session = self.session_for(user_id, &tenant_id, &new);
        let sign_in = SignIn {
            sign_in_id: new.sign_in_id.clone(),
            session_id: session.session_id.clone(),
            device: new.device.clone(),
            created_at: new.now,
            used_at: new.now,
            expires_at: new.expires_at,
        };
        let standing = self.standing(user_id, &tenant_id, Some(sign_in.clone()))?;
        let token = TokenRow { sign_in_id: new.sign_in_id.clone(), expires_at: new.expires_at, rotated: None };
        self.tokens.insert(new.refresh_token, token);
        let row = SignInRow { sign_in, user_id: user_id.clone(), tenant_id, revoked: false };
        self.sign_ins.insert(new.sign_in_id, row);
        Some(SignedInAs { standing, session })
    }

    fn session_for(&mut self, user_id: &UserId, tenant_id: &TenantId, new: &NewSignIn) -> Session {
        let request = new.session_id.clone().map(|session_id| ClaimRequest {
            session_id,
            tenant_id: tenant_id.clone(),
            user_id: user_id.clone(),
            metadata: Map::new(),
            now: new.now,
            expires_at: new.fresh_session.expires_at,
        });
        if let Some(Claim::Claimed(session) | Claim::AlreadyYours(session)) = request.map(|request| self.claim(request))
        {
            return session;
        }
        let fresh = &new.fresh_session;
        let session = owned_session(fresh.session_id.clone(), tenant_id, user_id, new.now, fresh.expires_at);
        self.sessions.insert(session.session_id.clone(), session.clone());
        session
    }

    fn claim(&mut self, request: ClaimRequest) -> Claim {
        let Some(session) =
            self.sessions.get_mut(&request.session_id).filter(|session| request.now < session.expires_at)
        else {
            return Claim::NotFound;
        };
        if session.is_anonymous {
            session.is_anonymous = false;
            session.tenant_id = Some(request.tenant_id);
            session.user_id = Some(request.user_id);
            session.metadata.extend(request.metadata);
            session.updated_at = request.now;
            session.expires_at = request.expires_at;
            return Claim::Claimed(session.clone());
        }
        let yours = session.user_id.as_ref() == Some(&request.user_id)
            && session.tenant_id.as_ref() == Some(&request.tenant_id);
        if yours { Claim::AlreadyYours(session.clone()) } else { Claim::NotFound }
    }

    fn token_state(&self, row: &TokenRow, sign_in: &SignInRow) -> TokenState {
        let rotated = row.rotated.map(|(at, successor)| RotatedToken {
            at,
            successor_used: self.tokens.get(&successor).is_none_or(|successor| successor.rotated.is_some()),
        });
        TokenState { expires_at: row.expires_at, family_revoked: sign_in.revoked, rotated }
    }

    fn rotate(&mut self, request: RotateRequest) -> Rotated {
        let Some(row) = self.tokens.get(&request.presented) else { return Rotated::Unknown };
        let sign_in_id = row.sign_in_id.clone();
        let Some(sign_in) = self.sign_ins.get(&sign_in_id) else { return Rotated::Unknown };
        match rule_on_token(self.token_state(row, sign_in), request.now, request.reuse_window) {
            TokenRuling::Unknown => Rotated::Unknown,
            TokenRuling::Expired => Rotated::Expired,
            TokenRuling::Reused => {
                let (user_id, tenant_id) = (sign_in.user_id.clone(), sign_in.tenant_id.clone());
                self.revoke(&sign_in_id);
                Rotated::Reused { sign_in_id, user_id, tenant_id }
            }
            TokenRuling::Advance => {
                self.advance(&request, &sign_in_id);
                self.go_on(&request, &sign_in_id)
            }
            TokenRuling::Repeat => self.go_on(&request, &sign_in_id),
        }
    }

    fn advance(&mut self, request: &RotateRequest, sign_in_id: &SignInId) {
        let successor =
            TokenRow { sign_in_id: sign_in_id.clone(), expires_at: request.successor_expires_at, rotated: None };
        self.tokens.insert(request.successor, successor);
        if let Some(row) = self.tokens.get_mut(&request.presented) {
            row.rotated = Some((request.now, request.successor));
        }
        if let Some(row) = self.sign_ins.get_mut(sign_in_id) {
            row.sign_in.expires_at = request.successor_expires_at;
            row.sign_in.used_at = request.now;
            row.sign_in.device = request.device.clone();
        }
    }

    /// The sign-in as it stands, with a session to go on with.
    fn go_on(&mut self, request: &RotateRequest, sign_in_id: &SignInId) -> Rotated {
        let Some(row) = self.sign_ins.get_mut(sign_in_id) else { return Rotated::Unknown };
        let goes_on =
            |found: &&Session| request.now < found.expires_at && found.tenant_id.as_ref() == Some(&row.tenant_id);
        let session = match self.sessions.get(&row.sign_in.session_id).filter(goes_on) {
            Some(session) => session.clone(),
            None => {
                let fresh = request.fresh_session.clone();
                owned_session(fresh.session_id, &row.tenant_id, &row.user_id, request.now, fresh.expires_at)
            }
        };
        row.sign_in.session_id = session.session_id.clone();
        let (user_id, tenant_id, sign_in) = (row.user_id.clone(), row.tenant_id.clone(), row.sign_in.clone());
        self.sessions.insert(session.session_id.clone(), session.clone());
        match self.standing(&user_id, &tenant_id, Some(sign_in)) {
            None => Rotated::Unknown,
            Some(standing) if standing.user.disabled_at.is_some() => Rotated::Disabled,
            Some(standing) => Rotated::Done(Box::new(SignedInAs { standing, session })),
        }
    }

    fn revoke(&mut self, sign_in_id: &SignInId) -> bool {
        let row = self.sign_ins.get_mut(sign_in_id);
        row.is_some_and(|row| !std::mem::replace(&mut row.revoked, true))
    }

    fn revoke_others(&mut self, user_id: &UserId, keep: &SignInId) -> Vec<SignInId> {
        let others =
            self.sign_ins.iter_mut().filter(|(id, row)| row.user_id == *user_id && *id != keep && !row.revoked);
        let ended = others.map(|(id, row)| {
            row.revoked = true;
            id.clone()
        });
        ended.collect()
    }

    fn revoke_user(&mut self, user_id: &UserId) -> u64 {
        let mut ended = 0;
        for row in self.sign_ins.values_mut().filter(|row| row.user_id == *user_id && !row.revoked) {
            row.revoked = true;
            ended += 1;
        }
        ended
    }
}

fn owned_session(
    session_id: SessionId,
    tenant_id: &TenantId,
    user_id: &UserId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Session {
    Session {
        session_id,
        tenant_id: Some(tenant_id.clone()),
        user_id: Some(user_id.clone()),
        is_anonymous: false,
        created_at: now,
        updated_at: now,
        expires_at,
        metadata: Map::new(),
        state: Map::new(),
    }
}

#[async_trait]
impl Accounts for MemoryAccounts {
    async fn secrets(&self, candidate: ServerSecrets) -> Result<ServerSecrets, StoreError> {
        Ok(self.lock().secrets.get_or_insert(candidate).clone())
    }

    async fn rotate_signing_key(&self, new: SigningKey, forget: Vec<String>) -> Result<Vec<SigningKey>, StoreError> {
        let mut state = self.lock();
        let Some(secrets) = &mut state.secrets else { return Ok(Vec::new()) };
        secrets.signing_keys.retain(|key| !forget.contains(&key.key_id));
        secrets.signing_keys.push(new);
        Ok(secrets.signing_keys.clone())
    }

    async fn register(&self, account: NewAccount) -> Result<Registered, StoreError> {
        let mut state = self.lock();
        let NewAccount { user, email_key, password_hash, tenant, role, sign_in, letter, invitation } = account;
        if letter.is_some_and(|letter| !state.outbox.post(letter)) {
            return Ok(Registered::OutboxFull);
        }
        if state.by_email.contains_key(&email_key) {
            return Ok(Registered::EmailTaken);
        }
        let invited = match invitation {
            None => None,
            Some(token) => match state.invitation_of(token, user.created_at) {
                Some(found) if state.invitations[found.0].email_key == email_key => Some(found),
                Some(_) | None => return Ok(Registered::NotInvited),
            },
        };
        if invited.is_some_and(|(place, _)| state.is_full(&state.invitations[place].invitation.tenant_id)) {
            return Ok(Registered::TenantFull);
        }
        let user_id = user.user_id.clone();
        state.by_email.insert(email_key, user_id.clone());
        let row = UserRow { user, password_hash, memberships: Vec::new(), is_service_account: false };
        state.users.insert(user_id.clone(), row);
        match invited {
            Some((place, by_mail)) => {
                let used = state.invitations.remove(place);
                state.join(&user_id, &used.invitation.tenant_id, used.role);
                if by_mail {
                    state.verified.insert(user_id.clone());
                }
            }
            None => {
                state.tenants.insert(tenant.tenant_id.clone(), tenant.clone());
                state.join(&user_id, &tenant.tenant_id, role);
            }
        }
        if let Some(found) = sign_in.and_then(|new| state.write_sign_in(&user_id, new)) {
            return Ok(Registered::SignedIn(Box::new(found)));
        }
        let tenant_id = state.users[&user_id].memberships[0].0.clone();
        let standing = state.standing(&user_id, &tenant_id, None);
        let standing = standing.ok_or_else(|| StoreError::Broken("a new user stands nowhere".into()))?;
        Ok(Registered::Created(Box::new(standing)))
    }

    async fn credentials(&self, email_key: &str) -> Result<Option<Credentials>, StoreError> {
        let state = self.lock();
        let row = state.by_email.get(email_key).and_then(|user_id| state.users.get(user_id));
        Ok(row.map(|row| Credentials {
            user_id: row.user.user_id.clone(),
            password_hash: row.password_hash.clone(),
            disabled_at: row.user.disabled_at,
        }))
    }

    async fn sign_in(&self, request: SignInRequest) -> Result<SignInOutcome, StoreError> {
        let mut state = self.lock();
        let Some(row) = state.users.get_mut(&request.user_id) else { return Ok(SignInOutcome::Changed) };
        if row.user.disabled_at.is_some() {
            return Ok(SignInOutcome::Disabled);
        }
        if row.password_hash != request.verified_hash {
            return Ok(SignInOutcome::Changed);
        }
        if let Some(new_hash) = request.new_hash {
            row.password_hash = new_hash;
        }
        state.failures.remove(&request.account_key);
        let signed_in = state.write_sign_in(&request.user_id, request.sign_in);
        Ok(signed_in.map_or(SignInOutcome::Changed, |found| SignInOutcome::Done(Box::new(found))))
    }

    async fn standing(&self, sign_in_id: &SignInId, now: Timestamp) -> Result<Option<Standing>, StoreError> {
        let state = self.lock();
        let row = state.sign_ins.get(sign_in_id).filter(|row| !row.revoked && now < row.sign_in.expires_at);
        Ok(row.and_then(|row| state.standing(&row.user_id, &row.tenant_id, Some(row.sign_in.clone()))))
    }

    async fn standing_of(&self, user_id: &UserId) -> Result<Option<Standing>, StoreError> {
        let state = self.lock();
        let first = state.users.get(user_id).and_then(|row| row.memberships.first());
        Ok(first.and_then(|(tenant_id, _)| state.standing(user_id, tenant_id, None)))
    }

    async fn rotate(&self, request: RotateRequest) -> Result<Rotated, StoreError> {
        Ok(self.lock().rotate(request))
    }

    async fn revoke_sign_in(&self, sign_in_id: &SignInId, _now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.lock().revoke(sign_in_id))
    }

    async fn revoke_user(&self, user_id: &UserId, _now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.lock().revoke_user(user_id))
    }

    async fn sign_ins(&self, user_id: &UserId, now: Timestamp, limit: usize) -> Result<Vec<SignIn>, StoreError> {
        let state = self.lock();
        let open = |row: &&SignInRow| row.user_id == *user_id && !row.revoked && now < row.sign_in.expires_at;
        let mut found: Vec<SignIn> = state.sign_ins.values().filter(open).map(|row| row.sign_in.clone()).collect();
        found.sort_by(|one, other| other.sign_in_id.cmp(&one.sign_in_id));
        found.truncate(limit);
        Ok(found)
    }

    async fn revoke_others(
        &self,
        user_id: &UserId,
        keep: &SignInId,
        _now: Timestamp,
    ) -> Result<Vec<SignInId>, StoreError> {
        Ok(self.lock().revoke_others(user_id, keep))
    }

    async fn create_session(&self, session: Session) -> Result<(), StoreError> {
        self.lock().sessions.insert(session.session_id.clone(), session);
        Ok(())
    }

    async fn session(&self, session_id: &SessionId, now: Timestamp) -> Result<Option<Session>, StoreError> {
        Ok(self.lock().sessions.get(session_id).filter(|session| now < session.expires_at).cloned())
    }

    async fn claim_session(&self, request: ClaimRequest) -> Result<Claim, StoreError> {
        Ok(self.lock().claim(request))
    }

    async fn delete_session(&self, session_id: &SessionId, owner: &Owner, now: Timestamp) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let theirs = state.sessions.get(session_id).is_some_and(|session| {
            let same_user =
                session.user_id.as_ref() == owner.user_id() && session.tenant_id.as_ref() == owner.tenant_id();
            let named = match owner {
                Owner::Anonymous { session_id } => *session_id == session.session_id,
                Owner::User { .. } => true,
            };
            now < session.expires_at && same_user && named
        });
        Ok(theirs && state.sessions.remove(session_id).is_some())
    }

    async fn forget_expired(&self, now: Timestamp, limit: usize) -> Result<Vec<SessionId>, StoreError> {
        let mut state = self.lock();
        let over = |session: &&Session| session.expires_at <= now;
        let ended: Vec<SessionId> =
            state.sessions.values().filter(over).take(limit).map(|session| session.session_id.clone()).collect();
        for session_id in &ended {
            state.sessions.remove(session_id);
        }
        state.tokens.retain(|_, token| now < token.expires_at);
        state.sign_ins.retain(|_, row| now < row.sign_in.expires_at);
        state.keys.retain(|_, row| row.ends_after(now));
        state.invitations.retain(|kept| now < kept.invitation.expires_at);
        state.outbox.forget_expired(now);
        Ok(ended)
    }

    async fn failures(&self, account_key: TokenHash, now: Timestamp, window: Duration) -> Result<u32, StoreError> {
        let failures = self.lock().failures.get(&account_key).copied();
        Ok(failures.filter(|failures| now < failures.since.after(window)).map_or(0, |failures| failures.count))
    }

    async fn record_failure(&self, account_key: TokenHash, now: Timestamp, window: Duration) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.failures.retain(|_, failures| now < failures.since.after(window));
        let failures = state.failures.entry(account_key).or_insert(Failures { count: 0, since: now });
        failures.count = failures.count.saturating_add(1);
        Ok(())
    }

    async fn users(&self, after: Option<&UserId>, limit: usize) -> Result<UserRows, StoreError> {
        let state = self.lock();
        let later = state.users.values().filter(|row| after.is_none_or(|after| row.user.user_id > *after));
        let mut users: Vec<User> = later.take(limit + 1).map(|row| row.user.clone()).collect();
        let more = users.len() > limit;
        users.truncate(limit);
        Ok(UserRows { users, more })
    }

    async fn user_by_email(&self, email_key: &str) -> Result<Option<User>, StoreError> {
        let state = self.lock();
        let row = state.by_email.get(email_key).and_then(|user_id| state.users.get(user_id));
        Ok(row.map(|row| row.user.clone()))
    }

    async fn set_disabled(&self, user_id: &UserId, disabled: bool, now: Timestamp) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let Some(row) = state.users.get_mut(user_id) else { return Ok(false) };
        row.user.disabled_at = disabled.then(|| row.user.disabled_at.unwrap_or(now));
        if disabled {
            state.revoke_user(user_id);
        }
        Ok(true)
    }

    async fn set_password(&self, user_id: &UserId, hash: PasswordHash, _now: Timestamp) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let Some(row) = state.users.get_mut(user_id) else { return Ok(false) };
        row.password_hash = hash;
        state.revoke_user(user_id);
        Ok(true)
    }

    async fn change_password(
        &self,
        user_id: &UserId,
        verified_hash: PasswordHash,
        new_hash: PasswordHash,
        keep: &SignInId,
        _now: Timestamp,
    ) -> Result<Option<Vec<SignInId>>, StoreError> {
        let mut state = self.lock();
        let Some(row) = state.users.get_mut(user_id).filter(|row| row.password_hash == verified_hash) else {
            return Ok(None);
        };
        row.password_hash = new_hash;
        Ok(Some(state.revoke_others(user_id, keep)))
    }
}
