//! Servers that speak the Model Context Protocol, as realms: what they offer as tools becomes intents. A server is somebody else's
//! program: whatever it says is bounded and read with care here, and what it does wrong ends the one execution that met it.

mod answer;
mod command;
mod config;
mod fault;
mod handler;
mod http;
mod message;
mod schema;
mod server;
mod tool;

pub use config::{Approval, Hidden, McpConfig};
pub use fault::Fault;
pub use handler::ToolHandler;
pub use server::{Offer, Server};
pub use tool::Tool;
