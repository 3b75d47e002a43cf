//! The sockets of the Runtime: what it needs from outside, said in its own words. The plugs live in public-works.

pub mod clock;
pub mod objects;
mod page;
pub mod policy;
pub mod store;

pub use clock::Clock;
pub use objects::{ObjectError, ObjectSink, Objects};
pub use policy::{EverythingAllowed, Policy, Ruling};
pub use store::{Store, StoreError};
