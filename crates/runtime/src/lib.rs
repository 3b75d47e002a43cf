//! The Execution Lifecycle Manager: the only place where anything is executed. It accepts intents, journals what
//! happens, retries, cancels, asks for approval, recovers and streams. It knows no screen, no socket, no password, no
//! realm and no agent.

pub mod machine;
pub mod port;

pub use port::{Clock, ObjectError, ObjectSink, Objects, Store, StoreError};
