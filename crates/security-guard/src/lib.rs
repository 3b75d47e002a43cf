//! The Security Guard: who is asking, and what they may do. It turns a credential into a [`Caller`], and keeps
//! passwords, tokens, sessions, roles and limits. It knows nothing of HTTP, of SQL or of what callers ask for.

mod guard;

pub mod accounts;
pub mod audit;
pub mod caller;
pub mod clock;
pub mod config;
pub mod duration;
pub mod email;
pub mod error;
pub mod factors;
pub mod identities;
pub mod keys;
pub mod limits;
pub mod mail;
pub mod mailbox;
pub mod memory;
pub mod oidc;
pub mod peer;
pub mod policy;
pub mod providers;
pub mod roles;
pub mod signing;
pub mod tenants;

mod access_token;
mod api_key;
mod hashing;
mod known_sessions;
mod password;
mod refresh_token;
mod secrets;
mod tickets;
mod totp;
mod verified;

#[cfg(any(test, feature = "contract-suite"))]
pub mod contract_suite;
#[cfg(test)]
mod tests;

pub use accounts::Accounts;
pub use audit::AuditLog;
pub use caller::{Asker, Caller, Credential};
pub use clock::Clock;
pub use config::GuardConfig;
pub use error::GuardError;
pub use factors::SecondFactors;
pub use guard::{
    CheckedChain, HeldBack, LoginAnswer, NewUser, Plugs, Rotation, SecurityGuard, SignedIn, Switched, UserPage,
    UserSummary, Welcome, install_crypto_provider,
};
pub use identities::Identities;
pub use keys::ApiKeys;
pub use limits::{KeyedLimiter, LimitReached, RateLimit};
pub use mail::Mail;
pub use mailbox::Mailbox;
pub use peer::{Device, Peer};
pub use roles::{Permission, Role};
pub use tenants::Tenants;
pub use verified::Ended;
