//! Who does it: “the clerk checks …”, “Finance approves …”, “Clerk: check …”, “… is checked by the clerk”. A word is a
//! person or a system only where it stands before something that people and systems do.

use super::clause::Clause;

/// The most words of a name of a role.
const MAX_ACTOR_WORDS: usize = 4;

/// What people and systems do in procedures, as one says it of oneself.
const VERBS: &[&str] = &[
    "accept",
    "add",
    "adjust",
    "agree",
    "analyse",
    "analyze",
    "answer",
    "approve",
    "archive",
    "ask",
    "assess",
    "assign",
    "attach",
    "authorise",
    "authorize",
    "book",
    "build",
    "calculate",
    "call",
    "cancel",
    "capture",
    "check",
    "choose",
    "clean",
    "clear",
    "close",
    "collect",
    "compare",
    "compile",
    "complete",
    "confirm",
    "contact",
    "convert",
    "copy",
    "correct",
    "count",
    "create",
    "cut",
    "decide",
    "define",
    "delete",
    "deliver",
    "deploy",
    "describe",
    "design",
    "determine",
    "discuss",
    "dispatch",
    "distribute",
    "document",
    "download",
    "draft",
    "email",
    "enter",
    "escalate",
    "estimate",
    "evaluate",
    "examine",
    "explain",
    "export",
    "extract",
    "file",
    "fill",
    "filter",
    "find",
    "fix",
    "follow",
    "forward",
    "generate",
    "get",
    "give",
    "hand",
    "identify",
    "import",
    "inform",
    "inspect",
    "install",
    "interview",
    "investigate",
    "invite",
    "issue",
    "keep",
    "label",
    "launch",
    "list",
    "load",
    "log",
    "look",
    "make",
    "mark",
    "match",
    "measure",
    "meet",
    "merge",
    "monitor",
    "negotiate",
    "note",
    "notify",
    "obtain",
    "offer",
    "open",
    "order",
    "pack",
    "pass",
    "pay",
    "pick",
    "place",
    "plan",
    "post",
    "prepare",
    "present",
    "print",
    "prioritise",
    "prioritize",
    "process",
    "propose",
    "provide",
    "publish",
    "put",
    "raise",
    "read",
    "receive",
    "reconcile",
    "record",
    "refund",
    "register",
    "reject",
    "release",
    "remind",
    "remove",
    "repair",
    "replace",
    "reply",
    "report",
    "request",
    "resolve",
    "respond",
    "return",
    "review",
    "run",
    "save",
    "scan",
    "schedule",
    "search",
    "select",
    "sell",
    "send",
    "set",
    "share",
    "ship",
    "sign",
    "sort",
    "start",
    "stop",
    "store",
    "submit",
    "summarise",
    "summarize",
    "take",
    "talk",
    "tell",
    "test",
    "track",
    "train",
    "transfer",
    "translate",
    "try",
    "type",
    "unpack",
    "update",
    "upload",
    "use",
    "validate",
    "verify",
    "visit",
    "wait",
    "wash",
    "weigh",
    "write",
];

const ARTICLES: [&str; 8] = ["the", "a", "an", "our", "your", "each", "every", "one"];

/// Words between who and what: they belong to neither.
const ADVERBS: [&str; 10] = ["then", "also", "now", "first", "finally", "next", "again", "still", "both", "either"];

/// Before the verb itself.
const MODALS: [&str; 8] = ["must", "shall", "should", "will", "can", "may", "has to", "needs to"];

/// What no name of a role has in it.
const NEVER_IN_A_ROLE: [&str; 32] = [
    "if",
    "when",
    "unless",
    "until",
    "while",
    "that",
    "which",
    "who",
    "and",
    "or",
    "not",
    "is",
    "are",
    "was",
    "be",
    "to",
    "it",
    "this",
    "yes",
    "no",
    "otherwise",
    "else",
    "note",
    "step",
    "start",
    "end",
    "example",
    "important",
    "warning",
    "following",
    "result",
    "trigger",
];

/// Participles that do not end in `ed`.
const PARTICIPLES: [&str; 14] = [
    "sent", "paid", "made", "done", "kept", "given", "taken", "written", "signed", "set", "put", "read", "found",
    "built",
];

/// Words that follow “by the” without being anybody.
const NOBODY: [&str; 8] = ["end", "deadline", "date", "time", "day", "following", "same", "rules"];

/// Who a sentence says will do it, and what is left to be shown as what is done.
pub(super) fn actor(sentence: &str) -> (Option<String>, &str) {
    if let Some((role, rest)) = named_before_colon(sentence) {
        return (Some(role), rest);
    }
    let clause = Clause::new(sentence);
    (subject(&clause).or_else(|| by_whom(&clause)), sentence)
}

/// `Clerk: check the invoice`.
fn named_before_colon(sentence: &str) -> Option<(String, &str)> {
    let (role, rest) = sentence.split_once(": ")?;
    let (role, rest) = (role.trim(), rest.trim());
    let clause = Clause::new(role);
    let fits = (1..=MAX_ACTOR_WORDS).contains(&clause.len())
        && role.chars().next().is_some_and(char::is_uppercase)
        && role.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '/' | '&' | '\'' | '’'))
        && is_role(&clause, 0, clause.len())
        && !is_verb(clause.word(0))
        && rest.chars().any(char::is_alphanumeric);
    let start = usize::from(clause.len() > 1 && ARTICLES.contains(&clause.word(0)));
    fits.then(|| (clause.from(start).to_owned(), rest))
}

