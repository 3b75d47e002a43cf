//! From a written procedure to a workflow, by rules alone: the same text always gives the same graph.
//!
//! What is a step: numbered lines (`1.`, `2.1`, `(3)`, `Step 4:`) where there are any, else bullets, else lines where none
//! ends like a sentence, else sentences. Deeper lines belong to the step above. A heading or a short line before the first
//! step is the title; `Start: …` before it names what starts it all. A heading behind a list ends it, and
//! what follows that heading is not read.
//!
//! What a step says:
//!
//! | written | read as |
//! | --- | --- |
//! | `The clerk checks it` · `Clerk: check it` · `It is checked by the clerk` | a task with an actor |
//! | several plain sentences of one numbered step and one actor | one task |
//! | `If A, B; otherwise C` · `If A, B. Otherwise, C` · `B if A` · `In case A, B` · `When A, B` | a decision “A?”: yes B, no C; an answer that is not written goes on with what follows |
//! | `Unless A, B` · `B unless A` | a decision “A?”: no B |
//! | `Is it A? If yes, B. If not, C.` · `Check whether A. If so, B` · bullets `Yes: B`, `No: C` | the same, with the question as it is asked |
//! | `Which colour? If red, B. If blue, C. Otherwise, D.` | a decision with an edge for each answer |
//! | `else if A, B` · `Otherwise, if A, B` | a decision on the no-edge of the one before; `otherwise` belongs to the nearest |
//! | `go (back) to step N` · `repeat from step N` · `return to the beginning` · `… and go to step N` | an edge |
//! | `end the procedure` · `stop` · `the process ends: Rejected` | an edge to an end; ends of different names are different |
//! | `try again` · `repeat` · `Repeat until A` | the same, to the task before |
//! | `Repeat steps 2 to 4 until A` · `Stir until A` · `Until A, stir` · `While A, B` | a loop over a decision |
//! | `continue with the next step` · `do nothing` | nothing: the order says it |
//! | `When A, B` in the first step | A is what starts it |
//! | `Wait until A` · `Check if A` · what is in “quotes” or in brackets | never a decision |

mod actor;
mod clause;
mod condition;
mod jump;
mod lower;
mod outline;
mod statement;

use self::{
    clause::sentences,
    lower::{Step, lower},
    outline::{RawStep, outline},
    statement::{Decision, Said, Statement, Task, open_decision, opposite, said, trigger, without_sequencer},
};
use super::workflow::{MAX_NODES, NO, OTHERWISE, Workflow, YES, capitalised, clean_label};

/// The most steps that a procedure can have.
pub const MAX_STEPS: usize = 500;

/// The longest text of a procedure, in bytes.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;

/// The most sentences that are read; more than twice as many as a workflow has nodes cannot fit in one.
const MAX_SENTENCES: usize = 2 * MAX_NODES;

/// How deep decisions can follow from decisions.
const MAX_NESTING: usize = 100;

/// Why a text cannot be read as a procedure. Each says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAProcedure {
    #[error("The text has no step: write each step on a line of its own, with a number or a bullet, or as a sentence.")]
    Empty,
    #[error("The text is longer than {limit} bytes: shorten it.", limit = MAX_TEXT_BYTES)]
    TooLong,
    #[error("The text has {0} steps and at most {limit} can be read: divide it into several procedures.", limit = MAX_STEPS)]
    TooManySteps(usize),
    #[error("The text has too many decisions and tasks for one workflow: divide it into several procedures.")]
    TooManyNodes,
    #[error("Too many decisions follow from each other: write them as steps of their own and refer to them by number.")]
    TooDeep { line: u64 },
    #[error("The text refers to step {number}, which is not there: correct the number.")]
    UnknownStep { line: u64, number: String },
    #[error("Some steps only send the reader to each other: say in one of them what is to be done.")]
    OnlyJumps { line: u64 },
}

