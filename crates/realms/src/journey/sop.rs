//! A workflow as a standard operating procedure: numbered steps in Markdown that a person can follow, and that
//! `read_procedure` reads back as the same graph.

use super::{
    procedure::{is_condition_of, is_one_task},
    workflow::{NO, Node, NodeKind, OTHERWISE, Workflow, YES},
};

/// A procedure in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sop {
    pub title: String,
    pub markdown: String,
    /// Who takes part, and in which steps.
    pub roles: Vec<Role>,
    /// The text of each step; its number is its place, from 1.
    pub steps: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub name: String,
    pub steps: Vec<usize>,
}

/// Writes it. `None` where the workflow has no task and no decision.
pub fn write_sop(workflow: &Workflow) -> Option<Sop> {
    let writer = Writer::new(workflow);
    if writer.order.is_empty() {
        return None;
    }
    let steps: Vec<String> = (0..writer.order.len()).map(|place| writer.step(place)).collect();
    let roles = writer.roles();
    let markdown = writer.markdown(&steps, &roles);
    Some(Sop { title: workflow.title.clone(), markdown, roles, steps })
}

struct Writer<'a> {
    workflow: &'a Workflow,
    next: Vec<Vec<(usize, Option<&'a str>)>>,
    /// The tasks and decisions in the order of their numbers.
    order: Vec<usize>,
    /// For each node its number, from 1.
    numbers: Vec<Option<usize>>,
}

impl<'a> Writer<'a> {
    fn new(workflow: &'a Workflow) -> Self {
        let next = workflow.links().next;
        let order = order(workflow, &next);
        let mut numbers = vec![None; workflow.nodes.len()];
        for (place, &node) in order.iter().enumerate() {
            numbers[node] = Some(place + 1);
        }
        Self { workflow, next, order, numbers }
    }

    fn step(&self, place: usize) -> String {
        let index = self.order[place];
        let node = &self.workflow.nodes[index];
        match node.kind {
            NodeKind::Decision if !self.next[index].is_empty() => self.decision(index, node),
            NodeKind::Decision => format!("{} Then end the procedure.", quoted_question(&node.label)),
            NodeKind::Start | NodeKind::Task | NodeKind::End => {
                let text = task_text(node);
                match self.next[index].first() {
                    Some(&(to, _)) if self.is_next(place, to) => text,
                    Some(&(to, _)) => format!("{text} Then {}.", self.go(to)),
                    None => format!("{text} Then end the procedure."),
                }
            }
        }
    }

    /// Whether that node is what follows by the order alone.
    fn is_next(&self, place: usize, to: usize) -> bool {
        let is_plain_end = self.workflow.nodes[to].kind == NodeKind::End && self.workflow.nodes[to].label == "End";
        self.order.get(place + 1) == Some(&to) || (place + 1 == self.order.len() && is_plain_end)
    }

    /// `go to step 3`, or `end the procedure`.
    fn go(&self, to: usize) -> String {
        match self.numbers[to] {
            Some(number) => format!("go to step {number}"),
            None if self.workflow.nodes[to].label == "End" => "end the procedure".to_owned(),
            None => format!("end the procedure: “{}”", quotable(&self.workflow.nodes[to].label)),
        }
    }

    fn decision(&self, index: usize, node: &Node) -> String {
        let options = &self.next[index];
        if let [(yes, Some(YES)), (no, Some(NO))] = options[..] {
            let (yes, no) = (self.go(yes), self.go(no));
            return match condition(&node.label) {
                Some(condition) => format!("If {condition}, {yes}; otherwise {no}."),
                None => format!("{} If yes, {yes}. Otherwise, {no}.", quoted_question(&node.label)),
            };
        }
        let mut text = quoted_question(&node.label);
        for &(to, label) in options {
            let label = label.unwrap_or(OTHERWISE);
            match label {
                OTHERWISE if options.len() > 1 => text.push_str(&format!(" Otherwise, {}.", self.go(to))),
                label => text.push_str(&format!(" If “{}”, {}.", quotable(label), self.go(to))),
            }
        }
        text
    }

