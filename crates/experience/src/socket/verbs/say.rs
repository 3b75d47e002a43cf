//! Saying something to an agent, in either dialect: the turn is submitted, and its conversation is watched from where it stood before.

use contract::{
    AgentId, Code, ConversationId, ExecutionId, MessageId, Owner,
    agent::{Surface, TurnPolicy},
    frame::{AgentMessage, LegacyIntent},
};
use runtime::{Watch, port::store::StreamKey};
use security_guard::{Asker, GuardError, Permission};
use serde_json::Value;

use super::{About, Outcome};
use crate::{
    Plane, Refusal, routing,
    socket::{connection::Connection, frames::Dialect, telling::Telling},
    turn::{self, Turn},
};

/// A message in the words of the house, whichever dialect it came in.
struct Said {
    conversation_id: ConversationId,
    message_id: MessageId,
    text: String,
    surface: Surface,
    project_id: Option<String>,
    named: Option<AgentId>,
    policy: Option<TurnPolicy>,
    /// The old client's own word for the surface.
    pillar: Option<String>,
}

/// `agent.message`.
pub(super) async fn message(connection: &mut Connection, message: AgentMessage) -> Outcome {
    let AgentMessage { id, payload } = message;
    let about = About { reply_to: id.clone(), ..About::new(Dialect::Platform) };
    let said = Said {
        conversation_id: conversation(connection, payload.context.conversation_id),
        message_id: id.unwrap_or_else(|| new_message(&connection.plane)),
        text: payload.text,
        surface: Surface::from_word(payload.context.surface.as_deref().unwrap_or_default()),
        project_id: payload.context.project_id,
        named: payload.agent_id,
        policy: payload.turn_policy,
        pillar: None,
    };
    (say(connection, said, Dialect::Platform).await, about)
}

/// `intent` of today's front end.
pub(super) async fn legacy_intent(connection: &mut Connection, intent: LegacyIntent) -> Outcome {
    let mut about = About::new(Dialect::Legacy);
    let word = |name: &str| intent.metadata.get(name).and_then(Value::as_str).filter(|word| !word.is_empty());
    let conversation_id = match word("conversation_id").map(str::parse) {
        Some(Ok(conversation_id)) => conversation_id,
        Some(Err(_)) => {
            let said = "metadata.conversation_id is no id. Use letters, digits and . _ : ~ - alone, at most 128.";
            return (Err(Refusal::new(Code::BadFrame, said)), about);
        }
        None => conversation(connection, intent.session_id.clone()),
    };
    about.conversation_id = Some(conversation_id.clone());
    let pillar = word("pillar").map(str::to_owned);
    let surface = Surface::from_word(pillar.as_deref().unwrap_or_default());
    let said = Said {
        conversation_id,
        message_id: new_message(&connection.plane),
        named: routing::named_by_type(&connection.plane.agents, intent.agent_type.as_deref(), surface),
        text: intent.intent,
        surface,
        project_id: None,
        policy: None,
        pillar,
    };
    (say(connection, said, Dialect::Legacy).await, about)
}

async fn say(connection: &mut Connection, said: Said, dialect: Dialect) -> Result<(), Refusal> {
    connection.require(Permission::TalkToAgents)?;
    let quota = check_session(connection).await?;
    let owner = connection.standing.asker.owner();
    let turn = Turn {
        owner: owner.clone(),
        authority: connection.standing.asker.authority(),
        session_id: connection.session_id.clone(),
        conversation_id: said.conversation_id.clone(),
        message_id: said.message_id,
        text: said.text,
        surface: said.surface,
        project_id: said.project_id,
        named: said.named,
        policy: said.policy,
        quota,
    };
    let begun = turn::submit_turn(&connection.plane, turn).await?;
    let execution_id = begun.submitted.execution_id;
    if connection.watches.telling(&said.conversation_id).is_none() {
        let watch = watch_from(&connection.plane, owner, &said.conversation_id, &execution_id).await?;
        let telling = Telling::new(said.conversation_id.clone(), dialect);
        connection.watches.open(said.conversation_id.clone(), watch, telling);
    }
    if let Some(telling) = connection.watches.telling(&said.conversation_id) {
        telling.begin(execution_id, dialect, said.pillar);
    }
    Ok(())
}

/// A socket's session is worked in for as long as it is the caller's and is not over; an anonymous one may do so much in all.
async fn check_session(connection: &mut Connection) -> Result<Option<u32>, Refusal> {
    let gone = || Refusal::new(Code::Forbidden, "This session is somebody's now, or over. Connect again.");
    match &connection.standing.asker {
        asker @ Asker::User(_) => match connection.plane.guard.check_session(asker, &connection.session_id).await {
            Err(GuardError::NotFound(_)) => Err(gone()),
            Ok(()) => Ok(None),
            Err(error) => Err(error.into()),
        },
        Asker::Anonymous { .. } => {
            connection.look_again().await.map_err(|_| gone())?;
            Ok(Some(connection.plane.config.limits.anonymous_intents))
        }
    }
}

/// A watch from just before the execution's first event. So nothing of the turn is missed, however far it has got, and a message
/// that was sent before over another socket is told from its beginning.
async fn watch_from(
    plane: &Plane,
    owner: Owner,
    conversation_id: &ConversationId,
    execution_id: &ExecutionId,
) -> Result<Watch, Refusal> {
    let first = plane.runtime.events(&StreamKey::Execution(execution_id.clone()), 0, 1).await?;
    let first_seq = first.and_then(|events| events.first().map(|event| event.seq)).unwrap_or(1);
    let key = StreamKey::Conversation(owner, conversation_id.clone());
    let watch = plane.runtime.watch(&key, first_seq.saturating_sub(1)).await?;
    watch.ok_or_else(|| Refusal::not_found("conversation"))
}

/// The conversation that the client names; otherwise that of the message before it on this socket, or a new one.
fn conversation(connection: &mut Connection, named: Option<ConversationId>) -> ConversationId {
    let last = connection.conversation_id.take();
    let conversation_id = named.or(last).unwrap_or_else(|| new_conversation(&connection.plane));
    connection.conversation_id = Some(conversation_id.clone());
    conversation_id
}

fn new_conversation(plane: &Plane) -> ConversationId {
    ConversationId::from_parts(plane.clock.now(), chance(plane))
}

fn new_message(plane: &Plane) -> MessageId {
    MessageId::from_parts(plane.clock.now(), chance(plane))
}

fn chance(plane: &Plane) -> [u8; 10] {
    let mut bytes = [0; 10];
    plane.clock.fill(&mut bytes);
    bytes
}
