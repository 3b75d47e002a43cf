//! How near a message is to what can be done: declared examples, descriptions and cues against words. It knows no conversation
//! and no agent.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use contract::intent::IntentDescriptor;

use super::{
    lexicon::LEXICON,
    message::{Said, Token},
    words::{alikeness, has_same_letters, misspelling, stem},
};

/// What a small word counts beside one that means something.
const SMALL_WEIGHT: f64 = 0.15;
/// What two small words beside each other count; they tell `what can I` from `what is`.
const SMALL_PAIR_WEIGHT: f64 = 0.3;
/// What two words beside each other count of the lesser of the two.
const PAIR_SHARE: f64 = 0.35;
/// What a file's name, a number or a quotation counts of its rarity.
const MARKER_SHARE: f64 = 0.5;
/// What a word counts of its rarity that stands in one phrase alone and for nothing that we know: most likely it is what the example
/// happens to be about.
const CHANCE_SHARE: f64 = 0.4;
/// What a word that we do not know counts.
const UNKNOWN_WEIGHT: f64 = 0.5;
/// What a word counts that we know to have nothing to do with us.
const ORDINARY_WEIGHT: f64 = 1.6;
/// How well a misspelt word matches the one that was meant.
const MISSPELT_QUALITY: f64 = 0.85;
/// How much of the nearness to a phrase is about covering the message; the rest is about covering the phrase.
const MESSAGE_SHARE: f64 = 0.5;
/// How much of a score is about all words of an intent together; the rest is about its nearest phrase.
const BAG_SHARE: f64 = 0.3;
/// The most words of a message that are looked up as misspellings: each costs a walk through the vocabulary.
const MAX_SPELLING_LOOKUPS: usize = 40;

/// All that can be asked for, prepared for comparing.
pub(super) struct Index {
    /// What it was made of, to see whether it still fits.
    descriptors: Vec<Arc<IntentDescriptor>>,
    features: HashMap<String, usize>,
    /// By feature.
    weights: Vec<f64>,
    subjects: Vec<Subject>,
    /// Words as they are written, for the spelling.
    vocabulary: Vec<String>,
}

/// An intent, or something else that can be said, such as `(help)`.
struct Subject {
    name: String,
    phrases: Vec<BTreeSet<usize>>,
    /// How often a feature stands in this subject's phrases, as a share of how often it does in the subject that has it most.
    bag: HashMap<usize, f64>,
}

/// How near a message is to a subject.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Nearness {
    pub(super) subject: String,
    /// From 0 to 1.
    pub(super) score: f64,
}

/// A feature of a message, and how well it was written.
struct Feature {
    name: String,
    quality: f64,
    weight_if_unknown: f64,
}

impl Index {
    pub(super) fn new(descriptors: Vec<Arc<IntentDescriptor>>) -> Self {
        let phrases: BTreeMap<String, Vec<Vec<String>>> = subjects(&descriptors)
            .into_iter()
            .map(|(name, phrases)| (name, phrases.iter().map(|phrase| phrase_features(phrase)).collect()))
            .collect();
        let features = number_features(&phrases);
        let weights = weigh(&features, &phrases);
        let subjects = phrases.iter().map(|(name, phrases)| subject(name, phrases, &features)).collect::<Vec<_>>();
        let mut index = Self { descriptors, features, weights, subjects, vocabulary: Vec::new() };
        index.share_bags();
        index.vocabulary = index.words_for_spelling();
        index
    }

    pub(super) fn is_of(&self, descriptors: &[Arc<IntentDescriptor>]) -> bool {
        self.descriptors.len() == descriptors.len()
            && self.descriptors.iter().zip(descriptors).all(|(mine, other)| Arc::ptr_eq(mine, other))
    }

    pub(super) fn descriptor(&self, intent_type: &str) -> Option<&Arc<IntentDescriptor>> {
        self.descriptors.iter().find(|descriptor| descriptor.intent_type == intent_type)
    }

    /// All subjects, nearest first.
    pub(super) fn nearest(&self, said: &Said) -> Vec<Nearness> {
        let features = self.features_of(said);
        let known: HashMap<usize, f64> =
            features.iter().filter_map(|feature| Some((*self.features.get(&feature.name)?, feature.quality))).collect();
        let unknown = features.iter().filter(|feature| !self.features.contains_key(&feature.name));
        let weight = known.keys().map(|id| self.weights[*id]).sum::<f64>()
            + unknown.map(|feature| feature.weight_if_unknown).sum::<f64>();
        let mut found: Vec<Nearness> = self
            .subjects
            .iter()
            .map(|subject| Nearness { subject: subject.name.clone(), score: self.score(subject, &known, weight) })
            .collect();
        found.sort_by(|one, other| other.score.total_cmp(&one.score));
        found
    }

