//! What the binary can do, a file a command.

mod agent;
mod archive;
mod audit;
mod backup;
mod call;
mod chat;
mod doctor;
mod fork;
mod keys;
mod migrate;
mod operator;
mod policy;
mod replay;
mod restore;
mod serve;
mod user;

pub(crate) use agent::agent;
pub(crate) use archive::archive;
pub(crate) use audit::audit;
pub(crate) use backup::backup;
pub(crate) use call::call;
pub(crate) use chat::chat;
pub(crate) use doctor::doctor;
pub(crate) use fork::fork;
pub(crate) use keys::keys;
pub(crate) use migrate::migrate;
pub(crate) use policy::policy;
pub(crate) use replay::replay;
pub(crate) use restore::restore;
pub(crate) use serve::serve;
pub(crate) use user::user;

use crate::{
    config::{Config, ConfigError, Flags},
    environment,
    exit::{Complaint, Exit},
};

/// The configuration, with the environment of this process.
fn load_config(flags: &Flags) -> Result<Config, Complaint> {
    Ok(Config::load(flags, environment::all())?)
}

impl From<ConfigError> for Complaint {
    fn from(error: ConfigError) -> Self {
        let sentence = error.to_string();
        let full_stop = if sentence.ends_with(['.', '?']) { "" } else { "." };
        Self::new(Exit::Config, format!("{sentence}{full_stop}"))
    }
}
