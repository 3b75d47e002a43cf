//! Schedules: made, looked at, paused and deleted. They are fired by the worker.

use contract::{
    Authority, Owner, ScheduleId,
    problem::FieldError,
    schedule::{CreateSchedule, Schedule},
};

use super::{RuntimeClient, RuntimeError};
use crate::{
    port::{
        StoreError,
        clock::random_10,
        store::{Listing, MAX_PAGE, PageRequest, StoredSchedule},
    },
    timetable::Timetable,
};

/// How many schedules one owner may have.
const MAX_SCHEDULES: usize = 100;

/// How often a change is made again because the schedule was fired meanwhile.
const MAX_CONFLICTS: usize = 8;

impl RuntimeClient {
    /// Makes a schedule. The policy is asked and the parameters are checked now, and again whenever it is done.
    pub async fn create_schedule(
        &self,
        owner: &Owner,
        authority: Authority,
        new: CreateSchedule,
    ) -> Result<Schedule, RuntimeError> {
        // What clients cannot submit they cannot have submitted either.
        if !self.offers(&new.intent_type) {
            return Err(RuntimeError::UnknownIntent(new.intent_type));
        }
        let now = self.shared.clock.now();
        self.shared.ruling(&new.intent_type, &authority)?;
        self.shared.check(&new.intent_type, &new.parameters)?;
        let timetable = Timetable::parse(&new.cron, &new.time_zone).map_err(|bad| wrong(bad.field, bad.message))?;
        let Some(next_at) = timetable.next(now) else {
            return Err(wrong("cron", "never comes: no calendar has such a day".to_owned()));
        };
        let own = self.shared.store.schedules(owner, PageRequest::first(MAX_PAGE)).await?;
        if own.items.len() >= MAX_SCHEDULES {
            return Err(wrong("cron", format!("is one schedule too many: delete one of your {MAX_SCHEDULES} first")));
        }
        let schedule = Schedule {
            schedule_id: ScheduleId::from_parts(now, random_10(&*self.shared.clock)),
            intent_type: new.intent_type,
            session_id: new.session_id,
            parameters: new.parameters,
            metadata: new.metadata,
            cron: new.cron,
            time_zone: new.time_zone,
            missed_runs: new.missed_runs,
            priority: new.priority,
            paused: false,
            next_at: Some(next_at),
            last_at: None,
            last_execution_id: None,
            last_problem: None,
            created_at: now,
        };
        let stored = StoredSchedule {
            owner: owner.clone(),
            authority: Some(authority),
            schedule: schedule.clone(),
            revision: 1,
        };
        self.shared.store.put_schedule(stored, None).await?;
        self.shared.fire_at(next_at);
        Ok(schedule)
    }

    pub async fn schedule(&self, owner: &Owner, id: &ScheduleId) -> Result<Option<Schedule>, RuntimeError> {
        Ok(self.shared.store.schedule(owner, id).await?.map(|stored| stored.schedule))
    }

    /// Newest first.
    pub async fn schedules(&self, owner: &Owner, page: PageRequest) -> Result<Listing<Schedule>, RuntimeError> {
        let Listing { items, next_cursor } = self.shared.store.schedules(owner, page).await?;
        Ok(Listing { items: items.into_iter().map(|stored| stored.schedule).collect(), next_cursor })
    }

    /// Pauses a schedule, or lets it go on from now. `None` where the owner has no such schedule.
    pub async fn pause_schedule(
        &self,
        owner: &Owner,
        id: &ScheduleId,
        paused: bool,
    ) -> Result<Option<Schedule>, RuntimeError> {
        for _ in 0..MAX_CONFLICTS {
            let Some(mut stored) = self.shared.store.schedule(owner, id).await? else { return Ok(None) };
            if stored.schedule.paused == paused {
                return Ok(Some(stored.schedule));
            }
            let timetable = Timetable::parse(&stored.schedule.cron, &stored.schedule.time_zone)
                .map_err(|bad| wrong(bad.field, bad.message))?;
            stored.schedule.paused = paused;
            stored.schedule.next_at = if paused { None } else { timetable.next(self.shared.clock.now()) };
            let revision = stored.revision;
            stored.revision += 1;
            let schedule = stored.schedule.clone();
            match self.shared.store.put_schedule(stored, Some(revision)).await {
                Ok(()) => {
                    if let Some(next_at) = schedule.next_at {
                        self.shared.fire_at(next_at);
                    }
                    return Ok(Some(schedule));
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RuntimeError::Unavailable)
    }

    /// Whether there was such a schedule. What it has submitted goes on.
    pub async fn delete_schedule(&self, owner: &Owner, id: &ScheduleId) -> Result<bool, RuntimeError> {
        Ok(self.shared.store.delete_schedule(owner, id).await?)
    }
}

fn wrong(field: &str, message: String) -> RuntimeError {
    RuntimeError::InvalidParameters(vec![FieldError { field: field.to_owned(), message }])
}
