//! One turn of a conversation: the agent is chosen, and the Runtime is told to run it. The socket and plain HTTP take
//! the same way.

use contract::{
    AgentId, Authority, Code, ConversationId, MessageId, Owner, SessionId,
    agent::{RoutingReason, Surface, TurnPolicy},
    intent::{Submitted, Timing},
};
use runtime::{SubmitRequest, UserMessage};
use serde_json::{Map, Value, json};

use crate::{Plane, Refusal, routing};

/// The intent that runs an agent.
pub const AGENT_INVOKE: &str = "agent_invoke";

/// The longest message of a person, in characters.
pub const MAX_TEXT_CHARACTERS: usize = 32_000;

/// What somebody said, and where.
#[derive(Clone, Debug)]
pub struct Turn {
    pub owner: Owner,
    /// With whose rights.
    pub authority: Authority,
    pub session_id: SessionId,
    pub conversation_id: ConversationId,
    /// The client's own id: the same id twice in a conversation is one turn.
    pub message_id: MessageId,
    pub text: String,
    pub surface: Surface,
    pub project_id: Option<String>,
    /// The agent that the client names.
    pub named: Option<AgentId>,
    /// What becomes of it while an earlier turn has not ended; the agent's own policy where the client does not say.
    pub policy: Option<TurnPolicy>,
    /// How many executions the owner may have in all.
    pub quota: Option<u32>,
}

/// A turn that is durable and will be executed.
#[derive(Clone, Debug)]
pub struct Begun {
    pub submitted: Submitted,
    pub agent_id: AgentId,
    pub routing: RoutingReason,
}

/// Chooses the agent and submits the turn. When this returns the turn is durable; it does not wait for it.
pub async fn submit_turn(plane: &Plane, turn: Turn) -> Result<Begun, Refusal> {
    check_text("text", &turn.text)?;
    let conversation = match &turn.named {
        // The first rule decides, and nothing has to be read for it.
        Some(_) => routing::Standing::default(),
        None => routing::standing(&plane.runtime, &turn.owner, &turn.conversation_id).await?,
    };
    let choice = routing::choose(&plane.agents, turn.named.as_ref(), &conversation, turn.surface)?;
    let policy = turn.policy.unwrap_or_else(|| routing::policy_of(&plane.agents, &choice.agent_id));
    let parameters = parameters(&turn, &choice);
    let request = SubmitRequest {
        owner: turn.owner,
        authority: turn.authority,
        session_id: turn.session_id,
        intent_type: AGENT_INVOKE.to_owned(),
        parameters,
        metadata: Map::from_iter([("surface".to_owned(), json!(turn.surface))]),
        intent_id: None,
        idempotency_key: None,
        conversation_id: Some(turn.conversation_id),
        message: Some(UserMessage { id: turn.message_id, text: turn.text, policy }),
        attachments: Vec::new(),
        timing: Timing::default(),
        quota: turn.quota,
        concurrency_key: None,
    };
    let submitted = plane.runtime.submit(request).await?;
    Ok(Begun { submitted, agent_id: choice.agent_id, routing: choice.routing })
}

fn parameters(turn: &Turn, choice: &routing::Choice) -> Map<String, Value> {
    let Value::Object(parameters) = json!({
        "agent_id": choice.agent_id,
        "text": turn.text,
        "message_id": turn.message_id,
        "context": { "surface": turn.surface, "project_id": turn.project_id },
        "routing": choice.routing,
    }) else {
        unreachable!("the macro was given an object");
    };
    parameters
}

/// Refuses what is empty or too long, under the name that the field has for the client.
pub(crate) fn check_text(field: &str, text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::field(field, "Say something: the message is empty."));
    }
    // Characters are counted only where the bytes could be too many.
    if text.len() > MAX_TEXT_CHARACTERS && text.chars().count() > MAX_TEXT_CHARACTERS {
        return Err(Refusal::field(field, format!("A message has at most {MAX_TEXT_CHARACTERS} characters.")));
    }
    Ok(())
}

/// The refusal of an agent that nobody knows.
pub fn unknown_agent(agent_id: &AgentId) -> Refusal {
    Refusal::new(
        Code::UnknownAgent,
        format!("There is no agent {agent_id} that can be asked. GET /api/agents lists those that there are."),
    )
}
