//! Schedules that are due. Each time is a submission of its own, named by the schedule and the instant, and only then the schedule goes
//! on to its next time: a crash in between fires the same time again, and finds what it has submitted.

use std::sync::Arc;

use contract::{
    Authority, ExecutionId, IntentId, Owner, Timestamp,
    intent::{Submitted, Timing},
    schedule::Schedule,
};
use tracing::error;

use super::Shared;
use crate::{
    client::RuntimeError,
    machine::Header,
    port::{
        StoreError,
        clock::random_10,
        store::{Idempotency, StoredSchedule},
    },
    submit::{Acceptance, Asked},
    timetable::Timetable,
};

/// How many schedules are fired before anything else is looked at.
const FIRED_AT_ONCE: u32 = 100;

impl Shared {
    /// Fires what is due. What cannot be served now is tried again with the next look.
    pub(super) async fn fire_schedules(self: &Arc<Self>) {
        match self.fire_due().await {
            Ok(next_at) => self.next_firing_is(next_at),
            Err(error) => error!(%error, "schedules could not be fired; it is tried again"),
        }
    }

    /// Answers when the next one is due.
    async fn fire_due(self: &Arc<Self>) -> Result<Option<Timestamp>, RuntimeError> {
        let now = self.clock.now();
        for stored in self.store.due_schedules(now, FIRED_AT_ONCE).await? {
            self.fire(stored, now).await?;
        }
        Ok(self.store.next_schedule().await?)
    }

    async fn fire(self: &Arc<Self>, mut stored: StoredSchedule, now: Timestamp) -> Result<(), RuntimeError> {
        let schedule = &mut stored.schedule;
        let Some(first) = schedule.next_at else { return Ok(()) };
        match Timetable::parse(&schedule.cron, &schedule.time_zone) {
            Ok(timetable) => {
                let due = timetable.due(first, now, schedule.missed_runs);
                for at in due.at {
                    let outcome = self.submit_scheduled(&stored.owner, stored.authority.as_ref(), schedule, at).await;
                    note(schedule, at, outcome)?;
                }
                schedule.next_at = due.next_at;
            }
            Err(bad) => {
                // It could be read when it was made; the time zone may be gone.
                schedule.next_at = None;
                schedule.last_problem = Some(format!("Its {} {}.", bad.field, bad.message));
            }
        }
        let revision = stored.revision;
        stored.revision += 1;
        match self.store.put_schedule(stored, Some(revision)).await {
            // It was paused or deleted in the same moment.
            Ok(()) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn submit_scheduled(
        self: &Arc<Self>,
        owner: &Owner,
        authority: Option<&Authority>,
        schedule: &Schedule,
        at: Timestamp,
    ) -> Result<Submitted, RuntimeError> {
        let (now, clock) = (self.clock.now(), &*self.clock);
        let timing = Timing { priority: schedule.priority, ..Timing::default() };
        let mut metadata = schedule.metadata.clone();
        metadata.insert("schedule_id".to_owned(), schedule.schedule_id.as_str().into());
        metadata.insert("scheduled_for".to_owned(), at.to_string().into());
        let header = Header {
            execution_id: ExecutionId::from_parts(now, random_10(clock)),
            intent_id: IntentId::from_parts(now, random_10(clock)),
            intent_type: schedule.intent_type.clone(),
            parameters: schedule.parameters.clone(),
            metadata,
            owner: owner.clone(),
            authority: authority.cloned(),
            session_id: schedule.session_id.clone(),
            conversation_id: None,
            parent: None,
            depth: 0,
            attachments: Vec::new(),
            concurrency_key: None,
            supersedes: false,
            timing,
            created_at: now,
        };
        let asked = Asked {
            intent_type: &schedule.intent_type,
            parameters: &schedule.parameters,
            attachments: &[],
            timing,
            text: None,
            place: serde_json::Value::Null,
        };
        let idempotency = Idempotency {
            key: format!("schedule:{}:{}", schedule.schedule_id, at.as_millis()),
            fingerprint: asked.fingerprint(),
            // However long nobody could act on it, a time is fired once.
            expires_at: None,
        };
        let acceptance = Acceptance {
            header,
            carries_out: None,
            idempotency: vec![idempotency],
            message: None,
            quota: None,
            gate: None,
            approval: None,
        };
        self.accept(acceptance).await
    }
}

/// Writes down what came of a time. What may pass is an error, so that the same time is fired again.
fn note(schedule: &mut Schedule, at: Timestamp, outcome: Result<Submitted, RuntimeError>) -> Result<(), RuntimeError> {
    schedule.last_problem = match outcome {
        Ok(submitted) => {
            schedule.last_execution_id = Some(submitted.execution_id);
            None
        }
        Err(RuntimeError::UnknownIntent(name)) => Some(format!("There is no intent {name} any more.")),
        Err(RuntimeError::Refused(reason)) => Some(format!("The policy refuses it: {reason}")),
        Err(RuntimeError::InvalidParameters(errors)) => {
            let told: Vec<String> = errors.iter().map(|error| format!("{} {}", error.field, error.message)).collect();
            Some(format!("The parameters do not fit any more: {}.", told.join("; ")))
        }
        Err(error) => return Err(error),
    };
    schedule.last_at = Some(at);
    Ok(())
}
