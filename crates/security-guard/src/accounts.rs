//! The port for accounts: what the guard needs kept, and nothing of how. Each method is one transaction, and
//! answers with what happened rather than with a storage error. Two plugs exist: [`crate::memory`], and SQLite.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use contract::{Owner, SessionId, SignInId, TenantId, Timestamp, UserId, session::Session};
use serde_json::{Map, Value};

use crate::{
    audit::AuditLog,
    factors::SecondFactors,
    identities::Identities,
    keys::ApiKeys,
    mailbox::{Mailbox, NewLetter},
    peer::Device,
    roles::Role,
    tenants::Tenants,
};

/// The accounts cannot answer. The source is for the log.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It may work later.
    #[error("the accounts cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no space; it works again when there is.
    #[error("there is no space left for the accounts")]
    Full(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It will not work without somebody's help.
    #[error("the accounts are broken")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A person or a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub user_id: UserId,
    /// As typed.
    pub email: String,
    pub name: String,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub tenant_id: TenantId,
    pub name: String,
    pub created_at: Timestamp,
}

/// One sign-in: the head of a family of refresh tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    pub sign_in_id: SignInId,
    /// The session of work that came with it.
    pub session_id: SessionId,
    /// With what it was made, or refreshed last.
    pub device: Device,
    pub created_at: Timestamp,
    /// When it was made or refreshed last.
    pub used_at: Timestamp,
    /// When its newest refresh token ends.
    pub expires_at: Timestamp,
}

/// Where a user stands now: in which tenant, as what, by which sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub user: User,
    pub tenant: Tenant,
    pub roles: Vec<Role>,
    /// `None` for a standing that was found by a session rather than a sign-in.
    pub sign_in: Option<SignIn>,
}

/// What of a token or a ticket is kept: its SHA-256. A token has 256 random bits, so that no slow hash is needed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[token hash]")
    }
}

/// An argon2id hash in PHC format.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[password hash]")
    }
}

/// The secrets of the server itself, made at the first start and kept.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerSecrets {
    /// Oldest first; the last one signs, all of them verify.
    pub signing_keys: Vec<SigningKey>,
    /// From this and a refresh token follows the token's successor (see `refresh_token.rs`).
    pub refresh_secret: [u8; 32],
}

impl fmt::Debug for ServerSecrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ServerSecrets").field("signing_keys", &self.signing_keys).finish_non_exhaustive()
    }
}

/// An Ed25519 key that signs access tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// The RFC 7638 thumbprint of the public half.
    pub key_id: String,
    /// The private half, PKCS #8 (RFC 8410).
    pub pkcs8: Vec<u8>,
    pub created_at: Timestamp,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// What is needed to know a password when it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub user_id: UserId,
    pub password_hash: PasswordHash,
    pub disabled_at: Option<Timestamp>,
}

/// A user with the tenant that they own, written together.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub user: User,
    /// The address as it is compared; unique.
    pub email_key: String,
    pub password_hash: PasswordHash,
    pub tenant: Tenant,
    pub role: Role,
    /// Absent where an administrator creates the account, and where the address has to be verified first.
    pub sign_in: Option<NewSignIn>,
    /// Goes into the outbox in any case, so that a known address makes as much work as an unknown one.
    pub letter: Option<NewLetter>,
    /// A token of an invitation for this address, which is used up: the user joins that tenant, and `tenant` is not written. One that
    /// came by mail shows that the address is theirs.
    pub invitation: Option<TokenHash>,
}

/// A sign-in to be written with the first token of its family.
#[derive(Clone, Debug)]
pub struct NewSignIn {
    pub sign_in_id: SignInId,
    pub refresh_token: TokenHash,
    /// A session that came along: claimed where it is anonymous, kept where it is already the user's, and otherwise
    /// passed over for `fresh_session`.
    pub session_id: Option<SessionId>,
    pub fresh_session: FreshSession,
    pub device: Device,
    pub now: Timestamp,
    pub expires_at: Timestamp,
}

/// A session that is written where there is none to go on with.
#[derive(Clone, Debug)]
pub struct FreshSession {
    pub session_id: SessionId,
    pub expires_at: Timestamp,
}

/// The outcome of [`Accounts::register`].
#[derive(Clone, Debug, PartialEq)]
pub enum Registered {
    SignedIn(Box<SignedInAs>),
    /// Without a sign-in, where none was asked for.
    Created(Box<Standing>),
    EmailTaken,
    /// The invitation is none, or another address's.
    NotInvited,
    /// The tenant of the invitation has as many members as it may.
    TenantFull,
    /// There was a letter, and the outbox takes no more.
    OutboxFull,
}

