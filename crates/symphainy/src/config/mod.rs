//! The configuration: defaults, then `symphainy.toml`, then `SYMPHAINY__SECTION__KEY`, then flags. It is put together from the
//! rooms' own settings; what a setting means is theirs to know.

mod budgets;
mod layers;
mod mcp;
mod models;
mod place;
mod retention;
mod sections;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use contract::intent::ApprovalRule;
use experience::ExperienceConfig;
use public_works::{
    mail::MailConfig,
    mcp::McpConfig,
    models::{ApiKey, ModelConfig},
};
use runtime::RuntimeConfig;
use security_guard::GuardConfig;
use toml::Value;

pub use budgets::BudgetsConfig;
pub use layers::ConfigError;
pub use retention::RetentionSection;
pub use sections::{
    AgentsConfig, LogConfig, LogFormat, LogLevel, OutboundConfig, PolicyConfig, RuntimeSection, ServerConfig,
};

use layers::{Layer, Layers};

/// The file that is read where no other is named.
pub const DEFAULT_FILE: &str = "symphainy.toml";

/// Where the password for the server of mail stands.
const MAIL_PASSWORD: &str = "SMTP_PASSWORD";

/// What settings in the environment begin with.
const ENVIRONMENT_PREFIX: &str = "SYMPHAINY__";

/// Every setting of the house.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub server: ServerConfig,
    pub log: LogConfig,
    /// The sections `auth` and `session`, and the guard's part of `limits`.
    pub guard: GuardConfig,
    /// The section `experience`, and its part of `limits`.
    pub experience: ExperienceConfig,
    pub runtime: RuntimeSection,
    pub agents: AgentsConfig,
    /// What calls of models may cost.
    pub budgets: BudgetsConfig,
    pub retention: RetentionSection,
    pub policy: PolicyConfig,
    pub outbound: OutboundConfig,
    pub mail: MailConfig,
    /// The password for the server of mail, which stands in the environment alone.
    pub mail_password: Option<ApiKey>,
    /// The sections `models.NAME`, or what the providers' own variables say where there are none.
    pub models: BTreeMap<String, ModelConfig>,
    /// The models' keys, by model.
    pub keys: BTreeMap<String, ApiKey>,
    /// The sections `mcp.NAME`, with what they name of the environment.
    pub mcp: BTreeMap<String, McpConfig>,
    /// The file that was read.
    pub file: Option<PathBuf>,
}

/// What a command line says about the configuration. What it does not name comes from elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    pub file: Option<PathBuf>,
    pub data_dir: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub expose: bool,
    pub legacy_client: bool,
    pub log: Option<LogFormat>,
}

impl Config {
    /// Reads everything. A file that a flag names has to be there; the one in the working directory may be missing.
    pub fn load(flags: &Flags, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut layers = Layers::default();
        match &flags.file {
            Some(path) => layers.add_file(path)?,
            None if Path::new(DEFAULT_FILE).exists() => layers.add_file(Path::new(DEFAULT_FILE))?,
            None => {}
        }
        let environment: BTreeMap<String, String> = environment.into_iter().collect();
        for (name, value) in &environment {
            if let Some(path) = name.strip_prefix(ENVIRONMENT_PREFIX) {
                let path = path.to_ascii_lowercase().replace("__", ".");
                layers.add(Layer::new(format!("the environment variable {name}"), &path, value_of(value)));
            }
        }
        for layer in flags.layers() {
            layers.add(layer);
        }
        Self::read(&layers, &environment)
    }

