//! Stopping a run. What had been said stays; a second time is no error.

use contract::ExecutionId;
use security_guard::Permission;

use super::{About, Outcome};
use crate::{
    Refusal,
    socket::{connection::Connection, frames::Dialect},
};

/// What the journal gives as the reason.
const REASON: &str = "It was cancelled by the user.";

/// `agent.cancel`. What comes of it is told by the run's own events.
pub(super) async fn cancel(connection: &mut Connection, execution_id: ExecutionId) -> Outcome {
    let outcome = try_cancel(connection, &execution_id).await;
    (outcome, About { execution_id: Some(execution_id), ..About::new(Dialect::Platform) })
}

async fn try_cancel(connection: &mut Connection, execution_id: &ExecutionId) -> Result<(), Refusal> {
    connection.require(Permission::CancelExecutions)?;
    let owner = connection.standing.asker.owner();
    let cancelled = connection.plane.runtime.cancel(&owner, execution_id, REASON).await?;
    cancelled.map(|_| ()).ok_or_else(|| Refusal::not_found("execution"))
}
