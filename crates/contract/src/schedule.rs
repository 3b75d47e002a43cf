//! Schedules: intents that are submitted again and again, at the times of a cron pattern in a time zone.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{ExecutionId, ScheduleId, SessionId, Timestamp, intent::Priority};

/// What becomes of times that passed while nobody could act on them: the server was down, or its clock jumped. A time that is less
/// than a minute ago is not missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissedRuns {
    /// Nothing is done for them.
    Skip,
    /// It is done once, for the latest of them.
    #[default]
    RunOnce,
    /// It is done for each, but for no more than the latest 100.
    RunAll,
}

/// The body of `POST /api/schedules`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSchedule {
    pub intent_type: String,
    pub session_id: SessionId,
    #[serde(default)]
    pub parameters: Map<String, Value>,
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// Five fields: minute, hour, day of the month, month, day of the week; `0 9 * * MON-FRI`.
    pub cron: String,
    /// A name of the IANA database, such as `Europe/Berlin`. A time that the clock leaves out is made up for right after; one that
    /// comes twice counts once, unless the pattern says every hour.
    #[serde(default = "utc")]
    pub time_zone: String,
    #[serde(default)]
    pub missed_runs: MissedRuns,
    #[serde(default)]
    pub priority: Priority,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// A schedule as clients read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Schedule {
    pub schedule_id: ScheduleId,
    pub intent_type: String,
    pub session_id: SessionId,
    pub parameters: Map<String, Value>,
    pub metadata: Map<String, Value>,
    pub cron: String,
    pub time_zone: String,
    pub missed_runs: MissedRuns,
    pub priority: Priority,
    pub paused: bool,
    /// When it is done next; null while it is paused.
    pub next_at: Option<Timestamp>,
    /// The latest time that it was done for.
    pub last_at: Option<Timestamp>,
    pub last_execution_id: Option<ExecutionId>,
    /// Why nothing could be submitted the last time; null where it could.
    pub last_problem: Option<String>,
    pub created_at: Timestamp,
}

/// The body of `PATCH /api/schedules/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeSchedule {
    /// What passes while it is paused is not missed.
    pub paused: bool,
}

/// The answer of `GET /api/schedules`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SchedulePage {
    pub schedules: Vec<Schedule>,
    pub next_cursor: Option<String>,
}
