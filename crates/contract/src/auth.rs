//! The bodies of sign-in. Types that carry a secret do not show it in `Debug`.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{SessionId, SignInId, TenantId, Timestamp, UserId, key::ApiKey};

/// A text that is never shown in logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// The body of `POST /api/auth/register`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// 1 to 100 characters.
    pub name: String,
    /// Up to 254 characters (RFC 5321).
    pub email: String,
    pub password: Secret,
    /// An anonymous session to claim.
    #[serde(default)]
    pub session_id: Option<SessionId>,
    /// An invitation's token: the account begins in the tenant that invited, instead of in one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Secret>,
}

/// The answer of `POST /api/auth/register` where the address has to be confirmed first, and of whatever sends a letter. It is the same
/// whether there is such an account or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LetterPromised {
    pub success: bool,
    pub message: String,
}

/// The body of `POST /api/auth/password/forgot` and `POST /api/auth/email/verify`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestLetter {
    pub email: String,
}

/// The body of `POST /api/auth/password/reset`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    /// Out of the letter.
    pub token: Secret,
    pub new_password: Secret,
}

/// The body of `POST /api/auth/email/confirm`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmEmail {
    /// Out of the letter.
    pub token: Secret,
}

/// The body of `POST /api/auth/login`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    pub email: String,
    pub password: Secret,
    /// An anonymous session to claim.
    #[serde(default)]
    pub session_id: Option<SessionId>,
    /// A code of the second factor, or a recovery code, where the account has one.
    #[serde(default)]
    pub code: Option<Secret>,
}

/// The body of `POST /api/auth/second-factor`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowPassword {
    pub password: Secret,
}

/// What an authenticator is given.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FactorOffer {
    /// In base32, for typing.
    pub secret: Secret,
    /// `otpauth://…`, for a QR code.
    pub uri: Secret,
}

/// The body of `POST /api/auth/second-factor/confirm`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmFactor {
    pub code: Secret,
}

/// For when the authenticator is lost. They are shown once, and each is good once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RecoveryCodes {
    pub recovery_codes: Vec<Secret>,
}

/// The body of `POST /api/auth/second-factor/remove`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveFactor {
    pub password: Secret,
    /// Of the authenticator, or a recovery code.
    pub code: Secret,
}

/// The answer of `GET /api/auth/second-factor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FactorStanding {
    pub enrolled: bool,
    pub recovery_codes_left: u32,
}

/// The body of `POST /api/auth/refresh`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    #[serde(default)]
    pub refresh_token: Option<Secret>,
}

/// The answer of register, login and refresh. With `?mode=cookie` the tokens travel as cookies and are not in it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuthResponse {
    pub success: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Secret>,
    pub token_type: String,
    /// Seconds until the access token expires.
    pub expires_in: u64,
    pub session_id: SessionId,
    pub user_id: UserId,
    pub tenant_id: TenantId,
    pub roles: Vec<String>,
    pub permissions: Vec<String>,
    pub message: String,
    /// With `?mode=cookie`: to be sent as `X-CSRF-Token` with every request that changes something. The same stands in a cookie
    /// that scripts of the server's own pages can read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf_token: Option<Secret>,
    pub user: User,
}

/// A person as they see themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    pub tenant_id: TenantId,
    pub permissions: Vec<String>,
    pub roles: Vec<String>,
}

/// The answer of `GET /api/auth/me`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    pub user: User,
    pub tenant: Tenant,
    pub roles: Vec<String>,
    pub permissions: Vec<String>,
    pub session: SignInSummary,
    /// The key that the credential is, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<ApiKey>,
    /// The service account that acts for the user, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<UserId>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Tenant {
    pub id: TenantId,
    pub name: String,
    pub created_at: Timestamp,
}

/// The sign-in that the credential belongs to, and the session of work that came with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignInSummary {
    /// Absent where the credential is an API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in_id: Option<SignInId>,
    pub session_id: SessionId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The body of `POST /api/auth/password`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    pub current_password: Secret,
    pub new_password: Secret,
}

/// One of a user's own sign-ins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnSignIn {
    pub sign_in_id: SignInId,
    pub session_id: SessionId,
    /// What the client called itself (`User-Agent`), the last time that it signed in or refreshed.
    pub agent: Option<String>,
    /// From where it did that.
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    pub created_at: Timestamp,
    /// When it signed in or refreshed last.
    pub used_at: Timestamp,
    pub expires_at: Timestamp,
    /// Whether this very request uses it.
    pub current: bool,
}

/// The answer of `GET /api/auth/sign-ins`: newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnSignIns {
    pub sign_ins: Vec<OwnSignIn>,
}

/// The body of `POST /api/auth/ticket`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestTicket {
    #[serde(default)]
    pub session_id: Option<SessionId>,
}

/// The answer of `POST /api/auth/ticket`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Ticket {
    pub ticket: Secret,
    /// Seconds.
    pub expires_in: u64,
}
