//! Who is asking, once the guard has looked: a [`Caller`] cannot be made outside this crate, so that holding one
//! is the proof. And the credentials from which the guard makes it.

use std::sync::Arc;

use contract::{Owner, SessionId, SignInId, TenantId, Timestamp, UserId, auth::Secret};

use crate::{
    accounts::Standing,
    roles::{Permission, Role, permissions_of},
};

/// What a request brought along. Whoever parses the request says what kind it is; the guard says what it is worth.
#[derive(Clone, Debug)]
pub enum Credential {
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer(Secret),
    /// The HttpOnly session cookie; its value is an access token.
    Cookie(Secret),
    /// A one-time ticket for a socket.
    Ticket(Secret),
    /// An anonymous session's id, which opens that session alone and only until it is claimed.
    AnonymousSession(SessionId),
    /// Any session's id, as the front end of today sends it. Refused unless `legacy_client` is set.
    LegacySession(SessionId),
}

/// Somebody who may ask for things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    User(Caller),
    /// Whoever knows the id of a session that nobody has claimed.
    Anonymous {
        session_id: SessionId,
    },
}

impl Asker {
    /// Whose the things are that this asker makes and may see.
    pub fn owner(&self) -> Owner {
        match self {
            Self::User(caller) => caller.owner(),
            Self::Anonymous { session_id } => Owner::Anonymous { session_id: session_id.clone() },
        }
    }

    /// The signed-in user, where it is one.
    pub fn caller(&self) -> Option<&Caller> {
        match self {
            Self::User(caller) => Some(caller),
            Self::Anonymous { .. } => None,
        }
    }

    /// The session of work that the credential came with.
    pub fn session_id(&self) -> &SessionId {
        match self {
            Self::User(caller) => caller.session_id(),
            Self::Anonymous { session_id } => session_id,
        }
    }

    /// Whether the asker may do this. Anonymous sessions may work, within their quota, and decide nothing.
    pub fn may(&self, permission: Permission) -> bool {
        match self {
            Self::User(caller) => caller.may(permission),
            Self::Anonymous { .. } => {
                Role::Member.permissions().contains(&permission) && permission != Permission::DecideApprovals
            }
        }
    }
}

/// A user whom the guard has recognised. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller(Arc<Recognised>);

#[derive(Debug, PartialEq, Eq)]
struct Recognised {
    standing: Standing,
    permissions: Vec<Permission>,
    session_id: SessionId,
    expires_at: Timestamp,
}

impl Caller {
    pub(crate) fn new(standing: Standing, session_id: SessionId, expires_at: Timestamp) -> Self {
        let permissions = permissions_of(&standing.roles);
        Self(Arc::new(Recognised { standing, permissions, session_id, expires_at }))
    }

    pub(crate) fn standing(&self) -> &Standing {
        &self.0.standing
    }

    pub fn user_id(&self) -> &UserId {
        &self.0.standing.user.user_id
    }

    pub fn tenant_id(&self) -> &TenantId {
        &self.0.standing.tenant.tenant_id
    }

    /// The sign-in that the credential descends from; a legacy session has none.
    pub fn sign_in_id(&self) -> Option<&SignInId> {
        self.0.standing.sign_in.as_ref().map(|sign_in| &sign_in.sign_in_id)
    }

    /// The session of work that the credential came with.
    pub fn session_id(&self) -> &SessionId {
        &self.0.session_id
    }

    /// When the credential ends.
    pub fn expires_at(&self) -> Timestamp {
        self.0.expires_at
    }

    pub fn email(&self) -> &str {
        &self.0.standing.user.email
    }

    pub fn name(&self) -> &str {
        &self.0.standing.user.name
    }

    pub fn roles(&self) -> &[Role] {
        &self.0.standing.roles
    }

    pub fn permissions(&self) -> &[Permission] {
        &self.0.permissions
    }

    pub fn may(&self, permission: Permission) -> bool {
        self.0.permissions.contains(&permission)
    }

    pub fn owner(&self) -> Owner {
        Owner::User { tenant_id: self.tenant_id().clone(), user_id: self.user_id().clone() }
    }
}
