//! The settings: defaults, then `symphainy.toml`, then `SYMPHAINY__SECTION__KEY`, then flags. A key that nobody knows
//! refuses to start, with the line where it stands.

mod limits;
mod read;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use experience::{
    ExperienceConfig,
    config::{AllowedOrigin, Network},
};
use runtime::RuntimeConfig;
use security_guard::{
    GuardConfig,
    config::{AuthConfig, SessionConfig},
    duration,
};
use serde::{Deserialize, Serialize};

pub use limits::Limits;
pub use read::{Flags, SettingsError, read};

/// The file that is read where none is named.
pub const DEFAULT_FILE: &str = "symphainy.toml";

/// Everything that can be set.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub server: ServerSettings,
    pub auth: AuthConfig,
    pub session: SessionConfig,
    pub limits: Limits,
    pub experience: ExperienceSettings,
    pub runtime: RuntimeSettings,
    pub agents: AgentSettings,
}

/// Where it listens and keeps its data, and how it ends.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    /// How long requests and executions may go on after a stop signal.
    #[serde(with = "duration")]
    pub drain_patience: Duration,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8_000)),
            data_dir: PathBuf::from("data"),
            drain_patience: Duration::from_secs(25),
        }
    }
}

/// The face.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExperienceSettings {
    /// Origins of other sites that may call: `https://app.example.com`.
    pub origins: Vec<AllowedOrigin>,
    /// Opens the doors that the front end of today needs; a warning at start says so.
    pub legacy_client: bool,
    /// The proxies whose forwarding headers are believed: addresses or networks.
    pub trusted_proxies: Vec<Network>,
}

/// How executions run.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuntimeSettings {
    pub concurrency: usize,
    pub max_attempts: u32,
    #[serde(with = "duration")]
    pub retry_delay: Duration,
    #[serde(with = "duration")]
    pub approval_ttl: Duration,
}

impl Default for RuntimeSettings {
    fn default() -> Self {
        let RuntimeConfig { concurrency, max_attempts, retry_delay, approval_ttl, .. } = RuntimeConfig::default();
        Self { concurrency, max_attempts, retry_delay, approval_ttl }
    }
}

/// Agents and what thinks for them.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentSettings {
    /// A folder with one TOML file for each further agent.
    pub folder: Option<PathBuf>,
    /// Pieces of an answer that come within this time are one event; `0ms` makes each an event.
    #[serde(with = "duration")]
    pub coalesce: Duration,
    pub builtin: BuiltinSettings,
}

impl Default for AgentSettings {
    fn default() -> Self {
        Self { folder: None, coalesce: RuntimeConfig::default().coalesce, builtin: BuiltinSettings::default() }
    }
}

/// The builtin model.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BuiltinSettings {
    /// The pause between two pieces of an answer, for demonstrations and tests.
    #[serde(with = "duration")]
    pub pace: Duration,
}

impl Settings {
    pub fn guard(&self) -> GuardConfig {
        GuardConfig {
            auth: self.auth.clone(),
            session: self.session.clone(),
            limits: self.limits.guard.clone(),
            legacy_client: self.experience.legacy_client,
        }
    }

    pub fn runtime(&self) -> RuntimeConfig {
        RuntimeConfig {
            concurrency: self.runtime.concurrency,
            coalesce: self.agents.coalesce,
            max_attempts: self.runtime.max_attempts,
            retry_delay: self.runtime.retry_delay,
            approval_ttl: self.runtime.approval_ttl,
        }
    }

    pub fn experience(&self) -> ExperienceConfig {
        ExperienceConfig {
            origins: self.experience.origins.clone(),
            legacy_client: self.experience.legacy_client,
            trusted_proxies: self.experience.trusted_proxies.clone(),
            limits: self.limits.experience.clone(),
        }
    }
}