impl NotAProcedure {
    /// The line it is about, from 1.
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::TooDeep { line } | Self::UnknownStep { line, .. } | Self::OnlyJumps { line } => Some(*line),
            Self::Empty | Self::TooLong | Self::TooManySteps(_) | Self::TooManyNodes => None,
        }
    }
}

/// Reads a procedure. `title` is what it is called where the text does not say it.
pub fn read_procedure(text: &str, title: &str) -> Result<Workflow, NotAProcedure> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(NotAProcedure::TooLong);
    }
    let outline = outline(text);
    match outline.steps.len() {
        0 => return Err(NotAProcedure::Empty),
        count if count > MAX_STEPS => return Err(NotAProcedure::TooManySteps(count)),
        _ => {}
    }
    let (steps, trigger) = read_steps(&outline.steps, outline.trigger)?;
    let title = clean_label(outline.title.as_deref().unwrap_or(title));
    let mut workflow = lower(title, trigger.map(|trigger| clean_label(&trigger)), &steps)?;
    let left_out = outline.left_out.iter().map(|line| format!("Line {line} belongs to no step and was left out."));
    workflow.warnings.extend(left_out);
    Ok(workflow)
}

/// Whether a text, as a step of a procedure, is read as one task of this label and actor, and as nothing else.
pub(super) fn is_one_task(text: &str, label: &str, actor: Option<&str>) -> bool {
    let [Statement::Task(task)] = &read_alone(text)[..] else {
        return false;
    };
    task.label == label && task.actor.as_deref() == actor
}

/// Whether a text, as a condition, is read back as this question.
pub(super) fn is_condition_of(condition: &str, question: &str) -> bool {
    let [Statement::Decision(decision)] =
        &read_alone(&format!("If {condition}, go to step 1; otherwise go to step 2."))[..]
    else {
        return false;
    };
    let jumps = |option: usize| matches!(decision.options[option].1[..], [Statement::Jump(_)]);
    decision.question == question && decision.options.len() == 2 && jumps(0) && jumps(1)
}

fn read_alone(text: &str) -> Vec<Statement> {
    let raw = RawStep { number: "1".to_owned(), line: 1, section: 0, parts: vec![text.to_owned()] };
    // A first step may lose its trigger, so the text is read as a second one.
    let first = RawStep { number: "0".to_owned(), line: 1, section: 0, parts: vec!["“-”".to_owned()] };
    read_steps(&[first, raw], None)
        .ok()
        .and_then(|(mut steps, _)| steps.pop())
        .map(|step| step.statements)
        .unwrap_or_default()
}

fn read_steps(raw: &[RawStep], mut start: Option<String>) -> Result<(Vec<Step>, Option<String>), NotAProcedure> {
    let mut steps: Vec<Step> = Vec::with_capacity(raw.len());
    let mut count = 0;
    for raw in raw {
        steps.push(Step { number: raw.number.clone(), line: raw.line, section: raw.section, statements: Vec::new() });
        let all: Vec<&str> = raw.parts.iter().flat_map(|part| sentences(part)).map(|(_, sentence)| sentence).collect();
        count += all.len();
        if count > MAX_SENTENCES {
            return Err(NotAProcedure::TooManyNodes);
        }
        for (index, sentence) in all.into_iter().enumerate() {
            let is_first = steps.len() == 1 && index == 0 && start.is_none();
            match trigger(without_sequencer(sentence)).filter(|_| is_first) {
                Some((what, rest)) => {
                    start = Some(what);
                    add(&mut steps, said(rest), index)?;
                }
                None => add(&mut steps, said(sentence), index)?,
            }
        }
    }
    Ok((steps, start))
}

/// Puts what a sentence says behind what was said before it.
fn add(steps: &mut [Step], said: Said, sentence: usize) -> Result<(), NotAProcedure> {
    match said {
        Said::Answer { answer, then } => add_answer(steps, &answer, then),
        Said::Statements(statements) => {
            for statement in statements {
                match statement {
                    Statement::Decision(decision) if decision.question.is_empty() => {
                        for (answer, then) in decision.options {
                            add_answer(steps, &answer, then)?;
                        }
                    }
                    statement => push(steps, statement, sentence),
                }
            }
            Ok(())
        }
    }
}

