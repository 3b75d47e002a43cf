//! Bytes on their way in: stored before the intent that they come with is submitted.

use bytes::Bytes;
use contract::ObjectId;
use sha2::{Digest, Sha256};

use super::{RuntimeClient, RuntimeError};
use crate::port::{ObjectSink, clock::random_16, objects::hex, store::StoredObject};

/// An upload under way. Dropped before `finish`, it leaves nothing behind.
pub struct Upload {
    sink: Box<dyn ObjectSink>,
    object_id: ObjectId,
    size_bytes: u64,
    digest: Sha256,
}

impl RuntimeClient {
    /// Begins an upload. The caller holds the limit on its size.
    pub async fn upload(&self) -> Result<Upload, RuntimeError> {
        let object_id = ObjectId::from_random(random_16(&*self.shared.clock));
        let sink = self.shared.objects.create(&object_id).await?;
        Ok(Upload { sink, object_id, size_bytes: 0, digest: Sha256::new() })
    }
}

impl Upload {
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), RuntimeError> {
        self.size_bytes += bytes.len() as u64;
        self.digest.update(&bytes);
        Ok(self.sink.write(bytes).await?)
    }

    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Makes the bytes durable, to be an attachment of a submission.
    pub async fn finish(self, media_type: &str, file_name: &str) -> Result<StoredObject, RuntimeError> {
        self.sink.finish().await?;
        Ok(StoredObject {
            object_id: self.object_id,
            size_bytes: self.size_bytes,
            sha256: Some(hex(&self.digest.finalize())),
            media_type: media_type.to_owned(),
            file_name: file_name.to_owned(),
        })
    }
}
