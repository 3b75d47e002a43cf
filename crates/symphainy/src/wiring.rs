//! The one place that joins the rooms: which plug goes into which socket.

use std::{path::Path, sync::Arc};

use agents::{Budgets, BuiltinConfig, BuiltinModel, Directory, LanguageModel, Models};
use experience::Experience;
use public_works::{
    Database, FileObjects, Outbound, RemoteModel, SqliteStore, SqliteTables,
    mail::{self, BadMail, FileMail, SmtpMail},
    models::ModelConfig,
    objects,
    sqlite::{OpenError, SqliteAccounts, SqliteLedger, move_space},
};
use runtime::{Catalogue, Handler, Objects, Runtime};
use security_guard::{
    GuardError, Mail, Plugs, SecurityGuard,
    providers::{KeySource, NoKeySource},
};
use tracing::warn;

use crate::{
    SystemClock, agent_files,
    config::Config,
    exit::{Complaint, Exit},
    policy,
    servers::Guests,
};

/// One of everything, at work.
pub struct House {
    pub guard: SecurityGuard,
    pub runtime: Runtime,
    pub experience: Experience,
    pub objects: Arc<dyn Objects>,
}

/// Opens the database of a data folder. One process at a time can have it.
pub async fn open_database(data_dir: &Path) -> Result<Database, Complaint> {
    let folder = data_dir.to_owned();
    // Recovery and migrations take their time and block.
    let opened = tokio::task::spawn_blocking(move || Database::open(&folder)).await;
    let opened = opened.map_err(|error| Complaint::internal(format!("Opening the database broke ({error}).")))?;
    opened.map_err(|error| open_complaint(&error))
}

/// The guard over the accounts of a database; the commands about users need no more than this.
pub async fn open_guard(config: &Config, database: &Database) -> Result<SecurityGuard, Complaint> {
    let accounts = SqliteAccounts::new(database.clone(), move_space);
    let (accounts, clock, mail) = (Arc::new(accounts), Arc::new(SystemClock), open_mail(config)?);
    let auth = &config.guard.auth;
    // A client for nobody would cost memory.
    let calls_nobody = auth.providers.is_empty() && !auth.oidc.is_on();
    let keys: Arc<dyn KeySource> = if calls_nobody { Arc::new(NoKeySource) } else { Arc::new(open_outbound(config)?) };
    let guard = SecurityGuard::open_with(config.guard.clone(), Plugs { accounts, clock, keys, mail }).await;
    guard.map_err(|error| guard_complaint(&error))
}

/// The way that letters take.
fn open_mail(config: &Config) -> Result<Arc<dyn Mail>, Complaint> {
    let wrong = |bad: BadMail| Complaint::new(Exit::Config, format!("Letters cannot be sent: {bad}."));
    if let Some(smtp) = SmtpMail::new(&config.mail, config.mail_password.as_ref()).map_err(wrong)? {
        return Ok(Arc::new(smtp));
    }
    let folder = config.server.data_dir.join(mail::FOLDER);
    Ok(Arc::new(FileMail::new(folder, &config.mail).map_err(wrong)?))
}

/// The way out to other servers.
fn open_outbound(config: &Config) -> Result<Outbound, Complaint> {
    Outbound::new(&config.outbound.allow).map_err(|error| {
        Complaint::internal(format!("Calls to other servers cannot be made: TLS cannot be set up ({error})."))
    })
}

/// What a program that embeds Symphainy brings along: intents and models of its own. The binary itself brings none.
#[derive(Default)]
pub struct Extras {
    pub handlers: Vec<Arc<dyn Handler>>,
    /// Agents' definitions can name these, beside `builtin`.
    pub models: Vec<Arc<dyn LanguageModel>>,
}

/// The agents, the models that they can name, and the tools of others that some of them use.
pub struct Voices {
    pub directory: Arc<Directory>,
    pub models: Models,
    pub guests: Guests,
}

