//! The agent socket: a way to say something to an agent and to watch what comes of it, nothing more. It knows HTTP only until the
//! upgrade; everything that is refused is refused before it.

mod close;
mod connection;
mod frames;
mod legacy;
mod outbox;
mod pace;
mod pulse;
mod registry;
mod standing;
mod telling;
mod upgrade;
mod verbs;
mod watches;

pub(crate) use close::Close;
pub(crate) use outbox::Outbox;
pub(crate) use pace::Pace;
pub(crate) use pulse::Pulse;
pub use registry::Sockets;
pub(crate) use registry::{Order, Seat};
pub use upgrade::routes;
pub(crate) use upgrade::{Upgrade, accept, refuse};
