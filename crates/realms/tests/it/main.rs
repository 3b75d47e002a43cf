//! The realms through the Runtime's front door: a file goes in, an intent is submitted, and what it answers and keeps is looked at.

#![expect(clippy::unwrap_used, reason = "what fails in a test should end it")]

mod client_intents;
mod content;
mod house;
mod insights;
mod journey;
