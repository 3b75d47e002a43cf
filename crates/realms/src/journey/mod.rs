//! The journey realm: how work is done. Written procedures become workflows, and workflows become procedures that people
//! follow. It knows nothing of data quality or of outcomes.

pub mod bpmn;
pub mod mermaid;
pub mod procedure;
pub mod sop;
pub mod workflow;

mod analyze_coexistence;
mod create_blueprint;
mod create_workflow;
mod generate_sop;
mod generate_sop_from_chat;
mod optimize_process;
mod process_operations_query;
mod sop_chat_message;

pub(crate) mod automation;
mod draft;
mod given;
mod named;
mod report;
mod review;
mod source;

use std::sync::Arc;

use runtime::Handler;

pub(crate) use named::title;

/// The artifact type of a workflow, and the key under which it is kept.
pub const WORKFLOW: &str = "workflow";
/// The artifact type of a standard operating procedure, and the key under which it is kept.
pub const SOP: &str = "sop";

const REALM: &str = "journey";

pub(crate) fn handlers() -> Vec<Arc<dyn Handler>> {
    vec![
        Arc::new(create_workflow::CreateWorkflow::new()),
        Arc::new(generate_sop::GenerateSop::new()),
        Arc::new(optimize_process::OptimizeProcess::new()),
        Arc::new(analyze_coexistence::AnalyzeCoexistence::new()),
        Arc::new(create_blueprint::CreateBlueprint::new()),
        Arc::new(process_operations_query::ProcessOperationsQuery::new()),
        Arc::new(process_operations_query::ProcessOperationsQuery::of_conversation()),
        Arc::new(sop_chat_message::SopChatMessage::new()),
        Arc::new(sop_chat_message::SopChatMessage::of_wizard()),
        Arc::new(generate_sop_from_chat::GenerateSopFromChat::new()),
    ]
}
