//! The journey realm: how work is done. Written procedures become workflows, and workflows become procedures that people
//! follow. It knows nothing of data quality or of outcomes.

pub mod bpmn;
pub mod mermaid;
pub mod procedure;
pub mod sop;
pub mod workflow;