    fn roles(&self) -> Vec<Role> {
        let steps_of = |actor: &str| {
            let is_theirs = |&(_, &index): &(usize, &usize)| self.workflow.nodes[index].actor.as_deref() == Some(actor);
            self.order.iter().enumerate().filter(is_theirs).map(|(place, _)| place + 1).collect()
        };
        self.workflow
            .actors()
            .into_iter()
            .map(|actor| Role { name: actor.to_owned(), steps: steps_of(actor) })
            .collect()
    }

    fn markdown(&self, steps: &[String], roles: &[Role]) -> String {
        let title = escaped(&self.workflow.title);
        let mut text = format!("# Standard operating procedure: {title}\n\n## Purpose\n\n{}\n", self.purpose(&title));
        if let Some(start) =
            self.workflow.start().map(|start| &self.workflow.nodes[start].label).filter(|label| *label != "Start")
        {
            text.push_str(&format!("\nStart: {}\n", escaped(start)));
        }
        text.push_str("\n## Roles\n\n");
        if roles.is_empty() {
            text.push_str("The procedure names nobody.\n");
        }
        for role in roles {
            let numbers: Vec<String> = role.steps.iter().map(usize::to_string).collect();
            let word = if numbers.len() == 1 { "step" } else { "steps" };
            text.push_str(&format!("- {}: {word} {}\n", escaped(&role.name), numbers.join(", ")));
        }
        text.push_str("\n## Steps\n\n");
        for (place, step) in steps.iter().enumerate() {
            text.push_str(&format!("{}. {}\n", place + 1, escaped(step)));
        }
        text.push_str(&format!("\n## End\n\n{}\n", self.end()));
        text
    }

    fn purpose(&self, title: &str) -> String {
        let tasks = self.workflow.of_kind(NodeKind::Task).count();
        let decisions = self.workflow.of_kind(NodeKind::Decision).count();
        format!("How “{title}” is done, in {} and {}.", counted(tasks, "task"), counted(decisions, "decision"))
    }

    fn end(&self) -> String {
        let is_end = |to: usize| self.workflow.nodes[to].kind == NodeKind::End;
        let ends_after = |&(_, &index): &(usize, &usize)| {
            self.next[index].is_empty() || self.next[index].iter().any(|&(to, _)| is_end(to))
        };
        let last: Vec<String> =
            self.order.iter().enumerate().filter(ends_after).map(|(place, _)| (place + 1).to_string()).collect();
        match last.len() {
            0 => "The procedure has no step after which it ends.".to_owned(),
            1 => format!("The procedure ends after step {}.", last[0]),
            _ => format!("The procedure ends after one of the steps {}.", last.join(", ")),
        }
    }
}

/// Tasks and decisions so that most of them are followed by the one that comes next: depth first, first options first;
/// what nothing leads to comes last.
fn order(workflow: &Workflow, next: &[Vec<(usize, Option<&str>)>]) -> Vec<usize> {
    let mut seen = vec![false; workflow.nodes.len()];
    let mut order = Vec::new();
    let roots = workflow.start().into_iter().chain(0..workflow.nodes.len());
    for root in roots {
        let mut open = vec![root];
        while let Some(index) = open.pop() {
            if std::mem::replace(&mut seen[index], true) {
                continue;
            }
            if matches!(workflow.nodes[index].kind, NodeKind::Task | NodeKind::Decision) {
                order.push(index);
            }
            open.extend(next[index].iter().rev().map(|&(to, _)| to));
        }
    }
    order
}

/// A task so that it is read back as this task: as it is where that works, else with the actor before it, else quoted.
fn task_text(node: &Node) -> String {
    let (label, actor) = (node.label.as_str(), node.actor.as_deref());
    let dotted = |text: &str| if text.ends_with(['.', '!', '…']) { text.to_owned() } else { format!("{text}.") };
    let named = actor.map(|actor| format!("{actor}: {label}"));
    let quoted = match actor {
        Some(actor) => format!("{actor}: “{}”", quotable(label)),
        None => format!("“{}”", quotable(label)),
    };
    let candidates = [Some(label.to_owned()), named].into_iter().flatten().map(|text| dotted(&text));
    candidates.into_iter().find(|text| reads_alone(text, label, actor)).unwrap_or_else(|| dotted(&quoted))
}

/// Whether the text is read as the task, and still is when a sentence follows.
fn reads_alone(text: &str, label: &str, actor: Option<&str>) -> bool {
    is_one_task(text, label, actor) && !label.contains(['“', '”'])
}

