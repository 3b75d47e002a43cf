//! The face: HTTP and WebSocket for people and programs. It asks the Security Guard who is calling, keeps
//! conversations, chooses the agent, and has the Runtime execute. It executes nothing itself and touches no storage.

pub mod config;
mod metrics;
pub mod plane;

pub mod call;
pub mod client;
mod logged;
pub mod origin;
mod permissions;
pub mod problem;

mod console;
pub mod http;
pub mod socket;
pub mod stream;

pub mod routing;
pub mod turn;

pub mod serve;

pub use call::{CallContext, Credentials};
pub use config::{ExperienceConfig, ExperienceLimits};
pub use plane::{Experience, Plane};
pub use problem::Refusal;
pub use serve::{serve, serve_operator};
