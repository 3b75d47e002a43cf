//! `symphainy archive`: what is older than it has to be goes from the data folder into a file, while no server uses the folder.

use std::{path::Path, time::Duration};

use contract::Timestamp;
use public_works::{Database, SqliteStore, sqlite::KeptFrom};
use security_guard::duration;
use serde_json::json;

use super::load_config;
use crate::{
    SystemClock,
    cli::ArchiveArguments,
    exit::{Complaint, Exit},
    housekeeping,
    output::show_line,
    wiring,
};

pub(crate) async fn archive(arguments: ArchiveArguments) -> Result<Exit, Complaint> {
    let age: Duration =
        duration::parse(&arguments.older_than).map_err(|error| Complaint::usage(format!("{error}.")))?;
    let data_dir = load_config(&arguments.house.flags())?.server.data_dir;
    if !data_dir.is_dir() {
        let sentence = format!("There is no data in {}. Name the folder with --data-dir.", data_dir.display());
        return Err(Complaint::new(Exit::Data, sentence));
    }
    let database = wiring::open_database(&data_dir).await?;
    let now = SystemClock.now();
    let age_ms = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    let from = Timestamp::from_millis(now.as_millis().saturating_sub(age_ms));
    let kept = KeptFrom { default: Some(from), ..KeptFrom::default() };
    let store = SqliteStore::new(database.clone());
    let outcome = housekeeping::take_away(&store, &kept, Some(&arguments.to), now).await;
    drop(store);
    Database::close(database).await;
    let executions = outcome.map_err(|error| failed(&arguments.to, &error))?;
    show_line(&if arguments.json {
        json!({ "executions": executions, "to": arguments.to, "ended_before": from }).to_string()
    } else {
        format!("{executions} executions that ended before {from} are in {} now.", arguments.to.display())
    });
    Ok(Exit::Success)
}

fn failed(to: &Path, error: &housekeeping::TakeAwayError) -> Complaint {
    let sentence = format!("{error} ({}). What is not in the archive is where it was.", to.display());
    Complaint::new(Exit::Storage, sentence)
}
