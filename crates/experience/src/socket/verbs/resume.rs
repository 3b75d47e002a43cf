//! Taking a conversation up again from a cursor: what came after it is told, and then what comes.

use contract::{Code, ConversationId};
use runtime::port::store::StreamKey;
use security_guard::Permission;

use super::{About, Outcome};
use crate::{
    Refusal,
    socket::{connection::Connection, frames::Dialect, telling::Telling},
};

/// `agent.resume`, always in the platform's dialect. It takes the place of an earlier watch of the conversation on this socket. A
/// cursor beyond the newest event is of another conversation, and is refused rather than waited for.
pub(super) async fn resume(connection: &mut Connection, conversation_id: ConversationId, after: u64) -> Outcome {
    let outcome = try_resume(connection, &conversation_id, after).await;
    (outcome, About { conversation_id: Some(conversation_id), ..About::new(Dialect::Platform) })
}

async fn try_resume(connection: &mut Connection, conversation_id: &ConversationId, after: u64) -> Result<(), Refusal> {
    connection.require(Permission::ReadExecutions)?;
    let owner = connection.standing.asker.owner();
    let runtime = &connection.plane.runtime;
    let conversation = runtime.conversation_summary(&owner, conversation_id).await?;
    let conversation = conversation.ok_or_else(|| Refusal::not_found("conversation"))?;
    if after > conversation.cursor {
        return Err(Refusal::new(
            Code::BadCursor,
            format!(
                "The newest event of this conversation is {}. Resume after that one or an earlier one.",
                conversation.cursor
            ),
        ));
    }
    let key = StreamKey::Conversation(owner, conversation_id.clone());
    let watch = runtime.watch(&key, after).await?.ok_or_else(|| Refusal::not_found("conversation"))?;
    let telling = Telling::new(conversation_id.clone(), Dialect::Platform);
    connection.watches.open(conversation_id.clone(), watch, telling);
    Ok(())
}
