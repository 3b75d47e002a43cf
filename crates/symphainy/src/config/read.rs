//! Reading the settings from their four places.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};

use super::{DEFAULT_FILE, Settings};

/// What the command line can set; it wins over everything else.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub config: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub data_dir: Option<PathBuf>,
    pub legacy_client: bool,
}

/// A setting that cannot be used, in words for whoever wrote it.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("the config file {0} is not there; name another with --config, or leave the flag out")]
    NoFile(PathBuf),
    #[error("the config file {0} cannot be read: {1}")]
    Unreadable(PathBuf, std::io::Error),
    #[error("{file}: {problem}")]
    InFile { file: PathBuf, problem: String },
    #[error("{0}")]
    Elsewhere(Box<figment::Error>),
}

/// Reads the settings: defaults, then the file, then the environment, then the flags.
pub fn read(flags: &Flags) -> Result<Settings, SettingsError> {
    let mut figment = Figment::new();
    if let Some(text) = file_text(flags.config.as_deref())? {
        figment = figment.merge(Toml::string(&text));
    }
    figment = figment.merge(Env::prefixed("SYMPHAINY__").split("__"));
    if let Some(listen) = flags.listen {
        figment = figment.merge(Serialized::default("server.listen", listen));
    }
    if let Some(data_dir) = &flags.data_dir {
        figment = figment.merge(Serialized::default("server.data_dir", data_dir));
    }
    if flags.legacy_client {
        figment = figment.merge(Serialized::default("experience.legacy_client", true));
    }
    figment.extract().map_err(|error| SettingsError::Elsewhere(Box::new(error)))
}

/// The text of the file, which has been found to be right by itself: its errors are told with their line.
fn file_text(named: Option<&Path>) -> Result<Option<String>, SettingsError> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return match named {
                Some(path) => Err(SettingsError::NoFile(path.to_owned())),
                None => Ok(None),
            };
        }
        Err(error) => return Err(SettingsError::Unreadable(path.to_owned(), error)),
    };
    match toml::from_str::<Settings>(&text) {
        Ok(_) => Ok(Some(text)),
        Err(error) => Err(SettingsError::InFile { file: path.to_owned(), problem: error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Settings, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("symphainy.toml");
        std::fs::write(&file, text).unwrap();
        read(&Flags { config: Some(file), ..Flags::default() }).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_for_one_machine() {
        let settings = check("").unwrap();
        assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(settings.limits.guard.login.to_string(), "5/1m");
        assert_eq!(settings.limits.experience.sockets, 10_000);
        assert_eq!(settings.agents.coalesce.as_millis(), 30);
    }

    #[test]
    fn every_room_finds_its_part() {
        let settings = check(
            "[limits]\nlogin = \"7/1m\"\nsockets = 9\n[agents]\ncoalesce = \"0ms\"\n[agents.builtin]\npace = \"20ms\"\n\
             [experience]\nlegacy_client = true\norigins = [\"https://app.example.com\"]",
        )
        .unwrap();
        assert_eq!(settings.guard().limits.login.to_string(), "7/1m");
        assert!(settings.guard().legacy_client);
        assert_eq!(settings.experience().limits.sockets, 9);
        assert!(settings.runtime().coalesce.is_zero());
        assert_eq!(settings.agents.builtin.pace.as_millis(), 20);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, word) in [
            ("[server]\nlisten = \"127.0.0.1:8000\"\nlissten = 1", "line 3", "lissten"),
            ("[limits]\nlogins = \"5/1m\"", "line 1", "logins"),
            ("[auth]\naccess_token_ttl = \"ten\"", "line 2", "ten"),
            ("[colours]", "line 1", "colours"),
            ("listen = ", "line 1", ""),
        ] {
            let error = check(text).unwrap_err();
            assert!(error.contains(line) && error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_file_that_was_named_has_to_be_there() {
        let flags = Flags { config: Some(PathBuf::from("nowhere.toml")), ..Flags::default() };
        assert!(matches!(read(&flags), Err(SettingsError::NoFile(_))));
    }
}