    fn score(&self, subject: &Subject, message: &HashMap<usize, f64>, message_weight: f64) -> f64 {
        let nearest = subject.phrases.iter().map(|phrase| {
            let shared: f64 =
                phrase.iter().filter_map(|id| message.get(id).map(|quality| self.weights[*id] * quality)).sum();
            let phrase_weight: f64 = phrase.iter().map(|id| self.weights[*id]).sum();
            shared / (MESSAGE_SHARE * message_weight + (1.0 - MESSAGE_SHARE) * phrase_weight).max(f64::EPSILON)
        });
        let nearest = nearest.fold(0.0, f64::max);
        let bag: f64 = message
            .iter()
            .filter_map(|(id, quality)| subject.bag.get(id).map(|share| self.weights[*id] * quality * share))
            .sum();
        (1.0 - BAG_SHARE) * nearest + BAG_SHARE * bag / message_weight.max(f64::EPSILON)
    }

    fn features_of(&self, said: &Said) -> Vec<Feature> {
        let mut lookups = 0;
        let units = units(said, |word| {
            lookups += 1;
            (lookups <= MAX_SPELLING_LOOKUPS).then(|| self.respell(word)).flatten()
        });
        features(&units)
    }

    /// The stem of the word that was meant by a misspelt one: the one with the fewest wrong letters; of several such, one with the same
    /// letters in another order, and then the most alike.
    fn respell(&self, word: &str) -> Option<String> {
        let candidates = self.vocabulary.iter().filter_map(|known| {
            let distance = misspelling(word, known)?;
            Some((distance, !has_same_letters(word, known), 1.0 - alikeness(word, known), known))
        });
        let best =
            candidates.min_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)).then(one.2.total_cmp(&other.2)))?;
        Some(stem(best.3))
    }

    /// Sets each subject's share of a feature against the subject that has it most.
    fn share_bags(&mut self) {
        let mut most: HashMap<usize, f64> = HashMap::new();
        for subject in &self.subjects {
            for (id, share) in &subject.bag {
                let most = most.entry(*id).or_insert(0.0);
                *most = most.max(*share);
            }
        }
        for subject in &mut self.subjects {
            for (id, share) in &mut subject.bag {
                *share /= most[id];
            }
        }
    }

    fn words_for_spelling(&self) -> Vec<String> {
        let features = self.features.keys().filter(|name| !name.contains(['+', '<', '~']));
        let mut words: Vec<String> =
            features.map(String::as_str).chain(LEXICON.spellings()).map(str::to_owned).collect();
        words.sort_unstable();
        words.dedup();
        words
    }
}

/// The texts by which each subject is known.
fn subjects(descriptors: &[Arc<IntentDescriptor>]) -> BTreeMap<String, Vec<String>> {
    let mut subjects: BTreeMap<String, Vec<String>> = LEXICON
        .cues
        .iter()
        .filter(|(name, _)| name.starts_with('('))
        .map(|(name, cues)| (name.clone(), cues.clone()))
        .collect();
    for descriptor in descriptors {
        let mut phrases = descriptor.examples.clone();
        phrases.push(descriptor.intent_type.replace('_', " "));
        phrases.push(first_sentence(&descriptor.description).to_owned());
        phrases.extend(LEXICON.cues.get(&descriptor.intent_type).into_iter().flatten().cloned());
        subjects.insert(descriptor.intent_type.clone(), phrases);
    }
    subjects
}

/// The first sentence of a description.
pub(super) fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.')
}

fn phrase_features(phrase: &str) -> Vec<String> {
    let said = Said::read(phrase, &[]);
    let features = features(&units(&said, |_| None)).into_iter().map(|feature| feature.name);
    features.filter(|name| !name.starts_with('=')).collect()
}

fn number_features(phrases: &BTreeMap<String, Vec<Vec<String>>>) -> HashMap<String, usize> {
    let names: BTreeSet<&String> = phrases.values().flatten().flatten().collect();
    names.into_iter().enumerate().map(|(id, name)| (name.clone(), id)).collect()
}

/// What is said of few subjects tells more than what is said of many.
fn weigh(features: &HashMap<String, usize>, phrases: &BTreeMap<String, Vec<Vec<String>>>) -> Vec<f64> {
    let mut subjects_with: Vec<f64> = vec![0.0; features.len()];
    for phrases in phrases.values() {
        let here: BTreeSet<usize> = phrases.iter().flatten().map(|name| features[name]).collect();
        for id in here {
            subjects_with[id] += 1.0;
        }
    }
    let mut times: Vec<u32> = vec![0; features.len()];
    phrases.values().flatten().flatten().for_each(|name| times[features[name]] += 1);
    let count = phrases.len() as f64;
    let mut weights = vec![0.0; features.len()];
    for (name, id) in features {
        let rarity = (1.0 + count / subjects_with[*id].max(1.0)).ln();
        weights[*id] = match name.chars().next() {
            Some('~') if name.contains('+') => SMALL_PAIR_WEIGHT,
            Some('~') => SMALL_WEIGHT,
            Some('<') if !name.contains('+') => rarity * MARKER_SHARE,
            _ if name.contains('+') => rarity * PAIR_SHARE,
            _ if times[*id] == 1 && !LEXICON.is_concept(name) => rarity * CHANCE_SHARE,
            _ => rarity,
        };
    }
    weights
}