    fn read(layers: &Layers, environment: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        layers.refuse_unknown(&sections::defaults())?;
        let mut guard: GuardConfig = layers.parts("", &["auth", "session", "limits"])?;
        let mut experience: ExperienceConfig = layers.parts("experience", &["limits"])?;
        guard.legacy_client = experience.legacy_client;
        experience.origins.dedup();
        let mut agents: AgentsConfig = layers.section("agents")?;
        let models = models::read(layers, environment, &mut agents)?;
        let keys = models::keys(layers, environment, &models)?;
        let config = Self {
            server: layers.section("server")?,
            log: layers.section("log")?,
            guard,
            experience,
            runtime: layers.section("runtime")?,
            retention: layers.section("retention")?,
            agents,
            budgets: layers.section("budgets")?,
            models,
            keys,
            mcp: mcp::read(layers, environment)?,
            policy: layers.section("policy")?,
            outbound: layers.section("outbound")?,
            mail: layers.section("mail")?,
            mail_password: environment.get(MAIL_PASSWORD).map(ApiKey::new),
            file: layers.file().map(Path::to_owned),
        };
        config.check(layers)?;
        Ok(config)
    }

    /// What no section can know by itself.
    fn check(&self, layers: &Layers) -> Result<(), ConfigError> {
        self.guard.check().map_err(|bad| layers.complain(bad.setting, bad.problem))?;
        self.mail.check().map_err(|bad| layers.complain(bad.setting, bad.problem.to_owned()))?;
        self.runtime.check().map_err(|(setting, problem)| layers.complain(setting, problem.to_owned()))?;
        self.budgets.limits().map_err(|(setting, problem)| layers.complain(setting, problem))?;
        self.check_prices(layers)?;
        let listen = self.server.listen;
        if !listen.ip().is_loopback() && !self.server.expose {
            let problem = format!(
                "{listen} can be reached from other machines, and Symphainy speaks plain HTTP: passwords would travel in the clear. \
                 Listen on 127.0.0.1, or put a proxy with TLS before it and say --expose (server.expose = true)"
            );
            return Err(layers.complain("server.listen", problem));
        }
        if let Some(admin) = self.server.admin_listen
            && !admin.ip().is_loopback()
            && !self.server.expose
        {
            let problem = format!(
                "{admin} can be reached from other machines, and /metrics asks nobody who they are. Listen on 127.0.0.1, or see to it that \
                 only the operator reaches it and say --expose (server.expose = true)"
            );
            return Err(layers.complain("server.admin_listen", problem));
        }
        Ok(())
    }