/// Reads the agents of the configuration and sees that each has its model. `models` come beside the configured ones, and the
/// guests' liaisons beside the agents, unless somebody wrote one of that name.
pub fn voices(config: &Config, models: Vec<Arc<dyn LanguageModel>>, mut guests: Guests) -> Result<Voices, Complaint> {
    let mut more: Vec<_> = match config.agents_folder() {
        Some(folder) => agent_files::read(&folder)?.into_iter().map(|(_, definition)| definition).collect(),
        None => Vec::new(),
    };
    for liaison in std::mem::take(&mut guests.liaisons) {
        if more.iter().all(|other| other.agent_id != liaison.agent_id) {
            more.push(liaison);
        }
    }
    let directory = Directory::builtin_and(more)
        .map_err(|error| Complaint::new(Exit::Config, format!("The agents do not fit together: {error}.")))?;
    let models = self::models(config, models)?;
    if let Some((agent_id, model)) = models.missing(&directory).first() {
        let sentence = format!(
            "The agent {agent_id} wants the model {model}, and there is none of that name. Write model = \"builtin\", or add a section \
             [models.{model}]."
        );
        return Err(Complaint::new(Exit::Config, sentence));
    }
    Ok(Voices { directory: Arc::new(directory), models, guests })
}

/// The models that agents can name: the built-in one, `models`, and those of the configuration.
pub(crate) fn models(config: &Config, models: Vec<Arc<dyn LanguageModel>>) -> Result<Models, Complaint> {
    let builtin = Models::new(BuiltinModel::new(BuiltinConfig { pace: config.agents.builtin.pace }));
    let mut models = models.into_iter().fold(builtin, Models::with);
    for (name, settings) in &config.models {
        models = models.with(Arc::new(remote_model(config, name, settings)?));
        if let Some(fallback) = &settings.fallback {
            models = models.with_fallback(name, fallback);
        }
    }
    if let Some(name) = &config.agents.model {
        models = models.with_default(name);
    }
    Ok(models)
}

fn remote_model(config: &Config, name: &str, settings: &ModelConfig) -> Result<RemoteModel, Complaint> {
    let key = config.keys.get(name).cloned();
    RemoteModel::new(name, settings.clone(), key, Arc::new(SystemClock)).map_err(|error| {
        Complaint::new(
            Exit::Config,
            format!("The model {name} cannot be used: models.{name}.{}: {error}.", error.setting),
        )
    })
}

impl House {
    /// Joins everything over an open database. When this returns, what had not ended goes on, and the doors can be opened.
    pub async fn start(
        config: &Config,
        database: &Database,
        mut voices: Voices,
        more: Vec<Arc<dyn Handler>>,
    ) -> Result<Self, Complaint> {
        let clock = Arc::new(SystemClock);
        let guard = open_guard(config, database).await?;
        let objects: Arc<dyn Objects> = Arc::new(open_objects(&config.server.data_dir)?);
        let directory = Arc::clone(&voices.directory);
        let agents = directory.summaries();
        let limits = config
            .budgets
            .limits()
            .map_err(|(setting, problem)| Complaint::new(Exit::Config, format!("{setting}: {problem}.")))?;
        let ledger = Arc::new(SqliteLedger::new(database.clone()));
        voices.models = voices.models.with_budgets(Budgets::new(ledger, limits));
        let mut approvals = config.approvals();
        approvals.retain(|intent_type, _| !voices.guests.may_be_absent(intent_type));
        let servers: Vec<String> = voices.guests.names().map(str::to_owned).collect();
        let catalogue = catalogue(voices, more)?;
        let catalogue = catalogue.with_approvals(approvals).map_err(|error| {
            Complaint::new(
                Exit::Config,
                format!("The policy runtime.approvals does not fit: {error}. GET /api/intents lists them."),
            )
        })?;
        let rules =
            policy::read(config.policy.file.as_deref(), &policy::known_names(&catalogue, &directory, &servers))?;
        let catalogue = catalogue.judged_by(Arc::new(policy::Judge(rules)));
        let store = Arc::new(SqliteStore::new(database.clone()));
        let runtime = Runtime::start(store, Arc::clone(&objects), clock.clone(), catalogue, config.runtime())
            .await
            .map_err(|error| {
                Complaint::internal(format!("What had not ended cannot be taken up ({error}). Run `symphainy doctor`."))
            })?;
        let experience = Experience::new(guard.clone(), runtime.client(), agents, config.experience.clone(), clock);
        Ok(Self { guard, runtime, experience, objects })
    }
}

