//! From what the sentences say to the nodes and edges of a workflow.

use std::collections::HashMap;

use super::{
    NotAProcedure,
    statement::{Decision, Statement, Target, Task},
};
use crate::journey::workflow::{Edge, MAX_NODES, NO, Node, NodeKind, OTHERWISE, Workflow, YES};

/// A step and what it says.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) number: String,
    pub(super) line: u64,
    pub(super) section: usize,
    pub(super) statements: Vec<Statement>,
}

/// Where an edge will lead.
#[derive(Clone, Debug)]
enum Goal {
    Node(usize),
    /// The step of this index.
    Step(usize),
    End(Option<String>),
}

/// An edge whose end is not known yet: the node it leaves, which of its options it is, its label.
#[derive(Clone, Debug)]
struct Exit {
    from: usize,
    option: usize,
    label: Option<String>,
}

struct Lowering<'a> {
    steps: &'a [Step],
    nodes: Vec<Node>,
    edges: Vec<(Exit, Goal)>,
    /// What is done last so far, and leads to whatever comes next.
    exits: Vec<Exit>,
    /// For each step: where it begins.
    entries: Vec<Option<Goal>>,
    /// Steps that begin with whatever comes next.
    marks: Vec<usize>,
    /// The step that is being read.
    step: usize,
    /// The task that was added last.
    last_task: Option<usize>,
    counts: HashMap<NodeKind, usize>,
}

/// Makes the graph. `trigger` is what starts it.
pub(super) fn lower(title: String, trigger: Option<String>, steps: &[Step]) -> Result<Workflow, NotAProcedure> {
    let mut lowering = Lowering {
        steps,
        nodes: Vec::new(),
        edges: Vec::new(),
        exits: Vec::new(),
        entries: vec![None; steps.len()],
        marks: Vec::new(),
        step: 0,
        last_task: None,
        counts: HashMap::new(),
    };
    lowering.add(NodeKind::Start, trigger.unwrap_or_else(|| "Start".to_owned()), None)?;
    lowering.exits.push(Exit { from: 0, option: 0, label: None });
    for (index, step) in steps.iter().enumerate() {
        lowering.step = index;
        lowering.marks.push(index);
        lowering.statements(&step.statements)?;
    }
    lowering.finish(title)
}

