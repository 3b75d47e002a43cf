//! Where a clause sends the reader: to a step, to the beginning, to the end, or just on.

use super::{
    clause::{Clause, trim_end},
    statement::{Target, unquoted},
};
use crate::journey::workflow::clean_label;

/// `continue with the next step`: says nothing that the order does not say.
pub(super) fn goes_on(clause: &Clause<'_>) -> bool {
    let whole = ["continue", "proceed", "do nothing", "go on", "carry on", "nothing"];
    if clause.any(0, &whole) == Some(clause.len()) {
        return true;
    }
    let verb = clause.any(0, &GOING);
    verb.is_some_and(|length| {
        let next = clause.any(length, &["to the next step", "with the next step", "to next step", "with next step"]);
        next.is_some_and(|next| length + next == clause.len())
    })
}

const GOING: [&str; 27] = [
    "goes back",
    "goes on",
    "goes",
    "returns",
    "proceeds",
    "continues",
    "jumps",
    "go back",
    "go on",
    "go directly",
    "go straight",
    "go",
    "return",
    "proceed",
    "continue",
    "skip ahead",
    "skip",
    "jump back",
    "jump",
    "move on",
    "move",
    "start again",
    "restart",
    "resume",
    "begin again",
    "repeat",
    "redo",
];

/// Who or what goes on, where a sentence says it.
const SUBJECTS: [&str; 12] = [
    "it",
    "this",
    "they",
    "you",
    "we",
    "the process",
    "the procedure",
    "the workflow",
    "the case",
    "the request",
    "the order",
    "everything",
];

/// Doing once more what was done last.
const AGAIN: [&str; 9] = [
    "repeat",
    "repeat this",
    "repeat it",
    "repeat this step",
    "repeat the step",
    "repeat the previous step",
    "try again",
    "do this again",
    "do it again",
];

/// Where the words from `index` to the end of the clause send the reader, if that is all they say.
pub(super) fn jump(clause: &Clause<'_>, index: usize) -> Option<Target> {
    if let Some(end) = end_of_all(clause, index) {
        return Some(end);
    }
    if AGAIN.iter().any(|phrase| clause.has(index, phrase) && index + phrase.split(' ').count() == clause.len()) {
        return Some(Target::Previous);
    }
    let index = index + clause.any(index, &SUBJECTS).unwrap_or(0);
    let mut at = index + clause.any(index, &GOING)?;
    at += clause.any(at, &["to", "at", "with", "from"]).unwrap_or(0);
    if let Some(length) = clause.any(at, &["the beginning", "the start", "the top", "the first step", "beginning"]) {
        return (at + length == clause.len()).then_some(Target::First);
    }
    let restarts = clause.any(index, &["start again", "restart", "begin again"]);
    if restarts.is_some_and(|length| index + length == clause.len()) {
        return Some(Target::First);
    }
    if let Some(length) = clause.any(at, &["the end", "end"]) {
        return (at + length == clause.len()).then_some(Target::End(None));
    }
    at += clause.any(at, &["the step", "step number", "step no", "step", "steps", "point", "number", "no"])?;
    let number = clause.word(at).to_owned();
    let first = number.split('-').next().unwrap_or(&number).to_owned();
    let is_number = first.starts_with(|letter: char| letter.is_ascii_digit());
    let rest = match clause.word(at + 1) {
        "to" | "and" | "through" | "until" => at + 3,
        "again" | "above" | "below" => at + 2,
        _ if clause.gap(at + 1).contains('–') && !clause.word(at + 1).is_empty() => at + 2,
        _ => at + 1,
    };
    (is_number && rest >= clause.len()).then_some(Target::Step(first))
}

/// `end the procedure`, `the process ends`, `stop`, with a name after a colon where ends differ.
fn end_of_all(clause: &Clause<'_>, index: usize) -> Option<Target> {
    const WHOLE: [&str; 22] = [
        "end",
        "stop",
        "finish",
        "done",
        "stop here",
        "end here",
        "finish here",
        "you are done",
        "we are done",
        "nothing further to do",
        "nothing more to do",
        "end of process",
        "end of procedure",
        "end of workflow",
        "end of the process",
        "end of the procedure",
        "end of the workflow",
        "that is all",
        "it ends",
        "it ends here",
        "this ends",
        "abort",
    ];
    const THINGS: [&str; 9] = [
        "the procedure",
        "the process",
        "the workflow",
        "this procedure",
        "this process",
        "this workflow",
        "procedure",
        "process",
        "workflow",
    ];
    const ENDS: [&str; 9] =
        ["ends", "end", "stops", "is finished", "is complete", "is done", "is over", "finishes", "terminates"];
    let thing = |at: usize| clause.any(at, &THINGS);
    let ended = ["end", "stop", "finish", "close", "terminate", "exit", "abort"].contains(&clause.word(index));
    let commanded = || thing(index + 1).filter(|_| ended).map(|length| length + 1);
    let stated = || thing(index).and_then(|length| clause.any(index + length, &ENDS).map(|ends| length + ends));
    let whole = |&&phrase: &&&str| clause.has(index, phrase) && index + phrase.split(' ').count() == clause.len();
    let length =
        commanded().or_else(stated).or_else(|| WHOLE.iter().find(whole).map(|phrase| phrase.split(' ').count()))?;
    let at = index + length + usize::from(clause.word(index + length) == "here");
    if at == clause.len() {
        return Some(Target::End(None));
    }
    let name =
        clause.gap(at).trim_start().starts_with(':').then(|| clean_label(unquoted(trim_end(clause.from(at)))))?;
    Some(Target::End(Some(name)))
}
