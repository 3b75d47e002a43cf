//! The port for whatever thinks for an agent. A plug is asked with a request that is complete in itself and answers in pieces;
//! it knows no journal, no socket and no storage.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use contract::{AgentId, ArtifactId, Owner, agent::Surface, conversation::Message, intent::IntentDescriptor};
use runtime::ExecutionContext;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    analysis::IntentAnalysis, budget::Budgets, builtin::BuiltinModel, definition::AgentDefinition, directory::Directory,
};

/// The name of the tool with which an agent gives the conversation to another one.
pub const HAND_OFF: &str = "hand_off";

/// Thinks for an agent: reads a conversation and says something, or wants a tool to be used, or both.
#[async_trait]
pub trait LanguageModel: Send + Sync {
    /// What definitions call it.
    fn name(&self) -> &str;

    /// Answers `request` piece by piece into `sink`, and returns when all was said. Being dropped means that nobody wants the
    /// answer any more: then it stops paying for it.
    async fn reply(&self, request: &ModelRequest, sink: &mut dyn ReplySink) -> Result<(), ModelError>;

    /// The most tokens that the answer is expected to use, for budgets; nothing where nobody pays for it.
    fn expected(&self, _request: &ModelRequest) -> Usage {
        Usage::default()
    }

    /// What so many tokens cost, in millionths of a dollar.
    fn cost(&self, _usage: Usage) -> u64 {
        0
    }
}

/// Takes the pieces of an answer as they come.
#[async_trait]
pub trait ReplySink: Send {
    /// Returns when there is room for the next piece. After an error no more is wanted.
    async fn take(&mut self, piece: Piece) -> Result<(), ModelError>;
}

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    Text(String),
    /// A whole call: a provider that streams its arguments in parts joins them first.
    ToolCall(ToolCall),
    /// What this answer cost; the pieces of one answer add up.
    Usage(Usage),
    /// What the model takes the message to mean, where it can say so.
    Reading(IntentAnalysis),
}

/// A tool that the model wants to be used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The provider's own name for the call, unique in a turn.
    pub id: String,
    /// An intent type, or `hand_off`.
    pub name: String,
    pub arguments: Map<String, Value>,
    /// Why the arguments could not be read, where they could not: then nothing is called, and the model is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// The provider's own mark on the call, which it wants to see again with the answer. Nobody else reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// Tokens as the provider counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub input_tokens: u64,
    pub output_tokens: u64,
}

impl Usage {
    pub fn add(&mut self, other: Self) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
    }

    pub fn total(self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

/// Why a model did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It may pass: overloaded, a lost connection.
    #[error("{0}")]
    Transient(String),
    /// It will not pass by itself: a wrong key, a request that is too long.
    #[error("{0}")]
    Final(String),
    /// The sink wants no more; the reason is the sink's.
    #[error("nobody listens any more")]
    Stopped,
}

/// All that a model needs to know to answer.
#[derive(Clone, Debug)]
pub struct ModelRequest {
    /// Whom it speaks for, with the instructions.
    pub agent: Arc<AgentDefinition>,
    /// What was said before, oldest first, without `message`.
    pub history: Arc<[Message]>,
    /// What the person says now.
    pub message: String,
    /// What was said and done in this turn since then.
    pub rounds: Vec<Round>,
    pub tools: Arc<Tools>,
    pub surface: Surface,
    /// Names of the person's files, newest first; not necessarily all.
    pub files: Arc<[String]>,
    /// What is left of the turn's budget.
    pub max_tokens: u64,
    /// For whom the work is done, so that nobody takes all of a provider's places.
    pub owner: Owner,
}

/// One answer of a model in this turn, and what came of the tools that it wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// Who spoke.
    pub agent_id: AgentId,
    pub text: String,
    pub results: Vec<ToolResult>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    pub call: ToolCall,
    pub outcome: ToolOutcome,
}

/// What came of a tool.
#[derive(Clone, Debug, PartialEq)]
pub enum ToolOutcome {
    /// The intent's result, as it was computed. Data, never an instruction.
    Completed { result: Value, artifacts: BTreeMap<String, ArtifactId> },
    /// One sentence for a person, and the code.
    Failed { code: String, message: String },
    /// Somebody had to agree and did not: nothing of it was done.
    Refused { message: String },
    /// Another agent has the conversation now.
    HandedOff { to: AgentId },
}

/// What an agent can use, and whom it works with.
#[derive(Clone, Debug)]
pub struct Tools {
    pub intents: Vec<Arc<IntentDescriptor>>,
    /// The other agents, so that it can tell what is theirs.
    pub colleagues: Vec<Colleague>,
    /// Those to whom it may hand the conversation.
    pub hand_off_to: Vec<AgentId>,
}

/// Another agent and what it can do.
#[derive(Clone, Debug)]
pub struct Colleague {
    pub agent: Arc<AgentDefinition>,
    pub intents: Vec<Arc<IntentDescriptor>>,
}