/// The question as a condition after “if”, where that is English and is read back.
fn condition(question: &str) -> Option<String> {
    let text = question.trim_end_matches('?');
    let lowered = lowered_first(text);
    let is_question = [
        "is", "are", "was", "were", "does", "do", "did", "has", "have", "can", "will", "should", "which", "what",
        "who", "how", "where", "why",
    ]
    .contains(&lowered.split(' ').next().unwrap_or(""));
    (!is_question && !text.contains(['“', '”']) && is_condition_of(&lowered, question)).then_some(lowered)
}

/// Small words are lowered; a name stays as it is.
fn lowered_first(text: &str) -> String {
    const SMALL: [&str; 24] = [
        "The",
        "A",
        "An",
        "It",
        "This",
        "That",
        "There",
        "All",
        "Any",
        "No",
        "Some",
        "They",
        "He",
        "She",
        "You",
        "We",
        "Is",
        "Are",
        "Does",
        "Each",
        "Every",
        "Not",
        "Nothing",
        "Something",
    ];
    let first = text.split(' ').next().unwrap_or("");
    if SMALL.contains(&first) { text.replacen(first, &first.to_lowercase(), 1) } else { text.to_owned() }
}

fn quoted_question(label: &str) -> String {
    format!("“{}”?", quotable(label.trim_end_matches('?')))
}

