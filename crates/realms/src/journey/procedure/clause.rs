//! Text cut into sentences and words, so that rules can be written over words. What stands in “quotes” or in brackets is
//! one word that no rule looks into.

use std::ops::Range;

use crate::journey::workflow::MAX_LABEL_CHARS;

/// Short forms whose full stop does not end a sentence.
const ABBREVIATIONS: [&str; 16] =
    ["e.g", "i.e", "etc", "mr", "mrs", "ms", "dr", "prof", "no", "nr", "vs", "approx", "ca", "resp", "dept", "inc"];

/// The longest quote or bracket that is looked for, in bytes; an opening mark without its closing one must not cost more.
const MAX_QUOTE_BYTES: usize = 4 * MAX_LABEL_CHARS + 16;

/// A piece of a sentence and its words.
#[derive(Debug)]
pub(super) struct Clause<'a> {
    pub(super) text: &'a str,
    /// The same length in bytes, with `_` for whatever is quoted or in brackets.
    masked: String,
    words: Vec<(Range<usize>, String)>,
}

impl<'a> Clause<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let text = text.trim();
        let masked = mask(text);
        let words = word_ranges(&masked).map(|range| (range.clone(), masked[range].to_lowercase())).collect();
        Self { text, masked, words }
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// The word at `index` in lower case; empty behind the end.
    pub(super) fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", |(_, lower)| lower)
    }

    /// The word at `index` as it is written.
    pub(super) fn written(&self, index: usize) -> &'a str {
        self.words.get(index).map_or("", |(range, _)| &self.text[range.clone()])
    }

    /// Whether the words from `index` on are those of `phrase`, which are parted by spaces.
    pub(super) fn has(&self, index: usize, phrase: &str) -> bool {
        phrase.split(' ').enumerate().all(|(offset, word)| self.word(index + offset) == word)
    }

    /// The first of `phrases` that stands at `index`, as its number of words.
    pub(super) fn any(&self, index: usize, phrases: &[&str]) -> Option<usize> {
        phrases.iter().find(|phrase| self.has(index, phrase)).map(|phrase| phrase.split(' ').count())
    }

    /// What stands before the word at `index`, without the marks and joining words at its end.
    pub(super) fn before(&self, index: usize) -> &'a str {
        let end = self.words.get(index).map_or(self.text.len(), |(range, _)| range.start);
        trim_end(&self.text[..end])
    }

    /// The text from the word at `index` on.
    pub(super) fn from(&self, index: usize) -> &'a str {
        self.words.get(index).map_or("", |(range, _)| &self.text[range.start..])
    }

    /// What stands after the word at `index`, without the marks at its beginning.
    pub(super) fn after(&self, index: usize) -> &'a str {
        let start = self.words.get(index).map_or(self.text.len(), |(range, _)| range.end);
        trim_start(&self.text[start..])
    }

    /// The marks and spaces between the word before `index` and the word at `index`.
    pub(super) fn gap(&self, index: usize) -> &str {
        let start = index.checked_sub(1).and_then(|last| self.words.get(last)).map_or(0, |(range, _)| range.end);
        let end = self.words.get(index).map_or(self.masked.len(), |(range, _)| range.start);
        &self.masked[start..end]
    }

    /// Whether a mark that parts clauses stands right before the word at `index`.
    pub(super) fn parted(&self, index: usize) -> bool {
        let gap = self.gap(index);
        index == 0
            || gap.contains([',', ';', ':', '.', '–', '—', '→'])
            || [" - ", "->", "=>"].iter().any(|mark| gap.contains(mark))
    }
}

/// The text without marks that part clauses at its beginning.
pub(super) fn trim_start(text: &str) -> &str {
    text.trim_start_matches([' ', ',', ';', ':', '.', '-', '–', '—', '→', '>', '=', '?'])
}

/// The text without marks that end a sentence or part clauses at its end. An ellipsis stays.
pub(super) fn trim_end(text: &str) -> &str {
    let text = text.trim_end_matches([' ', ',', ';', ':', '.', '!', '–', '—', '→']);
    [" -", "->", "=>"].iter().find_map(|mark| text.strip_suffix(mark)).unwrap_or(text).trim_end()
}

/// Whether there is something in a text but marks; what is quoted counts whatever it is.
pub(super) fn is_said(text: &str) -> bool {
    text.chars().any(|letter| letter.is_alphanumeric() || letter == '“')
}

/// The sentences of a text, each with the byte at which it begins.
pub(super) fn sentences(text: &str) -> Vec<(usize, &str)> {
    let masked = mask(text);
    let mut found = Vec::new();
    let mut start = 0;
    for (at, mark) in masked.char_indices() {
        let end = at + mark.len_utf8();
        if matches!(mark, '.' | '!' | '?' | '…') && ends_sentence(&masked, at, end) {
            push_sentence(&mut found, text, start..end);
            start = end;
        }
    }
    push_sentence(&mut found, text, start..text.len());
    found
}

