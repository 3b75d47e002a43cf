//! Deciding about an approval, in either dialect, exactly once.

use contract::{
    EventType, HookId,
    approval::{Approval, Decision},
};
use runtime::port::store::StreamKey;
use security_guard::Permission;

use super::{About, Outcome};
use crate::{
    Refusal,
    call::decider,
    socket::{connection::Connection, frames::Dialect, telling::Telling},
};

/// How many events of an execution are looked through for the decision about it. It stands near the beginning: nothing of the
/// proposal has happened before.
const MAX_EVENTS_BEFORE: u32 = 100;

/// `approval.respond`, and `safety_response` of today's front end.
pub(super) async fn decide(
    connection: &mut Connection,
    hook_id: HookId,
    decision: Decision,
    dialect: Dialect,
) -> Outcome {
    let outcome = try_decide(connection, &hook_id, decision, dialect).await;
    (outcome, About { hook_id: Some(hook_id), ..About::new(dialect) })
}

async fn try_decide(
    connection: &mut Connection,
    hook_id: &HookId,
    decision: Decision,
    dialect: Dialect,
) -> Result<(), Refusal> {
    connection.require(Permission::DecideApprovals)?;
    let decider = decider(&connection.standing.asker);
    let approval = connection.plane.runtime.decide(decider, hook_id, decision).await?;
    let approval = approval.ok_or_else(|| Refusal::not_found("approval"))?;
    match dialect {
        // A client of the platform resumes what it wants to see.
        Dialect::Platform => Ok(()),
        Dialect::Legacy => watch_on(connection, approval).await,
    }
}

/// Today's front end knows no resume: whoever decides on a fresh connection is told from there how it goes on.
async fn watch_on(connection: &mut Connection, approval: Approval) -> Result<(), Refusal> {
    let Some(conversation_id) = approval.conversation_id else { return Ok(()) };
    if connection.watches.telling(&conversation_id).is_some() {
        return Ok(());
    }
    let runtime = &connection.plane.runtime;
    let own = StreamKey::Execution(approval.execution_id);
    let events = runtime.events(&own, 0, MAX_EVENTS_BEFORE).await?.unwrap_or_default();
    let decided = events.iter().find(|event| event.event_type == EventType::ApprovalDecided);
    let Some(decided) = decided else { return Ok(()) };
    let key = StreamKey::Conversation(connection.standing.asker.owner(), conversation_id.clone());
    let Some(watch) = runtime.watch(&key, decided.seq - 1).await? else { return Ok(()) };
    let telling = Telling::new(conversation_id.clone(), Dialect::Legacy);
    connection.watches.open(conversation_id, watch, telling);
    Ok(())
}
