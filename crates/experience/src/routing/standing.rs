//! Where a conversation stands: who answers in it at present, and which surface its last message came from. Both are read from
//! what the Runtime keeps, so that routing is the same on every socket and after a restart.

use contract::{AgentId, ConversationId, Owner, agent::Surface, conversation::Role};
use runtime::{RuntimeClient, RuntimeError, port::store::StreamKey};

/// How many of the newest messages are looked through for a person's.
const MAX_MESSAGES_BACK: u32 = 8;

/// What routing wants to know of a conversation; nothing, for one that is yet to begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub present_agent: Option<AgentId>,
    pub last_surface: Option<Surface>,
}

/// Reads where a conversation stands.
pub async fn standing(
    runtime: &RuntimeClient,
    owner: &Owner,
    conversation_id: &ConversationId,
) -> Result<Standing, RuntimeError> {
    let Some(conversation) = runtime.conversation(owner, conversation_id, None, MAX_MESSAGES_BACK).await? else {
        return Ok(Standing::default());
    };
    let last = conversation.messages.iter().rev().find(|message| message.role == Role::User);
    let last_surface = match last {
        Some(message) => surface_at(runtime, owner, conversation_id, message.seq).await?,
        None => None,
    };
    Ok(Standing { present_agent: conversation.summary.agent_id, last_surface })
}

/// The surface of the message that entered the conversation with the event `seq`.
async fn surface_at(
    runtime: &RuntimeClient,
    owner: &Owner,
    conversation_id: &ConversationId,
    seq: u64,
) -> Result<Option<Surface>, RuntimeError> {
    let key = StreamKey::Conversation(owner.clone(), conversation_id.clone());
    let events = runtime.events(&key, seq.saturating_sub(1), 1).await?.unwrap_or_default();
    let accepted = events.first().map(|event| event.event());
    let surface = accepted.as_ref().and_then(|event| event.data.pointer("/message/metadata/surface")?.as_str());
    Ok(surface.map(Surface::from_word))
}
