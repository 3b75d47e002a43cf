//! The words of the house: ids, intents, events, problems, wire frames and API bodies. It knows nothing of
//! sockets, storage, tasks or the time of day; it is values all the way down.

pub mod agent;
pub mod approval;
pub mod artifact;
pub mod audit;
pub mod auth;
pub mod authority;
pub mod conversation;
pub mod event;
pub mod execution;
pub mod frame;
pub mod id;
pub mod intent;
pub mod key;
pub mod owner;
pub mod pending;
pub mod problem;
pub mod schedule;
pub mod session;
pub mod tenant;
pub mod time;

pub use authority::Authority;
pub use event::{Event, EventType};
pub use id::{
    AgentId, ApiKeyId, ArtifactId, ConversationId, ExecutionId, HookId, IntentId, InvitationId, MessageId, ObjectId,
    ScheduleId, SessionId, SignInId, TenantId, UserId,
};
pub use owner::Owner;
pub use problem::{Code, Problem};
pub use time::Timestamp;