fn push_sentence<'a>(found: &mut Vec<(usize, &'a str)>, text: &'a str, range: Range<usize>) {
    let piece = &text[range.clone()];
    if is_said(piece) {
        found.push((range.start + piece.len() - piece.trim_start().len(), piece.trim()));
    }
}

/// Whether the mark at `at` ends a sentence: a space or the end follows, and no short form comes before it.
fn ends_sentence(text: &str, at: usize, end: usize) -> bool {
    if !text[end..].chars().next().is_none_or(char::is_whitespace) {
        return false;
    }
    if !text[at..].starts_with('.') {
        return true;
    }
    let last = text[..at].rsplit([' ', '(', '\u{a0}']).next().unwrap_or("").to_lowercase();
    let initial = last.chars().count() == 1 && last.chars().all(char::is_alphabetic);
    let is_last = text[end..].trim().is_empty();
    !initial && (is_last || !ABBREVIATIONS.contains(&last.as_str()))
}

/// The text with `_` for each byte that is quoted or in brackets, where quote and bracket are closed.
fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(['“', '"', '(', '[']) {
        let mark = rest[open..].chars().next().expect("a mark was found here");
        let close = match mark {
            '“' => '”',
            '(' => ')',
            '[' => ']',
            other => other,
        };
        let inside = open + mark.len_utf8();
        masked.push_str(&rest[..open]);
        let window = char_boundary(rest, inside + MAX_QUOTE_BYTES);
        let end = match rest[inside..window].find(close) {
            Some(length) => inside + length + close.len_utf8(),
            None => {
                // Nothing closes it, so it is only a mark.
                masked.push_str(&rest[open..inside]);
                rest = &rest[inside..];
                continue;
            }
        };
        masked.extend(std::iter::repeat_n('_', end - open));
        rest = &rest[end..];
    }
    masked.push_str(rest);
    masked
}

/// The last place at or before `at` where no character is cut.
fn char_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|&place| text.is_char_boundary(place)).unwrap_or(0)
}

/// Where the words are: letters, digits and `_`, with `'`, `-`, `.` and `/` inside of them, and `,` inside of numbers.
fn word_ranges(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let start = at + text[at..].find(is_word)?;
        let mut end = start;
        let mut follows_digit = false;
        let mut letters = text[start..].char_indices().peekable();
        while let Some((offset, letter)) = letters.next() {
            let following = letters.peek().map_or(' ', |&(_, following)| following);
            let joins = match letter {
                '\'' | '’' | '-' | '.' | '/' => following.is_alphanumeric(),
                // The comma of 5,000.
                ',' => follows_digit && following.is_ascii_digit(),
                _ => false,
            };
            if !is_word(letter) && !joins {
                break;
            }
            follows_digit = letter.is_ascii_digit();
            end = start + offset + letter.len_utf8();
        }
        at = end;
        Some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_a_reader_would_say() {
        for (text, expected) in [
            ("Open it. Close it.", vec!["Open it.", "Close it."]),
            ("Ask Dr. Who, e.g. by mail. Wait", vec!["Ask Dr. Who, e.g. by mail.", "Wait"]),
            ("Set it to 3.5 bar. Is it warm? Stop!", vec!["Set it to 3.5 bar.", "Is it warm?", "Stop!"]),
            (
                "Say “Stop. Now.” and go. (See p. 3. Or not.) End",
                vec!["Say “Stop. Now.” and go.", "(See p. 3. Or not.) End"],
            ),
            ("Pack boxes, tape, etc. Then leave.", vec!["Pack boxes, tape, etc. Then leave."]),
            ("...", vec![]),
            ("An open (bracket. Next", vec!["An open (bracket.", "Next"]),
            ("Größe prüfen. Übergeben.", vec!["Größe prüfen.", "Übergeben."]),
        ] {
            let found: Vec<&str> = sentences(text).into_iter().map(|(_, sentence)| sentence).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn words_keep_what_belongs_to_them() {
        let clause = Clause::new("If it's 3,500.5 e-mails, “go to step 2” (or not): stop.");
        let words: Vec<&str> = (0..clause.len()).map(|index| clause.written(index)).collect();
        assert_eq!(words, ["If", "it's", "3,500.5", "e-mails", "“go to step 2”", "(or not)", "stop"]);
        assert!(clause.parted(4) && !clause.parted(3));
        assert_eq!(clause.before(6), "If it's 3,500.5 e-mails, “go to step 2” (or not)");
        assert_eq!(clause.after(3), "“go to step 2” (or not): stop.");
    }
}
