//! Tenants as their people see them: who is in one, who is invited, and which one is the current.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{InvitationId, TenantId, Timestamp, UserId, auth::Secret};

/// A tenant that the caller is a member of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Membership {
    pub tenant_id: TenantId,
    pub name: String,
    pub role: String,
    /// Whether the caller's sign-in is in it now.
    pub current: bool,
}

/// The answer of `GET /api/tenants`, in the order of joining.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MembershipList {
    pub tenants: Vec<Membership>,
}

/// The body of `POST /api/tenants/switch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchTenant {
    pub to: TenantId,
}

/// Whether somebody is a person or a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberKind {
    Person,
    /// It has no password; API keys are its credentials.
    ServiceAccount,
}

impl MemberKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::ServiceAccount => "service_account",
        }
    }
}

/// Somebody in a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    pub user_id: UserId,
    pub kind: MemberKind,
    pub name: String,
    /// Empty for a service account.
    pub email: String,
    pub role: String,
    pub disabled: bool,
}

/// The answer of `GET /api/tenant/members`, in the order of joining.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberList {
    pub members: Vec<Member>,
}

/// The body of `PATCH /api/tenant/members/{user_id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeMember {
    /// `admin`, `member` or `viewer`; a tenant gets another owner by a transfer.
    pub role: String,
}

/// The body of `POST /api/tenant/transfer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferTenant {
    /// A member, who becomes the owner; the caller becomes an admin.
    pub new_owner: UserId,
}

/// The body of `POST /api/tenant/service-accounts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateServiceAccount {
    /// 1 to 100 characters.
    pub name: String,
}

/// The body of `POST /api/auth/delegate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Delegate {
    /// A service account of the tenant.
    pub actor: UserId,
}

/// The answer of `POST /api/auth/delegate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Delegated {
    /// Names both (`sub` and `act`, RFC 8693); for the service account to send.
    pub access_token: Secret,
    pub token_type: String,
    /// Seconds until it expires. It is not renewed: the person delegates again.
    pub expires_in: u64,
    pub actor: UserId,
}

/// The body of `POST /api/tenant/invitations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// Whose account may accept it.
    pub email: String,
    /// `admin`, `member` or `viewer`.
    pub role: String,
}

/// An invitation that nobody has accepted yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    pub invitation_id: InvitationId,
    pub email: String,
    pub role: String,
    pub tenant_id: TenantId,
    pub invited_by: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The answer of `POST /api/tenant/invitations`: the only time that the token is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreatedInvitation {
    /// For the invited person; works once, for seven days.
    pub token: Secret,
    pub invitation: Invitation,
}

/// The answer of `GET /api/tenant/invitations`, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationList {
    pub invitations: Vec<Invitation>,
}

/// The body of `POST /api/tenants/join`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinTenant {
    /// Of the invitation.
    pub token: Secret,
}
