//! What one sentence says: something is done, something is decided, somewhere it goes on. The rules are listed in the
//! documentation of the module above.

use super::{
    actor::actor,
    clause::{Clause, trim_end, trim_start},
    condition::{ASKING, asks, condition_and_rest, find_else, has_condition_verb, waits},
    jump::{goes_on, jump},
};
use crate::journey::workflow::{NO, OTHERWISE, YES, capitalised, clean_label};

/// The longest sentence that is looked into, in bytes; a longer one is kept as it is written, as one task.
const MAX_SENTENCE_BYTES: usize = 4_096;

/// How deep decisions are read inside of one sentence; what is deeper is kept as it is written, as one task.
const MAX_DEPTH: u32 = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Statement {
    Task(Task),
    Jump(Target),
    Decision(Decision),
    /// Done again and again until the answer is yes.
    Until {
        body: Task,
        question: String,
    },
    /// Done again and again while the answer is yes.
    While {
        question: String,
        body: Vec<Statement>,
    },
    /// Another step of the text begins here; what it says belongs to a decision of an earlier one.
    Mark(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) label: String,
    pub(super) actor: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The step of this number.
    Step(String),
    /// The first step.
    First,
    /// The task that was done last.
    Previous,
    /// The end, with its name where there are several.
    End(Option<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) question: String,
    /// What is done for each answer, in the order of the text; nothing at all means that it goes on with what follows.
    pub(super) options: Vec<(String, Vec<Statement>)>,
    /// It was asked as a question, so that answers may follow as sentences.
    pub(super) asked: bool,
}

/// What a sentence is to the ones before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Statements(Vec<Statement>),
    /// An answer to the question before it: `If yes, …`, `Otherwise, …`.
    Answer {
        answer: String,
        then: Vec<Statement>,
    },
}

impl Decision {
    /// Whether a further answer still has a place.
    pub(super) fn is_open(&self) -> bool {
        let has = |label: &str| self.options.iter().any(|(option, _)| option == label);
        let has_both = has(YES) && has(NO);
        !has(OTHERWISE) && !has_both
    }
}

fn decision(condition: &str, options: Vec<(String, Vec<Statement>)>) -> Statement {
    Statement::Decision(Decision { question: question_label(condition), options, asked: false })
}

/// Reads one sentence.
pub(super) fn said(sentence: &str) -> Said {
    if sentence.len() > MAX_SENTENCE_BYTES {
        return Said::Statements(vec![Statement::Task(Task { label: clean_label(sentence), actor: None })]);
    }
    let sentence = without_sequencer(sentence);
    let clause = Clause::new(sentence);
    if let Some(answer) = answer(&clause) {
        return answer;
    }
    if sentence.ends_with('?') {
        let asked = Decision { question: question_label(sentence), options: Vec::new(), asked: true };
        return Said::Statements(vec![Statement::Decision(asked)]);
    }
    if let Some((question, rest)) = question_and_answer(sentence) {
        let asked = Decision { question: question_label(question), options: Vec::new(), asked: true };
        let mut statements = vec![Statement::Decision(asked)];
        statements.extend(read(rest, 1));
        return Said::Statements(statements);
    }
    Said::Statements(read(sentence, 0))
}

/// `When an invoice arrives, open it`: what starts it, and the rest.
pub(super) fn trigger(sentence: &str) -> Option<(String, &str)> {
    let clause = Clause::new(sentence);
    let length = clause.any(0, &["when", "whenever", "as soon as", "once"])?;
    let (condition, rest) = condition_and_rest(&clause, length)?;
    let is_plain = find_else(&Clause::new(rest)).is_none();
    is_plain.then(|| (capitalised(&clean_label(condition)), rest))
}

fn question_and_answer(sentence: &str) -> Option<(&str, &str)> {
    let end = sentence.strip_prefix('“').and_then(|_| sentence.find("”?"))? + "”?".len();
    let rest = sentence[end..].trim();
    (!rest.is_empty()).then_some((&sentence[..end], rest))
}

/// A sentence that only makes sense after a question.
fn answer(clause: &Clause<'_>) -> Option<Said> {
    if let Some(length) = clause.any(0, &["otherwise", "or else", "else", "in all other cases", "in any other case"]) {
        let then = read(clause.after(length - 1), 1);
        return Some(Said::Answer { answer: OTHERWISE.to_owned(), then });
    }
    let short = |answer: &str, length: usize| {
        let (head, tail) = match find_else(clause) {
            Some((at, tail)) if at >= length => (trim_start(clause.before(at).get(..)?), Some(tail)),
            Some(_) | None => (clause.text, None),
        };
        let head = Clause::new(head);
        let then = read(head.after(length - 1), 1);
        Some(match tail {
            None => Said::Answer { answer: answer.to_owned(), then },
            // Both answers are in one sentence, so the question is the one before it.
            Some(tail) => Said::Statements(vec![Statement::Decision(Decision {
                question: String::new(),
                options: vec![(answer.to_owned(), then), (opposite(answer), read(tail, 1))],
                asked: false,
            })]),
        })
    };
    let yes = ["if yes", "if so", "if it is", "if they are", "if it does", "if he does", "if true", "in that case"];
    let no = [
        "if no",
        "if not",
        "if it is not",
        "if it isn't",
        "if they are not",
        "if they aren't",
        "if it does not",
        "if it doesn't",
        "if false",
    ];
    if let Some(length) = clause.any(0, &no).filter(|&length| clause.parted(length) && clause.len() > length) {
        return short(NO, length);
    }
    if let Some(length) = clause.any(0, &yes).filter(|&length| clause.parted(length) && clause.len() > length) {
        return short(YES, length);
    }
    for (word, answer) in [("yes", YES), ("no", NO)] {
        let is_marked = clause.gap(1).contains([':', ',', '→', '–', '—', '-']);
        if clause.word(0) == word && clause.len() > 1 && is_marked {
            return short(answer, 1);
        }
    }
    named_answer(clause)
}