/// Everything that can be asked for.
pub(crate) fn catalogue(voices: Voices, more: Vec<Arc<dyn Handler>>) -> Result<Catalogue, Complaint> {
    Catalogue::new(handlers(voices, more))
        .map_err(|error| Complaint::internal(format!("The intents do not fit together: {error}.")))
}

fn handlers(voices: Voices, more: Vec<Arc<dyn Handler>>) -> Vec<Arc<dyn Handler>> {
    let mut handlers = realms::handlers(Arc::new(SqliteTables));
    handlers.extend(agents::handlers(voices.directory, voices.models));
    handlers.extend(more);
    for guest in voices.guests.handlers {
        let intent_type = &guest.descriptor().intent_type;
        if handlers.iter().any(|known| known.descriptor().intent_type == *intent_type) {
            warn!(intent_type, "a tool of an MCP server is left out: there is an intent of its name");
        } else {
            handlers.push(guest);
        }
    }
    handlers
}

fn open_objects(data_dir: &Path) -> Result<FileObjects, Complaint> {
    let folder = data_dir.join(objects::FOLDER);
    FileObjects::open(&folder).map_err(|error| {
        let sentence = format!(
            "The folder {} cannot be used ({error}). Give this user the right to write there.",
            folder.display()
        );
        Complaint::new(Exit::CannotCreate, sentence)
    })
}

/// What to tell whoever wanted the data folder.
pub(crate) fn open_complaint(error: &OpenError) -> Complaint {
    let exit = match error {
        OpenError::InUse { .. } => Exit::Unavailable,
        OpenError::Directory { .. } | OpenError::NotDurable { .. } | OpenError::ReadOnly { .. } => Exit::CannotCreate,
        OpenError::NewerSchema { .. }
        | OpenError::ForeignSchema { .. }
        | OpenError::ForeignDatabase { .. }
        | OpenError::NoDatabase { .. }
        | OpenError::HalfRestored { .. } => Exit::Data,
        OpenError::Full { .. } | OpenError::Disk { .. } => Exit::Storage,
        OpenError::OldSqlite { .. } | OpenError::Sqlite { .. } => Exit::Internal,
    };
    Complaint::new(exit, error.to_string())
}

/// The guard's sentence, and the code that fits.
pub(crate) fn guard_complaint(error: &GuardError) -> Complaint {
    let exit = match error {
        GuardError::Config(_) => Exit::Config,
        GuardError::Invalid(_) | GuardError::EmailTaken | GuardError::NotFound(_) | GuardError::Conflict(_) => {
            Exit::Data
        }
        GuardError::NotSignedIn
        | GuardError::WrongPassword
        | GuardError::SecondFactorRequired
        | GuardError::SecondFactorWrong
        | GuardError::TokenExpired
        | GuardError::TokenInvalid
        | GuardError::TokenReused
        | GuardError::AccountDisabled
        | GuardError::EmailNotVerified
        | GuardError::Forbidden(_) => Exit::NotAllowed,
        GuardError::TooMany(_) | GuardError::Busy { .. } => Exit::Unavailable,
        GuardError::Store(_) | GuardError::Internal(_) => Exit::Internal,
    };
    Complaint::new(exit, error.to_string())
}
