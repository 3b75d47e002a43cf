//! A workflow from BPMN XML of any tool: one process, its tasks, exclusive decisions, events and lanes. What a workflow here
//! has no word for is read as the nearest thing and said in a warning.

use std::collections::HashMap;

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

use crate::journey::{
    procedure::is_one_task,
    workflow::{Edge, MAX_NODES, NO, Node, NodeKind, OTHERWISE, Workflow, YES, clean_label},
};

/// The longest document, in bytes.
const MAX_BPMN_BYTES: usize = 4 * 1024 * 1024;
/// The deepest nesting of elements.
const MAX_DEPTH: usize = 100;
/// The most sequence flows.
const MAX_FLOWS: usize = 10_000;

/// Why a text cannot be read as BPMN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotBpmn {
    #[error("The XML cannot be read ({reason}): correct it at this place, or export it again.")]
    Malformed { reason: String, line: u64, column: u64 },
    #[error("The XML has a document type, which is not allowed here: remove the DOCTYPE.")]
    DocumentType { line: u64, column: u64 },
    #[error(
        "The XML is longer than {MAX_BPMN_BYTES} bytes, nested deeper than {MAX_DEPTH}, or has more than {MAX_NODES} nodes: export a smaller process."
    )]
    TooLarge,
    #[error("The XML holds no BPMN process with a task or a decision: export the process as BPMN 2.0 XML.")]
    NoProcess,
    #[error(
        "A sequence flow leads from or to {0}, which is not there: repair it in the modelling tool and export it again."
    )]
    LooseFlow(String),
}

impl NotBpmn {
    /// Line and column, from 1.
    pub fn place(&self) -> Option<(u64, u64)> {
        match self {
            Self::Malformed { line, column, .. } | Self::DocumentType { line, column } => Some((*line, *column)),
            Self::TooLarge | Self::NoProcess | Self::LooseFlow(_) => None,
        }
    }
}

/// Whether a text is meant to be BPMN rather than prose.
pub fn looks_like_bpmn(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    start.starts_with("<?xml") || (start.starts_with('<') && text.contains("definitions"))
}

/// Reads the first process of the document.
pub fn read_bpmn(text: &str) -> Result<Workflow, NotBpmn> {
    if text.len() > MAX_BPMN_BYTES {
        return Err(NotBpmn::TooLarge);
    }
    let mut document = Document::default();
    document.read(text)?;
    document.into_workflow()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Start,
    Task,
    Exclusive,
    /// A gateway of another kind, with a decision as its nearest thing.
    OtherGateway,
    End,
}

#[derive(Debug)]
struct Flow {
    id: String,
    name: String,
    from: String,
    to: String,
}

#[derive(Debug, Default)]
struct Document {
    title: String,
    elements: Vec<(String, Element, String)>,
    flows: Vec<Flow>,
    /// Gateway id → the flow that is taken where no other is.
    defaults: HashMap<String, String>,
    /// Node id → lane.
    lanes: HashMap<String, String>,
    warnings: Vec<String>,
}

/// Where the reader stands.
#[derive(Debug, Default)]
struct Position {
    depth: usize,
    /// The depth of the process that is read, once it is found.
    process: Option<usize>,
    process_is_done: bool,
    /// The depth of a subprocess that is read as one task.
    closed: Option<usize>,
    lane: Vec<String>,
    in_reference: bool,
    reference: String,
}