/// `If “partly”, …` or `If red, …`: a word of an answer, not a condition of its own.
fn named_answer(clause: &Clause<'_>) -> Option<Said> {
    clause.any(0, &["if", "when", "in case of"])?;
    let (condition, rest) = condition_and_rest(clause, usize::from(clause.has(0, "in case of")) * 2 + 1)?;
    let is_quoted = condition.starts_with('“') && condition.ends_with('”');
    let is_condition = has_condition_verb(&Clause::new(condition));
    if !is_quoted && (is_condition || condition.split_whitespace().count() > 4 || find_else(clause).is_some()) {
        return None;
    }
    Some(Said::Answer { answer: clean_label(unquoted(condition)), then: read(rest, 1) })
}

pub(super) fn opposite(answer: &str) -> String {
    match answer {
        YES => NO.to_owned(),
        NO => YES.to_owned(),
        _ => OTHERWISE.to_owned(),
    }
}

/// Reads a piece of a sentence that may hold everything but an answer.
fn read(text: &str, depth: u32) -> Vec<Statement> {
    let text = without_sequencer(text);
    let clause = Clause::new(text);
    if clause.len() == 0 {
        return Vec::new();
    }
    if depth >= MAX_DEPTH {
        return vec![task(text)];
    }
    conditional(&clause, depth).or_else(|| trailing(&clause, depth)).unwrap_or_else(|| plain(&clause))
}

/// `If A, B; otherwise C` and its kin, where the condition comes first.
fn conditional(clause: &Clause<'_>, depth: u32) -> Option<Vec<Statement>> {
    let holds = ["only if", "if", "in case of", "in case", "in the event that", "provided that", "whenever", "when"];
    let (length, answer) = match clause.any(0, &holds) {
        Some(length) => (length, YES),
        None => match clause.any(0, &["unless", "except if"]) {
            Some(length) => (length, NO),
            None => return looped(clause, depth),
        },
    };
    let parted = find_else(clause);
    let head = Clause::new(parted.map_or(clause.text, |(at, _)| clause.before(at)));
    let (condition, rest) = condition_and_rest(&head, length)?;
    let mut options = vec![(answer.to_owned(), read(rest, depth + 1))];
    let mut statements = Vec::new();
    if let Some((_, tail)) = parted {
        let otherwise = read(tail, depth + 1);
        match open_decision(&mut options[0].1) {
            // “Otherwise” belongs to the nearest condition before it.
            Some(inner) => inner.options.push((NO.to_owned(), otherwise)),
            None => options.push((opposite(answer), otherwise)),
        }
    }
    statements.push(decision(condition, options));
    Some(statements)
}

/// `While A, B` · `Until A, B`.
fn looped(clause: &Clause<'_>, depth: u32) -> Option<Vec<Statement>> {
    let is_while = clause.any(0, &["as long as", "while"]);
    let length = is_while.or_else(|| clause.any(0, &["until"]))?;
    let (condition, rest) = condition_and_rest(clause, length)?;
    let question = question_label(condition);
    Some(match is_while {
        Some(_) => vec![Statement::While { question, body: read(rest, depth + 1) }],
        None => vec![Statement::Until { body: a_task(rest), question }],
    })
}

/// `B if A` · `B unless A` · `B until A`, where the condition comes last.
fn trailing(clause: &Clause<'_>, depth: u32) -> Option<Vec<Statement>> {
    let at = (1..clause.len()).find(|&index| {
        let is_asked = || ASKING.iter().any(|verb| clause.word(index - 1) == *verb) || clause.has(0, "check if");
        let is_condition = || has_condition_verb(&Clause::new(clause.from(index + 1)));
        match clause.word(index) {
            "if" => !is_asked() && !asks(clause, index) && clause.len() > index + 1,
            "unless" => clause.len() > index + 1,
            "until" => !waits(clause) && is_condition(),
            _ => false,
        }
    })?;
    if begins_clause(clause, at) {
        let mut statements = read(clause.before(at), depth + 1);
        statements.extend(read(clause.from(at), depth + 1));
        return Some(statements);
    }
    let keyword = clause.word(at).to_owned();
    let start = if clause.word(at - 1) == "only" || clause.word(at - 1) == "but" { at - 1 } else { at };
    let body = clause.before(start);
    if Clause::new(body).len() == 0 {
        return None;
    }
    let rest = Clause::new(clause.from(at));
    let parted = find_else(&rest);
    let condition = Clause::new(parted.map_or(rest.text, |(end, _)| rest.before(end)));
    let condition = trim_end(condition.after(0));
    if keyword == "until" {
        return Some(until(body, condition));
    }
    let answer = if keyword == "if" { YES } else { NO };
    let mut options = vec![(answer.to_owned(), read(body, depth + 1))];
    if let Some((_, tail)) = parted {
        options.push((opposite(answer), read(tail, depth + 1)));
    }
    Some(vec![decision(condition, options)])
}