/// Text that can stand between quotes.
fn quotable(text: &str) -> String {
    text.replace(['“', '”'], "'")
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// Markdown's own marks as letters.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '*' | '_' | '`' | '<' | '>' | '[' | ']' | '#' | '|' | '&' | '~') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journey::{
        procedure::read_procedure,
        workflow::{Edge, Workflow},
    };

    /// Kind, label and actor of a node.
    type NodeShape = (NodeKind, String, Option<String>);
    /// The places of both ends, and the label.
    type EdgeShape = (usize, usize, Option<String>);

    /// The graph without its ids: nodes and edges by the order in which a reader meets them.
    fn shape(workflow: &Workflow) -> (Vec<NodeShape>, Vec<EdgeShape>) {
        let links = workflow.links();
        let mut place = vec![usize::MAX; workflow.nodes.len()];
        let mut order = Vec::new();
        for root in workflow.start().into_iter().chain(0..workflow.nodes.len()) {
            let mut open = vec![root];
            while let Some(index) = open.pop() {
                if place[index] == usize::MAX {
                    place[index] = order.len();
                    order.push(index);
                    open.extend(links.next[index].iter().rev().map(|&(to, _)| to));
                }
            }
        }
        let node = |&index: &usize| {
            let node = &workflow.nodes[index];
            (node.kind, node.label.clone(), node.actor.clone())
        };
        let edges = order.iter().flat_map(|&index| {
            let place = &place;
            links.next[index].iter().map(move |&(to, label)| (place[index], place[to], label.map(str::to_owned)))
        });
        (order.iter().map(node).collect(), edges.collect())
    }

    #[track_caller]
    fn check_round_trip(workflow: &Workflow, note: &str) {
        let sop = write_sop(workflow).unwrap();
        let again =
            read_procedure(&sop.markdown, "?").unwrap_or_else(|error| panic!("{note}: {error}\n{}", sop.markdown));
        assert_eq!(shape(&again), shape(workflow), "{note}\n{}", sop.markdown);
        assert_eq!(again.title, workflow.title, "{note}");
    }

    #[test]
    fn a_procedure_reads_well() {
        let text = "# Paying invoices\nWhen an invoice arrives, the clerk opens it. If it is complete, the manager signs it; otherwise return it to the supplier_2 and go to step 1. Pay it.";
        let sop = write_sop(&read_procedure(text, "t").unwrap()).unwrap();
        let expected = "# Standard operating procedure: Paying invoices

## Purpose

How “Paying invoices” is done, in 4 tasks and 1 decision.

Start: An invoice arrives

## Roles

- clerk: step 1
- manager: step 3

## Steps

1. The clerk opens it.
2. If it is complete, go to step 3; otherwise go to step 5.
3. The manager signs it.
4. Pay it. Then end the procedure.
5. Return it to the supplier\\_2. Then go to step 1.

## End

The procedure ends after step 4.
";
        assert_eq!(sop.markdown, expected);
        check_round_trip(&read_procedure(text, "t").unwrap(), text);
    }

    #[test]
    fn strange_labels_come_back() {
        let labels = [
            "If it rains, go to step 2",
            "Go to step 99",
            "Stop",
            "Check. Then stop",
            "a“b”c",
            "Otherwise",
            "1. First",
            "- dash",
            "Yes: no",
            "Clerk: check",
            "The clerk checks it",
            "# Heading",
            "*bold* _x_ `code` \\ <b>",
            "“quoted”",
            "…",
            "When done, rest",
            "then go",
            "größer",
            "検査",
            "Is it?",
            "end the procedure: x",
            "e.g. this",
            "(if any)",
            "Open (",
            "a; b: c",
            "lower case",
            "Wait until it is",
            "do nothing",
        ];
        for label in labels {
            let node =
                |id: &str, kind, label: &str| Node { id: id.to_owned(), kind, label: label.to_owned(), actor: None };
            let edge = |from: &str, to: &str, label: Option<&str>| Edge {
                from: from.to_owned(),
                to: to.to_owned(),
                label: label.map(str::to_owned),
            };
            let workflow = Workflow {
                title: "T".to_owned(),
                nodes: vec![
                    node("start", NodeKind::Start, "Start"),
                    node("task_1", NodeKind::Task, label),
                    node("decision_1", NodeKind::Decision, &format!("{label}?")),
                    node("task_2", NodeKind::Task, "Leave"),
                    node("end", NodeKind::End, "End"),
                ],
                edges: vec![
                    edge("start", "task_1", None),
                    edge("task_1", "decision_1", None),
                    edge("decision_1", "task_1", Some("yes")),
                    edge("decision_1", "task_2", Some("no")),
                    edge("task_2", "end", None),
                ],
                warnings: Vec::new(),
            };
            let sop = write_sop(&workflow).unwrap();
            let again = read_procedure(&sop.markdown, "?").unwrap();
            let kinds =
                |workflow: &Workflow| shape(workflow).0.into_iter().map(|(kind, _, _)| kind).collect::<Vec<_>>();
            assert_eq!(kinds(&again), kinds(&workflow), "{label}\n{}", sop.markdown);
            assert_eq!(shape(&again).1, shape(&workflow).1, "{label}\n{}", sop.markdown);
        }
    }

    /// A small generator of numbers, so that a failing procedure can be made again from its seed.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from((self.0 >> 33) % u64::try_from(limit).unwrap()).unwrap()
        }

        fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
            words[self.below(words.len())]
        }
    }

    fn random_procedure(dice: &mut Dice) -> String {
        let steps = 1 + dice.below(12);
        let tasks =
            ["open the box", "the clerk checks it", "Legal: sign it", "prüfe die Größe", "send <it> & wait", "file_it"];
        let conditions =
            ["it is late", "the sum exceeds 1,000.50", "SAP is down", "nobody answers and it is Friday", "complete"];
        let mut text = String::new();
        for step in 1..=steps {
            let (task, other) = (dice.pick(&tasks), dice.pick(&tasks));
            let condition = dice.pick(&conditions);
            let target = 1 + dice.below(steps);
            let sentence = match dice.below(11) {
                0 => format!("If {condition}, {task}; otherwise {other}."),
                1 => format!("If {condition}, go to step {target}. Otherwise, {task} and end the process."),
                2 => format!("Unless {condition}, {task}."),
                3 => format!("Is it good? If yes, {task}. If no, go back to step {target}."),
                4 => format!("Which kind is it? If red, {task}. If blue, {other}. Otherwise, go to step {target}."),
                5 => format!("Stir until {condition}."),
                6 => format!("While {condition}, {task}."),
                7 => format!("Then {task}. {other}"),
                8 => format!("{task}, then end the procedure: Kind {target}."),
                9 => format!("If {condition}, {task}; else if it is {other}, {other}."),
                _ => format!("{task}."),
            };
            text.push_str(&format!("{step}. {sentence}\n"));
        }
        text
    }

    #[test]
    fn any_procedure_keeps_its_shape_there_and_back() {
        for seed in 0..100 {
            let text = random_procedure(&mut Dice(seed));
            let workflow = read_procedure(&text, "Any").unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
            if write_sop(&workflow).is_some() {
                check_round_trip(&workflow, &format!("seed {seed}\n{text}"));
            }
        }
    }
}
