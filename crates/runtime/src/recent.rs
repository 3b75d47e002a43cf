//! What executions of this process have told lately. Who asks for something mostly watches it right away: the events are
//! here then, and nothing is read for them. What is not here is read from the store, which has the truth.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use contract::{ExecutionId, Owner};

use crate::{
    machine::State,
    port::store::{Committed, JournalEvent, StreamPosition},
    worker::lock,
};

/// How much is kept in all, in bytes of the events' JSON; what was begun first goes first.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What an execution costs beside its events, in bytes.
const TRAIL_BYTES: usize = 256;

#[derive(Default)]
pub(crate) struct Recent(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    trails: HashMap<ExecutionId, Trail>,
    /// In the order in which they began; some have been forgotten meanwhile.
    order: VecDeque<ExecutionId>,
    bytes: usize,
}

/// All events of one execution, which has its stream for itself: in a conversation's stream it could not be seen whether one is
/// missing.
struct Trail {
    owner: Owner,
    position: StreamPosition,
    events: Vec<JournalEvent>,
    has_ended: bool,
}

/// Where a trail ends.
pub(crate) struct Trace {
    pub(crate) position: StreamPosition,
    pub(crate) has_ended: bool,
}

impl Recent {
    /// Keeps what a new execution has told. To be called before the feed tells it, as `follow` is.
    pub(crate) fn begin(&self, state: &State, committed: &Committed) {
        let header = &state.header;
        if header.conversation_id.is_some() {
            return;
        }
        let Some(last) = committed.events.last() else { return };
        let mut inner = lock(&self.0);
        let trail = Trail {
            owner: header.owner.clone(),
            position: StreamPosition { stream: committed.stream, head: last.seq },
            events: committed.events.clone(),
            has_ended: state.has_ended(),
        };
        inner.bytes += trail.bytes();
        inner.trails.insert(header.execution_id.clone(), trail);
        inner.order.push_back(header.execution_id.clone());
        inner.make_room();
    }

    /// Keeps what an execution has told further, and whether it has ended where that was decided with it.
    pub(crate) fn follow(&self, id: &ExecutionId, has_ended: Option<bool>, committed: &Committed) {
        let (Some(first), Some(last)) = (committed.events.first(), committed.events.last()) else { return };
        let mut inner = lock(&self.0);
        let Some(trail) = inner.trails.get_mut(id) else { return };
        // The news of two commits can come in the wrong order; then the store has to be asked.
        if first.seq != trail.position.head + 1 {
            inner.forget(id);
            return;
        }
        let before = trail.bytes();
        trail.events.extend_from_slice(&committed.events);
        trail.position.head = last.seq;
        trail.has_ended = has_ended.unwrap_or(trail.has_ended);
        let grown = trail.bytes() - before;
        inner.bytes += grown;
        inner.make_room();
    }

    /// Where an execution of this owner stands. A claim may have given it to another owner meanwhile, but nobody is the earlier
    /// one any more.
    pub(crate) fn trace(&self, owner: &Owner, id: &ExecutionId) -> Option<Trace> {
        let inner = lock(&self.0);
        let trail = inner.trails.get(id).filter(|trail| trail.owner == *owner)?;
        Some(Trace { position: trail.position, has_ended: trail.has_ended })
    }

    /// The execution's events after `after`, at most `limit`.
    pub(crate) fn events(&self, id: &ExecutionId, after: u64, limit: u32) -> Option<Vec<JournalEvent>> {
        let inner = lock(&self.0);
        let events = &inner.trails.get(id)?.events;
        let known = events.partition_point(|event| event.seq <= after);
        Some(events[known..].iter().take(limit as usize).cloned().collect())
    }

    /// Whether `seq` is the newest event of the execution.
    pub(crate) fn ends_with(&self, id: &ExecutionId, seq: u64) -> bool {
        lock(&self.0).trails.get(id).is_some_and(|trail| trail.position.head == seq)
    }
}