/// Whether the condition at `index` belongs to what follows it: `Weigh it; if it is heavy, …`, `Weigh it and if it is heavy, …`.
fn begins_clause(clause: &Clause<'_>, index: usize) -> bool {
    let is_joined = matches!(clause.word(index - 1), "and" | "then" | "but");
    is_joined || clause.gap(index).contains([';', ':', '–', '—'])
}

/// `Go back to step 2 until A` · `Stir until A`.
fn until(body: &str, condition: &str) -> Vec<Statement> {
    let again = Clause::new(body);
    match jump(&again, 0) {
        Some(target) => vec![decision(condition, vec![(NO.to_owned(), vec![Statement::Jump(target)])])],
        None => vec![Statement::Until { body: a_task(body), question: question_label(condition) }],
    }
}

/// The decision at the end of the statements that still takes an answer; the innermost one.
pub(super) fn open_decision(statements: &mut [Statement]) -> Option<&mut Decision> {
    let mut levels = levels_to_open(statements)?;
    let mut inner = statements;
    loop {
        let Some(Statement::Decision(decision)) = inner.last_mut() else {
            return None;
        };
        if levels == 0 {
            return Some(decision);
        }
        levels -= 1;
        inner = &mut decision.options.last_mut()?.1;
    }
}

/// How many decisions stand around the innermost open one.
fn levels_to_open(statements: &[Statement]) -> Option<usize> {
    let mut open = None;
    let mut inner = statements;
    for level in 0.. {
        let Some(Statement::Decision(decision)) = inner.last() else {
            break;
        };
        if decision.is_open() {
            open = Some(level);
        }
        match decision.options.last() {
            Some((_, next)) => inner = next,
            None => break,
        }
    }
    open
}

/// A piece without conditions: something done, and perhaps where it goes on.
fn plain(clause: &Clause<'_>) -> Vec<Statement> {
    if goes_on(clause) {
        return Vec::new();
    }
    let joined = |index: usize| index == 0 || clause.parted(index) || matches!(clause.word(index - 1), "and" | "then");
    let found =
        (0..clause.len()).filter(|&index| joined(index)).find_map(|index| jump(clause, index).map(|to| (index, to)));
    let Some((index, target)) = found else {
        return vec![task(clause.text)];
    };
    let mut end = index;
    while end > 0 && matches!(clause.word(end - 1), "and" | "then") {
        end -= 1;
    }
    let mut statements = Vec::new();
    if end > 0 {
        statements.push(task(clause.before(end)));
    }
    statements.push(Statement::Jump(target));
    statements
}

fn task(text: &str) -> Statement {
    Statement::Task(a_task(text))
}

pub(super) fn a_task(text: &str) -> Task {
    let text = trim_end(text);
    if let Some(quoted) = whole_quote(text) {
        return Task { label: clean_label(quoted), actor: None };
    }
    // In the middle of a sentence a name of a role begins small, but a task stands for itself.
    let text = capitalised(text);
    let (actor, rest) = actor(&text);
    let label = whole_quote(rest).map_or_else(|| capitalised(&clean_label(rest)), clean_label);
    Task { label, actor }
}

/// The inside of a text that is quoted as a whole.
fn whole_quote(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('“')?.strip_suffix('”')?;
    (!inside.contains('”')).then_some(inside)
}

pub(super) fn unquoted(text: &str) -> &str {
    whole_quote(text).unwrap_or(text)
}

/// The text of a decision: one question.
pub(super) fn question_label(condition: &str) -> String {
    let text = trim_end(condition.trim().trim_end_matches(['?', ' ']));
    let text = unquoted(text).trim().trim_end_matches('?').trim_end();
    format!("{}?", capitalised(&clean_label(text)))
}

/// The sentence without the words that only say that it comes after another one.
pub(super) fn without_sequencer(sentence: &str) -> &str {
    let clause = Clause::new(sentence);
    let words = [
        "first of all",
        "first",
        "firstly",
        "second",
        "secondly",
        "third",
        "thirdly",
        "and then",
        "then",
        "next",
        "after that",
        "afterwards",
        "finally",
        "lastly",
        "and",
        "but",
        "also",
        "in this case",
    ];
    match clause.any(0, &words) {
        // “First name is entered” does not begin with a sequencer; a comma or “then” says that it does.
        Some(length)
            if clause.len() > length
                && (clause.parted(length) || matches!(clause.word(length - 1), "then" | "and" | "but")) =>
        {
            without_sequencer(clause.from(length))
        }
        Some(_) | None => clause.text,
    }
}