fn push(steps: &mut [Step], statement: Statement, sentence: usize) {
    let step = steps.last_mut().expect("a step is being read");
    if let (Some(Statement::Task(last)), Statement::Task(next)) = (step.statements.last_mut(), &statement)
        && sentence > 0
        && (next.actor.is_none() || next.actor == last.actor)
        && !ends_with_mark(&last.label)
    {
        last.label = clean_label(&format!("{}. {}", last.label, next.label));
        return;
    }
    step.statements.push(statement);
}

/// Whether the label cannot be joined with another sentence so that both are found again.
fn ends_with_mark(label: &str) -> bool {
    label.ends_with(['…', '”', ')', ']'])
}

fn add_answer(steps: &mut [Step], answer: &str, then: Vec<Statement>) -> Result<(), NotAProcedure> {
    let last = steps.len() - 1;
    let is_step_empty = steps[last].statements.is_empty();
    let line = steps[last].line;
    let host = if is_step_empty && last > 0 { last - 1 } else { last };
    let host = (0..=host).rev().find(|&index| !steps[index].statements.is_empty()).unwrap_or(host);
    let then = if host == last { then } else { std::iter::once(Statement::Mark(last)).chain(then).collect() };
    let is_plain = matches!(answer, YES | NO | OTHERWISE);
    let statements = &mut steps[host].statements;
    if depth(statements) > MAX_NESTING {
        return Err(NotAProcedure::TooDeep { line });
    }
    match open_decision(statements) {
        Some(decision) if is_plain || takes_names(decision) => {
            let answer = match answer {
                OTHERWISE => otherwise_of(decision),
                answer => answer.to_owned(),
            };
            decision.options.push((answer, then));
        }
        Some(_) | None if is_plain => {
            let question = question_before(statements);
            let answer = if answer == OTHERWISE { NO } else { answer };
            let options = vec![(answer.to_owned(), then)];
            statements.push(Statement::Decision(Decision { question, options, asked: false }));
        }
        // A short condition without a question before it, such as “If approved, pay it”.
        Some(_) | None => {
            let question = statement::question_label(answer);
            let options = vec![(YES.to_owned(), then)];
            steps[last].statements.push(Statement::Decision(Decision { question, options, asked: false }));
        }
    }
    Ok(())
}

/// Whether answers other than yes and no can belong to it.
fn takes_names(decision: &Decision) -> bool {
    decision.asked && !decision.options.iter().any(|(answer, _)| answer == YES || answer == NO)
}

/// What “otherwise” means: the other of yes and no, or none of the answers before it.
fn otherwise_of(decision: &Decision) -> String {
    match &decision.options[..] {
        [(only, _)] => opposite(only),
        [] => NO.to_owned(),
        _ => OTHERWISE.to_owned(),
    }
}

/// What an answer answers where nothing was asked: the task before it, without “check whether”.
fn question_before(statements: &[Statement]) -> String {
    let Some(Statement::Task(Task { label, .. })) = statements.last() else {
        return "Yes?".to_owned();
    };
    let last = label.rsplit(". ").next().unwrap_or(label);
    let lower = last.to_lowercase();
    let asked = [" whether ", " if "].iter().find_map(|word| lower.find(word).map(|at| at + word.len()));
    let text = asked.filter(|&at| last.is_char_boundary(at)).map_or(last, |at| &last[at..]);
    format!("{}?", capitalised(text.trim_end_matches('?')))
}

/// How deep decisions stand in decisions at the end of the statements.
fn depth(statements: &[Statement]) -> usize {
    let mut depth = 0;
    let mut inner = statements;
    while let Some(Statement::Decision(decision)) = inner.last() {
        depth += 1;
        match decision.options.last() {
            Some((_, next)) => inner = next,
            None => break,
        }
    }
    depth
}

#[cfg(test)]
mod tests;
