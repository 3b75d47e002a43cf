//! BPMN there and back, and documents that other tools or attackers wrote.

use super::*;
use crate::journey::{
    procedure::read_procedure,
    workflow::{NodeKind, Workflow},
};

const PROCEDURE: &str = "# Invoices & <claims>\n\n1. The clerk checks the \"invoice\" > 5 € & <stamps> it.\n2. If it is complete, go to step 4.\n3. Legal: return it, then end the procedure: Sent back.\n4. Bezahlen – 支払う.\n5. If more wait, go back to step 1.\n";

#[test]
fn what_was_written_is_read_back() {
    let workflow = read_procedure(PROCEDURE, "t").unwrap();
    assert_eq!(read_bpmn(&write_bpmn(&workflow)).unwrap(), workflow);
}

#[test]
fn the_document_stays_as_it_is() {
    let workflow = read_procedure(PROCEDURE, "t").unwrap();
    assert_eq!(write_bpmn(&workflow), include_str!("snapshot.bpmn").trim_end());
    assert_eq!(crate::journey::mermaid::mermaid(&workflow), include_str!("snapshot.mmd"));
}

#[test]
fn ids_are_names_of_xml_and_references_meet() {
    let workflow = read_procedure(PROCEDURE, "t").unwrap();
    let xml = write_bpmn(&workflow);
    let mut ids = std::collections::HashSet::new();
    for part in xml.split(" id=\"").skip(1) {
        let id = part.split('"').next().unwrap();
        assert!(id.starts_with(|letter: char| letter.is_ascii_alphabetic()), "{id}");
        assert!(ids.insert(id), "{id} twice");
    }
    for attribute in ["bpmnElement", "sourceRef", "targetRef"] {
        for part in xml.split(&format!(" {attribute}=\"")).skip(1) {
            assert!(ids.contains(part.split('"').next().unwrap()), "{part}");
        }
    }
}

fn process(inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<definitions xmlns=\"{MODEL}\"><process id=\"p\" name=\"P\">{inside}</process></definitions>"
    )
}

fn flow(number: u32, from: &str, to: &str, rest: &str) -> String {
    format!("<sequenceFlow id=\"f{number}\" sourceRef=\"{from}\" targetRef=\"{to}\" {rest}/>")
}

fn labels(workflow: &Workflow, kind: NodeKind) -> Vec<&str> {
    workflow.of_kind(kind).map(|node| node.label.as_str()).collect()
}

#[test]
fn documents_of_other_tools_are_read() {
    let inside = [
        "<laneSet id=\"l\"><lane id=\"l1\" name=\"Sales\"><flowNodeRef> a </flowNodeRef></lane></laneSet>",
        "<endEvent id=\"e\"/><userTask id=\"a\" name=\"Call&#10;back\"/><startEvent id=\"s\" name=\"Order\"/>",
        "<exclusiveGateway id=\"g\" name=\"Big\" default=\"f3\"/><exclusiveGateway id=\"m\"/>",
        "<subProcess id=\"b\" name=\"Ship\"><task id=\"inner\" name=\"hidden\"/></subProcess>",
        &flow(1, "s", "a", ""),
        &flow(2, "a", "g", ""),
        &flow(3, "g", "m", ""),
        &flow(4, "g", "b", "name=\"Yes\""),
        &flow(5, "b", "m", ""),
        &flow(6, "m", "e", ""),
    ]
    .concat();
    let workflow = read_bpmn(&process(&inside)).unwrap();
    assert_eq!(workflow.title, "P");
    assert_eq!(labels(&workflow, NodeKind::Task), ["Call back", "Ship"]);
    assert_eq!(workflow.actors(), ["Sales"]);
    assert_eq!(labels(&workflow, NodeKind::Decision), ["Big?"]);
    let answers: Vec<&str> = workflow.edges.iter().filter_map(|edge| edge.label.as_deref()).collect();
    assert_eq!(answers, ["otherwise", "yes"]);
    assert_eq!(workflow.warnings, ["The steps inside of “Ship” were left out: it is read as one task."]);
}

#[test]
fn what_cannot_be_read_says_why_and_where() {
    let task = "<task id=\"a\" name=\"A\"/>";
    let malformed = |text: &str| match read_bpmn(text) {
        Err(NotBpmn::Malformed { line, .. }) => Some(line),
        _ => None,
    };
    assert_eq!(malformed("<definitions>\n<process>\n</wrong>"), Some(3));
    assert_eq!(malformed("<definitions>\n<process>"), Some(2));
    assert_eq!(malformed(&process("<task id=\"a\" name=\"&bomb;\"/>")), Some(2));
    assert_eq!(malformed(&process("&bomb;")), Some(2));
    assert_eq!(malformed(&process("<task id=\"a\" id=\"b\"/>")), Some(2));
    assert_eq!(read_bpmn(""), Err(NotBpmn::NoProcess));
    assert_eq!(read_bpmn(&process("")), Err(NotBpmn::NoProcess));
    assert_eq!(read_bpmn("<!DOCTYPE x [<!ENTITY a \"b\">]><x/>"), Err(NotBpmn::DocumentType { line: 1, column: 1 }));
    assert_eq!(
        read_bpmn(&process(&[task, &flow(1, "a", "gone", "")].concat())),
        Err(NotBpmn::LooseFlow("“gone”".into()))
    );
    assert_eq!(read_bpmn(&process(&"<x>".repeat(200))), Err(NotBpmn::TooLarge));
    assert_eq!(read_bpmn(&process(&task.repeat(3_000))), Err(NotBpmn::TooLarge));
}

#[test]
fn gateways_that_only_lead_to_themselves_do_no_harm() {
    let inside = "<task id=\"a\" name=\"A\"/><exclusiveGateway id=\"g\"/><exclusiveGateway id=\"h\"/>";
    let flows = [flow(1, "a", "g", ""), flow(2, "g", "h", ""), flow(3, "h", "g", "")].concat();
    let workflow = read_bpmn(&process(&format!("{inside}{flows}"))).unwrap();
    assert!(workflow.warnings.iter().any(|warning| warning == "No path leads to the end."), "{workflow:?}");
}