/// What a sign-in writes, after the password has been found right.
#[derive(Clone, Debug)]
pub struct SignInRequest {
    pub user_id: UserId,
    /// The hash that was verified: another one by now means that the password has changed meanwhile.
    pub verified_hash: PasswordHash,
    /// The same password with today's parameters, where the stored hash has older ones.
    pub new_hash: Option<PasswordHash>,
    /// The account's failures are forgotten.
    pub account_key: TokenHash,
    pub sign_in: NewSignIn,
}

/// The outcome of [`Accounts::sign_in`] and [`Accounts::rotate`] where it is good.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedInAs {
    pub standing: Standing,
    pub session: Session,
}

/// The outcome of [`Accounts::sign_in`].
#[derive(Clone, Debug, PartialEq)]
pub enum SignInOutcome {
    Done(Box<SignedInAs>),
    /// The user has been disabled.
    Disabled,
    /// The user is gone, or has another password by now.
    Changed,
}

/// A refresh token comes in.
#[derive(Clone, Debug)]
pub struct RotateRequest {
    pub presented: TokenHash,
    /// What follows from the presented token; the same each time.
    pub successor: TokenHash,
    pub device: Device,
    pub now: Timestamp,
    pub successor_expires_at: Timestamp,
    pub reuse_window: Duration,
    /// For a sign-in whose session has been deleted or has expired.
    pub fresh_session: FreshSession,
}

/// The outcome of [`Accounts::rotate`].
#[derive(Clone, Debug, PartialEq)]
pub enum Rotated {
    /// The successor is the family's token, whether it was written now or before.
    Done(Box<SignedInAs>),
    /// A replay: the family has been ended by this call or was ended before.
    Reused {
        sign_in_id: SignInId,
        user_id: UserId,
        tenant_id: TenantId,
    },
    Expired,
    /// Not a token, or of a sign-in that has ended.
    Unknown,
    Disabled,
}

/// What is kept of a refresh token when it comes in again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenState {
    pub expires_at: Timestamp,
    pub family_revoked: bool,
    /// When it was rotated, and whether its successor has been rotated too.
    pub rotated: Option<RotatedToken>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotatedToken {
    pub at: Timestamp,
    pub successor_used: bool,
}

/// What a plug has to do with a refresh token that it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRuling {
    /// Mark it rotated and write the successor.
    Advance,
    /// Write nothing: the successor stands already.
    Repeat,
    /// End the family.
    Reused,
    Expired,
    Unknown,
}

/// The rule of rotation, the same for every plug; a plug calls it inside its transaction.
///
/// The parent of an unused successor is not a thief's: its owner lost the reply. Nor is a replay within the window:
/// that is a second tab. Everything else is, because the owner has gone on with a later token.
pub fn rule_on_token(token: TokenState, now: Timestamp, reuse_window: Duration) -> TokenRuling {
    match token.rotated {
        Some(_) if token.family_revoked => TokenRuling::Reused,
        None if token.family_revoked => TokenRuling::Unknown,
        _ if now >= token.expires_at => TokenRuling::Expired,
        None => TokenRuling::Advance,
        Some(rotated) if !rotated.successor_used || now.since(rotated.at) <= reuse_window => TokenRuling::Repeat,
        Some(_) => TokenRuling::Reused,
    }
}

/// A user takes over a session that nobody had.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    pub session_id: SessionId,
    pub tenant_id: TenantId,
    pub user_id: UserId,
    /// Laid over what the session carries, key by key.
    pub metadata: Map<String, Value>,
    pub now: Timestamp,
    pub expires_at: Timestamp,
}

/// The outcome of [`Accounts::claim_session`].
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// It is the user's from now on, with everything that was done in it.
    Claimed(Session),
    /// It was before; nothing has changed.
    AlreadyYours(Session),
    NotFound,
}

/// A page of users, in the order of their ids.
#[derive(Clone, Debug, PartialEq)]
pub struct UserRows {
    pub users: Vec<User>,
    /// Whether there are more after the last one.
    pub more: bool,
}

/// Where accounts are kept.
#[async_trait]
pub trait Accounts: ApiKeys + AuditLog + Identities + Mailbox + SecondFactors + Tenants + Send + Sync {
    /// The server's secrets; `candidate` becomes them where there are none. Two starts at once get the same.
    async fn secrets(&self, candidate: ServerSecrets) -> Result<ServerSecrets, StoreError>;

    /// Adds a signing key, forgets those of these ids, and answers what there is, oldest first.
    async fn rotate_signing_key(&self, new: SigningKey, forget: Vec<String>) -> Result<Vec<SigningKey>, StoreError>;

    /// Writes user, tenant, membership, and the sign-in with its session, or nothing.
    async fn register(&self, account: NewAccount) -> Result<Registered, StoreError>;

    /// The hash to compare with, by the address as it is compared; `None` for a user without a password.
    async fn credentials(&self, email_key: &str) -> Result<Option<Credentials>, StoreError>;

    /// Writes a sign-in with its token and session, the new hash where there is one, and forgets failures.
    async fn sign_in(&self, request: SignInRequest) -> Result<SignInOutcome, StoreError>;