/// The words before the first verb, where they can be a role.
fn subject(clause: &Clause<'_>) -> Option<String> {
    let has_article = ARTICLES.contains(&clause.word(0));
    let named = clause.written(0).chars().next().is_some_and(char::is_uppercase) && !is_verb(clause.word(0));
    if !has_article && !named {
        return None;
    }
    let start = usize::from(has_article);
    let last = (start + MAX_ACTOR_WORDS + 1).min(clause.len());
    let verb = (start + 1..=last).find(|&index| does(clause, index))?;
    let mut end = verb;
    while end > start && (ADVERBS.contains(&clause.word(end - 1)) || clause.word(end - 1).ends_with("ly")) {
        end -= 1;
    }
    let together = (1..=verb).all(|index| !clause.parted(index));
    let is_short = (1..=MAX_ACTOR_WORDS).contains(&(end - start));
    (together && is_short && is_role(clause, start, end)).then(|| words_between(clause, start, end))
}

/// `… is checked by the clerk`.
fn by_whom(clause: &Clause<'_>) -> Option<String> {
    let by = (2..clause.len()).find(|&index| {
        let participle = clause.word(index - 1);
        clause.word(index) == "by"
            && ARTICLES.contains(&clause.word(index + 1))
            && (participle.ends_with("ed") || PARTICIPLES.contains(&participle))
    })?;
    let start = by + 2;
    let end = (start..clause.len())
        .find(|&index| index > start && (clause.parted(index) || is_joint(clause.word(index))))
        .unwrap_or(clause.len());
    let is_short = (1..=MAX_ACTOR_WORDS).contains(&end.saturating_sub(start));
    let is_somebody = !NOBODY.contains(&clause.word(start));
    (is_short && is_somebody && is_role(clause, start, end)).then(|| words_between(clause, start, end))
}

fn is_joint(word: &str) -> bool {
    matches!(
        word,
        "and" | "or" | "in" | "on" | "at" | "with" | "before" | "after" | "for" | "to" | "within" | "by" | "using"
    )
}

fn words_between(clause: &Clause<'_>, start: usize, end: usize) -> String {
    (start..end).map(|index| clause.written(index)).collect::<Vec<_>>().join(" ")
}

fn is_role(clause: &Clause<'_>, start: usize, end: usize) -> bool {
    (start..end).all(|index| {
        let word = clause.word(index);
        !NEVER_IN_A_ROLE.contains(&word) && word.chars().any(char::is_alphabetic)
    })
}

/// Whether somebody named before the word at `index` does something with it.
fn does(clause: &Clause<'_>, index: usize) -> bool {
    if let Some(length) = clause.any(index, &MODALS) {
        return is_verb(clause.word(index + length));
    }
    let word = clause.word(index);
    third_person(word) || (is_verb(word) && clause.word(index - 1).ends_with('s'))
}

fn is_verb(word: &str) -> bool {
    VERBS.contains(&word)
}

/// `checks`, `passes`, `notifies`.
fn third_person(word: &str) -> bool {
    let without = |ending: &str| word.strip_suffix(ending);
    without("s").is_some_and(is_verb)
        || without("es").is_some_and(is_verb)
        || without("ies").is_some_and(|stem| VERBS.contains(&format!("{stem}y").as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_are_found_where_they_are_named_and_nowhere_else() {
        for (sentence, expected) in [
            ("The clerk checks the invoice", Some("clerk")),
            ("The account manager then notifies the customer", Some("account manager")),
            ("Finance approves it", Some("Finance")),
            ("Accounts Payable pays the supplier", Some("Accounts Payable")),
            ("The clerks check it", Some("clerks")),
            ("The supervisor must sign the form", Some("supervisor")),
            ("The Sachbearbeiterin prüft die Rechnung", None),
            ("Die Sachbearbeiterin checks the Rechnung", Some("Die Sachbearbeiterin")),
            ("Clerk: check the invoice", Some("Clerk")),
            ("The team lead: sign it", Some("team lead")),
            ("The form is signed by the head of sales before Friday", Some("head of sales")),
            ("The form is signed by the end of the day", None),
            ("Check the following: name, address", None),
            ("The invoice arrives", None),
            ("The invoice must be paid", None),
            ("Send the form to the clerk", None),
            ("Note: send it twice", None),
            ("Check that the system stores it", None),
            ("It is done", None),
            ("", None),
        ] {
            assert_eq!(actor(sentence).0.as_deref(), expected, "{sentence}");
        }
    }

    #[test]
    fn a_role_before_a_colon_is_taken_off_the_sentence() {
        assert_eq!(actor("Clerk: check it"), (Some("Clerk".to_owned()), "check it"));
        assert_eq!(actor("The clerk checks it").1, "The clerk checks it");
    }
}
