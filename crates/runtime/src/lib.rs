//! The Execution Lifecycle Manager: the only place where anything is executed. It accepts intents, journals what
//! happens, retries, cancels, asks for approval, recovers and streams. It knows no screen, no socket, no password, no
//! realm and no agent.

pub mod machine;
pub mod port;

mod catalogue;
mod client;
mod context;
#[cfg(any(test, feature = "contract-suite"))]
pub mod contract_suite;
mod feed;
mod figures;
mod handler;
mod lifecycle;
pub mod memory;
mod recent;
mod schema;
mod submit;
mod timetable;
pub mod torture;
mod view;
mod watch;
mod worker;

pub use catalogue::{Catalogue, CatalogueError};
pub use client::{
    Content, Followed, ForkOutcome, NewPendingIntent, RuntimeClient, RuntimeError, SubmitRequest, Upload, UserMessage,
};
pub use context::{ArtifactChange, Begun, Call, CallOutcome, ExecutionContext, NewArtifact};
pub use figures::{DURATION_BOUNDS_MS, Figures, IntentFigures};
pub use handler::{DEFAULT_TIME_LIMIT, Failure, FailureKind, Handler, Retries};
pub use lifecycle::Runtime;
pub use port::{Clock, EverythingAllowed, ObjectError, ObjectSink, Objects, Policy, Ruling, Store, StoreError};
pub use schema::check_schema;
pub use view::OwnerView;
pub use watch::Watch;
pub use worker::RuntimeConfig;