fn subject(name: &str, phrases: &[Vec<String>], features: &HashMap<String, usize>) -> Subject {
    let phrases: Vec<BTreeSet<usize>> =
        phrases.iter().map(|phrase| phrase.iter().map(|name| features[name]).collect()).collect();
    let mut bag: HashMap<usize, f64> = HashMap::new();
    for id in phrases.iter().flatten() {
        *bag.entry(*id).or_insert(0.0) += 1.0;
    }
    let count = phrases.len().max(1) as f64;
    bag.values_mut().for_each(|times| *times /= count);
    Subject { name: name.to_owned(), phrases, bag }
}

/// A word after it was understood.
struct Unit {
    name: String,
    quality: f64,
    kind: UnitKind,
}

#[derive(Clone, Copy, PartialEq)]
enum UnitKind {
    Small,
    Direction,
    Meaning,
    Marker,
    Ordinary,
    Sample,
    Unknown,
}

fn units(said: &Said, mut respell: impl FnMut(&str) -> Option<String>) -> Vec<Unit> {
    let marker = |name: &str| Unit { name: name.to_owned(), quality: 1.0, kind: UnitKind::Marker };
    said.tokens
        .iter()
        .map(|token| match token {
            Token::Word(word) => unit(word, &mut respell),
            Token::File => marker("<file>"),
            Token::Quoted => marker("<quoted>"),
            Token::Number => marker("<number>"),
            Token::Sql => marker("<sql>"),
            Token::Body => marker("<text>"),
        })
        .collect()
}

fn unit(word: &str, respell: &mut impl FnMut(&str) -> Option<String>) -> Unit {
    let named = |name: &str, quality, kind| Unit { name: name.to_owned(), quality, kind };
    if LEXICON.is_direction(word) {
        return named(word, 1.0, UnitKind::Direction);
    }
    if LEXICON.is_small(word) {
        return named(word, 1.0, UnitKind::Small);
    }
    let stem = stem(word);
    if let Some(concept) = LEXICON.concept(&stem) {
        return named(concept, 1.0, UnitKind::Meaning);
    }
    if LEXICON.is_ordinary(word) {
        return named(word, 1.0, UnitKind::Ordinary);
    }
    if LEXICON.is_sample(word) {
        return named(word, 1.0, UnitKind::Sample);
    }
    match respell(word) {
        Some(meant) if meant == stem => named(LEXICON.concept(&meant).unwrap_or(&meant), 1.0, UnitKind::Meaning),
        Some(meant) => named(LEXICON.concept(&meant).unwrap_or(&meant), MISSPELT_QUALITY, UnitKind::Meaning),
        None => named(&stem, 1.0, UnitKind::Unknown),
    }
}

/// The words, and the pairs of words that stand beside each other: `sop into workflow` is not `workflow into sop`.
fn features(units: &[Unit]) -> Vec<Feature> {
    let mut found: BTreeMap<String, Feature> = BTreeMap::new();
    let mut add = |name: String, quality: f64, weight_if_unknown: f64| {
        found.entry(name.clone()).or_insert(Feature { name, quality, weight_if_unknown });
    };
    for unit in units {
        match unit.kind {
            UnitKind::Small | UnitKind::Direction => add(format!("~{}", unit.name), unit.quality, SMALL_WEIGHT),
            UnitKind::Meaning | UnitKind::Unknown => add(unit.name.clone(), unit.quality, UNKNOWN_WEIGHT),
            UnitKind::Ordinary => add(unit.name.clone(), unit.quality, ORDINARY_WEIGHT),
            UnitKind::Sample => add(format!("={}", unit.name), unit.quality, UNKNOWN_WEIGHT),
            UnitKind::Marker => add(unit.name.clone(), unit.quality, 0.0),
        }
    }
    for pair in units.windows(2).filter(|pair| pair.iter().all(is_small)) {
        add(format!("~{}+{}", pair[0].name, pair[1].name), 1.0, 0.0);
    }
    let carrying: Vec<&Unit> =
        units.iter().filter(|unit| matches!(unit.kind, UnitKind::Direction | UnitKind::Meaning)).collect();
    for pair in carrying.windows(2) {
        add(format!("{}+{}", pair[0].name, pair[1].name), pair[0].quality.min(pair[1].quality), 0.0);
    }
    found.into_values().collect()
}

fn is_small(unit: &Unit) -> bool {
    matches!(unit.kind, UnitKind::Small | UnitKind::Direction)
}
