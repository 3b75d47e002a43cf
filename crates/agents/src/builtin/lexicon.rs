//! The words that the built-in model knows, as data. It knows how to read them and nothing of what they are used for.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::LazyLock,
};

use serde::Deserialize;

use super::words::stem;

/// The lexicon that is part of the binary.
pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let written: Written =
        toml::from_str(include_str!("lexicon.toml")).expect("the lexicon in the binary is read by a test");
    Lexicon::new(written)
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    small: String,
    direction: String,
    ordinary: String,
    samples: String,
    phrases: BTreeMap<String, String>,
    concepts: BTreeMap<String, String>,
    cues: BTreeMap<String, Vec<String>>,
    needs: BTreeMap<String, Vec<String>>,
    needs_from_nothing: BTreeMap<String, Vec<String>>,
    ask: BTreeMap<String, String>,
    next: BTreeMap<String, NextStep>,
}

/// What is worth doing after an intent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NextStep {
    pub(super) intent: String,
    /// How one would say it; `{file}` is the file that the last intent was about.
    pub(super) say: String,
}

pub(super) struct Lexicon {
    small: HashSet<String>,
    direction: HashSet<String>,
    ordinary: HashSet<String>,
    samples: HashSet<String>,
    /// By the number of their words, longest first, so that the longer reading wins.
    phrases: Vec<(Vec<String>, String)>,
    /// By stem.
    concepts: HashMap<String, String>,
    /// The words behind the concepts as they are written.
    spellings: Vec<String>,
    pub(super) cues: BTreeMap<String, Vec<String>>,
    pub(super) needs: BTreeMap<String, Vec<String>>,
    pub(super) needs_from_nothing: BTreeMap<String, Vec<String>>,
    pub(super) ask: BTreeMap<String, String>,
    pub(super) next: BTreeMap<String, NextStep>,
}

impl Lexicon {
    fn new(written: Written) -> Self {
        let set = |text: &str| text.split_whitespace().map(str::to_owned).collect::<HashSet<_>>();
        let mut phrases: Vec<(Vec<String>, String)> = written
            .phrases
            .into_iter()
            .map(|(from, to)| (from.split_whitespace().map(str::to_owned).collect(), to))
            .collect();
        phrases.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        let concepts = written
            .concepts
            .iter()
            .flat_map(|(concept, words)| words.split_whitespace().map(move |word| (stem(word), concept.clone())));
        Self {
            small: set(&written.small),
            direction: set(&written.direction),
            ordinary: set(&written.ordinary),
            samples: set(&written.samples),
            spellings: written
                .concepts
                .values()
                .flat_map(|words| words.split_whitespace().map(str::to_owned))
                .collect(),
            phrases,
            concepts: concepts.collect(),
            cues: written.cues,
            needs: written.needs,
            needs_from_nothing: written.needs_from_nothing,
            ask: written.ask,
            next: written.next,
        }
    }

    pub(super) fn is_small(&self, word: &str) -> bool {
        self.small.contains(word)
    }

    pub(super) fn is_direction(&self, word: &str) -> bool {
        self.direction.contains(word)
    }

    pub(super) fn is_ordinary(&self, word: &str) -> bool {
        self.ordinary.contains(word)
    }

    /// Whether a word is only what somebody's example happens to be about.
    pub(super) fn is_sample(&self, word: &str) -> bool {
        self.samples.contains(word)
    }

    pub(super) fn is_concept(&self, name: &str) -> bool {
        self.concepts.values().any(|concept| concept == name)
    }

    /// What a stem stands for.
    pub(super) fn concept(&self, stem: &str) -> Option<&str> {
        self.concepts.get(stem).map(String::as_str)
    }

    /// All words that stand for something, as they are written.
    pub(super) fn spellings(&self) -> impl Iterator<Item = &str> {
        self.spellings.iter().map(String::as_str)
    }

    /// Joins what is one thing in several words.
    pub(super) fn join_phrases(&self, words: Vec<String>) -> Vec<String> {
        let mut joined = Vec::with_capacity(words.len());
        let mut rest = words.as_slice();
        while let Some(first) = rest.first() {
            let known = self.phrases.iter().find(|(phrase, _)| rest.starts_with(phrase));
            match known {
                Some((phrase, meant)) => {
                    joined.push(meant.clone());
                    rest = &rest[phrase.len()..];
                }
                None => {
                    joined.push(first.clone());
                    rest = &rest[1..];
                }
            }
        }
        joined
    }
}
