//! The Runtime's sockets plugged into memory: for tests, and to try things without a disk. What it promises is what the
//! contract suite asks of every plug, but for surviving the process.

mod faults;
mod filter;
mod objects;
mod store;
mod stream;

pub use faults::Faults;
pub use objects::MemoryObjects;
pub use store::MemoryStore;
