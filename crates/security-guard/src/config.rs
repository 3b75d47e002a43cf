//! What an operator can set, with defaults that are right for one machine. A wrong value is refused at start-up
//! with a sentence; nothing here reads a file or the environment.

use std::{num::NonZeroUsize, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    RateLimit,
    guard::is_link,
    oidc::OidcConfig,
    providers::{self, ProviderConfig},
};

/// The argon2id cost below which the guard does not start: 19 MiB, two passes, one lane (OWASP password storage).
pub const LEAST_MEMORY_KIB: u32 = 19 * 1024;
pub const LEAST_PASSES: u32 = 2;
pub const LEAST_LANES: u32 = 1;
/// An audit that forgets sooner is none.
pub const LEAST_AUDIT_RETENTION: Duration = Duration::from_secs(24 * 3_600);
pub const LEAST_AUDIT_RECORDS: u64 = 1_000;
/// The largest clock difference between machines that an access token is forgiven.
pub const MOST_LEEWAY: Duration = Duration::from_secs(5);

/// Everything that the guard can be told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardConfig {
    pub auth: AuthConfig,
    pub session: SessionConfig,
    pub limits: GuardLimits,
    /// Accept an owned session's id as a credential, as the front end of today needs (`experience.legacy_client`).
    pub legacy_client: bool,
}

/// The section `auth`: tokens and passwords.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// `iss` of access tokens.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
    #[serde(with = "crate::duration")]
    pub access_token_ttl: Duration,
    /// Counted anew at each rotation.
    #[serde(with = "crate::duration")]
    pub refresh_token_ttl: Duration,
    /// How long any replay of a rotated refresh token still gets the same successor.
    #[serde(with = "crate::duration")]
    pub refresh_reuse_window: Duration,
    #[serde(with = "crate::duration")]
    pub ticket_ttl: Duration,
    /// How far the clocks of two machines may differ; at most 5 s.
    #[serde(with = "crate::duration")]
    pub leeway: Duration,
    pub registration: Registration,
    /// Where registration is by `domain`: those whose addresses may register.
    pub registration_domains: Vec<String>,
    pub password: PasswordConfig,
    pub audit: AuditConfig,
    /// Whether an address has to be shown to be somebody's before they can sign in with it.
    pub verify_email: VerifyEmail,
    /// Where links in letters lead: `"https://app.example.com/mail/{purpose}#{token}"`. Absent: letters carry the token alone.
    pub mail_link: Option<String>,
    /// Where people can sign in by a browser.
    pub oidc: OidcConfig,
    /// Whose tokens are credentials here too.
    pub providers: Vec<ProviderConfig>,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            issuer: "symphainy".to_owned(),
            audience: "symphainy".to_owned(),
            access_token_ttl: Duration::from_secs(10 * 60),
            refresh_token_ttl: Duration::from_secs(30 * 24 * 3_600),
            refresh_reuse_window: Duration::from_secs(10),
            ticket_ttl: Duration::from_secs(30),
            leeway: Duration::ZERO,
            registration: Registration::Open,
            registration_domains: Vec::new(),
            password: PasswordConfig::default(),
            audit: AuditConfig::default(),
            verify_email: VerifyEmail::Off,
            mail_link: None,
            oidc: OidcConfig::default(),
            providers: Vec::new(),
        }
    }
}

/// Who may register by themselves. An operator can create users in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    Open,
    /// Whoever brings an invitation into a tenant.
    Invite,
    /// Whoever has an address in one of `auth.registration_domains`.
    Domain,
    Closed,
}

/// Whether addresses are verified by a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyEmail {
    Off,
    /// Nobody signs in by a password before, and a registration does not tell whether an address is known.
    Required,
}

/// The section `auth.password`: the cost of a hash and the pool that computes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordConfig {
    /// The shortest password, in characters.
    pub min_length: usize,
    /// The shortest one of an account without a second factor, as every new one is, where this is more. NIST SP 800-63B-4 asks for 15.
    pub min_length_without_second_factor: usize,
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
    /// Hashes computed at a time; absent: one for each core.
    pub workers: Option<NonZeroUsize>,
    /// Sign-ins that may wait for a worker; one more is told to come back.
    pub waiting: usize,
}

impl Default for PasswordConfig {
    fn default() -> Self {
        Self {
            min_length: 8,
            min_length_without_second_factor: 8,
            memory_kib: 64 * 1024,
            passes: 3,
            lanes: 1,
            workers: None,
            waiting: 64,
        }
    }
}

/// The section `auth.audit`: how much of the audit is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// Older records are forgotten.
    #[serde(with = "crate::duration")]
    pub retention: Duration,
    /// Where there are more, the oldest are forgotten; a record takes some 300 bytes.
    pub max_records: u64,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { retention: Duration::from_secs(365 * 24 * 3_600), max_records: 1_000_000 }
    }
}

/// The section `session`: sessions of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionConfig {
    pub anonymous: AnonymousSessions,
    #[serde(with = "crate::duration")]
    pub anonymous_ttl: Duration,
    #[serde(with = "crate::duration")]
    pub ttl: Duration,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            anonymous: AnonymousSessions::Allow,
            anonymous_ttl: Duration::from_secs(24 * 3_600),
            ttl: Duration::from_secs(30 * 24 * 3_600),
        }
    }
}

/// Whether somebody may work before signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnonymousSessions {
    Allow,
    Deny,
}

