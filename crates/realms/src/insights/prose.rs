//! What can be counted and found in a text: its size, how hard it is to read, what it is about, and the dates, amounts and addresses in
//! it. Pure, and no language model: a sentence that it picks stands in the text word for word.

use serde::Serialize;

use crate::{
    content::{terms, words},
    markdown::shortened,
};

const TERMS: usize = 12;
const SENTENCES: usize = 3;
const LONGEST_SENTENCE: usize = 400;
/// The most findings of a kind.
const MOST_FOUND: usize = 50;
/// A reader's words in a minute.
const WORDS_A_MINUTE: usize = 230;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Prose {
    pub(crate) word_count: usize,
    pub(crate) sentence_count: usize,
    pub(crate) paragraph_count: usize,
    pub(crate) reading_minutes: usize,
    /// Words of a sentence, on average.
    pub(crate) sentence_length: f64,
    pub(crate) key_terms: Vec<KeyTerm>,
    /// The sentences that have most of the key terms, in the order of the text.
    pub(crate) key_sentences: Vec<String>,
    pub(crate) dates: Vec<String>,
    pub(crate) amounts: Vec<String>,
    pub(crate) emails: Vec<String>,
    pub(crate) links: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct KeyTerm {
    pub(crate) term: String,
    pub(crate) count: usize,
}

pub(crate) fn prose(text: &str) -> Prose {
    let sentences = sentences(text);
    let word_count = text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count();
    let key_terms: Vec<KeyTerm> =
        terms(text, TERMS).into_iter().map(|term| KeyTerm { term: term.word, count: term.count }).collect();
    Prose {
        word_count,
        sentence_count: sentences.len(),
        paragraph_count: text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()).count(),
        reading_minutes: word_count.div_ceil(WORDS_A_MINUTE),
        sentence_length: mean_length(word_count, sentences.len()),
        key_sentences: key_sentences(&sentences, &key_terms),
        key_terms,
        dates: found(text, is_date),
        amounts: found(text, is_amount),
        emails: found(text, is_email),
        links: found(text, |word| word.starts_with("https://") || word.starts_with("http://")),
    }
}

#[expect(clippy::cast_precision_loss, reason = "an average for eyes")]
fn mean_length(words: usize, sentences: usize) -> f64 {
    if sentences == 0 { 0.0 } else { (words as f64 / sentences as f64 * 10.0).round() / 10.0 }
}

/// Sentences end at a full stop, a question or an exclamation before a blank; a heading or a list's item is one of its own.
fn sentences(text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    for line in text.split("\n\n").flat_map(|paragraph| paragraph.split("\n- ").flat_map(|part| part.split("\n#"))) {
        let flat = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut rest = flat.trim_start_matches(['#', '-', '*', ' ']);
        while let Some(end) = end_of_sentence(rest) {
            push(&mut sentences, &rest[..end]);
            rest = rest[end..].trim_start();
        }
        push(&mut sentences, rest);
    }
    sentences
}

fn end_of_sentence(text: &str) -> Option<usize> {
    let ends = text.char_indices().filter(|(_, sign)| matches!(sign, '.' | '!' | '?'));
    ends.map(|(place, sign)| place + sign.len_utf8()).find(|end| text[*end..].starts_with(' '))
}

fn push(sentences: &mut Vec<String>, sentence: &str) {
    if sentence.chars().any(char::is_alphabetic) {
        sentences.push(shortened(sentence, LONGEST_SENTENCE));
    }
}

fn key_sentences(sentences: &[String], key_terms: &[KeyTerm]) -> Vec<String> {
    let weight = |sentence: &String| -> usize {
        let there: std::collections::BTreeSet<String> = words(sentence).collect();
        key_terms.iter().filter(|term| there.contains(&term.term)).map(|term| term.count).sum()
    };
    let mut best: Vec<(usize, usize)> =
        sentences.iter().enumerate().map(|(place, sentence)| (weight(sentence), place)).collect();
    best.retain(|(weight, _)| *weight > 0);
    best.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    best.truncate(SENTENCES);
    best.sort_by_key(|(_, place)| *place);
    best.into_iter().map(|(_, place)| sentences[place].clone()).collect()
}

/// What stands around a word and is none of it.
const AROUND: [char; 12] = ['.', ',', ';', ':', '(', ')', '"', '!', '?', '<', '>', '*'];

/// Words of one kind, each once, in the order of the text.
fn found(text: &str, is_kind: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = word.trim_start_matches(AROUND).trim_end_matches(AROUND);
        if found.len() < MOST_FOUND && is_kind(word) && !found.iter().any(|known| known == word) {
            found.push(word.to_owned());
        }
    }
    found
}

/// `2026-01-31`, `31.01.2026`, `31/01/2026`.
fn is_date(word: &str) -> bool {
    let parts: Vec<&str> = word.split(['-', '.', '/']).collect();
    let digits = |part: &&str, most: usize| {
        !part.is_empty() && part.len() <= most && part.chars().all(|sign| sign.is_ascii_digit())
    };
    match parts.as_slice() {
        [year, month, day] if year.len() == 4 => digits(year, 4) && digits(month, 2) && digits(day, 2),
        [day, month, year] if year.len() == 4 => digits(year, 4) && digits(month, 2) && digits(day, 2),
        _ => false,
    }
}

/// A number with a sign of money before or after it.
fn is_amount(word: &str) -> bool {
    const SIGNS: [char; 4] = ['$', '€', '£', '¥'];
    let bare = word.trim_matches(SIGNS);
    bare.len() < word.len()
        && bare.chars().any(|sign| sign.is_ascii_digit())
        && bare.chars().all(|sign| sign.is_ascii_digit() || matches!(sign, '.' | ','))
}

fn is_email(word: &str) -> bool {
    word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_apart() {
        let text = "# Refunds\n\nA refund is paid within 14 days. The refund of an order over $1,200.50 needs a manager!\n\n\
            Ask help@example.com before 2026-01-31, or see https://example.com/refunds.\n\n- Weather is nice";
        let prose = prose(text);
        assert_eq!((prose.sentence_count, prose.paragraph_count, prose.reading_minutes), (5, 4, 1));
        assert_eq!(prose.key_terms[0], KeyTerm { term: "refund".to_owned(), count: 2 });
        assert_eq!(prose.amounts, ["$1,200.50"]);
        assert_eq!(prose.emails, ["help@example.com"]);
        assert_eq!(prose.dates, ["2026-01-31"]);
        assert_eq!(prose.links, ["https://example.com/refunds"]);
        assert!(prose.key_sentences.iter().all(|sentence| text.contains(sentence.as_str())), "{prose:?}");
        assert!(prose.key_sentences.contains(&"A refund is paid within 14 days.".to_owned()), "{prose:?}");
    }
}
