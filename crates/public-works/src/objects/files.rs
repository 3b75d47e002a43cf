//! Objects as files: `<root>/_<two characters>/<id>`. A file appears under its name when all of it is on the disk, and is
//! never changed after that.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use bytes::Bytes;
use contract::ObjectId;
use runtime::{
    port::{ObjectError, ObjectSink, Objects},
    torture::{CrashPoint, crash_point},
};

use crate::folder;

/// What files that are being written end with; an id has no such character.
const UNFINISHED: &str = ".part#";

/// Small pieces are gathered into writes of this size, in bytes.
const BUFFER_BYTES: usize = 256 * 1024;

/// The objects below one directory.
#[derive(Clone, Debug)]
pub struct FileObjects {
    root: PathBuf,
}

impl FileObjects {
    /// Opens the objects below `root`, which is made where it is not there. What a process that ended in the middle of
    /// writing has left behind is taken away, so only one process may have a root open.
    pub fn open(root: &Path) -> io::Result<Self> {
        folder::make(root)?;
        for shard in fs::read_dir(root)? {
            let shard = shard?;
            if shard.file_type()?.is_dir() {
                remove_unfinished(&shard.path())?;
            }
        }
        Ok(Self { root: root.to_owned() })
    }

    fn path(&self, id: &ObjectId) -> PathBuf {
        self.root.join(place_of(id.as_str()))
    }
}

/// Where below the root an object lies. An id has no slash, and behind the sign of its shard no name of a directory can be made of
/// it.
pub(crate) fn place_of(id: &str) -> PathBuf {
    // The end of an id is chance, its beginning is the same for all. Ids are ASCII.
    let shard = &id[id.len().saturating_sub(2)..];
    Path::new(&format!("_{shard}")).join(format!("_{id}"))
}

/// The ids of the finished objects below `root`, a shard at a time; none where the root is not there.
pub(crate) fn ids(root: &Path) -> io::Result<Vec<String>> {
    let mut ids = Vec::new();
    let shards = match fs::read_dir(root) {
        Ok(shards) => shards,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(ids),
        Err(error) => return Err(error),
    };
    for shard in shards {
        let shard = shard?;
        if !shard.file_type()?.is_dir() {
            continue;
        }
        for object in fs::read_dir(shard.path())? {
            let name = object?.file_name();
            let id = name.to_str().and_then(|name| name.strip_prefix('_')).filter(|id| !id.ends_with(UNFINISHED));
            ids.extend(id.map(str::to_owned));
        }
    }
    Ok(ids)
}

fn remove_unfinished(shard: &Path) -> io::Result<()> {
    for entry in fs::read_dir(shard)? {
        let path = entry?.path();
        if path.as_os_str().as_encoded_bytes().ends_with(UNFINISHED.as_bytes()) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[async_trait]
impl Objects for FileObjects {
    async fn create(&self, id: &ObjectId) -> Result<Box<dyn ObjectSink>, ObjectError> {
        let path = self.path(id);
        let sink = blocking(move || FileSink::create(path)).await?;
        Ok(Box::new(sink))
    }

    async fn read(&self, id: &ObjectId) -> Result<Option<Bytes>, ObjectError> {
        let path = self.path(id);
        blocking(move || match fs::read(path) {
            Ok(bytes) => Ok(Some(Bytes::from(bytes))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    async fn delete(&self, id: &ObjectId) -> Result<(), ObjectError> {
        let path = self.path(id);
        blocking(move || match fs::remove_file(&path) {
            Ok(()) => sync_directory(&path),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        })
        .await
    }
}

/// A file that is being written.
struct FileSink {
    path: PathBuf,
    unfinished: Unfinished,
    file: File,
    waiting: Vec<u8>,
}

impl FileSink {
    fn create(path: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(directory(&path))?;
        let mut unfinished = path.clone().into_os_string();
        unfinished.push(UNFINISHED);
        let unfinished = PathBuf::from(unfinished);
        let file = File::options().write(true).create_new(true).open(&unfinished)?;
        Ok(Self { path, unfinished: Unfinished(Some(unfinished)), file, waiting: Vec::new() })
    }

    /// The bytes first, then the name, then the directory that has the name.
    fn finish_now(mut self) -> io::Result<()> {
        self.file.write_all(&self.waiting)?;
        crash_point(CrashPoint::ObjectUnsynced);
        self.file.sync_all()?;
        crash_point(CrashPoint::ObjectUnnamed);
        fs::rename(self.unfinished.path(), &self.path)?;
        crash_point(CrashPoint::ObjectNamed);
        self.unfinished.0 = None;
        sync_directory(&self.path)
    }
}

#[async_trait]
impl ObjectSink for FileSink {
    async fn write(&mut self, bytes: Bytes) -> Result<(), ObjectError> {
        self.waiting.extend_from_slice(&bytes);
        if self.waiting.len() < BUFFER_BYTES {
            return Ok(());
        }
        let mut file = self.file.try_clone().map_err(object_error)?;
        let mut waiting = std::mem::take(&mut self.waiting);
        self.waiting = blocking(move || {
            file.write_all(&waiting)?;
            waiting.clear();
            Ok(waiting)
        })
        .await?;
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), ObjectError> {
        blocking(move || FileSink::finish_now(*self)).await
    }
}

/// The path of a file that goes away unless it is finished.
struct Unfinished(Option<PathBuf>);

impl Unfinished {
    fn path(&self) -> &Path {
        self.0.as_deref().expect("it is taken by the finish alone, which is the last to ask")
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = fs::remove_file(path)
        {
            tracing::warn!(%error, "an unfinished object could not be taken away; the next start does it");
        }
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().expect("an object lies in a directory")
}

/// A name is durable when its directory is, and a directory when the one above is.
fn sync_directory(path: &Path) -> io::Result<()> {
    let shard = directory(path);
    File::open(shard)?.sync_all()?;
    File::open(directory(shard))?.sync_all()
}

async fn blocking<T, Work>(work: Work) -> Result<T, ObjectError>
where
    T: Send + 'static,
    Work: FnOnce() -> io::Result<T> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome.map_err(object_error),
        Err(stopped) => Err(ObjectError::Failed(io::Error::other(stopped))),
    }
}

fn object_error(error: io::Error) -> ObjectError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => ObjectError::Full,
        _ => ObjectError::Failed(error),
    }
}
