//! What an agent is: data that anybody can write in TOML. It reads no files; whoever has the text hands it in.

use contract::{
    AgentId,
    agent::{AgentKind, AgentSummary, Surface, TurnPolicy},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// The name of the model that is always there, and that serves where neither a definition nor the configuration names another.
pub const DEFAULT_MODEL: &str = "builtin";

/// The most steps that a definition may allow for one turn.
const MOST_STEPS: u32 = 64;

/// How much of the digest of a definition is kept, in bytes: it tells one's own definitions apart, and keeps no secret.
const DIGEST_BYTES: usize = 8;

/// An agent as its author wrote it, checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentDefinition {
    /// `guide`, `liaison.<realm>` or `specialist.<name>`.
    pub agent_id: AgentId,
    pub kind: AgentKind,
    /// The realm it speaks for; a liaison has one, the guide has none.
    #[serde(default)]
    pub realm: Option<String>,
    /// The screens on which it answers.
    #[serde(default)]
    pub surfaces: Vec<Surface>,
    /// One sentence for people, and for agents that may hand over to it.
    pub description: String,
    /// What a language model is told before anything else.
    pub instructions: String,
    /// The name of the model that speaks for it; absent: the one of the configuration, `agents.model`.
    #[serde(default)]
    pub model: Option<String>,
    /// The intents it may use.
    #[serde(default)]
    pub intents: Vec<String>,
    /// Those of `intents` for which somebody has to agree when this agent wants them, beyond the intents' own rules.
    #[serde(default)]
    pub approval: Vec<String>,
    /// What becomes of a message that comes while it still answers, where the message does not say.
    #[serde(default)]
    pub turn_policy: TurnPolicy,
    #[serde(default)]
    pub budget: Budget,
}

/// What one turn may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// How often the model may be asked; hand-overs are bounded by themselves.
    #[schema(minimum = 1, maximum = 64)]
    pub max_steps: u32,
    /// Tokens in and out together.
    pub max_tokens: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { max_steps: 8, max_tokens: 100_000 }
    }
}

/// Why a text is no definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}, line {line}: {message}")]
pub struct DefinitionError {
    pub source_name: String,
    /// Counted from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl AgentDefinition {
    /// Reads a definition. `source_name` is how an error calls the text, such as its file name.
    pub fn from_toml(source_name: &str, text: &str) -> Result<Self, DefinitionError> {
        let definition: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            DefinitionError {
                source_name: source_name.to_owned(),
                line: line_at(text, start),
                message: error.message().trim().to_owned(),
            }
        })?;
        match definition.check() {
            Ok(()) => Ok(definition),
            Err((field, message)) => {
                Err(DefinitionError { source_name: source_name.to_owned(), line: line_of(text, field), message })
            }
        }
    }

    /// What is wrong, with the field that says it.
    fn check(&self) -> Result<(), (&'static str, String)> {
        self.check_id()?;
        if self.kind == AgentKind::Liaison && self.realm.is_none() {
            return Err(("kind", "a liaison speaks for a realm: add `realm = \"…\"`".to_owned()));
        }
        if self.kind == AgentKind::Specialist && !self.surfaces.is_empty() {
            return Err((
                "surfaces",
                "a specialist is called by other agents and has no surfaces: leave it out".to_owned(),
            ));
        }
        if self.description.trim().is_empty() {
            return Err(("description", "`description` must say in a sentence what the agent is for".to_owned()));
        }
        if let Some(foreign) = self.approval.iter().find(|intent| !self.intents.contains(intent)) {
            return Err(("approval", format!("`{foreign}` is not among the agent's `intents`")));
        }
        if !(1..=MOST_STEPS).contains(&self.budget.max_steps) {
            return Err(("max_steps", format!("`max_steps` must be from 1 to {MOST_STEPS}")));
        }
        Ok(())
    }

    fn check_id(&self) -> Result<(), (&'static str, String)> {
        let id = self.agent_id.as_str();
        let named = |prefix: &str| id.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty());
        let (fits, form) = match self.kind {
            AgentKind::Guide => (id == "guide", "guide"),
            AgentKind::Liaison => (named("liaison."), "liaison.<realm>"),
            AgentKind::Specialist => (named("specialist."), "specialist.<name>"),
        };
        if fits { Ok(()) } else { Err(("agent_id", format!("the id of a {} is `{form}`", self.kind.as_str()))) }
    }

    /// A digest of all that it says. A turn that began under one definition is not finished under another.
    pub fn digest(&self) -> String {
        let text = serde_json::to_string(self).expect("a definition is texts and numbers");
        let digest = Sha256::digest(text.as_bytes());
        digest.iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }

    pub fn summary(&self) -> AgentSummary {
        AgentSummary {
            agent_id: self.agent_id.clone(),
            kind: self.kind,
            realm: self.realm.clone(),
            surfaces: self.surfaces.clone(),
            description: self.description.clone(),
            intents: self.intents.clone(),
            turn_policy: self.turn_policy,
        }
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// The line on which a key is set; the first where it is not.
fn line_of(text: &str, key: &str) -> usize {
    let sets = |line: &str| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
    text.lines().position(sets).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "agent_id = \"liaison.content\"\nkind = \"liaison\"\nrealm = \"content\"\ndescription = \"Files.\"\ninstructions = \"\"\n";

    #[test]
    fn a_short_definition_gets_the_defaults() {
        let definition = AgentDefinition::from_toml("content.toml", GOOD).unwrap();
        assert_eq!(definition.model, None);
        assert_eq!(definition.budget, Budget { max_steps: 8, max_tokens: 100_000 });
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let mistakes = [
            (format!("{GOOD}intnets = []\n"), 6, "unknown field `intnets`"),
            (GOOD.replace("\"liaison\"", "\"liason\""), 2, "unknown variant `liason`"),
            (GOOD.replace("realm = \"content\"\n", ""), 2, "add `realm"),
            (GOOD.replace("liaison.content", "content"), 1, "`liaison.<realm>`"),
            (format!("{GOOD}approval = [\"delete_file\"]\n"), 6, "`delete_file` is not among"),
            (format!("{GOOD}[budget]\nmax_steps = 0\n"), 7, "from 1 to 64"),
            (format!("{GOOD}turn_policy = \"wait\"\n"), 6, "unknown variant `wait`"),
            (format!("{GOOD}surfaces = [\"content\"]\n"), 6, "unknown variant `content`"),
        ];
        for (text, line, part) in mistakes {
            let error = AgentDefinition::from_toml("mine.toml", &text).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.message.contains(part), "{error}");
            assert!(error.to_string().starts_with("mine.toml, line "));
        }
    }
}
