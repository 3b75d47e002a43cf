//! Words out of text: small letters, no endings. It knows English endings and nothing of meaning.

/// The word without the ending that number and tense give it. What comes out need not be a word; the same for alike words is enough.
pub(super) fn stem(word: &str) -> String {
    let word = word.strip_suffix("'s").unwrap_or(word);
    let singular = without_plural(word);
    let plain = without_tense(&singular);
    plain.strip_suffix('e').filter(|rest| rest.len() >= 3).unwrap_or(&plain).to_owned()
}

fn without_plural(word: &str) -> String {
    if word.len() <= 3 || ["ss", "us", "is"].iter().any(|ending| word.ends_with(ending)) {
        return word.to_owned();
    }
    if let Some(rest) = word.strip_suffix("ies").filter(|rest| rest.len() >= 2) {
        return format!("{rest}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_owned();
        }
    }
    word.strip_suffix('s').unwrap_or(word).to_owned()
}

fn without_tense(word: &str) -> String {
    let has_vowel = |rest: &&str| rest.len() >= 3 && rest.contains(['a', 'e', 'i', 'o', 'u', 'y']);
    let Some(rest) = word.strip_suffix("ing").or_else(|| word.strip_suffix("ed")).filter(has_vowel) else {
        return word.to_owned();
    };
    let mut letters = rest.chars().rev();
    match (letters.next(), letters.next()) {
        (Some(last), Some(before)) if last == before && !"lsaeiou".contains(last) => {
            rest[..rest.len() - last.len_utf8()].to_owned()
        }
        _ => rest.to_owned(),
    }
}

/// The words of a text in small letters, without punctuation. Apostrophes inside of a word fall out: `don't` is `dont`.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(|letter: char| !(letter.is_alphanumeric() || "'’-_".contains(letter)))
        .map(|word| {
            let word = word.trim_matches(['-', '_', '\'', '’']).to_lowercase();
            match word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")) {
                Some(rest) if !matches!(rest, "what" | "that" | "it" | "let" | "how" | "where" | "who") => {
                    rest.to_owned()
                }
                Some(rest) => format!("{rest} is"),
                None => word.replace(['\'', '’'], ""),
            }
        })
        .flat_map(|word| word.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .filter(|word| !word.is_empty())
        .collect()
}

/// How alike two words are to a person who types fast: the number of letters that are wrong, missing, too many or swapped.
/// `None` where that is too many for words of this length.
pub(super) fn misspelling(written: &str, meant: &str) -> Option<usize> {
    let length = written.chars().count().min(meant.chars().count());
    let allowed = match length {
        0..=2 => return None,
        // So short a word may only lack a letter: anything else is another word.
        3 => return (lacks_one(written, meant)).then_some(1),
        4..=6 => 1,
        _ => 2,
    };
    if written.chars().count().abs_diff(meant.chars().count()) > allowed {
        return None;
    }
    // The first letter is seldom the wrong one, and asking for it keeps short words apart; two swapped ones are the exception.
    let begins_alike = written.chars().next() == meant.chars().next()
        || (written.chars().nth(1) == meant.chars().next() && written.chars().next() == meant.chars().nth(1));
    if !begins_alike {
        return None;
    }
    let distance = strsim::damerau_levenshtein(written, meant);
    (distance <= allowed).then_some(distance)
}

fn lacks_one(written: &str, meant: &str) -> bool {
    let mut rest = meant.chars();
    written.len() + 1 == meant.len()
        && written.chars().next() == meant.chars().next()
        && written.chars().all(|letter| rest.any(|other| other == letter))
}

/// Whether two words are written with the same letters.
pub(super) fn has_same_letters(one: &str, other: &str) -> bool {
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    one.len() == other.len() && sorted(one) == sorted(other)
}

/// The share of their three-letter pieces that two words have in common, from 0 to 1: tells apart two words that are as many
/// letters away.
pub(super) fn alikeness(one: &str, other: &str) -> f64 {
    let pieces = |word: &str| {
        let letters: Vec<char> = format!(" {word} ").chars().collect();
        letters.windows(3).map(<[char]>::to_vec).collect::<std::collections::HashSet<_>>()
    };
    let (one, other) = (pieces(one), pieces(other));
    let shared = one.intersection(&other).count();
    if one.is_empty() && other.is_empty() { 0.0 } else { 2.0 * shared as f64 / (one.len() + other.len()) as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_words_have_one_stem() {
        let alike = [
            &["profile", "profiles", "profiling", "profiled"][..],
            &["parse", "parsing", "parsed", "parses"],
            &["query", "queries"],
            &["duplicate", "duplicates", "duplicated"],
            &["drop", "dropped", "dropping"],
            &["search", "searches", "searching"],
        ];
        for group in alike {
            let stems: Vec<String> = group.iter().map(|word| stem(word)).collect();
            assert!(stems.iter().all(|other| *other == stems[0]), "{stems:?}");
        }
    }

    #[test]
    fn a_misspelling_is_near_and_another_word_is_not() {
        for (written, meant) in
            [("qualty", "quality"), ("worklfow", "workflow"), ("pasre", "parse"), ("duplciat", "duplicat")]
        {
            assert!(misspelling(written, meant).is_some(), "{written}");
        }
        for (written, meant) in [("cat", "car"), ("joke", "make"), ("lunch", "launch-pad"), ("read", "bread")] {
            assert!(misspelling(written, meant).is_none(), "{written}");
        }
    }

    #[test]
    fn contractions_and_possessives_are_read() {
        assert_eq!(words("What's in Ann's file? Don't!"), ["what", "is", "in", "ann", "file", "dont"]);
    }
}