/// The guard's part of the section `limits`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardLimits {
    /// Tries to sign in, by address.
    pub login: RateLimit,
    /// Failed tries, by account; from then on each try waits.
    pub login_account: RateLimit,
    /// Registrations, by address.
    pub register: RateLimit,
    /// Letters that somebody asks for, by address of the client.
    pub letters: RateLimit,
    /// Letters that somebody asks for, by address of the mailbox; more are not sent, and nobody is told.
    pub letters_to: RateLimit,
    /// New anonymous sessions, by address. Each is a row, so that there has to be a bound.
    pub anonymous_sessions: RateLimit,
}

impl Default for GuardLimits {
    fn default() -> Self {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        Self {
            login: RateLimit::new(5, minutes(1)),
            login_account: RateLimit::new(10, minutes(15)),
            register: RateLimit::new(3, minutes(5)),
            letters: RateLimit::new(5, minutes(10)),
            letters_to: RateLimit::new(3, minutes(60)),
            anonymous_sessions: RateLimit::new(600, minutes(1)),
        }
    }
}

/// A setting that the guard cannot work with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct BadSetting {
    pub setting: &'static str,
    pub problem: String,
}

impl GuardConfig {
    /// Checks what serde cannot: that the values make sense together.
    pub fn check(&self) -> Result<(), BadSetting> {
        let AuthConfig { access_token_ttl, refresh_token_ttl, ticket_ttl, leeway, password, audit, .. } = &self.auth;
        let rules: [(bool, &'static str, &'static str); 16] = [
            (!self.auth.issuer.is_empty(), "auth.issuer", "must not be empty"),
            (!self.auth.audience.is_empty(), "auth.audience", "must not be empty"),
            (*access_token_ttl >= Duration::from_secs(1), "auth.access_token_ttl", "must be at least \"1s\""),
            (
                refresh_token_ttl > access_token_ttl,
                "auth.refresh_token_ttl",
                "must be longer than auth.access_token_ttl",
            ),
            (!ticket_ttl.is_zero(), "auth.ticket_ttl", "must be longer than \"0s\""),
            (
                self.auth.registration != Registration::Domain || !self.auth.registration_domains.is_empty(),
                "auth.registration_domains",
                "must name at least one domain where auth.registration is \"domain\"",
            ),
            (*leeway <= MOST_LEEWAY, "auth.leeway", "must be at most \"5s\""),
            (password.min_length >= 8, "auth.password.min_length", "must be at least 8"),
            (
                self.auth.mail_link.as_deref().is_none_or(is_link),
                "auth.mail_link",
                "must be an address with {token} in it, such as \"https://app.example.com/mail/{purpose}#{token}\"",
            ),
            (password.memory_kib >= LEAST_MEMORY_KIB, "auth.password.memory_kib", "must be at least 19456 (19 MiB)"),
            (password.passes >= LEAST_PASSES, "auth.password.passes", "must be at least 2"),
            (password.lanes >= LEAST_LANES, "auth.password.lanes", "must be at least 1"),
            (audit.retention >= LEAST_AUDIT_RETENTION, "auth.audit.retention", "must be at least \"1d\""),
            (audit.max_records >= LEAST_AUDIT_RECORDS, "auth.audit.max_records", "must be at least 1000"),
            (!self.session.anonymous_ttl.is_zero(), "session.anonymous_ttl", "must be longer than \"0s\""),
            (!self.session.ttl.is_zero(), "session.ttl", "must be longer than \"0s\""),
        ];
        self.auth.oidc.check().map_err(|problem| BadSetting { setting: "auth.oidc", problem: problem.to_owned() })?;
        match rules.into_iter().find(|(holds, ..)| !holds) {
            None => providers::check(&self.auth.providers, &self.auth.issuer)
                .map_err(|problem| BadSetting { setting: "auth.providers", problem }),
            Some((_, setting, problem)) => Err(BadSetting { setting, problem: problem.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_contracts() {
        let config: GuardConfig = toml::from_str("").unwrap();
        assert_eq!(config, GuardConfig::default());
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.limits.login.to_string(), "5/1m");
        assert_eq!(config.limits.login_account.to_string(), "10/15m");
        assert_eq!(config.limits.register.to_string(), "3/5m");
    }

    #[test]
    fn settings_read_as_they_are_written() {
        let text = "[auth]\naccess_token_ttl = \"1s\"\n[session]\nanonymous = \"deny\"\n[limits]\nlogin = \"100/1s\"";
        let config: GuardConfig = toml::from_str(text).unwrap();
        assert_eq!(config.auth.access_token_ttl, Duration::from_secs(1));
        assert_eq!(config.session.anonymous, AnonymousSessions::Deny);
        assert_eq!(config.limits.login, RateLimit::new(100, Duration::from_secs(1)));
    }

    #[test]
    fn wrong_settings_are_named() {
        for text in ["[auth]\naccess_token_tll = \"1s\"", "[auth]\naccess_token_ttl = 10", "[limits]\nlogin = \"5\""] {
            assert!(toml::from_str::<GuardConfig>(text).is_err(), "{text}");
        }
        for (text, setting) in [
            ("[auth.password]\nmemory_kib = 1024", "auth.password.memory_kib"),
            ("[auth]\nregistration = \"domain\"", "auth.registration_domains"),
            ("[auth]\nleeway = \"6s\"", "auth.leeway"),
            ("[auth]\nrefresh_token_ttl = \"1m\"", "auth.refresh_token_ttl"),
        ] {
            let config: GuardConfig = toml::from_str(text).unwrap();
            assert_eq!(config.check().unwrap_err().setting, setting);
        }
    }
}
