//! Folders whose names survive a power cut. It knows nothing of what is in them.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::Path,
};

/// Makes a folder, and those above it, where they are not there. A name is durable when the folder that has it is synced, which is done
/// each time: an earlier process may have died before it came to that.
pub(crate) fn make(folder: &Path) -> io::Result<()> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let missing = folder.ancestors().take_while(is_missing).count();
    fs::create_dir_all(folder)?;
    for made in folder.ancestors().take(missing.max(1)) {
        let Some(above) = made.parent() else { return Ok(()) };
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        match File::open(above).and_then(|above| above.sync_all()) {
            // Whoever made a folder in one that we may not even read has seen to it.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            synced => synced?,
        }
    }
    Ok(())
}