impl Inner {
    fn make_room(&mut self) {
        while self.bytes > MAX_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            self.forget(&oldest);
        }
        // What was forgotten out of turn leaves its id behind, for as long as there are few of them.
        if self.order.len() > 2 * self.trails.len().max(TRAIL_BYTES) {
            self.order.retain(|id| self.trails.contains_key(id));
        }
    }

    fn forget(&mut self, id: &ExecutionId) {
        if let Some(trail) = self.trails.remove(id) {
            self.bytes -= trail.bytes();
        }
    }
}

impl Trail {
    fn bytes(&self) -> usize {
        TRAIL_BYTES + self.events.iter().map(|event| event.json.len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use contract::{EventType, SessionId, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::port::store::{NewEvent, StreamId};

    fn state(id: &str, conversation: Option<&str>) -> State {
        let mut state = json!({
            "header": {
                "execution_id": id, "intent_id": "i", "intent_type": "t", "parameters": {}, "owner": owner("s"),
                "session_id": "s", "created_at": Timestamp::from_millis(0),
            },
            "phase": { "phase": "pending", "attempts": 0 },
            "revision": 1,
        });
        if let Some(conversation) = conversation {
            state["header"]["conversation_id"] = json!(conversation);
        }
        serde_json::from_value(state).unwrap()
    }

    fn owner(session: &str) -> Owner {
        Owner::Anonymous { session_id: session.parse::<SessionId>().unwrap() }
    }

    fn told(id: &ExecutionId, seqs: std::ops::RangeInclusive<u64>, text: &str) -> Committed {
        let event = NewEvent::new(EventType::AgentToken, id, Timestamp::from_millis(0), &json!(text));
        Committed { stream: StreamId(7), events: seqs.map(|seq| event.numbered(seq)).collect() }
    }

    fn seqs(recent: &Recent, id: &ExecutionId, after: u64, limit: u32) -> Option<Vec<u64>> {
        recent.events(id, after, limit).map(|events| events.iter().map(|event| event.seq).collect())
    }

    #[test]
    fn a_trail_is_whole_or_not_there() {
        let recent = Recent::default();
        let one = state("one", None);
        let id = &one.header.execution_id;
        recent.begin(&one, &told(id, 1..=2, ""));
        recent.follow(id, None, &told(id, 3..=3, ""));
        assert_eq!(seqs(&recent, id, 0, 10), Some(vec![1, 2, 3]));
        assert_eq!(seqs(&recent, id, 1, 1), Some(vec![2]));
        assert_eq!(seqs(&recent, id, 9, 10), Some(vec![]));
        assert!(recent.ends_with(id, 3) && !recent.ends_with(id, 2));
        assert_eq!(recent.trace(&owner("s"), id).map(|trace| (trace.position.head, trace.has_ended)), Some((3, false)));
        assert!(recent.trace(&owner("other"), id).is_none());
        recent.follow(id, None, &told(id, 5..=5, ""));
        assert_eq!(seqs(&recent, id, 0, 10), None, "the fourth is missing");
        recent.follow(id, None, &told(id, 4..=4, ""));
        assert_eq!(seqs(&recent, id, 0, 10), None);

        let talk = state("talk", Some("c"));
        recent.begin(&talk, &told(&talk.header.execution_id, 1..=1, ""));
        assert_eq!(seqs(&recent, &talk.header.execution_id, 0, 10), None, "its stream is not its own");
    }

    #[test]
    fn what_began_first_goes_first() {
        let recent = Recent::default();
        let ids: Vec<ExecutionId> = (0..10).map(|number| format!("e{number}").parse().unwrap()).collect();
        for id in &ids {
            recent.begin(&state(id.as_str(), None), &told(id, 1..=1, &"x".repeat(MAX_BYTES / 4)));
        }
        let kept: Vec<bool> = ids.iter().map(|id| seqs(&recent, id, 0, 1).is_some()).collect();
        assert_eq!(kept, [false, false, false, false, false, false, false, true, true, true]);
        recent.follow(&ids[9], None, &told(&ids[9], 2..=2, &"x".repeat(MAX_BYTES)));
        let inner = lock(&recent.0);
        assert!(inner.trails.is_empty() && inner.bytes == 0, "one that is larger than all room is not kept");
    }
}
