//! Who says whether something may be executed. The Runtime asks before it accepts anything, from people, programs, agents and other
//! intents alike, and hands over what was recorded of whoever asks; it knows no roles itself.

use contract::{Authority, intent::IntentDescriptor};

/// The answer of a policy. Its text is for a person, and says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    Allowed,
    /// Once whoever owns it agrees.
    NeedsApproval(String),
    /// Nothing of it happens.
    Refused(String),
}

/// Judges what is asked for. It is asked while somebody waits: it answers at once and reaches for nothing.
pub trait Policy: Send + Sync {
    fn decide(&self, intent: &IntentDescriptor, authority: &Authority) -> Ruling;
}

/// For a house without rules: a program that embeds the Runtime and asks nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct EverythingAllowed;

impl Policy for EverythingAllowed {
    fn decide(&self, _intent: &IntentDescriptor, _authority: &Authority) -> Ruling {
        Ruling::Allowed
    }
}
