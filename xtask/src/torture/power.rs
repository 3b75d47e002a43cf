//! A power cut: of what a dead process had written and not synced, some or all is taken back. What that was stands in the journal
//! of the library that was put before the system's (`faults.c`).

use std::{
    collections::HashMap,
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use rand::{RngExt, rngs::StdRng};

const SOURCE: &str = include_str!("faults.c");

/// What begins each record.
const MAGIC: u32 = 0x746f_7274;

/// The bytes of a record before its path.
const HEAD_BYTES: usize = 40;

/// What a disk writes as a whole, in bytes.
const SECTOR_BYTES: usize = 512;

/// Builds the library with the system's C compiler, into `folder`.
pub(super) fn build(folder: &Path) -> anyhow::Result<PathBuf> {
    let (source, library) = (folder.join("faults.c"), folder.join("libfaults.so"));
    fs::write(&source, SOURCE)?;
    let mut command = Command::new("cc");
    command.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library).arg(&source).args(["-ldl", "-lpthread"]);
    let built = command.status().context("a C compiler is needed")?;
    ensure!(built.success(), "{command:?} failed");
    Ok(library)
}

/// What a process did to its files and their names.
enum Deed {
    Written { offset: u64, old_size: u64, old: Vec<u8>, new: Vec<u8> },
    Truncated { size: u64, old_size: u64, old: Vec<u8> },
    Created,
    Renamed { from: PathBuf },
    Made,
}

struct Done {
    path: PathBuf,
    /// Where it stands in the journal.
    position: u64,
    deed: Deed,
}

/// Takes back what was not synced, and begins a new journal. Answers how many deeds were taken back.
pub(super) fn cut(journal: &Path, chance: &mut StdRng) -> anyhow::Result<usize> {
    let bytes = match fs::read(journal) {
        Ok(bytes) => bytes,
        Err(_) => return Ok(0),
    };
    let unsynced = unsynced(&bytes);
    // A disk may have written all, nothing, or any of it by itself.
    let lost_in_a_hundred = [100, 100, 50, 10][chance.random_range(0..4)];
    let lost: Vec<bool> = unsynced.iter().map(|_| chance.random_range(0..100) < lost_in_a_hundred).collect();
    let mut moved: HashMap<PathBuf, PathBuf> = HashMap::new();
    let mut places = Vec::with_capacity(unsynced.len());
    for (done, lost) in unsynced.iter().zip(&lost).rev() {
        let place = moved.get(&done.path).unwrap_or(&done.path).clone();
        // What is taken away already, together with its folder, cannot be taken back once more.
        take_back(done, &place, *lost, &mut moved).or_else(gone)?;
        places.push(place);
    }
    for ((done, lost), place) in unsynced.iter().zip(&lost).zip(places.iter().rev()) {
        if !lost {
            do_again(done, place, chance).or_else(gone)?;
        }
    }
    fs::remove_file(journal)?;
    Ok(lost.iter().filter(|lost| **lost).count())
}

fn gone(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// The deeds that no later sync made durable, in their order.
fn unsynced(journal: &[u8]) -> Vec<Done> {
    let mut done: Vec<Done> = Vec::new();
    let mut position = 0;
    while let Some(record) = read(&journal[position..]) {
        let here = position as u64;
        position += record.length;
        let deed = match record.kind {
            1 => Deed::Written { offset: record.offset, old_size: record.old_size, old: record.old, new: record.new },
            2 => {
                let is_synced = |done: &Done| {
                    let of_name = matches!(done.deed, Deed::Created | Deed::Renamed { .. } | Deed::Made);
                    let synced = if of_name { done.path.parent() } else { Some(done.path.as_path()) };
                    done.position < record.offset && synced == Some(record.path.as_path())
                };
                done.retain(|done| !is_synced(done));
                continue;
            }
            3 => Deed::Truncated { size: record.offset, old_size: record.old_size, old: record.old },
            4 => Deed::Created,
            5 => {
                let from = PathBuf::from(String::from_utf8_lossy(&record.old).into_owned());
                Deed::Renamed { from }
            }
            _ => Deed::Made,
        };
        done.push(Done { path: record.path, position: here, deed });
    }
    done
}

struct Record {
    kind: u32,
    path: PathBuf,
    offset: u64,
    old_size: u64,
    old: Vec<u8>,
    new: Vec<u8>,
    length: usize,
}

/// The first record; `None` where there is no whole one: the process died while it wrote it down, and had not done it yet.
fn read(bytes: &[u8]) -> Option<Record> {
    let number = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let long = |at: usize| Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    if number(0)? != MAGIC {
        return None;
    }
    let lengths = [number(8)? as usize, number(12)? as usize, number(16)? as usize];
    let old = HEAD_BYTES + lengths[0];
    let new = old + lengths[1];
    let end = new + lengths[2];
    Some(Record {
        kind: number(4)?,
        path: PathBuf::from(String::from_utf8_lossy(bytes.get(HEAD_BYTES..old)?).into_owned()),
        offset: long(24)?,
        old_size: long(32)?,
        old: bytes.get(old..new)?.to_vec(),
        new: bytes.get(new..end)?.to_vec(),
        length: end,
    })
}

/// Contents are all taken back, so that those which stay can be written again over what was there; of names only the lost ones.
fn take_back(done: &Done, place: &Path, lost: bool, moved: &mut HashMap<PathBuf, PathBuf>) -> std::io::Result<()> {
    match &done.deed {
        Deed::Written { offset, old_size, old, .. } => {
            let file = File::options().write(true).open(place)?;
            file.write_all_at(old, *offset)?;
            file.set_len(*old_size)
        }
        Deed::Truncated { size, old_size, old } => {
            let file = File::options().write(true).open(place)?;
            file.set_len(*old_size)?;
            file.write_all_at(old, *size)
        }
        Deed::Created if lost => fs::remove_file(place),
        Deed::Renamed { from } if lost => fs::rename(place, from),
        Deed::Renamed { from } => {
            moved.insert(from.clone(), place.to_owned());
            Ok(())
        }
        Deed::Made if lost => fs::remove_dir_all(place),
        Deed::Created | Deed::Made => Ok(()),
    }
}

/// Writes again what stays, now and then only a part of it.
fn do_again(done: &Done, place: &Path, chance: &mut StdRng) -> std::io::Result<()> {
    match &done.deed {
        Deed::Written { offset, new, .. } => {
            let sectors = new.len().div_ceil(SECTOR_BYTES);
            let torn = chance.random_range(0..8) == 0;
            let written = if torn { chance.random_range(0..=sectors) * SECTOR_BYTES } else { new.len() };
            let file = File::options().write(true).open(place)?;
            file.write_all_at(&new[..written.min(new.len())], *offset)
        }
        Deed::Truncated { size, .. } => File::options().write(true).open(place)?.set_len(*size),
        Deed::Created | Deed::Renamed { .. } | Deed::Made => Ok(()),
    }
}
