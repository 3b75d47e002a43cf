//! The guard's accounts in SQLite. Each method of the port is one transaction; which rows it touches stands in the
//! files beside this one, and what a replayed token means stands in the guard.

mod audit;
mod factors;
mod identities;
mod keys;
mod mailbox;
mod rows;
mod sessions;
mod sign_ins;
mod tenants;
mod tokens;
mod users;

#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use contract::{Owner, SessionId, SignInId, Timestamp, UserId, session::Session};
use rusqlite::{Connection, Transaction};
use security_guard::accounts::{
    Accounts, Claim, ClaimRequest, Credentials, NewAccount, PasswordHash, Registered, RotateRequest, Rotated,
    ServerSecrets, SignIn, SignInOutcome, SignInRequest, SigningKey, Standing, StoreError, TokenHash, User, UserRows,
};

use super::{Database, DatabaseError};

/// Gives everything that is kept for one owner to another, in the transaction of whoever calls it.
pub type MoveSpace = fn(&Transaction<'_>, from: &Owner, to: &Owner) -> Result<(), DatabaseError>;

/// The plug.
#[derive(Clone, Debug)]
pub struct SqliteAccounts {
    database: Database,
    move_space: MoveSpace,
}

/// What the statements answer.
type Answer<T> = Result<T, DatabaseError>;

impl SqliteAccounts {
    /// Accounts in this database. A claim of an anonymous session calls `move_space`, so that what others keep for the
    /// session goes with it or not at all.
    pub fn new(database: Database, move_space: MoveSpace) -> Self {
        Self { database, move_space }
    }

    async fn write<T, Work>(&self, work: Work) -> Result<T, StoreError>
    where
        Work: Fn(&Transaction<'_>) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        self.database.write(work).await.map_err(store_error)
    }

    async fn read<T, Work>(&self, work: Work) -> Result<T, StoreError>
    where
        Work: FnOnce(&Connection) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        self.database.read(work).await.map_err(store_error)
    }
}

fn store_error(error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::Full => StoreError::Full(Box::new(error)),
        DatabaseError::Busy | DatabaseError::Closed => StoreError::Unavailable(Box::new(error)),
        DatabaseError::Panicked | DatabaseError::Unreadable(_) | DatabaseError::Failed(_) | DatabaseError::Poisoned => {
            StoreError::Broken(Box::new(error))
        }
    }
}

#[async_trait]
impl Accounts for SqliteAccounts {
    async fn secrets(&self, candidate: ServerSecrets) -> Result<ServerSecrets, StoreError> {
        self.write(move |transaction| users::secrets(transaction, &candidate)).await
    }

    async fn rotate_signing_key(&self, new: SigningKey, forget: Vec<String>) -> Result<Vec<SigningKey>, StoreError> {
        self.write(move |transaction| users::rotate_signing_key(transaction, &new, &forget)).await
    }

    async fn register(&self, account: NewAccount) -> Result<Registered, StoreError> {
        let move_space = self.move_space;
        self.write(move |transaction| users::register(transaction, &account, move_space)).await
    }

    async fn credentials(&self, email_key: &str) -> Result<Option<Credentials>, StoreError> {
        let email_key = email_key.to_owned();
        self.read(move |connection| users::credentials(connection, &email_key)).await
    }

    async fn sign_in(&self, request: SignInRequest) -> Result<SignInOutcome, StoreError> {
        let move_space = self.move_space;
        self.write(move |transaction| sign_ins::sign_in(transaction, &request, move_space)).await
    }

    async fn standing(&self, sign_in_id: &SignInId, now: Timestamp) -> Result<Option<Standing>, StoreError> {
        let sign_in_id = sign_in_id.clone();
        self.read(move |connection| sign_ins::standing(connection, &sign_in_id, now)).await
    }

    async fn standing_of(&self, user_id: &UserId) -> Result<Option<Standing>, StoreError> {
        let user_id = user_id.clone();
        self.read(move |connection| users::standing_of(connection, &user_id)).await
    }

    async fn rotate(&self, request: RotateRequest) -> Result<Rotated, StoreError> {
        self.write(move |transaction| tokens::rotate(transaction, &request)).await
    }

    async fn revoke_sign_in(&self, sign_in_id: &SignInId, now: Timestamp) -> Result<bool, StoreError> {
        let sign_in_id = sign_in_id.clone();
        self.write(move |transaction| sign_ins::revoke(transaction, &sign_in_id, now)).await
    }

