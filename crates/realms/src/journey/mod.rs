//! The journey realm: how work is done. Written procedures become workflows, and workflows become procedures that people
//! follow. It knows nothing of data quality or of outcomes.

pub mod bpmn;
pub mod mermaid;
pub mod procedure;
pub mod sop;
pub mod workflow;

mod create_workflow;
mod generate_sop;
mod named;
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
    vec![Arc::new(create_workflow::CreateWorkflow::new()), Arc::new(generate_sop::GenerateSop::new())]
}
