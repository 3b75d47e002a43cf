//! The sections that no other room owns, with their defaults, and the tree of all settings with theirs.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::ValueEnum;
use contract::intent::ApprovalRule;
use experience::ExperienceConfig;
use public_works::{mail::MailConfig, mcp::McpConfig, models::ModelConfig};
use runtime::RuntimeConfig;
use security_guard::{GuardConfig, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tracing_subscriber::filter::LevelFilter;

use super::{BudgetsConfig, RetentionSection, layers::ANY_NAME};

/// The section `server`: the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Where it listens; port 0 takes any that is free.
    pub listen: SocketAddr,
    /// Where the operator reads `/metrics`; nowhere by default. It asks for no credential.
    pub admin_listen: Option<SocketAddr>,
    /// Whether `listen` and `admin_listen` may be an address that other machines reach.
    pub expose: bool,
    /// Where everything is kept: the database, the files.
    pub data_dir: PathBuf,
    /// How long requests and executions may go on after a signal to stop.
    #[serde(with = "security_guard::duration")]
    pub drain_patience: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            admin_listen: None,
            expose: false,
            data_dir: PathBuf::from("./data"),
            drain_patience: Duration::from_secs(10),
        }
    }
}

/// The section `log`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    pub format: LogFormat,
    /// The least important events of ours that are written; libraries write warnings.
    pub level: LogLevel,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Pretty on a terminal, else JSON
    #[default]
    Auto,
    /// For eyes
    Pretty,
    /// One JSON object a line
    Json,
}

impl LogFormat {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Pretty => "pretty",
            Self::Json => "json",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    pub(crate) const fn as_filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }

    /// Libraries say much that is none of an operator's business.
    pub(crate) const fn of_libraries(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn | Self::Info | Self::Debug | Self::Trace => LevelFilter::WARN,
        }
    }
}

/// The section `runtime`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuntimeSection {
    /// Executions that run at once.
    pub concurrency: usize,
    /// How often an execution is begun at most.
    pub max_attempts: u32,
    /// The wait before the second attempt; it doubles from there.
    #[serde(with = "security_guard::duration")]
    pub retry_delay: Duration,
    /// How long an approval waits for somebody's word.
    #[serde(with = "security_guard::duration")]
    pub approval_ttl: Duration,
    /// How long an idempotency key makes a retry return the first answer.
    #[serde(with = "security_guard::duration")]
    pub idempotency_ttl: Duration,
    /// How many executions wait behind the one that has their concurrency key, or turns behind one of their conversation.
    pub waiting_per_key: u32,
    /// Who has to agree to which intents, in place of what the intents say: `"delete_file = admin"`, with a role, `owner` or `none`.
    pub approvals: Vec<String>,
}

impl Default for RuntimeSection {
    fn default() -> Self {
        let RuntimeConfig {
            concurrency,
            max_attempts,
            retry_delay,
            approval_ttl,
            idempotency_ttl,
            waiting_per_key,
            coalesce: _,
        } = RuntimeConfig::default();
        Self {
            concurrency,
            max_attempts,
            retry_delay,
            approval_ttl,
            idempotency_ttl,
            waiting_per_key,
            approvals: Vec::new(),
        }
    }
}

impl RuntimeSection {
    /// The setting that is wrong, and what is wrong with it.
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let rules = [
            (self.concurrency >= 1, "runtime.concurrency", "must be at least 1"),
            (self.max_attempts >= 1, "runtime.max_attempts", "must be at least 1"),
            (!self.approval_ttl.is_zero(), "runtime.approval_ttl", "must be longer than \"0s\""),
            (!self.idempotency_ttl.is_zero(), "runtime.idempotency_ttl", "must be longer than \"0s\""),
            (
                self.approvals.iter().all(|line| approval_rule(line).is_some()),
                "runtime.approvals",
                "must be a list of \"intent = role\", with owner, admin, member, viewer or none as the role",
            ),
            ((1..=900).contains(&self.waiting_per_key), "runtime.waiting_per_key", "must be from 1 to 900"),
        ];
        match rules.into_iter().find(|(holds, ..)| !holds) {
            Some((_, setting, problem)) => Err((setting, problem)),
            None => Ok(()),
        }
    }
}

/// One line of `runtime.approvals`: an intent, and who has to agree to it.
pub(crate) fn approval_rule(line: &str) -> Option<(String, ApprovalRule)> {
    let (intent_type, who) = line.split_once('=')?;
    let (intent_type, who) = (intent_type.trim(), who.trim());
    let rule = match who {
        "none" => ApprovalRule::None,
        // The owner of what is asked for; everybody is the owner of a tenant of their own too.
        "owner" => ApprovalRule::Owner,
        role => ApprovalRule::Role(role.parse::<Role>().ok()?.as_str().to_owned()),
    };
    (!intent_type.is_empty()).then(|| (intent_type.to_owned(), rule))
}

/// The section `outbound`: calls to other servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutboundConfig {
    /// Hosts that may lie in private networks and may speak plain HTTP; all others are public and speak TLS.
    pub allow: Vec<String>,
}

/// The section `policy`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyConfig {
    /// Rules that are laid over the default ones: who may have which intent executed.
    pub file: Option<PathBuf>,
}

/// The section `agents`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentsConfig {
    /// A folder with definitions of more agents, one TOML file each; absent: `agents` beside the configuration, if it is there.
    pub folder: Option<PathBuf>,
    /// The model of agents that name none; absent: the only one that is configured, or else the built-in one.
    pub model: Option<String>,
    /// Pieces of an answer that come within this time are one event; `"0ms"` makes each an event.
    #[serde(with = "security_guard::duration")]
    pub coalesce: Duration,
    pub builtin: BuiltinSection,
}

impl Default for AgentsConfig {
    fn default() -> Self {
        Self {
            folder: None,
            model: None,
            coalesce: RuntimeConfig::default().coalesce,
            builtin: BuiltinSection::default(),
        }
    }
}

/// The section `agents.builtin`: the model that is always there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BuiltinSection {
    /// How long it waits between two pieces of an answer; for demonstrations and tests.
    #[serde(with = "security_guard::duration")]
    pub pace: Duration,
}

/// Every setting with its default: what there is, and the first layer.
pub(super) fn defaults() -> Map<String, Value> {
    let guard = fields(&GuardConfig::default());
    let mut experience = fields(&ExperienceConfig::default());
    let mut limits = fields(&guard["limits"]);
    limits.extend(experience.remove("limits").as_ref().map(fields).unwrap_or_default());
    let mut server_of_tools = fields(&McpConfig::default());
    // These have names of the person's own.
    for free in ["env", "headers"] {
        server_of_tools.insert(free.to_owned(), Value::Null);
    }
    fields(&json!({
        "server": ServerConfig::default(),
        "log": LogConfig::default(),
        "auth": guard["auth"],
        "session": guard["session"],
        "limits": limits,
        "experience": experience,
        "runtime": RuntimeSection::default(),
        "agents": AgentsConfig::default(),
        "budgets": BudgetsConfig::default(),
        "retention": RetentionSection::default(),
        "policy": PolicyConfig::default(),
        "outbound": OutboundConfig::default(),
        "mail": MailConfig::default(),
        "models": { ANY_NAME: ModelConfig::default() },
        "mcp": { ANY_NAME: server_of_tools },
    }))
}

/// A section as an object.
pub(super) fn fields(section: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(section) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => unreachable!("a section is an object of settings"),
    }
}
