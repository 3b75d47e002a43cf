//! The turn loop: the model is asked, its tools are used, and so on until it has nothing more to do or a bound is met. Each answer of
//! the model is a recorded step, each tool a child intent, so that a turn that starts again repeats neither.

use std::sync::{Arc, Mutex, PoisonError};

use contract::{
    AgentId, Code, EventType, Owner,
    agent::{RoutingReason, Surface},
    artifact::Artifact,
    conversation::{Message, Role},
};
use runtime::{ExecutionContext, Failure, port::store::ArtifactFilter};
use serde_json::{Map, Value, json};

use super::{AgentInvoke, Invocation};
use crate::{
    analysis::IntentAnalysis,
    definition::AgentDefinition,
    model::{HAND_OFF, ModelRequest, Round, Tools, Usage},
};

/// How many messages of the conversation a model is shown.
const MAX_HISTORY: u32 = 40;
/// How many names of files a model is shown.
const MAX_FILES: u32 = 50;
/// What stands between what was said before a tool and after it.
const PARAGRAPH: &str = "\n\n";

/// One turn under way.
pub(super) struct Turn<'a> {
    pub(super) handler: &'a AgentInvoke,
    pub(super) context: &'a ExecutionContext,
    /// Who speaks at present.
    pub(super) agent: Arc<AgentDefinition>,
    pub(super) tools: Arc<Tools>,
    pub(super) hops: u32,
    pub(super) handed_off_from: Option<AgentId>,
    pub(super) artifacts: Map<String, Value>,
    pub(super) first_call: Option<IntentAnalysis>,
    pub(super) reading: Option<IntentAnalysis>,
    pub(super) usage: Usage,
    /// What was paid for it, in millionths of a dollar.
    pub(super) cost_micros: u64,
    /// All that was said so far.
    pub(super) said: Mutex<String>,
    pub(super) reply_to: Option<String>,
    /// The model that answered last.
    pub(super) model: String,
    owner: Owner,
    text: String,
    surface: Surface,
    history: Arc<[Message]>,
    files: Arc<[String]>,
    rounds: Vec<Round>,
    /// How often a model was asked in this turn.
    pub(super) asked: u32,
    /// The same without those answers that only handed over.
    spent: u32,
}

impl<'a> Turn<'a> {
    pub(super) async fn begin(
        handler: &'a AgentInvoke,
        context: &'a ExecutionContext,
        invocation: Invocation,
    ) -> Result<Self, Failure> {
        let Some(agent) = handler.directory.get(&invocation.agent_id).cloned() else {
            return Err(Failure::new(Code::UnknownAgent, "There is no agent of that name; see GET /api/agents."));
        };
        let surface = invocation.surface();
        let routing = invocation.routing();
        let turn = Self {
            handler,
            context,
            tools: Arc::new(Tools::of(&agent, &handler.directory, handler.catalogue.of(context))),
            model: handler.models.name_for(&agent).to_owned(),
            agent,
            hops: 0,
            handed_off_from: None,
            artifacts: Map::new(),
            first_call: None,
            reading: None,
            usage: Usage::default(),
            cost_micros: 0,
            said: Mutex::default(),
            reply_to: invocation.message_id.as_ref().map(ToString::to_string),
            owner: context.owner().await?,
            history: earlier_messages(context, &invocation.text).await?,
            files: file_names(context).await?,
            text: invocation.text,
            surface,
            rounds: Vec::new(),
            asked: 0,
            spent: 0,
        };
        turn.announce(&routing).await?;
        Ok(turn)
    }

    /// Tells who speaks from here on, and why.
    pub(super) async fn announce(&self, routing: &RoutingReason) -> Result<(), Failure> {
        let mut data = self.about();
        data.insert("agent_type".to_owned(), json!(self.agent.kind));
        data.insert("reply_to".to_owned(), json!(self.reply_to));
        data.insert("routing".to_owned(), json!(routing));
        data.insert("attempt".to_owned(), json!(self.context.attempt()));
        data.insert("definition".to_owned(), json!(self.agent.digest()));
        self.context.emit(EventType::AgentStarted, &Value::Object(data)).await
    }

