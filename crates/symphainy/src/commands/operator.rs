//! What the commands share that work on a data folder itself, while no server uses it.

use public_works::Database;
use security_guard::SecurityGuard;

use super::load_config;
use crate::{
    cli::HouseArguments,
    exit::{Complaint, Exit},
    wiring,
};

/// Whether a command may make a data folder where there is none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Folder {
    MayBeMade,
    HasToBeThere,
}

/// Opens the guard of a data folder, has it do something, and puts everything away. `command` is named to whoever has to
/// stop a server first.
pub(super) async fn with_guard<T>(
    house: &HouseArguments,
    command: &str,
    folder: Folder,
    work: impl AsyncFnOnce(&SecurityGuard) -> Result<T, Complaint>,
) -> Result<T, Complaint> {
    let config = load_config(&house.flags())?;
    if folder == Folder::HasToBeThere && !config.server.data_dir.is_dir() {
        let sentence = format!(
            "There is no data in {}. Start `symphainy serve` once, or name the folder with --data-dir.",
            config.server.data_dir.display()
        );
        return Err(Complaint::new(Exit::Data, sentence));
    }
    let opened = wiring::open_database(&config.server.data_dir).await;
    let database = opened.map_err(|complaint| while_serving(complaint, command))?;
    let guard = wiring::open_guard(&config, &database).await?;
    let outcome = work(&guard).await;
    drop(guard);
    Database::close(database).await;
    outcome
}

/// The folder is in use: by a server, most likely.
fn while_serving(complaint: Complaint, command: &str) -> Complaint {
    if complaint.exit != Exit::Unavailable {
        return complaint;
    }
    Complaint::unavailable(format!(
        "{} A running server holds it: `symphainy {command}` works while it is stopped.",
        complaint.sentence
    ))
}