    async fn revoke_user(&self, user_id: &UserId, now: Timestamp) -> Result<u64, StoreError> {
        let user_id = user_id.clone();
        self.write(move |transaction| sign_ins::revoke_user(transaction, &user_id, now)).await
    }

    async fn sign_ins(&self, user_id: &UserId, now: Timestamp, limit: usize) -> Result<Vec<SignIn>, StoreError> {
        let user_id = user_id.clone();
        self.read(move |connection| sign_ins::open(connection, &user_id, now, limit)).await
    }

    async fn revoke_others(
        &self,
        user_id: &UserId,
        keep: &SignInId,
        now: Timestamp,
    ) -> Result<Vec<SignInId>, StoreError> {
        let (user_id, keep) = (user_id.clone(), keep.clone());
        self.write(move |transaction| sign_ins::revoke_others(transaction, &user_id, &keep, now)).await
    }

    async fn create_session(&self, session: Session) -> Result<(), StoreError> {
        self.write(move |transaction| sessions::insert(transaction, &session)).await
    }

    async fn session(&self, session_id: &SessionId, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let session_id = session_id.clone();
        self.read(move |connection| sessions::find(connection, &session_id, now)).await
    }

    async fn claim_session(&self, request: ClaimRequest) -> Result<Claim, StoreError> {
        let move_space = self.move_space;
        self.write(move |transaction| sessions::claim(transaction, &request, move_space)).await
    }

    async fn delete_session(&self, session_id: &SessionId, owner: &Owner, now: Timestamp) -> Result<bool, StoreError> {
        let (session_id, owner) = (session_id.clone(), owner.clone());
        self.write(move |transaction| sessions::delete(transaction, &session_id, &owner, now)).await
    }

    async fn forget_expired(&self, now: Timestamp, limit: usize) -> Result<Vec<SessionId>, StoreError> {
        self.write(move |transaction| {
            tokens::forget_expired(transaction, now, limit)?;
            sign_ins::forget_failures(transaction, now, limit)?;
            keys::forget_expired(transaction, now, limit)?;
            tenants::forget_expired(transaction, now, limit)?;
            mailbox::forget_expired(transaction, now, limit)?;
            sessions::forget_expired(transaction, now, limit)
        })
        .await
    }

    async fn failures(&self, account_key: TokenHash, now: Timestamp, window: Duration) -> Result<u32, StoreError> {
        self.read(move |connection| sign_ins::failures(connection, account_key, now, window)).await
    }

    async fn record_failure(&self, account_key: TokenHash, now: Timestamp, window: Duration) -> Result<(), StoreError> {
        self.write(move |transaction| sign_ins::record_failure(transaction, account_key, now, window)).await
    }

    async fn users(&self, after: Option<&UserId>, limit: usize) -> Result<UserRows, StoreError> {
        let after = after.cloned();
        self.read(move |connection| users::page(connection, after.as_ref(), limit)).await
    }

    async fn user_by_email(&self, email_key: &str) -> Result<Option<User>, StoreError> {
        let email_key = email_key.to_owned();
        self.read(move |connection| users::by_email(connection, &email_key)).await
    }

    async fn set_disabled(&self, user_id: &UserId, disabled: bool, now: Timestamp) -> Result<bool, StoreError> {
        let user_id = user_id.clone();
        self.write(move |transaction| users::set_disabled(transaction, &user_id, disabled, now)).await
    }

    async fn set_password(&self, user_id: &UserId, hash: PasswordHash, now: Timestamp) -> Result<bool, StoreError> {
        let user_id = user_id.clone();
        self.write(move |transaction| users::set_password(transaction, &user_id, &hash, now)).await
    }

    async fn change_password(
        &self,
        user_id: &UserId,
        verified_hash: PasswordHash,
        new_hash: PasswordHash,
        keep: &SignInId,
        now: Timestamp,
    ) -> Result<Option<Vec<SignInId>>, StoreError> {
        let (user_id, keep) = (user_id.clone(), keep.clone());
        self.write(move |transaction| {
            let found = users::credentials_of(transaction, &user_id)?;
            if found.is_none_or(|found| found.password_hash != verified_hash) {
                return Ok(None);
            }
            users::replace_hash(transaction, &user_id, &new_hash)?;
            sign_ins::revoke_others(transaction, &user_id, &keep, now).map(Some)
        })
        .await
    }
}