impl Document {
    fn read(&mut self, text: &str) -> Result<(), NotBpmn> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut position = Position::default();
        loop {
            let at = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
            let event = reader.read_event().map_err(|error| {
                let at = usize::try_from(reader.error_position()).unwrap_or(at);
                malformed(text, at, &error.to_string())
            })?;
            match event {
                Event::Start(start) => self.open(&start, &mut position, text, at)?,
                Event::End(end) => self.close(end.local_name().into_inner(), &mut position),
                Event::Text(content) if position.in_reference => position.reference.push_str(&content.xml10_content()),
                Event::GeneralRef(entity) => {
                    let is_known = entity.is_char_ref() || resolve_predefined_entity(&entity).is_some();
                    if !is_known {
                        return Err(malformed(text, at, "an entity is not defined"));
                    }
                }
                Event::DocType(_) => {
                    let (line, column) = place(text, at);
                    return Err(NotBpmn::DocumentType { line, column });
                }
                Event::Eof if position.depth > 0 => {
                    return Err(malformed(text, text.len(), "an element is not closed"));
                }
                Event::Eof => return Ok(()),
                Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::Empty(_) => {}
            }
        }
    }

    fn open(&mut self, start: &BytesStart<'_>, position: &mut Position, text: &str, at: usize) -> Result<(), NotBpmn> {
        position.depth += 1;
        if position.depth > MAX_DEPTH || self.elements.len() > MAX_NODES || self.flows.len() > MAX_FLOWS {
            return Err(NotBpmn::TooLarge);
        }
        let mut attributes = HashMap::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| malformed(text, at, &error.to_string()))?;
            let value = attribute
                .normalized_value(XmlVersion::Explicit1_0)
                .map_err(|error| malformed(text, at, &error.to_string()))?;
            attributes.insert(attribute.key.local_name().into_inner().to_owned(), value.into_owned());
        }
        let mut take = |name: &str| attributes.remove(name).unwrap_or_default();
        let (id, name) = (take("id"), clean_label(&take("name")));
        let local = start.local_name();
        let local = local.into_inner();
        if local == "process" && position.process.is_none() {
            position.process = Some(position.depth);
            self.title = name;
            return Ok(());
        }
        if position.process.is_none() || position.process_is_done {
            if local == "process" {
                self.warnings.push(format!("The process “{name}” was left out: only the first one is read."));
            }
            return Ok(());
        }
        if position.closed.is_some() {
            return Ok(());
        }
        match local {
            "sequenceFlow" => self.flows.push(Flow { id, name, from: take("sourceRef"), to: take("targetRef") }),
            "lane" => position.lane.push(name),
            "flowNodeRef" => {
                position.in_reference = true;
                position.reference.clear();
            }
            _ => self.element(local, id, name, take("default"), position),
        }
        Ok(())
    }

    fn element(&mut self, local: &str, id: String, name: String, default: String, position: &mut Position) {
        let element = match local {
            "startEvent" => Element::Start,
            "endEvent" => Element::End,
            "exclusiveGateway" => Element::Exclusive,
            "parallelGateway" | "inclusiveGateway" | "complexGateway" | "eventBasedGateway" => Element::OtherGateway,
            "subProcess" | "transaction" | "adHocSubProcess" => {
                position.closed = Some(position.depth);
                self.warnings.push(format!("The steps inside of “{name}” were left out: it is read as one task."));
                Element::Task
            }
            "task"
            | "userTask"
            | "serviceTask"
            | "manualTask"
            | "sendTask"
            | "receiveTask"
            | "scriptTask"
            | "businessRuleTask"
            | "callActivity"
            | "intermediateThrowEvent"
            | "intermediateCatchEvent" => Element::Task,
            _ => return,
        };
        if !default.is_empty() {
            self.defaults.insert(id.clone(), default);
        }
        self.elements.push((id, element, name));
    }

    fn close(&mut self, local: &str, position: &mut Position) {
        if position.process == Some(position.depth) {
            position.process_is_done = true;
        }
        if position.closed == Some(position.depth) {
            position.closed = None;
        }
        match local {
            "lane" => drop(position.lane.pop()),
            "flowNodeRef" if position.in_reference => {
                position.in_reference = false;
                if let Some(lane) = position.lane.last().filter(|lane| !lane.is_empty()) {
                    self.lanes.insert(position.reference.trim().to_owned(), lane.clone());
                }
            }
            _ => {}
        }
        position.depth = position.depth.saturating_sub(1);
    }

    fn into_workflow(mut self) -> Result<Workflow, NotBpmn> {
        let is_step = |element: &Element| matches!(element, Element::Task | Element::Exclusive | Element::OtherGateway);
        if !self.elements.iter().any(|(_, element, _)| is_step(element)) {
            return Err(NotBpmn::NoProcess);
        }
        self.one_start();
        self.without_merges();
        self.with_decisions_after_tasks();
        let ids = self.new_ids();
        let mut edges = self.edges(&ids)?;
        let order: HashMap<&str, usize> =
            self.elements.iter().enumerate().map(|(index, (id, _, _))| (ids[id].as_str(), index)).collect();
        edges.sort_by_key(|edge| order[edge.from.as_str()]);
        let nodes = self.elements.iter().map(|(id, element, name)| self.node(&ids[id], id, *element, name)).collect();
        let title = if self.title.is_empty() { "Process".to_owned() } else { self.title.clone() };
        let mut workflow = Workflow { title, nodes, edges, warnings: self.warnings };
        workflow.warn_of_dead_parts();
        Ok(workflow)
    }

    /// Exactly one start: further ones go, a missing one stands before whatever has nothing before it.
    fn one_start(&mut self) {
        let starts: Vec<String> = self
            .elements
            .iter()
            .filter(|(_, element, _)| *element == Element::Start)
            .map(|(id, _, _)| id.clone())
            .collect();
        for extra in starts.iter().skip(1) {
            self.warnings.push("A process here has one start: a further start event was left out.".to_owned());
            self.elements.retain(|(id, _, _)| id != extra);
            self.flows.retain(|flow| flow.from != *extra);
        }
        if starts.is_empty() {
            self.warnings.push("The process has no start event: it starts where nothing comes before.".to_owned());
            let first = self
                .elements
                .iter()
                .find(|(id, _, _)| !self.flows.iter().any(|flow| flow.to == *id))
                .or(self.elements.first());
            if let Some(to) = first.map(|(id, _, _)| id.clone()) {
                self.flows.insert(0, Flow { id: String::new(), name: String::new(), from: " start".to_owned(), to });
            }
            self.elements.insert(0, (" start".to_owned(), Element::Start, String::new()));
        }
        let start = self.elements.iter().position(|(_, element, _)| *element == Element::Start);
        if let Some(start) = start {
            self.elements[..=start].rotate_right(1);
        }
    }

    /// A gateway that only joins paths decides nothing: what leads to it leads on.
    fn without_merges(&mut self) {
        let mut outgoing: HashMap<String, usize> = HashMap::new();
        for flow in &self.flows {
            *outgoing.entry(flow.from.clone()).or_default() += 1;
        }
        let is_merge = |(id, element, _): &(String, Element, String)| {
            matches!(element, Element::Exclusive | Element::OtherGateway) && outgoing.get(id) == Some(&1)
        };
        let merges: Vec<String> =
            self.elements.iter().filter(|element| is_merge(element)).map(|(id, _, _)| id.clone()).collect();
        for merge in merges {
            let Some(at) = self.flows.iter().position(|flow| flow.from == merge && flow.to != merge) else {
                continue;
            };
            let next = self.flows.remove(at).to;
            self.flows.iter_mut().filter(|flow| flow.to == merge).for_each(|flow| flow.to.clone_from(&next));
            self.elements.retain(|(id, _, _)| *id != merge);
        }
    }

    /// Several ways out of a task or a start become a decision behind it.
    fn with_decisions_after_tasks(&mut self) {
        let mut added = Vec::new();
        for (id, element, name) in &self.elements {
            let is_single = matches!(element, Element::Start | Element::Task);
            if !is_single || self.flows.iter().filter(|flow| flow.from == *id).count() < 2 {
                continue;
            }
            self.warnings.push(format!("Several paths leave “{name}”: they are read as a decision."));
            let decision = format!(" after {id}");
            self.flows.iter_mut().filter(|flow| flow.from == *id).for_each(|flow| flow.from.clone_from(&decision));
            self.flows.push(Flow { id: String::new(), name: String::new(), from: id.clone(), to: decision.clone() });
            added.push((decision, Element::Exclusive, "Which path".to_owned()));
        }
        self.elements.extend(added);
    }

    fn new_ids(&self) -> HashMap<String, String> {
        let mut counts: HashMap<NodeKind, usize> = HashMap::new();
        let mut ids = HashMap::new();
        for (id, element, _) in &self.elements {
            let kind = element.kind();
            let count = counts.entry(kind).or_default();
            *count += 1;
            let new = match (kind, *count) {
                (NodeKind::Start | NodeKind::End, 1) => kind.as_str().to_owned(),
                (_, count) => format!("{}_{count}", kind.as_str()),
            };
            ids.insert(id.clone(), new);
        }
        ids
    }

    fn node(&self, new_id: &str, id: &str, element: Element, name: &str) -> Node {
        let kind = element.kind();
        let label = match (kind, name) {
            (NodeKind::Start, "") => "Start".to_owned(),
            (NodeKind::End, "") => "End".to_owned(),
            (NodeKind::Task, "") => "Unnamed task".to_owned(),
            (NodeKind::Decision, "") => "Which path?".to_owned(),
            (NodeKind::Decision, name) => format!("{}?", name.trim_end_matches(['?', ' '])),
            (_, name) => name.to_owned(),
        };
        let actor = self.lanes.get(id).filter(|_| kind == NodeKind::Task).cloned();
        // The writer puts the actor before a label that does not name them.
        let label = match actor.as_ref().and_then(|actor| label.strip_prefix(actor.as_str())?.strip_prefix(": ")) {
            Some(rest) if !is_one_task(rest, rest, actor.as_deref()) => rest.to_owned(),
            Some(_) | None => label,
        };
        Node { id: new_id.to_owned(), kind, label, actor }
    }

    fn edges(&mut self, ids: &HashMap<String, String>) -> Result<Vec<Edge>, NotBpmn> {
        let kinds: HashMap<&str, Element> =
            self.elements.iter().map(|(id, element, _)| (id.as_str(), *element)).collect();
        let find =
            |id: &String| ids.get(id).cloned().ok_or_else(|| NotBpmn::LooseFlow(format!("“{}”", clean_label(id))));
        let mut edges = Vec::new();
        let mut unnamed: HashMap<&str, usize> = HashMap::new();
        for flow in &self.flows {
            let is_decision = kinds.get(flow.from.as_str()).is_some_and(|element| element.kind() == NodeKind::Decision);
            let is_default = self.defaults.get(&flow.from).is_some_and(|id| *id == flow.id);
            let label = match (is_decision, flow.name.as_str()) {
                (false, _) => None,
                (true, "") if is_default => Some(OTHERWISE.to_owned()),
                (true, "") => {
                    let count = unnamed.entry(&flow.from).or_default();
                    *count += 1;
                    Some(format!("path {count}"))
                }
                (true, name) => Some(normal_answer(name)),
            };
            edges.push(Edge { from: find(&flow.from)?, to: find(&flow.to)?, label });
        }
        for (id, element, name) in &self.elements {
            if *element == Element::OtherGateway {
                let shown = if name.is_empty() { id } else { name };
                self.warnings.push(format!(
                    "The gateway “{}” is read as a decision: paths side by side are not known here.",
                    clean_label(shown)
                ));
            }
        }
        Ok(edges)
    }
}

impl Element {
    fn kind(self) -> NodeKind {
        match self {
            Self::Start => NodeKind::Start,
            Self::Task => NodeKind::Task,
            Self::Exclusive | Self::OtherGateway => NodeKind::Decision,
            Self::End => NodeKind::End,
        }
    }
}

/// One spelling of yes and no.
fn normal_answer(name: &str) -> String {
    match name.to_lowercase().as_str() {
        YES => YES.to_owned(),
        NO => NO.to_owned(),
        OTHERWISE => OTHERWISE.to_owned(),
        _ => name.to_owned(),
    }
}

fn malformed(text: &str, at: usize, reason: &str) -> NotBpmn {
    let (line, column) = place(text, at);
    NotBpmn::Malformed { reason: clean_label(reason), line, column }
}

/// Line and column of a byte, from 1; columns in characters.
fn place(text: &str, at: usize) -> (u64, u64) {
    let at = (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (u64::try_from(line).unwrap_or(u64::MAX), u64::try_from(column).unwrap_or(u64::MAX))
}
