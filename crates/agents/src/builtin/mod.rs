//! The model that is always there: deterministic, without network, and no language model. It recognises intents by their declared
//! words, fills their parameters, asks when it is unsure, and says what came of it in the words of the result.

mod fill;
mod index;
mod lexicon;
mod message;
mod parts;
mod plan;
mod question;
mod read;
mod say;
mod words;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use contract::intent::IntentDescriptor;

pub use read::{Candidate, Reading, Wish};

use crate::{
    analysis::IntentAnalysis,
    definition::DEFAULT_MODEL,
    model::{LanguageModel, ModelError, ModelRequest, Piece, ReplySink},
};
use index::Index;

/// A piece of text is at least this long, in bytes, unless the answer ends.
const MIN_PIECE_BYTES: usize = 12;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BuiltinConfig {
    /// How long to wait between two pieces of an answer; zero but for demonstrations and tests (`agents.builtin.pace`).
    pub pace: Duration,
}

/// The built-in model, `builtin`.
pub struct BuiltinModel {
    config: BuiltinConfig,
    /// The last index that was made. The intents of a process do not change, so it is made once.
    index: Mutex<Option<Arc<Index>>>,
}

impl BuiltinModel {
    pub fn new(config: BuiltinConfig) -> Self {
        Self { config, index: Mutex::default() }
    }

    /// What the message of a request means.
    pub fn read(&self, request: &ModelRequest) -> Reading {
        read::read(request, &self.index(request))
    }

    /// The same in the contract's shape.
    pub fn analyse(&self, request: &ModelRequest) -> IntentAnalysis {
        plan::analysis(request, &self.read(request))
    }

    /// The index of all intents that the agent and its colleagues can use. They are the same for every agent of a house.
    fn index(&self, request: &ModelRequest) -> Arc<Index> {
        let others = request.tools.colleagues.iter().flat_map(|colleague| &colleague.intents);
        let mut intents: Vec<Arc<IntentDescriptor>> = request.tools.intents.iter().chain(others).cloned().collect();
        intents.sort_by(|one, other| one.intent_type.cmp(&other.intent_type));
        intents.dedup_by(|one, other| one.intent_type == other.intent_type);
        let mut kept = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_ref().filter(|index| index.is_of(&intents)) {
            Some(index) => Arc::clone(index),
            None => Arc::clone(kept.insert(Arc::new(Index::new(intents)))),
        }
    }
}

#[async_trait]
impl LanguageModel for BuiltinModel {
    fn name(&self) -> &str {
        DEFAULT_MODEL
    }

    async fn reply(&self, request: &ModelRequest, sink: &mut dyn ReplySink) -> Result<(), ModelError> {
        let reading = self.read(request);
        if request.rounds.is_empty() {
            sink.take(Piece::Reading(plan::analysis(request, &reading))).await?;
        }
        let plan = plan::plan(request, &reading);
        for (place, piece) in pieces(&plan.text).into_iter().enumerate() {
            if place > 0 && !self.config.pace.is_zero() {
                tokio::time::sleep(self.config.pace).await;
            }
            sink.take(Piece::Text(piece.to_owned())).await?;
        }
        match plan.call {
            Some(call) => sink.take(Piece::ToolCall(call)).await,
            None => Ok(()),
        }
    }
}

/// A text in pieces of a few words, as somebody would read it out. Together they are the text, byte for byte.
fn pieces(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    for (index, letter) in text.char_indices() {
        let end = index + letter.len_utf8();
        if letter.is_whitespace() && end - start >= MIN_PIECE_BYTES {
            found.push(&text[start..end]);
            start = end;
        }
    }
    if start < text.len() {
        found.push(&text[start..]);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_text() {
        let text = "A table has 120 rows – größer als gedacht.\n\n| a | b |\n";
        assert!(pieces(text).len() > 3);
        assert_eq!(pieces(text).concat(), text);
        assert!(pieces("").is_empty());
    }

    #[test]
    fn the_lexicon_can_be_read() {
        assert!(lexicon::LEXICON.cues.contains_key("(help)"));
        assert!(lexicon::LEXICON.is_small("the"));
    }
}
