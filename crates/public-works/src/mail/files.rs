//! Letters as files, for a house that has no server of mail: nothing is lost, and an operator hands on what somebody waits for. The
//! newest thousand are kept. They carry tokens, so that nobody but the server's user reads them.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use lettre::message::Mailbox;
use security_guard::mail::{Letter, Mail, NotDelivered};
use tracing::warn;

use super::{
    config::{BadMail, MailConfig},
    message::message,
};

/// Files that are kept.
const MAX_FILES: u64 = 1_000;

/// The plug.
pub struct FileMail {
    folder: PathBuf,
    from: Mailbox,
    next: AtomicU64,
}

impl FileMail {
    /// Writes into this folder, which is made with the first letter.
    pub fn new(folder: PathBuf, config: &MailConfig) -> Result<Self, BadMail> {
        let next = AtomicU64::new(last_number(&folder) + 1);
        Ok(Self { folder, from: config.sender()?, next })
    }
}

/// The number of the newest file; 0 where there is none.
fn last_number(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let number = |path: PathBuf| path.file_stem()?.to_str()?.parse().ok();
    entries.filter_map(|entry| number(entry.ok()?.path())).max().unwrap_or(0)
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:06}.eml"))
}

fn write(folder: &Path, number: u64, message: &[u8]) -> io::Result<PathBuf> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let (path, half) = (path_of(folder, number), folder.join(format!("{number:06}.part")));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
    file.write_all(message)?;
    file.sync_all()?;
    fs::rename(&half, &path)?;
    if let Some(oldest) = number.checked_sub(MAX_FILES) {
        // It may be gone already.
        let _ = fs::remove_file(path_of(folder, oldest));
    }
    Ok(path)
}

#[async_trait]
impl Mail for FileMail {
    async fn deliver(&self, letter: &Letter) -> Result<(), NotDelivered> {
        let message = message(letter, &self.from)?.formatted();
        let (folder, number) = (self.folder.clone(), self.next.fetch_add(1, Ordering::Relaxed));
        let written = tokio::task::spawn_blocking(move || write(&folder, number, &message)).await;
        let path = written.map_err(io::Error::other).flatten().map_err(|error| NotDelivered::Later(Box::new(error)))?;
        warn!(file = %path.display(), "a letter was written to a file, because there is no mail.smtp that would send it");
        Ok(())
    }
}
