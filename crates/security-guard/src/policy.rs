//! The policy: who may have which intent executed, and what needs somebody's word first. It is data (TOML), judged by one pure
//! function; what the rules mean stands in `policy/default.toml`. Who asks comes from the record of the execution, so that an answer
//! can be explained afterwards.

mod document;
mod judge;

use contract::Authority;

pub use document::{BadPolicy, KnownNames, Policy};
pub use judge::ANONYMOUS;

/// The rules that hold where no others do.
pub const DEFAULT: &str = include_str!("policy/default.toml");

/// What is asked: may this be executed for whoever it is recorded for?
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub intent_type: &'a str,
    pub realm: &'a str,
    pub authority: &'a Authority,
}

/// The answer. Its text is for a person, and names the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    Allowed,
    /// Allowed once whoever asked agrees.
    NeedsApproval(String),
    Refused(String),
}

#[cfg(test)]
mod tests;
