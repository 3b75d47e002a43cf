//! Who is asking, once the guard has looked: a [`Caller`] cannot be made outside this crate, so that holding one
//! is the proof. And the credentials from which the guard makes it.

use std::sync::Arc;

use contract::{
    ApiKeyId, Authority, Owner, SessionId, SignInId, TenantId, Timestamp, UserId, auth::Secret, key::ApiKey,
};

use crate::{
    accounts::Standing,
    keys::KeyStanding,
    policy,
    providers::IdentityKey,
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

    /// With whose rights what they ask for is executed, for the policy to judge.
    pub fn authority(&self) -> Authority {
        match self {
            Self::User(caller) => Authority {
                roles: caller.roles().iter().map(ToString::to_string).collect(),
                intents: caller.api_key().and_then(|key| key.intents.clone()),
                actor: caller.actor().cloned(),
                ..Authority::default()
            },
            Self::Anonymous { .. } => Authority { roles: vec![policy::ANONYMOUS.to_owned()], ..Authority::default() },
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
    /// The key that the credential is, where it is one.
    api_key: Option<ApiKey>,
    /// Who they are at the identity provider whose token the credential is.
    identity: Option<IdentityKey>,
    /// A service account that acts for the user.
    actor: Option<UserId>,
}

impl Caller {
    pub(crate) fn new(standing: Standing, session_id: SessionId, expires_at: Timestamp) -> Self {
        let permissions = permissions_of(&standing.roles);
        Self(Arc::new(Recognised {
            standing,
            permissions,
            session_id,
            expires_at,
            api_key: None,
            identity: None,
            actor: None,
        }))
    }

    /// The user of an identity at somebody else's provider.
    pub(crate) fn with_identity(
        standing: Standing,
        session_id: SessionId,
        expires_at: Timestamp,
        identity: IdentityKey,
    ) -> Self {
        let permissions = permissions_of(&standing.roles);
        let identity = Some(identity);
        Self(Arc::new(Recognised {
            standing,
            permissions,
            session_id,
            expires_at,
            api_key: None,
            identity,
            actor: None,
        }))
    }

    /// The user of an API key, who may do what the key's scopes leave of their own permissions.
    pub(crate) fn with_key(found: KeyStanding) -> Self {
        let KeyStanding { standing, api_key, session_id } = found;
        let in_scope = |permission: &Permission| match &api_key.scopes {
            None => true,
            Some(scopes) => scopes.iter().any(|scope| scope == permission.as_str()),
        };
        let permissions = permissions_of(&standing.roles).into_iter().filter(in_scope).collect();
        let expires_at = api_key.expires_at;
        Self(Arc::new(Recognised {
            standing,
            permissions,
            session_id,
            expires_at,
            api_key: Some(api_key),
            identity: None,
            actor: None,
        }))
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

    /// The same user with somebody acting for them, who may do what both the user and an agent may.
    pub(crate) fn through(&self, actor: UserId) -> Self {
        let Recognised { standing, permissions, session_id, expires_at, .. } = &*self.0;
        let permissions = permissions.iter().copied().filter(|held| Role::Agent.permissions().contains(held)).collect();
        Self(Arc::new(Recognised {
            standing: standing.clone(),
            permissions,
            session_id: session_id.clone(),
            expires_at: *expires_at,
            api_key: None,
            identity: None,
            actor: Some(actor),
        }))
    }

    /// The service account that acts for the user.
    pub fn actor(&self) -> Option<&UserId> {
        self.0.actor.as_ref()
    }

    /// The sign-in that ends the credential when it ends.
    pub fn descends_from(&self) -> Option<&SignInId> {
        self.0.standing.sign_in.as_ref().map(|sign_in| &sign_in.sign_in_id)
    }

    /// The sign-in that the credential is of, to be managed with it. A legacy session, an API key, a provider's token and somebody who
    /// acts for the user have none.
    pub fn sign_in_id(&self) -> Option<&SignInId> {
        self.descends_from().filter(|_| self.actor().is_none())
    }

    /// The API key that the credential is.
    pub fn api_key(&self) -> Option<&ApiKey> {
        self.0.api_key.as_ref()
    }

    /// Who they are at the provider whose token the credential is.
    pub fn identity(&self) -> Option<&IdentityKey> {
        self.0.identity.as_ref()
    }

    /// Whether the credential is a person's who has signed in, here or at a provider, and not a program's key.
    pub fn is_signed_in(&self) -> bool {
        self.sign_in_id().is_some() || self.identity().is_some()
    }

    pub fn api_key_id(&self) -> Option<&ApiKeyId> {
        self.api_key().map(|key| &key.key_id)
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