    /// What stands in the data of every event of this turn.
    pub(super) fn about(&self) -> Map<String, Value> {
        let mut about = Map::new();
        about.insert("agent_id".to_owned(), json!(self.agent.agent_id));
        about.insert("conversation_id".to_owned(), json!(self.context.conversation_id()));
        about.insert("execution_id".to_owned(), json!(self.context.execution_id()));
        about
    }

    pub(super) async fn run(&mut self) -> Result<(), Failure> {
        loop {
            if let Some(reason) = self.exhausted() {
                return self.speak(reason, true).await;
            }
            let reply = self.ask().await?;
            self.usage.add(reply.usage);
            self.cost_micros = self.cost_micros.saturating_add(reply.cost_micros);
            self.model = reply.model;
            if self.reading.is_none() {
                self.reading = reply.reading;
            }
            if reply.calls.is_empty() {
                return Ok(());
            }
            let handed_over = reply.calls.iter().all(|call| call.name == HAND_OFF);
            self.spent += u32::from(!handed_over);
            let speaker = self.agent.agent_id.clone();
            let results = self.use_tools(reply.calls).await?;
            self.rounds.push(Round { agent_id: speaker, text: reply.text, results });
        }
    }

    /// Why the model is not asked again.
    fn exhausted(&self) -> Option<&'static str> {
        let budget = self.agent.budget;
        if self.spent >= budget.max_steps {
            return Some(
                "I stop here: this turn has taken all the steps that it may. Tell me to go on if you want more.",
            );
        }
        if self.usage.total() >= budget.max_tokens {
            return Some("I stop here: this turn has used up its tokens. Tell me to go on if you want more.");
        }
        None
    }

    pub(super) fn request(&self) -> ModelRequest {
        ModelRequest {
            agent: Arc::clone(&self.agent),
            history: Arc::clone(&self.history),
            message: self.text.clone(),
            rounds: self.rounds.clone(),
            tools: Arc::clone(&self.tools),
            surface: self.surface,
            files: Arc::clone(&self.files),
            max_tokens: self.agent.budget.max_tokens.saturating_sub(self.usage.total()),
            owner: self.owner.clone(),
        }
    }

    /// Says a piece. What begins an answer is a paragraph of its own.
    pub(super) async fn speak(&self, piece: &str, begins: bool) -> Result<(), Failure> {
        self.speak_beside(piece, begins, &self.about()).await
    }

    pub(super) async fn speak_beside(
        &self,
        piece: &str,
        begins: bool,
        about: &Map<String, Value>,
    ) -> Result<(), Failure> {
        let piece = {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            let piece = if begins && !said.is_empty() { format!("{PARAGRAPH}{piece}") } else { piece.to_owned() };
            said.push_str(&piece);
            piece
        };
        self.context.token(&piece, about).await
    }

    pub(super) fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What was said before the message of this turn.
async fn earlier_messages(context: &ExecutionContext, text: &str) -> Result<Arc<[Message]>, Failure> {
    let mut history = context.history(MAX_HISTORY).await?;
    // What began this turn is the last of them: several messages where they were merged, whose text is joined in `text`.
    let before = history.len();
    history
        .retain(|message| message.role != Role::User || message.execution_id.as_ref() != Some(context.execution_id()));
    if history.len() < before {
        return Ok(history.into());
    }
    // A turn that another execution called has that one's message.
    if history.last().is_some_and(|message| message.role == Role::User && message.content == text) {
        history.pop();
    }
    Ok(history.into())
}

async fn file_names(context: &ExecutionContext) -> Result<Arc<[String]>, Failure> {
    let filter = ArtifactFilter { artifact_type: Some("file".to_owned()), ..ArtifactFilter::default() };
    let files = context.newest_artifacts(&filter, MAX_FILES).await?;
    let mut names: Vec<String> = Vec::with_capacity(files.len());
    for name in files.iter().filter_map(file_name) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names.into())
}

fn file_name(artifact: &Artifact) -> Option<String> {
    let named = |fields: &Map<String, Value>| {
        ["file_name", "title", "name"].iter().find_map(|key| fields.get(*key)?.as_str().map(str::to_owned))
    };
    named(&artifact.semantic_descriptor).or_else(|| named(&artifact.semantic_payload))
}
