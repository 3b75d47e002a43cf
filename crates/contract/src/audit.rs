//! The audit: what the Security Guard decided, for whom, and from where. An entry carries no secret and nothing that
//! somebody typed.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{TenantId, Timestamp, UserId};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    Register,
    SignIn,
    /// At the identity provider of the operator's.
    SignInByProvider,
    Refresh,
    SignOut,
    SignOutEverywhere,
    /// A user ended another one of their sign-ins.
    EndSignIn,
    /// A user ended all of their sign-ins but the one that they used for it.
    EndOtherSignIns,
    ClaimSession,
    ChangePassword,
    OfferFactor,
    ConfirmFactor,
    RemoveFactor,
    /// Somebody asked for a letter to set a new password; whose address it was is not said.
    RequestReset,
    /// A new password by a letter.
    RecoverPassword,
    RequestVerification,
    VerifyEmail,
    /// An operator, on the data folder.
    CreateUser,
    DisableUser,
    EnableUser,
    ResetPassword,
    RotateKeys,
}

impl fmt::Display for AuditAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    Allowed,
    Refused,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    pub at: Timestamp,
    pub action: AuditAction,
    pub outcome: AuditOutcome,
    /// The code of the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Whose account it was; absent where nobody was recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    /// What it was about: the id of a sign-in, a session, a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The client's address; absent where an operator did it on the data folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// An entry in its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditRecord {
    /// Counted from 1 without holes, over all tenants.
    pub number: u64,
    #[serde(flatten)]
    pub entry: AuditEntry,
    /// SHA-256 in hexadecimal, over the hash of the record before, the number and the entry.
    pub hash: String,
}

/// The answer of `GET /api/audit`: newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    pub records: Vec<AuditRecord>,
    pub next_cursor: Option<String>,
}
