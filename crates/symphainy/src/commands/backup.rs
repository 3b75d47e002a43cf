//! `symphainy backup`: the data as it is at one moment, in a folder of its own.

use public_works::backup::{self, BackupError, Manifest, Progress, Request, Stage};
use serde_json::json;

use super::load_config;
use crate::{
    SystemClock,
    cli::BackupArguments,
    exit::{Complaint, Exit},
    output::show_line,
    progress::ProgressLine,
    wiring,
};

const KIB: u64 = 1024;

pub(crate) async fn backup(arguments: BackupArguments) -> Result<Exit, Complaint> {
    let config = load_config(&arguments.house.flags())?;
    let request = Request {
        data_directory: config.server.data_dir,
        target: arguments.target.clone(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        now: SystemClock.now(),
    };
    let manifest = long(move |watcher| backup::back_up(&request, watcher)).await?;
    let target = arguments.target.display();
    show_line(&if arguments.json {
        json!({ "backup": target.to_string(), "manifest": manifest }).to_string()
    } else {
        format!("{target} is a backup: {}.{}", contents(&manifest), missing(&manifest))
    });
    Ok(Exit::Success)
}

/// Does what takes long on a thread that may block, and shows how far it has come.
pub(super) async fn long<T, Work>(work: Work) -> Result<T, Complaint>
where
    T: Send + 'static,
    Work: FnOnce(backup::Watcher<'_>) -> Result<T, BackupError> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(move || {
        let mut line = ProgressLine::new();
        work(&mut |progress: Progress| {
            let what = match progress.stage {
                Stage::Database => "copying the database",
                Stage::Objects => "copying the objects",
                Stage::Verifying => "reading it again",
                Stage::Restoring => "restoring",
            };
            line.show(what, Some((progress.done, progress.total)));
        })
    });
    let done = done.await.map_err(|error| Complaint::internal(format!("It broke ({error}).")))?;
    done.map_err(|error| complaint(&error))
}

fn complaint(error: &BackupError) -> Complaint {
    let exit = match error {
        BackupError::NoData(_)
        | BackupError::NoBackup(_)
        | BackupError::Damaged { .. }
        | BackupError::Newer { .. }
        | BackupError::NotEmpty(_) => Exit::Data,
        BackupError::Exists(_) | BackupError::Io { .. } => Exit::CannotCreate,
        BackupError::Full(_) => Exit::Storage,
        BackupError::Restless(_) => Exit::Unavailable,
        BackupError::Open(error) => return wiring::open_complaint(error),
    };
    Complaint::new(exit, error.to_string())
}

/// What a backup has, in words.
pub(super) fn contents(manifest: &Manifest) -> String {
    format!(
        "the data of {} (schema {}), a database of {} KiB and {} objects of {} KiB",
        manifest.created_at,
        manifest.schema,
        manifest.database_bytes.div_ceil(KIB),
        manifest.objects,
        manifest.objects_bytes.div_ceil(KIB)
    )
}

fn missing(manifest: &Manifest) -> String {
    match manifest.missing.len() {
        0 => String::new(),
        count => {
            format!(" {count} objects that the database names were not there; `symphainy doctor --deep` says which.")
        }
    }
}
