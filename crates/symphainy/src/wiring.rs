//! The one place that joins the rooms: which plug goes into which socket.

use std::{path::Path, sync::Arc};

use agents::{AgentDefinition, BuiltinConfig, BuiltinModel, Directory, Models};
use contract::agent::AgentSummary;
use experience::Experience;
use public_works::{
    objects::FileObjects,
    sqlite::{Database, SqliteAccounts, SqliteStore, SqliteTables, move_space},
};
use runtime::{Catalogue, Handler, Runtime};
use security_guard::SecurityGuard;

use crate::{SystemClock, config::Settings};

/// How many files the agents' folder may have; more is a mistake, not a team.
const MAX_AGENT_FILES: usize = 200;

/// The house: everything made once, and joined.
pub struct House {
    pub database: Database,
    pub guard: SecurityGuard,
    pub runtime: Runtime,
    pub experience: Experience,
}

/// Why the house does not stand.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// Says what is wrong with the data folder and what to do.
    #[error(transparent)]
    Database(#[from] public_works::sqlite::OpenError),
    #[error("the folder for files cannot be made: {0}")]
    Objects(#[source] std::io::Error),
    #[error("{0}")]
    Guard(#[from] security_guard::GuardError),
    #[error("{0}")]
    Agents(String),
    #[error(transparent)]
    Catalogue(#[from] runtime::CatalogueError),
    #[error("what had not ended cannot be taken up: {0}")]
    Recovery(#[from] runtime::StoreError),
}

impl House {
    /// Opens the data folder, takes up what had not ended, and stands ready to be served.
    pub async fn build(settings: &Settings) -> Result<Self, WiringError> {
        let clock = Arc::new(SystemClock);
        let data_dir = &settings.server.data_dir;
        let database = Database::open(data_dir)?;
        let guard = open_guard(settings, &database).await?;
        let objects = FileObjects::open(&data_dir.join("objects")).map_err(WiringError::Objects)?;
        let directory = Arc::new(directory(settings.agents.folder.as_deref())?);
        let catalogue = Catalogue::new(handlers(settings, &directory))?;
        let store = Arc::new(SqliteStore::new(database.clone()));
        let runtime =
            Runtime::start(store, Arc::new(objects), clock.clone(), catalogue, settings.runtime()).await?;
        let agents: Vec<AgentSummary> = directory.summaries();
        let experience =
            Experience::new(guard.clone(), runtime.client(), agents, settings.experience(), clock);
        Ok(Self { database, guard, runtime, experience })
    }
}

/// The guard over a data folder; the commands about users need no more than this.
pub async fn open_guard(settings: &Settings, database: &Database) -> Result<SecurityGuard, WiringError> {
    let accounts = Arc::new(SqliteAccounts::new(database.clone(), move_space));
    Ok(SecurityGuard::open(settings.guard(), accounts, Arc::new(SystemClock)).await?)
}

fn handlers(settings: &Settings, directory: &Arc<Directory>) -> Vec<Arc<dyn Handler>> {
    let builtin = BuiltinModel::new(BuiltinConfig { pace: settings.agents.builtin.pace });
    let models = Models::new(builtin);
    let mut handlers = realms::handlers(Arc::new(SqliteTables));
    handlers.extend(agents::handlers(Arc::clone(directory), models));
    handlers
}

/// The agents in the binary, and those of the folder.
pub fn directory(folder: Option<&Path>) -> Result<Directory, WiringError> {
    let more = folder.map_or_else(|| Ok(Vec::new()), read_folder).map_err(WiringError::Agents)?;
    Directory::builtin_and(more).map_err(|error| WiringError::Agents(error.to_string()))
}

fn read_folder(folder: &Path) -> Result<Vec<AgentDefinition>, String> {
    let unreadable = |error: std::io::Error| format!("the agents' folder {} cannot be read: {error}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    if files.len() > MAX_AGENT_FILES {
        return Err(format!("the agents' folder has {} files; at most {MAX_AGENT_FILES} are read", files.len()));
    }
    files.sort();
    files
        .iter()
        .map(|path| {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| format!("{name} cannot be read: {error}"))?;
            AgentDefinition::from_toml(&name, &text).map_err(|error| error.to_string())
        })
        .collect()
}
