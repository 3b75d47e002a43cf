//! Objects in a map.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use contract::ObjectId;

use crate::{
    port::{ObjectError, ObjectSink, Objects},
    worker::lock,
};

#[derive(Clone, Default)]
pub struct MemoryObjects {
    objects: Arc<Mutex<HashMap<ObjectId, Bytes>>>,
}

#[async_trait]
impl Objects for MemoryObjects {
    async fn create(&self, id: &ObjectId) -> Result<Box<dyn ObjectSink>, ObjectError> {
        Ok(Box::new(MemorySink { objects: self.clone(), id: id.clone(), bytes: BytesMut::new() }))
    }

    async fn read(&self, id: &ObjectId) -> Result<Option<Bytes>, ObjectError> {
        Ok(lock(&self.objects).get(id).cloned())
    }

    async fn delete(&self, id: &ObjectId) -> Result<(), ObjectError> {
        lock(&self.objects).remove(id);
        Ok(())
    }
}

struct MemorySink {
    objects: MemoryObjects,
    id: ObjectId,
    bytes: BytesMut,
}

#[async_trait]
impl ObjectSink for MemorySink {
    async fn write(&mut self, bytes: Bytes) -> Result<(), ObjectError> {
        self.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), ObjectError> {
        lock(&self.objects.objects).insert(self.id, self.bytes.freeze());
        Ok(())
    }
}
