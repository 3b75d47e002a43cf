//! How the events of one conversation are told on one socket: each turn in the dialect in which it was asked for, and the turns
//! of others in the dialect in which the socket came to the conversation.

use std::collections::HashMap;

use axum::extract::ws::Message;
use contract::{ConversationId, Event, EventType, ExecutionId};
use runtime::port::store::JournalEvent;

use super::{
    frames::{self, Dialect},
    legacy::{self, LegacyTurn},
};

/// Executions that are remembered at a time; they are forgotten at their ends, so that many are a client's repetitions.
const MAX_EXECUTIONS: usize = 128;

/// Who is told what.
pub(super) struct Telling {
    conversation_id: ConversationId,
    /// For executions that nobody asked for on this socket.
    otherwise: Dialect,
    executions: HashMap<ExecutionId, Told>,
}

enum Told {
    Platform,
    Legacy(LegacyTurn),
    /// Called by a turn that is told in the legacy dialect: of it, approvals alone are told.
    CalledBy(ExecutionId),
}

impl Telling {
    pub(super) fn new(conversation_id: ConversationId, otherwise: Dialect) -> Self {
        Self { conversation_id, otherwise, executions: HashMap::new() }
    }

    /// A turn was asked for on this socket.
    pub(super) fn begin(&mut self, execution_id: ExecutionId, dialect: Dialect, pillar: Option<String>) {
        if self.executions.len() >= MAX_EXECUTIONS {
            self.executions.retain(|_, told| matches!(told, Told::Legacy(_)));
        }
        let told = match dialect {
            Dialect::Platform => Told::Platform,
            Dialect::Legacy => Told::Legacy(LegacyTurn::new(pillar)),
        };
        self.executions.entry(execution_id).or_insert(told);
    }

    /// Whether a turn that was asked for here has not ended yet.
    pub(super) fn is_busy(&self) -> bool {
        !self.executions.is_empty()
    }

    /// The event as it is told here, if it is.
    pub(super) fn tell(&mut self, event: &JournalEvent) -> Option<Message> {
        if self.executions.is_empty() && self.otherwise == Dialect::Platform {
            return Some(frames::runtime_event(event));
        }
        let frame = match self.executions.get(&event.execution_id) {
            Some(Told::Platform) => Some(frames::runtime_event(event)),
            Some(Told::Legacy(_) | Told::CalledBy(_)) => self.tell_legacy(&event.event()),
            None => self.tell_unknown(event),
        };
        if event.event_type.ends_execution() {
            self.executions.remove(&event.execution_id);
        }
        frame
    }

    fn tell_unknown(&mut self, event: &JournalEvent) -> Option<Message> {
        let is_accepted = event.event_type == EventType::ExecutionAccepted;
        if !is_accepted && self.otherwise == Dialect::Platform {
            return Some(frames::runtime_event(event));
        }
        let parsed = event.event();
        if is_accepted {
            match self.told_as_its_parent(&parsed) {
                Some(Dialect::Platform) => return Some(frames::runtime_event(event)),
                Some(Dialect::Legacy) => return None,
                None => {}
            }
        }
        match self.otherwise {
            Dialect::Platform => Some(frames::runtime_event(event)),
            Dialect::Legacy => {
                // A turn shows itself by its message or by its agent; of anything else approvals alone are told.
                if parsed.data.get("message").is_some() || is_of_agent(event.event_type) {
                    self.begin(parsed.execution_id.clone(), Dialect::Legacy, None);
                }
                self.tell_legacy(&parsed)
            }
        }
    }

    /// The dialect of the turn that called this execution, in which it is told from now on.
    fn told_as_its_parent(&mut self, accepted: &Event) -> Option<Dialect> {
        let parent = accepted.data["parent_execution_id"].as_str()?.parse::<ExecutionId>().ok()?;
        let (told, dialect) = match self.executions.get(&parent)? {
            Told::Platform => (Told::Platform, Dialect::Platform),
            Told::Legacy(_) => (Told::CalledBy(parent.clone()), Dialect::Legacy),
            Told::CalledBy(root) => (Told::CalledBy(root.clone()), Dialect::Legacy),
        };
        self.executions.insert(accepted.execution_id.clone(), told);
        Some(dialect)
    }

    fn tell_legacy(&mut self, event: &Event) -> Option<Message> {
        let mut nobodys = LegacyTurn::default();
        let (root, is_turn) = match self.executions.get(&event.execution_id) {
            Some(Told::CalledBy(root)) => (root.clone(), false),
            Some(Told::Legacy(_)) => (event.execution_id.clone(), true),
            Some(Told::Platform) | None => (event.execution_id.clone(), false),
        };
        let turn = match self.executions.get_mut(&root) {
            Some(Told::Legacy(turn)) => turn,
            Some(Told::Platform | Told::CalledBy(_)) | None => &mut nobodys,
        };
        legacy::tell(turn, &self.conversation_id, event, is_turn).map(Message::text)
    }
}

const fn is_of_agent(event_type: EventType) -> bool {
    matches!(
        event_type,
        EventType::AgentStarted
            | EventType::AgentToken
            | EventType::AgentTool
            | EventType::AgentCompleted
            | EventType::AgentFailed
            | EventType::AgentCancelled
    )
}
