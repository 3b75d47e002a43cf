//! The words of a text that say what it is about: counted, without those that every text has. It knows no language model.

use std::collections::HashMap;

/// Words that say nothing about what a text is about.
const EMPTY_WORDS: &str = " a about after all also an and any are as at be been but by can could did do does each for from had has have \
    her his how if in into is it its may more most must no not of on one only or other our out over shall she should so some such than \
    that the their them then there these they this those to under up was we were what when where which who will with would you your ";

/// The shortest word that counts, in characters.
const SHORTEST: usize = 3;

/// A word and how often it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) word: String,
    pub(crate) count: usize,
}

/// The words of a text in small letters, without empty ones, numbers and addresses.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace()
        .filter(|part| !part.contains('@') && !part.contains("://"))
        .flat_map(|part| part.split(|sign: char| !sign.is_alphanumeric()))
        .filter(|word| word.chars().count() >= SHORTEST && word.chars().any(char::is_alphabetic))
        .map(str::to_lowercase)
        .filter(|word| !EMPTY_WORDS.contains(&format!(" {word} ")))
}

/// The commonest first, those of the same count by the alphabet.
pub(crate) fn terms(text: &str, most: usize) -> Vec<Term> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for word in words(text) {
        *counts.entry(word).or_default() += 1;
    }
    let mut terms: Vec<Term> = counts.into_iter().map(|(word, count)| Term { word, count }).collect();
    terms.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.word.cmp(&other.word)));
    terms.truncate(most);
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_words_do_not_count() {
        let found = terms("The refund is paid. A refund of the order needs the order's number 42.", 3);
        let found: Vec<(&str, usize)> = found.iter().map(|term| (term.word.as_str(), term.count)).collect();
        assert_eq!(found, [("order", 2), ("refund", 2), ("needs", 1)]);
    }
}
