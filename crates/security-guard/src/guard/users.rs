//! What an operator does with accounts: create, list, disable, enable, reset the password.

use contract::{Timestamp, UserId, audit::AuditAction, auth::Secret};
use serde::Serialize;

use super::{SecurityGuard, audit::Note};
use crate::{
    GuardError,
    accounts::{Registered, User},
    email::EmailAddress,
    password,
    peer::Peer,
};

/// The longest page of users.
const MAX_PAGE: usize = 200;

/// A user whom an operator creates.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub name: String,
    pub email: String,
    pub password: Secret,
}

/// A user as an operator sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserSummary {
    pub user_id: UserId,
    pub email: String,
    pub name: String,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
}

impl From<User> for UserSummary {
    fn from(user: User) -> Self {
        let User { user_id, email, name, created_at, disabled_at } = user;
        Self { user_id, email, name, created_at, disabled_at }
    }
}

/// Users in the order of their ids, and where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserPage {
    pub users: Vec<UserSummary>,
    pub next: Option<UserId>,
}

impl SecurityGuard {
    /// Creates a user with a tenant of their own, without signing them in.
    pub async fn create_user(&self, new: NewUser) -> Result<UserSummary, GuardError> {
        let account = self.prepare_account(&new.name, &new.email, new.password).await?;
        let standing = match self.0.accounts.register(account).await? {
            Registered::Created(standing) => *standing,
            Registered::SignedIn(found) => found.standing,
            Registered::EmailTaken => return Err(GuardError::EmailTaken),
            Registered::NotInvited | Registered::TenantFull | Registered::OutboxFull => {
                return Err(GuardError::internal("a user without an invitation and a letter was refused for one"));
            }
        };
        // Whoever works on the data folder vouches for the address.
        self.0.accounts.vouch_for_address(&standing.user.user_id, self.0.clock.now()).await?;
        let operator = Peer::operator();
        let note = Note::of(AuditAction::CreateUser, &operator).standing(&standing);
        self.recorded(note, Ok(standing.user.into())).await
    }

    /// At most `limit` users after this one.
    pub async fn list_users(&self, after: Option<&UserId>, limit: usize) -> Result<UserPage, GuardError> {
        let rows = self.0.accounts.users(after, limit.clamp(1, MAX_PAGE)).await?;
        let next = rows.users.last().filter(|_| rows.more).map(|user| user.user_id.clone());
        Ok(UserPage { users: rows.users.into_iter().map(UserSummary::from).collect(), next })
    }

    pub async fn find_user(&self, email: &str) -> Result<Option<UserSummary>, GuardError> {
        let email: EmailAddress = parse(email)?;
        Ok(self.0.accounts.user_by_email(email.key()).await?.map(UserSummary::from))
    }

    /// Ends every sign-in of the user and lets nobody sign in as them.
    pub async fn disable_user(&self, user_id: &UserId) -> Result<(), GuardError> {
        self.set_disabled(user_id, true).await
    }

    pub async fn enable_user(&self, user_id: &UserId) -> Result<(), GuardError> {
        self.set_disabled(user_id, false).await
    }

    async fn set_disabled(&self, user_id: &UserId, disabled: bool) -> Result<(), GuardError> {
        let guard = &self.0;
        let found = guard.accounts.set_disabled(user_id, disabled, guard.clock.now()).await?;
        if disabled {
            guard.verified.forget_user(user_id);
        }
        if !found {
            return Err(GuardError::NotFound("user"));
        }
        let action = if disabled { AuditAction::DisableUser } else { AuditAction::EnableUser };
        self.record_operation(action, user_id).await
    }

    /// Records what an operator did to a user, for the tenant that they are in.
    async fn record_operation(&self, action: AuditAction, user_id: &UserId) -> Result<(), GuardError> {
        let operator = Peer::operator();
        let note = Note::of(action, &operator);
        let note = match self.0.accounts.standing_of(user_id).await? {
            Some(standing) => note.standing(&standing),
            None => note.about(user_id),
        };
        self.recorded(note, Ok(())).await
    }

    /// Sets a new password and ends every sign-in of the user.
    pub async fn reset_password(&self, email: &str, password: Secret) -> Result<UserSummary, GuardError> {
        let guard = &self.0;
        let email: EmailAddress = parse(email)?;
        let user = guard.accounts.user_by_email(email.key()).await?.ok_or(GuardError::NotFound("user"))?;
        password::check_new(&password.0, self.min_length_for(&user.user_id).await?, &email, &user.name)
            .map_err(|sentence| GuardError::invalid("password", sentence))?;
        let hash = guard.hashing.hash(password, &*guard.clock).await?;
        let found = guard.accounts.set_password(&user.user_id, hash, guard.clock.now()).await?;
        guard.verified.forget_user(&user.user_id);
        if !found {
            return Err(GuardError::NotFound("user"));
        }
        self.record_operation(AuditAction::ResetPassword, &user.user_id).await?;
        Ok(user.into())
    }
}

fn parse(email: &str) -> Result<EmailAddress, GuardError> {
    email.parse().map_err(|error| GuardError::invalid("email", format!("{error}")))
}
