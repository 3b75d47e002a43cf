//! A new conversation that begins with what was said in an old one. The old one stays as it is, and so do its executions: what the
//! new one gets are messages, each with an event that tells of it.

use contract::{
    ConversationId, EventType, ExecutionId, Owner, Timestamp,
    conversation::{Conversation, Forked, Message},
};
use serde_json::json;

use super::{RuntimeClient, RuntimeError};
use crate::port::{
    clock::random_10,
    store::{NewConversation, NewEvent, NewMessage},
};

/// The most messages that a conversation begins with; of more the newest ones are taken.
const MAX_MESSAGES: u32 = 1_000;

/// What came of it.
#[derive(Clone, Debug)]
pub enum ForkOutcome {
    Forked(Forked),
    /// The owner has no such conversation.
    NoConversation,
    /// It has no such event yet; its newest one is this.
    Beyond(u64),
    /// Nothing had been said up to there.
    NothingSaid,
}

impl RuntimeClient {
    /// Begins a conversation with the messages of another one up to the event `at`.
    pub async fn fork(&self, owner: &Owner, id: &ConversationId, at: u64) -> Result<ForkOutcome, RuntimeError> {
        let before = Some(at.saturating_add(1));
        let Some(source) = self.conversation(owner, id, before, MAX_MESSAGES - 1).await? else {
            return Ok(ForkOutcome::NoConversation);
        };
        if at > source.summary.cursor {
            return Ok(ForkOutcome::Beyond(source.summary.cursor));
        }
        let clock = &*self.shared.clock;
        let now = clock.now();
        let conversation_id = ConversationId::from_parts(now, random_10(clock));
        let Some(new) = begun(owner, &conversation_id, &source, at, now) else { return Ok(ForkOutcome::NothingSaid) };
        let forked = Forked {
            conversation_id,
            forked_from: id.clone(),
            at,
            messages: u32::try_from(new.messages.len()).unwrap_or(u32::MAX),
            cursor: new.events.len() as u64,
        };
        let (store, task) = (std::sync::Arc::clone(&self.shared.store), &self.shared.tasks);
        // Whoever asked may go away: what was begun is finished.
        let stored = task.spawn(async move { store.begin_conversation(new).await });
        if stored.await.map_err(|_| RuntimeError::Unavailable)?? {
            return Ok(ForkOutcome::Forked(forked));
        }
        // The name is new; that somebody has it can only be an accident.
        Err(RuntimeError::Unavailable)
    }
}

/// What the new conversation begins with; `None` where nothing was said.
fn begun(
    owner: &Owner,
    conversation_id: &ConversationId,
    source: &Conversation,
    at: u64,
    now: Timestamp,
) -> Option<NewConversation> {
    let said: Vec<(ExecutionId, &Message)> =
        source.messages.iter().filter_map(|message| Some((message.execution_id.clone()?, message))).collect();
    let (newest, _) = said.last()?;
    let forked_from = &source.summary.conversation_id;
    let data = json!({ "conversation_id": conversation_id, "forked_from": forked_from, "at": at });
    let mut events = vec![(newest.clone(), NewEvent::new(EventType::ConversationForked, newest, now, &data))];
    let mut messages = Vec::with_capacity(said.len());
    for (execution, message) in said {
        let told =
            json!({ "id": message.id, "role": message.role, "content": message.content, "agent_id": message.agent_id });
        let data = json!({ "conversation_id": conversation_id, "message": told, "said_at": message.created_at });
        let copy = NewMessage {
            id: message.id.clone(),
            at_event: events.len(),
            role: message.role,
            content: message.content.clone(),
            agent_id: message.agent_id.clone(),
            created_at: message.created_at,
        };
        events.push((execution.clone(), NewEvent::new(EventType::ConversationMessage, &execution, now, &data)));
        messages.push((execution, copy));
    }
    let title = source.summary.title.clone();
    Some(NewConversation {
        owner: owner.clone(),
        conversation_id: conversation_id.clone(),
        title,
        created_at: now,
        events,
        messages,
    })
}
