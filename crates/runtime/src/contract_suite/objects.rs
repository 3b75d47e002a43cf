//! What a plug for objects promises.

use bytes::Bytes;
use contract::ObjectId;

use crate::port::Objects;

/// Writes, reads and deletes objects, and panics where the plug does not keep its promises.
pub async fn keeps_objects(objects: &dyn Objects) {
    let id = |chance: u8| ObjectId::from_random([chance; 16]);
    let (first, second) = (id(1), id(2));
    assert_eq!(objects.read(&first).await.unwrap(), None);
    let mut sink = objects.create(&first).await.unwrap();
    let piece = Bytes::from(vec![7; 100_000]);
    for _ in 0..10 {
        sink.write(piece.clone()).await.unwrap();
    }
    assert_eq!(objects.read(&first).await.unwrap(), None, "nothing is there before the end");
    sink.finish().await.unwrap();
    assert_eq!(objects.read(&first).await.unwrap().unwrap(), vec![7; 1_000_000]);
    let mut dropped = objects.create(&second).await.unwrap();
    dropped.write(piece).await.unwrap();
    drop(dropped);
    assert_eq!(objects.read(&second).await.unwrap(), None, "what was given up is not there");
    objects.create(&second).await.unwrap().finish().await.unwrap();
    assert_eq!(objects.read(&second).await.unwrap().unwrap(), Bytes::new(), "and can be written anew");
    for _ in 0..2 {
        objects.delete(&first).await.unwrap();
        assert_eq!(objects.read(&first).await.unwrap(), None);
    }
    assert!(objects.read(&second).await.unwrap().is_some());
}