    /// Where the user of a sign-in stands; `None` where the sign-in has ended.
    async fn standing(&self, sign_in_id: &SignInId, now: Timestamp) -> Result<Option<Standing>, StoreError>;

    /// Where the user stands by themselves, in the tenant of theirs that they were in first.
    async fn standing_of(&self, user_id: &UserId) -> Result<Option<Standing>, StoreError>;

    /// Applies [`rule_on_token`] to the presented token.
    async fn rotate(&self, request: RotateRequest) -> Result<Rotated, StoreError>;

    /// Ends one sign-in; `false` where it had ended.
    async fn revoke_sign_in(&self, sign_in_id: &SignInId, now: Timestamp) -> Result<bool, StoreError>;

    /// Ends every sign-in of a user; how many there were.
    async fn revoke_user(&self, user_id: &UserId, now: Timestamp) -> Result<u64, StoreError>;

    /// A user's sign-ins that have not ended, newest first, at most `limit`.
    async fn sign_ins(&self, user_id: &UserId, now: Timestamp, limit: usize) -> Result<Vec<SignIn>, StoreError>;

    /// Ends every sign-in of a user but this one; which they were.
    async fn revoke_others(
        &self,
        user_id: &UserId,
        keep: &SignInId,
        now: Timestamp,
    ) -> Result<Vec<SignInId>, StoreError>;

    async fn create_session(&self, session: Session) -> Result<(), StoreError>;

    /// A session that has neither expired nor been deleted, whoever's it is.
    async fn session(&self, session_id: &SessionId, now: Timestamp) -> Result<Option<Session>, StoreError>;

    /// Makes an anonymous session a user's, with everything that anybody keeps for it. Exactly once.
    async fn claim_session(&self, request: ClaimRequest) -> Result<Claim, StoreError>;

    /// Deletes a session of this owner's; `false` where there is none.
    async fn delete_session(&self, session_id: &SessionId, owner: &Owner, now: Timestamp) -> Result<bool, StoreError>;

    /// Forgets at most `limit` sessions, and as many tokens and failures, that ended before `now`; the sessions.
    async fn forget_expired(&self, now: Timestamp, limit: usize) -> Result<Vec<SessionId>, StoreError>;

    /// Failed sign-ins of an account, counted from the first one within `window`.
    async fn failures(&self, account_key: TokenHash, now: Timestamp, window: Duration) -> Result<u32, StoreError>;

    /// Counts one more failure; a count that began longer than `window` ago begins anew.
    async fn record_failure(&self, account_key: TokenHash, now: Timestamp, window: Duration) -> Result<(), StoreError>;

    /// Users after this one, at most `limit`.
    async fn users(&self, after: Option<&UserId>, limit: usize) -> Result<UserRows, StoreError>;

    async fn user_by_email(&self, email_key: &str) -> Result<Option<User>, StoreError>;

    /// Disables a user and ends every sign-in of theirs, or enables them; `false` where there is no such user.
    async fn set_disabled(&self, user_id: &UserId, disabled: bool, now: Timestamp) -> Result<bool, StoreError>;

    /// Sets a password and ends every sign-in; `false` where there is no such user.
    async fn set_password(&self, user_id: &UserId, hash: PasswordHash, now: Timestamp) -> Result<bool, StoreError>;

    /// Sets a password in place of the one that was verified and ends every sign-in but this one: which they were. `None`
    /// where the user has another password by now, or is gone.
    async fn change_password(
        &self,
        user_id: &UserId,
        verified_hash: PasswordHash,
        new_hash: PasswordHash,
        keep: &SignInId,
        now: Timestamp,
    ) -> Result<Option<Vec<SignInId>>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_of_rotation() {
        let window = Duration::from_secs(10);
        let at = Timestamp::from_millis;
        let rotated = |millis, successor_used| Some(RotatedToken { at: at(millis), successor_used });
        for (rotated, family_revoked, now, expected, why) in [
            (None, false, 5_000, TokenRuling::Advance, "the newest token"),
            (None, true, 5_000, TokenRuling::Unknown, "signed out"),
            (None, false, 90_000, TokenRuling::Expired, "too late"),
            (rotated(1_000, false), false, 80_000, TokenRuling::Repeat, "a lost reply, however late"),
            (rotated(1_000, true), false, 11_000, TokenRuling::Repeat, "a second tab"),
            (rotated(1_000, true), false, 11_001, TokenRuling::Reused, "a thief"),
            (rotated(1_000, false), true, 2_000, TokenRuling::Reused, "a thief, again"),
            (rotated(1_000, false), false, 90_000, TokenRuling::Expired, "a lost reply, but too late"),
        ] {
            let token = TokenState { expires_at: at(90_000), family_revoked, rotated };
            assert_eq!(rule_on_token(token, at(now), window), expected, "{why}");
        }
    }
}
