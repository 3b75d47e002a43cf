//! Whose something is. Everything that the Runtime keeps belongs to one owner, and nobody else can name it.

use serde::{Deserialize, Serialize};

use crate::{SessionId, TenantId, UserId};

/// Whose an execution, a conversation or an artifact is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Owner {
    /// A session that nobody has signed in to yet: a private space of its own, until a user claims it.
    Anonymous { session_id: SessionId },
    /// A user in one tenant.
    User { tenant_id: TenantId, user_id: UserId },
}

impl Owner {
    /// One string that is the same for the same owner and different for any other: the key of their space.
    pub fn space(&self) -> String {
        match self {
            Self::Anonymous { session_id } => format!("anonymous/{session_id}"),
            Self::User { tenant_id, user_id } => format!("{tenant_id}/{user_id}"),
        }
    }

    pub fn tenant_id(&self) -> Option<&TenantId> {
        match self {
            Self::Anonymous { .. } => None,
            Self::User { tenant_id, .. } => Some(tenant_id),
        }
    }

    pub fn user_id(&self) -> Option<&UserId> {
        match self {
            Self::Anonymous { .. } => None,
            Self::User { user_id, .. } => Some(user_id),
        }
    }
}
