//! Sign-ins that are kept for the next time, in a file that only its owner can read.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use contract::auth::Secret;
use serde::{Deserialize, Serialize};

use crate::{
    environment,
    exit::{Complaint, Exit},
};

/// Read and written by its owner alone.
const OWNER_ONLY: u32 = 0o600;

/// The file of kept sign-ins.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    path: PathBuf,
}

/// A kept sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptSignIn {
    pub(crate) email: String,
    pub(crate) refresh_token: Secret,
}

impl Remembered {
    /// The file below the user's state directory (XDG base directories), where there is one.
    pub(crate) fn of_user() -> Option<Self> {
        let state = environment::get("XDG_STATE_HOME").map(PathBuf::from);
        let state = state.or_else(|| Some(Path::new(&environment::get("HOME")?).join(".local/state")))?;
        Some(Self { path: state.join("symphainy/sign-ins.json") })
    }

    pub(crate) fn of(&self, server: &str) -> Option<KeptSignIn> {
        self.read().remove(server)
    }

    pub(crate) fn keep(&self, server: &str, email: &str, refresh_token: &Secret) -> Result<(), Complaint> {
        let mut all = self.read();
        let kept = KeptSignIn { email: email.to_owned(), refresh_token: refresh_token.clone() };
        all.insert(server.to_owned(), kept);
        self.write(&all)
    }

    pub(crate) fn forget(&self, server: &str) -> Result<(), Complaint> {
        let mut all = self.read();
        if all.remove(server).is_some() { self.write(&all) } else { Ok(()) }
    }

    /// What cannot be read is as good as nothing: the next sign-in writes it anew.
    fn read(&self) -> BTreeMap<String, KeptSignIn> {
        fs::read_to_string(&self.path).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    fn write(&self, all: &BTreeMap<String, KeptSignIn>) -> Result<(), Complaint> {
        let written = serde_json::to_string_pretty(all).map_err(io::Error::other).and_then(|text| self.replace(&text));
        written.map_err(|error| {
            Complaint::new(
                Exit::CannotCreate,
                format!("The sign-in cannot be kept in {} ({error}).", self.path.display()),
            )
        })
    }

    /// The whole file or none of it: two chats may write at the same time.
    fn replace(&self, text: &str) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let unfinished = folder.join(format!("sign-ins.{}.part", std::process::id()));
        let mut file: File =
            File::options().write(true).create(true).truncate(true).mode(OWNER_ONLY).open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(unfinished, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn sign_ins_are_kept_by_server_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let remembered = Remembered { path: folder.path().join("deep/sign-ins.json") };
        assert_eq!(remembered.of("http://a"), None);
        remembered.keep("http://a", "ada@example.com", &Secret("one".to_owned())).unwrap();
        remembered.keep("http://b", "ada@example.com", &Secret("two".to_owned())).unwrap();
        remembered.keep("http://a", "ada@example.com", &Secret("three".to_owned())).unwrap();
        assert_eq!(remembered.of("http://a").unwrap().refresh_token, Secret("three".to_owned()));
        let mode = fs::metadata(&remembered.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, OWNER_ONLY);
        remembered.forget("http://a").unwrap();
        assert_eq!(remembered.of("http://a"), None);
        assert_eq!(remembered.of("http://b").unwrap().email, "ada@example.com");
    }
}
