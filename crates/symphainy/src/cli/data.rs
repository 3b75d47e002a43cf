//! What can be said about the data as a whole: copying it, putting it back, bringing it to this version.

use std::path::PathBuf;

use clap::Args;

use super::HouseArguments;

const BACKUP_EXAMPLES: &str = "\
Examples:
  symphainy backup backups/monday
  symphainy backup backups/monday --data-dir /var/lib/symphainy --json

It works beside a running server, which goes on writing meanwhile: the backup is the data as it was
at one moment. It is read again before it gets its name, so that what has the name is whole. It has
the accounts and their keys in it: keep it as you keep the data. `sha256sum -c checksums.sha256` in
its folder reads it without us.";

const RESTORE_EXAMPLES: &str = "\
Examples:
  symphainy restore backups/monday --check            read all of it, and change nothing
  symphainy restore backups/monday                    into ./data, which has to be empty
  symphainy restore backups/monday --replace          what is there is kept in a folder beside it

Stop the server first. What had not ended when the backup was made goes on at the next start: effects
on other systems that came after that moment may happen again.";

const MIGRATE_EXAMPLES: &str = "\
Examples:
  symphainy migrate --check       say what would be done; ends with 1 where there is something
  symphainy migrate               do it

Every start of a server does the same. Data that was brought to a newer version cannot be read by an
older one: make a backup before.";

const ARCHIVE_EXAMPLES: &str = "\
Examples:
  symphainy archive --older-than 90d --to archive/2026.jsonl
  symphainy replay conv-1 --from archive/2026.jsonl          read it back

It works on the data folder itself, while no server uses it; a server does the same by the settings in
[retention]. Executions that ended so long ago go with their events and messages; files stay. A
conversation loses its beginning, and tells those who come with an older cursor.";

#[derive(Args, Debug)]
#[command(after_help = ARCHIVE_EXAMPLES)]
pub struct ArchiveArguments {
    #[command(flatten)]
    pub house: HouseArguments,
    /// How long ago it has to have ended, such as 90d
    #[arg(long, value_name = "AGE")]
    pub older_than: String,
    /// The file to write to; lines are added to one that is there
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = BACKUP_EXAMPLES)]
pub struct BackupArguments {
    /// The folder to be made; it must not be there yet
    #[arg(value_name = "FOLDER")]
    pub target: PathBuf,
    #[command(flatten)]
    pub house: HouseArguments,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = RESTORE_EXAMPLES)]
pub struct RestoreArguments {
    /// The backup's folder
    #[arg(value_name = "FOLDER")]
    pub backup: PathBuf,
    #[command(flatten)]
    pub house: HouseArguments,
    /// Read the backup and restore nothing
    #[arg(long, conflicts_with = "replace")]
    pub check: bool,
    /// Take the place of data that is there, and keep that in a folder beside
    #[arg(long)]
    pub replace: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = MIGRATE_EXAMPLES)]
pub struct MigrateArguments {
    #[command(flatten)]
    pub house: HouseArguments,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub check: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
