//! Which steps a program could do, judged by their words: tasks that begin with a verb for what programs do (`send`,
//! `calculate`, …), and decisions that compare with a number.

use super::workflow::{Node, NodeKind};

/// What programs do as well as people, as a task says it: the stem of the verb.
const AUTOMATABLE: [&str; 34] = [
    "archive",
    "assign",
    "attach",
    "backup",
    "book",
    "calculate",
    "compare",
    "convert",
    "copy",
    "count",
    "create",
    "download",
    "email",
    "enter",
    "export",
    "extract",
    "forward",
    "generate",
    "import",
    "load",
    "log",
    "match",
    "merge",
    "notify",
    "print",
    "record",
    "register",
    "remind",
    "save",
    "scan",
    "send",
    "store",
    "update",
    "upload",
];

/// Words of a comparison that a rule can make.
const COMPARING: [&str; 8] = ["exceed", "exceeds", "above", "below", "more", "less", "over", "under"];

/// Whether a program could do what the node says, by its words alone.
pub(crate) fn can_be_automated(node: &Node) -> bool {
    let words: Vec<String> = words(&node.label);
    match node.kind {
        NodeKind::Task => {
            // “The account manager sends …” says its verb right behind the actor.
            let skipped = node.actor.as_ref().map_or(0, |actor| position_after(&words, &self::words(actor)));
            words.get(skipped).is_some_and(|word| is_automatable(word))
        }
        NodeKind::Decision => {
            words.iter().any(|word| word.starts_with(|letter: char| letter.is_ascii_digit()))
                && words.iter().any(|word| COMPARING.contains(&word.as_str()))
        }
        NodeKind::Start | NodeKind::End => false,
    }
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|letter: char| !letter.is_alphanumeric());
    parts.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// Where the words go on behind `actor`; 0 where it does not stand near the beginning.
fn position_after(words: &[String], actor: &[String]) -> usize {
    (0..2).find(|&start| words.get(start..start + actor.len()) == Some(actor)).map_or(0, |start| start + actor.len())
}

/// `send` and `sends`, `notify` and `notifies`.
fn is_automatable(word: &str) -> bool {
    let stems = [Some(word), word.strip_suffix('s'), word.strip_suffix("es")];
    let with_y = word.strip_suffix("ies").map(|stem| format!("{stem}y"));
    stems.into_iter().flatten().chain(with_y.as_deref()).any(|stem| AUTOMATABLE.contains(&stem))
}