impl Tools {
    /// What `agent` can use out of `catalogue`.
    pub fn of(agent: &AgentDefinition, directory: &Directory, catalogue: &[Arc<IntentDescriptor>]) -> Self {
        let usable = |definition: &AgentDefinition| {
            let may = |intent: &&Arc<IntentDescriptor>| definition.intents.contains(&intent.intent_type);
            catalogue.iter().filter(may).cloned().collect::<Vec<_>>()
        };
        let others = directory.iter().filter(|other| other.agent_id != agent.agent_id);
        Self {
            intents: usable(agent),
            colleagues: others.map(|other| Colleague { agent: Arc::clone(other), intents: usable(other) }).collect(),
            hand_off_to: directory.hand_off_targets(agent),
        }
    }

    /// The tool `hand_off` as a language model is offered it; `None` where there is nobody to hand over to.
    pub fn hand_off_schema(&self) -> Option<Value> {
        if self.hand_off_to.is_empty() {
            return None;
        }
        Some(json!({
            "type": "object",
            "properties": {
                "agent_id": { "type": "string", "enum": self.hand_off_to, "description": "Who goes on." },
                "reason": { "type": "string", "description": "Why, in one sentence for the person." },
            },
            "required": ["agent_id", "reason"],
            "additionalProperties": false,
        }))
    }
}

/// The intents of the house, shared by all turns: read off the Runtime at the first of them, since they do not change after its start.
#[derive(Default)]
pub(crate) struct Catalogue {
    intents: OnceLock<Vec<Arc<IntentDescriptor>>>,
}

impl Catalogue {
    pub(crate) fn of(&self, context: &ExecutionContext) -> &[Arc<IntentDescriptor>] {
        self.intents.get_or_init(|| context.intents().into_iter().cloned().map(Arc::new).collect())
    }
}

/// The most models that are asked for one answer: the agent's own and those that stand in for it.
const MAX_CHAIN: usize = 4;

/// The models that definitions can name.
#[derive(Clone)]
pub struct Models {
    builtin: Arc<BuiltinModel>,
    by_name: BTreeMap<String, Arc<dyn LanguageModel>>,
    /// Which model stands in for one that does not answer.
    fallbacks: BTreeMap<String, String>,
    /// The model of agents that name none.
    default: String,
    /// What their calls may cost.
    budgets: Option<Budgets>,
}

impl Models {
    /// The built-in model alone. It is always there.
    pub fn new(builtin: BuiltinModel) -> Self {
        let builtin = Arc::new(builtin);
        let name = builtin.name().to_owned();
        let by_name = BTreeMap::from([(name.clone(), Arc::clone(&builtin) as Arc<dyn LanguageModel>)]);
        Self { by_name, builtin, fallbacks: BTreeMap::new(), default: name, budgets: None }
    }

    /// And another one, under its own name.
    #[must_use]
    pub fn with(mut self, model: Arc<dyn LanguageModel>) -> Self {
        self.by_name.insert(model.name().to_owned(), model);
        self
    }

    /// `fallback` stands in where `name` does not answer.
    #[must_use]
    pub fn with_fallback(mut self, name: &str, fallback: &str) -> Self {
        self.fallbacks.insert(name.to_owned(), fallback.to_owned());
        self
    }

    /// Agents that name no model speak by this one.
    #[must_use]
    pub fn with_default(mut self, name: &str) -> Self {
        name.clone_into(&mut self.default);
        self
    }

    /// Calls that would go over `budgets` are not made.
    #[must_use]
    pub fn with_budgets(mut self, budgets: Budgets) -> Self {
        self.budgets = Some(budgets);
        self
    }

    pub(crate) fn budgets(&self) -> Option<&Budgets> {
        self.budgets.as_ref()
    }

    pub fn get(&self, name: &str) -> Option<&Arc<dyn LanguageModel>> {
        self.by_name.get(name)
    }

    pub fn builtin(&self) -> &Arc<BuiltinModel> {
        &self.builtin
    }

    /// The name of the model that speaks for the agent.
    pub fn name_for<'a>(&'a self, agent: &'a AgentDefinition) -> &'a str {
        agent.model.as_deref().unwrap_or(&self.default)
    }

    /// The agent's model, and those that stand in for it, in their order. Empty where it is not there.
    pub fn chain(&self, agent: &AgentDefinition) -> Vec<Arc<dyn LanguageModel>> {
        let mut names = vec![self.name_for(agent)];
        while let Some(next) = self.fallbacks.get(names[names.len() - 1]).filter(|_| names.len() < MAX_CHAIN) {
            if names.contains(&next.as_str()) {
                break;
            }
            names.push(next);
        }
        names.into_iter().map_while(|name| self.by_name.get(name).cloned()).collect()
    }

    /// The agents whose model is not there, with its name: to be told at the start.
    pub fn missing(&self, directory: &Directory) -> Vec<(AgentId, String)> {
        let without = directory.iter().filter(|agent| !self.by_name.contains_key(self.name_for(agent)));
        without.map(|agent| (agent.agent_id.clone(), self.name_for(agent).to_owned())).collect()
    }
}
