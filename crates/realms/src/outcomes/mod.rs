//! The outcomes realm: what the work of a session comes to, and what to do next. It says nothing that an artifact of the
//! session does not say, and names that artifact each time.

pub mod evidence;
pub mod roadmap;
pub mod statement;
pub mod synthesis;

mod drawn_up;
mod export_artifact;
mod generate_roadmap;
mod synthesize_outcome;

use std::sync::Arc;

use runtime::Handler;

/// The artifact type of a roadmap, and the key under which it is kept.
pub const ROADMAP: &str = "roadmap";
/// The artifact type of a synthesis, and the key under which it is kept.
pub const SYNTHESIS: &str = "synthesis";
/// The artifact type of a proof of concept, and the key under which it is kept.
pub const POC: &str = "poc";
/// The artifact type of a solution, and the key under which it is kept.
pub const SOLUTION: &str = "solution";
/// The artifact type of a file to take away, and the key under which it is kept.
pub const EXPORT: &str = "export";

const REALM: &str = "outcomes";

pub(crate) fn handlers() -> Vec<Arc<dyn Handler>> {
    vec![
        Arc::new(generate_roadmap::GenerateRoadmap::new()),
        Arc::new(synthesize_outcome::SynthesizeOutcome::new()),
        Arc::new(drawn_up::DrawnUp::poc()),
        Arc::new(drawn_up::DrawnUp::solution()),
        Arc::new(export_artifact::ExportArtifact::new()),
    ]
}

#[cfg(test)]
mod tests;