impl Lowering<'_> {
    fn statements(&mut self, statements: &[Statement]) -> Result<(), NotAProcedure> {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Statement) -> Result<(), NotAProcedure> {
        match statement {
            Statement::Task(task) => self.task(task).map(drop),
            Statement::Jump(target) => {
                let goal = self.goal(target)?;
                self.lead_to(&goal);
                Ok(())
            }
            Statement::Decision(decision) => self.decision(decision),
            Statement::Until { body, question } => {
                let first = self.task(body)?;
                let decision = self.node(NodeKind::Decision, question.clone(), None)?;
                self.edges.push((exit(decision, 1, NO), Goal::Node(first)));
                self.exits = vec![exit(decision, 0, YES)];
                Ok(())
            }
            Statement::While { question, body } => {
                let decision = self.node(NodeKind::Decision, question.clone(), None)?;
                self.exits = vec![exit(decision, 0, YES)];
                self.statements(body)?;
                self.lead_to(&Goal::Node(decision));
                self.exits = vec![exit(decision, 1, NO)];
                Ok(())
            }
            Statement::Mark(step) => {
                self.marks.push(*step);
                Ok(())
            }
        }
    }

    fn task(&mut self, task: &Task) -> Result<usize, NotAProcedure> {
        let node = self.node(NodeKind::Task, task.label.clone(), task.actor.clone())?;
        self.exits = vec![Exit { from: node, option: 0, label: None }];
        self.last_task = Some(node);
        Ok(node)
    }

    fn decision(&mut self, decision: &Decision) -> Result<(), NotAProcedure> {
        let node = self.node(NodeKind::Decision, decision.question.clone(), None)?;
        let mut exits = Vec::new();
        for (option, (label, then)) in complete(&decision.options).into_iter().enumerate() {
            self.exits = vec![exit(node, option, &label)];
            self.statements(&then)?;
            exits.append(&mut self.exits);
        }
        self.exits = exits;
        Ok(())
    }

    /// Adds a node that whatever came before leads to.
    fn node(&mut self, kind: NodeKind, label: String, actor: Option<String>) -> Result<usize, NotAProcedure> {
        let node = self.add(kind, label, actor)?;
        self.lead_to(&Goal::Node(node));
        Ok(node)
    }

    fn add(&mut self, kind: NodeKind, label: String, actor: Option<String>) -> Result<usize, NotAProcedure> {
        if self.nodes.len() >= MAX_NODES {
            return Err(NotAProcedure::TooManyNodes);
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let id = match (kind, *count) {
            (NodeKind::Start | NodeKind::End, 1) => kind.as_str().to_owned(),
            (_, count) => format!("{}_{count}", kind.as_str()),
        };
        self.nodes.push(Node { id, kind, label, actor });
        Ok(self.nodes.len() - 1)
    }

    /// Whatever is open leads there, and the steps that begin here begin there.
    fn lead_to(&mut self, goal: &Goal) {
        self.edges.extend(self.exits.drain(..).map(|exit| (exit, goal.clone())));
        for step in self.marks.drain(..) {
            // What another step's decision says of a step comes before what the step itself adds.
            self.entries[step].get_or_insert_with(|| goal.clone());
        }
    }

    fn goal(&self, target: &Target) -> Result<Goal, NotAProcedure> {
        match target {
            Target::First => Ok(Goal::Step(0)),
            Target::Previous => Ok(self.last_task.map_or(Goal::Step(0), Goal::Node)),
            Target::End(name) => Ok(Goal::End(name.clone())),
            Target::Step(number) => self.find_step(number).map(Goal::Step),
        }
    }

    /// The step of that number: in the same section where there is one, else the nearest before, else the first.
    fn find_step(&self, number: &str) -> Result<usize, NotAProcedure> {
        let here = &self.steps[self.step];
        let named = |step: &&(usize, &Step)| step.1.number == number;
        let all: Vec<(usize, &Step)> = self.steps.iter().enumerate().collect();
        let same_section = all.iter().filter(named).find(|(_, step)| step.section == here.section);
        let before = || all[..=self.step].iter().rev().find(named);
        let found = same_section.or_else(before).or_else(|| all.iter().find(named));
        found
            .map(|&(index, _)| index)
            .ok_or_else(|| NotAProcedure::UnknownStep { line: here.line, number: number.to_owned() })
    }

    /// Follows steps that only send the reader on.
    fn resolve(&self, mut goal: Goal) -> Result<Goal, NotAProcedure> {
        for _ in 0..=self.steps.len() {
            let Goal::Step(step) = goal else {
                return Ok(goal);
            };
            goal = self.entries[step].clone().unwrap_or(Goal::End(None));
        }
        let line = match goal {
            Goal::Step(step) => self.steps[step].line,
            Goal::Node(_) | Goal::End(_) => 1,
        };
        Err(NotAProcedure::OnlyJumps { line })
    }

    fn finish(mut self, title: String) -> Result<Workflow, NotAProcedure> {
        self.lead_to(&Goal::End(None));
        let mut ends: HashMap<Option<String>, usize> = HashMap::new();
        let mut edges = Vec::new();
        for (exit, goal) in std::mem::take(&mut self.edges) {
            let to = match self.resolve(goal)? {
                Goal::Node(node) => node,
                Goal::End(name) => match ends.get(&name) {
                    Some(&node) => node,
                    None => self.add_end(name, &mut ends)?,
                },
                Goal::Step(_) => unreachable!("resolve never answers with a step"),
            };
            edges.push((exit, to));
        }
        if ends.is_empty() {
            self.add_end(None, &mut ends)?;
        }
        edges.sort_by_key(|(exit, _)| (exit.from, exit.option));
        let id = |index: usize| self.nodes[index].id.clone();
        let edges =
            edges.into_iter().map(|(exit, to)| Edge { from: id(exit.from), to: id(to), label: exit.label }).collect();
        let mut workflow = Workflow { title, nodes: self.nodes, edges, warnings: Vec::new() };
        workflow.warn_of_dead_parts();
        Ok(workflow)
    }

    fn add_end(
        &mut self,
        name: Option<String>,
        ends: &mut HashMap<Option<String>, usize>,
    ) -> Result<usize, NotAProcedure> {
        let label = name.clone().unwrap_or_else(|| "End".to_owned());
        let node = self.add(NodeKind::End, label, None)?;
        ends.insert(name, node);
        Ok(node)
    }
}

fn exit(from: usize, option: usize, label: &str) -> Exit {
    Exit { from, option, label: Some(label.to_owned()) }
}

/// The options with the one that the text leaves out because it only goes on; yes stands before no.
fn complete(options: &[(String, Vec<Statement>)]) -> Vec<(String, Vec<Statement>)> {
    let mut options = options.to_vec();
    let has = |label: &str, options: &[(String, Vec<Statement>)]| options.iter().any(|(option, _)| option == label);
    match (has(YES, &options), has(NO, &options), options.len()) {
        (true, false, _) if !has(OTHERWISE, &options) => options.push((NO.to_owned(), Vec::new())),
        (false, true, _) if !has(OTHERWISE, &options) => options.push((YES.to_owned(), Vec::new())),
        (false, false, 1) if !has(OTHERWISE, &options) => options.push((OTHERWISE.to_owned(), Vec::new())),
        _ => {}
    }
    if has(YES, &options) && has(NO, &options) {
        options.sort_by_key(|(label, _)| match label.as_str() {
            YES => 0,
            NO => 1,
            _ => 2,
        });
    }
    options
}
