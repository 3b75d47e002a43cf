//! BPMN 2.0 (ISO/IEC 19510) as XML: written with a diagram that standard tools show, and read back.

mod layout;
mod read;
mod write;

pub use read::{NotBpmn, looks_like_bpmn, read_bpmn};
pub use write::write_bpmn;

/// The namespaces of the standard, section 15.3.
const MODEL: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";
const DIAGRAM: &str = "http://www.omg.org/spec/BPMN/20100524/DI";
const BOUNDS: &str = "http://www.omg.org/spec/DD/20100524/DC";
const WAYPOINTS: &str = "http://www.omg.org/spec/DD/20100524/DI";

#[cfg(test)]
mod tests;
