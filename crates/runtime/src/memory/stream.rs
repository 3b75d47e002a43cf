//! A stream in memory: its events, and what was said where it is a conversation's.

use contract::{
    ExecutionId, Owner,
    conversation::{ConversationSummary, Message, Role},
};

use crate::port::store::{JournalEvent, NewMessage};

/// How many characters of the first message are a conversation's title.
const TITLE_CHARACTERS: usize = 80;

#[derive(Default)]
pub(super) struct Stream {
    pub(super) conversation: Option<(Owner, ConversationSummary)>,
    pub(super) events: Vec<(ExecutionId, JournalEvent)>,
    pub(super) messages: Vec<Message>,
}

impl Stream {
    pub(super) fn say(&mut self, message: NewMessage, head: u64, execution: &ExecutionId) {
        let Some((_, summary)) = &mut self.conversation else { return };
        summary.updated_at = message.created_at;
        match message.role {
            Role::Assistant => summary.agent_id = message.agent_id.clone(),
            Role::User if summary.title.is_empty() => {
                summary.title = message.content.chars().take(TITLE_CHARACTERS).collect();
            }
            Role::User => {}
        }
        self.messages.push(Message {
            id: message.id,
            role: message.role,
            content: message.content,
            agent_id: message.agent_id,
            execution_id: Some(execution.clone()),
            seq: head + 1 + message.at_event as u64,
            created_at: message.created_at,
        });
    }

    /// Whether the text stands in the title or in a message, whatever the case of its ASCII letters.
    pub(super) fn says(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let title = self.conversation.as_ref().map(|(_, summary)| summary.title.as_str());
        let texts = title.into_iter().chain(self.messages.iter().map(|message| message.content.as_str()));
        texts.map(str::to_ascii_lowercase).any(|said| said.contains(&text))
    }

    pub(super) fn summary(&self, summary: &ConversationSummary) -> ConversationSummary {
        ConversationSummary { cursor: self.events.len() as u64, ..summary.clone() }
    }
}
