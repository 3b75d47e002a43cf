//! Files that are copied with their checksums, and the list of these. Everything is on the disk when it is said to be.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, DirBuilder, File},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use sha2::{Digest, Sha256};

/// How much is read at once, in bytes.
const BUFFER_BYTES: usize = 256 * 1024;

/// Who has a backup has the accounts and the keys in it, so that it is its owner's alone.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// SHA-256 in hexadecimal by the path below the backup's folder.
pub(super) type Checksums = BTreeMap<String, String>;

/// Makes a folder, and those above it that are not there.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)
}

/// Copies a file, durably, and answers the SHA-256 of what was copied.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<(u64, String)> {
    let mut source = File::open(from)?;
    if let Some(folder) = to.parent() {
        make_folder(folder)?;
    }
    let mut target = File::options().write(true).create(true).truncate(true).mode(FILE_MODE).open(to)?;
    let copied = read_through(&mut source, |bytes| target.write_all(bytes))?;
    target.sync_all()?;
    Ok(copied)
}

/// Writes a file, durably.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The size and the SHA-256 of a file.
pub(super) fn checksum(path: &Path) -> io::Result<(u64, String)> {
    read_through(&mut File::open(path)?, |_| Ok(()))
}

fn read_through(source: &mut File, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<(u64, String)> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut digest = Sha256::new();
    let mut size = 0;
    loop {
        let read = source.read(&mut buffer)?;
        if read == 0 {
            return Ok((size, hexadecimal(&digest.finalize())));
        }
        digest.update(&buffer[..read]);
        each(&buffer[..read])?;
        size += read as u64;
    }
}

pub(super) fn checksum_of(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The list as `sha256sum -c` reads it.
pub(super) fn list(checksums: &Checksums) -> String {
    checksums.iter().map(|(path, checksum)| format!("{checksum}  {path}\n")).collect()
}

/// The list read back; `None` where a line is none of it, or names something outside of the backup.
pub(super) fn read_list(text: &str) -> Option<Checksums> {
    let entry = |line: &str| {
        let (checksum, path) = line.split_once("  ")?;
        let inside = !path.starts_with('/') && path.split('/').all(|part| !part.is_empty() && part != "..");
        (inside && checksum.len() == 64).then(|| (path.to_owned(), checksum.to_owned()))
    };
    text.lines().map(entry).collect()
}

/// Makes the names in a folder durable, and in all folders below it.
pub(super) fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    sync_folder(folder)
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // The folder of a bare name is the working directory.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_nothing_outside() {
        let checksum = "0".repeat(64);
        for (path, fits) in [("a/b", true), ("/etc/passwd", false), ("a/../../b", false), ("", false), ("a//b", false)]
        {
            assert_eq!(read_list(&format!("{checksum}  {path}\n")).is_some(), fits, "{path}");
        }
        assert_eq!(read_list("no list"), None);
    }
}
