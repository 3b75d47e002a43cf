//! Agents as handlers of the Runtime: what they are, how a turn goes, and the port for what thinks for them. They know the
//! Runtime's `Handler` only: no realm, no storage, no socket.

mod analysis;
mod analyze;
pub mod budget;
pub mod builtin;
mod definition;
mod directory;
pub mod model;
pub mod prompt;
mod schema;
mod sessions;
mod turn;

use std::sync::Arc;

use runtime::Handler;

pub use analysis::{Alternative, IntentAnalysis};
pub use budget::Budgets;
pub use builtin::{BuiltinConfig, BuiltinModel};
pub use definition::{AgentDefinition, Budget, DEFAULT_MODEL, DefinitionError};
pub use directory::{Directory, DirectoryError};
pub use model::{LanguageModel, Models};
pub use schema::definition_schema;

/// The realm that the intents of this crate belong to.
pub const REALM: &str = "agents";

/// The intents of agents: `agent_invoke`, `analyze_user_intent`, and those about conversations and sessions.
pub fn handlers(directory: Arc<Directory>, models: Models) -> Vec<Arc<dyn Handler>> {
    let catalogue = Arc::new(model::Catalogue::default());
    let mut handlers = sessions::handlers(&directory);
    handlers.push(Arc::new(analyze::AnalyzeUserIntent::new(
        Arc::clone(&directory),
        models.clone(),
        Arc::clone(&catalogue),
    )));
    handlers.push(Arc::new(turn::AgentInvoke::new(directory, models, catalogue)));
    handlers
}