    /// A budget in money would stop no call of a model without a price; only a model on one's own machine may be free.
    fn check_prices(&self, layers: &Layers) -> Result<(), ConfigError> {
        let unpriced = |settings: &ModelConfig| {
            settings.provider.usual_key().is_some() && settings.price_input == 0.0 && settings.price_output == 0.0
        };
        match self.models.iter().find(|(_, settings)| unpriced(settings)) {
            Some((name, _)) if self.budgets.is_in_money() => {
                let problem = format!(
                    "a budget is in USD, and the model {name} has no price: add price_input and price_output to [models.{name}]"
                );
                Err(layers.complain("budgets", problem))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// How executions run.
    pub fn runtime(&self) -> RuntimeConfig {
        let RuntimeSection {
            concurrency,
            max_attempts,
            retry_delay,
            approval_ttl,
            idempotency_ttl,
            waiting_per_key,
            approvals: _,
        } = self.runtime;
        let coalesce = self.agents.coalesce;
        RuntimeConfig {
            concurrency,
            coalesce,
            max_attempts,
            retry_delay,
            approval_ttl,
            idempotency_ttl,
            waiting_per_key,
        }
    }

    /// Who has to agree to which intents, in place of what the intents say.
    pub fn approvals(&self) -> BTreeMap<String, ApprovalRule> {
        self.runtime.approvals.iter().filter_map(|line| sections::approval_rule(line)).collect()
    }

    /// The folder with definitions of more agents: the configured one, or `agents` beside the configuration where it is there.
    pub fn agents_folder(&self) -> Option<PathBuf> {
        if let Some(folder) = &self.agents.folder {
            return Some(folder.clone());
        }
        let beside = self.agents_folder_or_beside();
        beside.is_dir().then_some(beside)
    }

    /// Where definitions of agents belong: the folder that is named, or `agents` beside the configuration, which need not be there.
    pub fn agents_folder_or_beside(&self) -> PathBuf {
        let beside = || self.file.as_deref().and_then(Path::parent).unwrap_or(Path::new("")).join("agents");
        self.agents.folder.clone().unwrap_or_else(beside)
    }
}

/// The text is a number, a truth or a list where it looks like one, as in the file; else it means itself.
fn value_of(text: &str) -> Value {
    let text = text.trim();
    match text.parse() {
        Ok(Value::Datetime(_)) | Err(_) => Value::from(text),
        Ok(value) => value,
    }
}

impl Flags {
    fn layers(&self) -> Vec<Layer> {
        let flag = |name: &str, path: &str, value: Value| Layer::new(format!("the flag {name}"), path, value);
        let data_dir = self.data_dir.as_ref().map(|path| Value::from(path.to_string_lossy().into_owned()));
        let listen = self.listen.map(|address| Value::from(address.to_string()));
        let log = self.log.map(|format| Value::from(format.as_str()));
        [
            data_dir.map(|value| flag("--data-dir", "server.data_dir", value)),
            listen.map(|value| flag("--listen", "server.listen", value)),
            log.map(|value| flag("--log", "log.format", value)),
            self.expose.then(|| flag("--expose", "server.expose", Value::from(true))),
            self.legacy_client.then(|| flag("--legacy-client", "experience.legacy_client", Value::from(true))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Loads a configuration out of the text of a file, variables and flags.
    fn load(file: &str, environment: &[(&str, &str)], flags: Flags) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("symphainy.toml");
        std::fs::write(&path, file).unwrap();
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let flags = Flags { file: Some(path.clone()), ..flags };
        let loaded = Config::load(&flags, environment);
        loaded.map_err(|error| error.to_string().replace(&path.display().to_string(), "symphainy.toml"))
    }

    #[test]
    fn every_setting_has_a_default() {
        let config = load("", &[], Flags::default()).unwrap();
        assert_eq!(config.server, ServerConfig::default());
        assert_eq!(config.guard, GuardConfig::default());
        assert_eq!(config.experience, ExperienceConfig::default());
        assert_eq!(config.server.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(config.server.data_dir, Path::new("./data"));
    }

    #[test]
    fn later_layers_win() {
        let file = "[server]\nlisten = \"127.0.0.1:1\"\ndata_dir = \"a\"\n[limits]\nlogin = \"7/1m\"\nsockets = 5\n";
        let environment = [
            ("SYMPHAINY__SERVER__LISTEN", "127.0.0.1:2"),
            ("SYMPHAINY__LIMITS__LOGIN", "8/1m"),
            ("SYMPHAINY__AGENTS__BUILTIN__PACE", "20ms"),
            ("SYMPHAINY__EXPERIENCE__ORIGINS", "[\"https://app.example.com\"]"),
            ("SYMPHAINY_SERVER", "http://elsewhere"),
        ];
        let flags = Flags { listen: Some("127.0.0.1:3".parse().unwrap()), legacy_client: true, ..Flags::default() };
        let config = load(file, &environment, flags).unwrap();
        assert_eq!(config.server.listen.port(), 3);
        assert_eq!(config.server.data_dir, Path::new("a"));
        assert_eq!(config.guard.limits.login.to_string(), "8/1m");
        assert_eq!(config.experience.limits.sockets, 5);
        assert_eq!(config.agents.builtin.pace, Duration::from_millis(20));
        assert_eq!(config.experience.origins[0].as_str(), "https://app.example.com");
        assert!(config.guard.legacy_client && config.experience.legacy_client);
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let cases = [
            (
                "[limits]\nlogni = \"5/1m\"\n",
                "symphainy.toml, line 2: there is no setting limits.logni; did you mean limits.login?",
            ),
            ("[limtis]\n", "symphainy.toml, line 1: there is no setting limtis; did you mean limits?"),
            ("\n[agents.builtin]\nspeed = 1\n", "symphainy.toml, line 3: there is no setting agents.builtin.speed"),
            ("[limits]\n\nlogin = \"5\"\n", "symphainy.toml, line 3: limits.login: \"5\" is not a limit"),
            ("[limits]\nsockets = \"many\"\n", "symphainy.toml, line 2: limits.sockets: "),
            ("[auth]\naccess_token_ttl = 10\n", "symphainy.toml, line 2: auth.access_token_ttl: "),
            (
                "[auth.password]\nmemory_kib = 1\n",
                "symphainy.toml, line 2: auth.password.memory_kib: must be at least 19456",
            ),
            ("[experience]\norigins = [\"*\"]\n", "symphainy.toml, line 2: experience.origins"),
            (
                "[server]\nlisten = \"0.0.0.0:80\"\n",
                "symphainy.toml, line 2: server.listen: 0.0.0.0:80 can be reached from other",
            ),
            ("[runtime]\nconcurrency = 0\n", "symphainy.toml, line 2: runtime.concurrency: must be at least 1"),
            ("[server\n", "symphainy.toml, line 1: "),
            ("server = 5\n", "symphainy.toml, line 1: server: "),
        ];
        for (file, expected) in cases {
            let error = load(file, &[], Flags::default()).unwrap_err();
            assert!(error.starts_with(expected), "{file:?}\n  told:     {error}\n  expected: {expected}");
        }
    }

    #[test]
    fn a_mistake_in_the_environment_names_the_variable() {
        for (name, value, expected) in [
            (
                "SYMPHAINY__LIMITS__LOGNI",
                "5/1m",
                "the environment variable SYMPHAINY__LIMITS__LOGNI: there is no setting limits.logni",
            ),
            (
                "SYMPHAINY__LIMITS__LOGIN",
                "often",
                "the environment variable SYMPHAINY__LIMITS__LOGIN: limits.login: \"often\"",
            ),
        ] {
            let error = load("", &[(name, value)], Flags::default()).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        let flags = Flags { listen: Some("[::]:80".parse().unwrap()), ..Flags::default() };
        assert!(load("", &[], flags).unwrap_err().starts_with("the flag --listen: server.listen: "));
    }

    #[test]
    fn who_exposes_may() {
        let flags = Flags { listen: Some("0.0.0.0:80".parse().unwrap()), expose: true, ..Flags::default() };
        assert!(load("", &[], flags).is_ok());
    }

    #[test]
    fn a_named_file_has_to_be_there() {
        let flags = Flags { file: Some("no-such-file.toml".into()), ..Flags::default() };
        let error = Config::load(&flags, []).unwrap_err().to_string();
        assert!(error.starts_with("no-such-file.toml: it cannot be read"), "{error}");
    }

    #[test]
    fn the_example_names_every_setting_with_its_default() {
        const EXAMPLE: &str = include_str!("../../../../examples/symphainy.toml");
        let config = load(EXAMPLE, &[], Flags::default()).unwrap();
        let defaults = load("", &[], Flags::default()).unwrap();
        assert_eq!(Config { file: None, ..config }, Config { file: None, ..defaults });
        let mut missing = Vec::new();
        for (section, settings) in sections::defaults() {
            names(&section, &settings, &mut missing);
        }
        missing.retain(|path| {
            let name = path.rsplit('.').next().unwrap();
            place::line_of_exactly(EXAMPLE, path).is_none() && !EXAMPLE.contains(&format!("\n# {name} = "))
        });
        assert!(missing.is_empty(), "examples/symphainy.toml does not name {missing:?}");
    }

    fn names(path: &str, value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(settings) => {
                for (name, value) in settings {
                    names(&format!("{path}.{name}"), value, found);
                }
            }
            _ => found.push(path.to_owned()),
        }
    }
}
