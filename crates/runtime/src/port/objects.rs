//! Bytes that are too many for a row: uploaded files and what handlers make of them.

use async_trait::async_trait;
use bytes::Bytes;
use contract::ObjectId;

/// Keeps bytes under ids that nobody can guess. An object is written once and never changed.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Begins an object. Nothing can be read under `id` before the sink is finished.
    async fn create(&self, id: &ObjectId) -> Result<Box<dyn ObjectSink>, ObjectError>;

    /// The whole object, or `None` where there is none.
    async fn read(&self, id: &ObjectId) -> Result<Option<Bytes>, ObjectError>;

    /// Takes it away; it is no error when it is not there.
    async fn delete(&self, id: &ObjectId) -> Result<(), ObjectError>;
}

/// An object that is being written. Dropped before `finish`, it leaves nothing behind.
#[async_trait]
pub trait ObjectSink: Send {
    async fn write(&mut self, bytes: Bytes) -> Result<(), ObjectError>;

    /// Makes it durable (the bytes and the name) and readable.
    async fn finish(self: Box<Self>) -> Result<(), ObjectError>;
}

/// What a caller does differently: wait for space, or give up and log.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    #[error("there is no space left for objects")]
    Full,
    #[error("the object storage failed")]
    Failed(#[source] std::io::Error),
}

/// Bytes in lower-case hex, as digests are written.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes what is written");
        text
    })
}
