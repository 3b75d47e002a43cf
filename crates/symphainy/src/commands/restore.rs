//! `symphainy restore`: a backup becomes the data of a folder that nobody uses.

use public_works::backup;
use serde_json::json;

use super::{
    backup::{contents, long},
    load_config,
};
use crate::{
    SystemClock,
    cli::RestoreArguments,
    exit::{Complaint, Exit},
    output::show_line,
};

pub(crate) async fn restore(arguments: RestoreArguments) -> Result<Exit, Complaint> {
    let RestoreArguments { backup, house, check, replace, json } = arguments;
    let shown = backup.display().to_string();
    if check {
        let checked = long(move |watcher| backup::check(&backup, watcher)).await?;
        show_line(&if json {
            json!({ "backup": shown, "ok": true, "files": checked.files, "manifest": checked.manifest }).to_string()
        } else {
            format!("{shown} is whole: {}. {} files were read.", contents(&checked.manifest), checked.files)
        });
        return Ok(Exit::Success);
    }
    let data_dir = load_config(&house.flags())?.server.data_dir;
    let target = data_dir.display().to_string();
    let now = SystemClock.now();
    let restored = long(move |watcher| backup::restore(&backup, &data_dir, replace, now, watcher)).await?;
    show_line(&if json {
        json!({ "data_dir": target, "manifest": restored.manifest, "replaced": restored.replaced }).to_string()
    } else {
        let kept = restored.replaced.map(|path| format!(" What was there is in {}.", path.display()));
        format!("{target} has {}.{}", contents(&restored.manifest), kept.unwrap_or_default())
    });
    Ok(Exit::Success)
}
