//! Conditions: where they end, what makes a clause one, and where its “otherwise” stands.

use super::clause::{Clause, trim_end};

/// Verbs after which “if” means “whether”.
pub(super) const ASKING: [&str; 20] = [
    "check",
    "checks",
    "see",
    "sees",
    "ask",
    "asks",
    "verify",
    "verifies",
    "determine",
    "determines",
    "decide",
    "decides",
    "confirm",
    "confirms",
    "know",
    "knows",
    "test",
    "tests",
    "as",
    "even",
];

/// `Check with the supplier if …`: asking with somebody between.
pub(super) fn asks(clause: &Clause<'_>, index: usize) -> bool {
    let first = clause.word(0);
    index <= 6 && ASKING.contains(&first) && !clause.parted(index)
}

/// Waiting is done once, however long it takes.
pub(super) fn waits(clause: &Clause<'_>) -> bool {
    (0..clause.len().min(6))
        .any(|index| matches!(clause.word(index), "wait" | "waits" | "waiting" | "hold" | "holds" | "pause" | "pauses"))
}

/// Words of which a condition has one; a list of things before a comma has none.
pub(super) fn has_condition_verb(clause: &Clause<'_>) -> bool {
    const VERBS: [&str; 44] = [
        "is", "are", "was", "were", "has", "have", "had", "does", "do", "did", "can", "cannot", "could", "will",
        "would", "should", "must", "may", "exists", "exist", "exceeds", "exceed", "contains", "contain", "matches",
        "match", "fails", "fail", "passes", "pass", "needs", "need", "arrives", "arrive", "agrees", "agree",
        "requires", "wants", "says", "comes", "accepts", "approves", "rejects", "shows",
    ];
    (0..clause.len()).any(|index| {
        let word = clause.word(index);
        VERBS.contains(&word) || word.ends_with("n't") || word.ends_with("n’t") || (index > 0 && word.ends_with("ed"))
    })
}

/// The condition after the first `length` words, and what follows it.
pub(super) fn condition_and_rest<'a>(clause: &Clause<'a>, length: usize) -> Option<(&'a str, &'a str)> {
    let cut = |index: usize| {
        let condition = &clause.before(index)[clause.text.len() - clause.from(length).len()..];
        (trim_end(condition), clause.from(index))
    };
    if let Some(then) =
        (length + 1..clause.len()).find(|&index| clause.word(index) == "then" && index + 1 < clause.len())
    {
        let (condition, _) = cut(then);
        return Some((condition, clause.from(then + 1)));
    }
    let parted: Vec<usize> = (length + 1..clause.len()).filter(|&index| parts_condition(clause.gap(index))).collect();
    let Some(&first) = parted.first() else {
        return next_subject(clause, length).map(cut);
    };
    let is_condition = |index: usize| has_condition_verb(&Clause::new(cut(index).0));
    if is_condition(first) {
        return Some(cut(first));
    }
    // “If name, date and address are given, …” has a list before its verb; “If red, …” has no verb at all.
    let is_short = first - length <= 2;
    let later = parted[1..].iter().zip(&parted).find(|&(&index, &before)| {
        let joint = (before..index).find(|&word| matches!(clause.word(word), "and" | "or"));
        let ends_list = joint.is_some_and(|joint| (joint..index).any(|word| is_being(clause.word(word))));
        is_condition(index) && (ends_list || !is_short)
    });
    Some(cut(later.map_or(first, |(&index, _)| index)))
}

/// Whether the marks between two words can stand between a condition and what follows from it.
fn parts_condition(gap: &str) -> bool {
    gap.contains([',', ':', ';', '→', '?']) || gap.contains("->") || gap.contains("=>")
}

/// Where a second clause begins that no comma parts from the condition: `if it exceeds 5,000 it must be approved`.
fn next_subject(clause: &Clause<'_>, length: usize) -> Option<usize> {
    (length + 3..clause.len().saturating_sub(1)).find(|&index| {
        let is_subject = matches!(clause.word(index), "it" | "they" | "he" | "she" | "you" | "we" | "please");
        is_subject
            && is_modal(clause.word(index + 1))
            && !matches!(clause.word(index - 1), "that" | "and" | "or" | "but")
    })
}

fn is_modal(word: &str) -> bool {
    matches!(
        word,
        "must" | "should" | "shall" | "can" | "may" | "is" | "are" | "has" | "have" | "needs" | "need" | "will"
    )
}

fn is_being(word: &str) -> bool {
    matches!(word, "is" | "are" | "was" | "were" | "has" | "have")
}

/// Where `…; otherwise` stands, and what follows it.
pub(super) fn find_else<'a>(clause: &Clause<'a>) -> Option<(usize, &'a str)> {
    (1..clause.len()).find_map(|index| {
        let parted = clause.parted(index);
        let length = match clause.word(index) {
            "otherwise" => 1,
            "or" if clause.word(index + 1) == "else" => 2,
            "else" if parted => 1,
            "if" if parted && clause.word(index + 1) == "not" && clause.parted(index + 2) => 2,
            _ => return None,
        };
        let tail = clause.after(index + length - 1);
        (!tail.is_empty()).then_some((index, tail))
    })
}
