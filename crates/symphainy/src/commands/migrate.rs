//! `symphainy migrate`: the data is brought to this version, or it is said what that would do.

use public_works::{
    Database,
    sqlite::{OpenError, Pending, pending},
};
use serde_json::json;

use super::load_config;
use crate::{
    cli::MigrateArguments,
    exit::{Complaint, Exit},
    output::show_line,
    wiring,
};

pub(crate) async fn migrate(arguments: MigrateArguments) -> Result<Exit, Complaint> {
    let data_dir = load_config(&arguments.house.flags())?.server.data_dir;
    let looked = pending(&data_dir).map_err(|error: OpenError| wiring::open_complaint(&error))?;
    let Some(Pending { found, names }) = looked else {
        let sentence = format!(
            "There is no data in {}. The first start of a server makes it as it has to be.",
            data_dir.display()
        );
        return Err(Complaint::new(Exit::Data, sentence));
    };
    if !arguments.check && !names.is_empty() {
        // Opening applies what is missing, each step in a transaction of its own.
        Database::close(wiring::open_database(&data_dir).await?).await;
    }
    let applied = !arguments.check && !names.is_empty();
    show_line(&if arguments.json {
        json!({ "schema": found, "steps": names, "applied": applied }).to_string()
    } else {
        text(found, &names, applied)
    });
    Ok(if arguments.check && !names.is_empty() { Exit::Failed } else { Exit::Success })
}

fn text(found: u32, names: &[&str], applied: bool) -> String {
    if names.is_empty() {
        return format!("There is nothing to do: the schema is at step {found}, the newest that this version knows.");
    }
    let heading = if applied {
        format!("The schema was at step {found}. These were applied:")
    } else {
        format!("The schema is at step {found}. `symphainy migrate`, or the next start of a server, applies:")
    };
    let steps = names.iter().map(|name| format!("\n  {name}"));
    heading + &steps.collect::<String>()
}
