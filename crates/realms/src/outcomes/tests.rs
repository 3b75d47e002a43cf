//! Journey and outcomes through a real Runtime over memory, and the rules of outcomes over hand-made evidence.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use contract::{
    Owner, SessionId, Timestamp,
    execution::{Execution, ExecutionStatus},
};
use runtime::{
    Catalogue, Clock, Runtime, RuntimeConfig, SubmitRequest,
    memory::{MemoryObjects, MemoryStore},
    port::store::Object,
};
use serde_json::{Value, json};

use super::{
    evidence::{Evidence, Exhibit, Kind},
    roadmap::roadmap,
    statement::Section,
    synthesis::synthesize,
};

const PROCEDURE: &str = "# Returns\n1. The clerk scans the parcel.\n2. If the value exceeds 100 euros, the manager checks it; otherwise go to step 4.\n3. Repair it\n4. Refund the customer.\n";

/// Counts up for time and for chance.
#[derive(Default)]
struct CountingClock(AtomicU64);

impl Clock for CountingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_000_000 + i64::try_from(self.0.fetch_add(1, Ordering::Relaxed)).unwrap())
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
        let count = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let start = bytes.len() - count.len();
        bytes[start..].copy_from_slice(&count);
    }
}

struct House {
    runtime: Runtime,
}

impl House {
    async fn new() -> Self {
        let handlers = [crate::content::handlers(), crate::journey::handlers(), super::handlers()].concat();
        let catalogue = Catalogue::new(handlers).unwrap();
        let (store, objects, clock) =
            (Arc::<MemoryStore>::default(), Arc::<MemoryObjects>::default(), Arc::<CountingClock>::default());
        let runtime = Runtime::start(store, objects, clock, catalogue, RuntimeConfig::default()).await.unwrap();
        Self { runtime }
    }

    async fn run(&self, intent_type: &str, parameters: Value) -> Execution {
        let session_id: SessionId = "sess_test".parse().unwrap();
        let owner = Owner::Anonymous { session_id: session_id.clone() };
        let request = SubmitRequest {
            owner: owner.clone(),
            session_id,
            intent_type: intent_type.to_owned(),
            parameters: parameters.as_object().cloned().unwrap(),
            metadata: Object::new(),
            intent_id: None,
            idempotency_key: None,
            conversation_id: None,
            message: None,
            attachments: Vec::new(),
            quota: None,
        };
        let client = self.runtime.client();
        let submitted = client.submit(request).await.unwrap();
        let done = tokio::time::timeout(Duration::from_secs(60), client.wait(&owner, &submitted.execution_id)).await;
        done.unwrap().unwrap().unwrap()
    }

    async fn completed(&self, intent_type: &str, parameters: Value) -> Value {
        let execution = self.run(intent_type, parameters).await;
        assert_eq!(execution.status, ExecutionStatus::Completed, "{:?}", execution.problem);
        execution.result
    }

    async fn upload(&self, name: &str, text: &str) {
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        self.completed("ingest_file", json!({"file_content": hex, "filename": name, "keep": true})).await;
    }
}

#[tokio::test]
async fn a_file_becomes_a_workflow_a_procedure_a_synthesis_and_a_roadmap() {
    let house = House::new().await;
    house.upload("returns_procedure.md", PROCEDURE).await;
    let workflow = house.completed("create_workflow", json!({"file": "returns procedure"})).await;
    assert_eq!(workflow["title"], "Returns");
    assert_eq!(workflow["actors"], json!(["clerk", "manager"]));
    let summary = workflow["summary"].as_str().unwrap();
    assert!(
        summary.starts_with("Workflow **Returns**, drawn from **returns_procedure.md**: 4 tasks and 1 decision."),
        "{summary}"
    );

    let sop = house.completed("generate_sop", json!({"workflow": "returns"})).await;
    assert_eq!(sop["step_count"], 5);
    let again = house.completed("create_workflow", json!({"sop": "Returns", "title": "Again"})).await;
    let kinds = |workflow: &Value| -> Vec<String> {
        workflow["nodes"].as_array().unwrap().iter().map(|node| node["kind"].to_string()).collect()
    };
    assert_eq!(kinds(&again), kinds(&workflow));

    let synthesis = house.completed("synthesize_outcome", json!({})).await;
    let text = synthesis["summary"].as_str().unwrap();
    assert!(text.contains("“Returns” has 4 tasks and 1 decision; it names clerk and manager."), "{text}");
    assert!(text.contains(workflow["workflow_id"].as_str().unwrap()), "{text}");
    let roadmap = house.completed("generate_roadmap", json!({"title": "Next"})).await;
    let text = roadmap["summary"].as_str().unwrap();
    assert!(text.starts_with("# Next\n"), "{text}");
    for expected in [
        "automate “The clerk scans the parcel”",
        "decide “The value exceeds 100 euros?” by a rule",
        "2 of 4 tasks name nobody",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    house.runtime.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn bpmn_comes_in_as_text_and_as_a_file() {
    let house = House::new().await;
    let workflow = crate::journey::procedure::read_procedure(PROCEDURE, "t").unwrap();
    let bpmn = crate::journey::bpmn::write_bpmn(&workflow);
    let sop = house.completed("generate_sop", json!({"text": bpmn})).await;
    assert_eq!(sop["title"], "Returns");
    house.upload("returns.bpmn", &bpmn).await;
    let drawn = house.completed("create_workflow", json!({"file": "returns.bpmn"})).await;
    assert_eq!(drawn["nodes"], serde_json::to_value(&workflow.nodes).unwrap());
    house.runtime.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn what_is_missing_is_said_with_what_to_do() {
    let house = House::new().await;
    for (intent, parameters, code, words) in [
        ("create_workflow", json!({}), "not_found", "Upload one first"),
        ("create_workflow", json!({"text": "…"}), "unreadable_file", "has no step"),
        ("create_workflow", json!({"text": "1. a\n2. go to step 7"}), "unreadable_file", "step 7"),
        ("create_workflow", json!({"text": "<definitions>\n<broken"}), "unreadable_file", "XML"),
        ("generate_sop", json!({}), "not_found", "create_workflow first"),
        ("generate_sop", json!({"workflow": "none"}), "not_found", "there is none yet"),
        ("generate_roadmap", json!({}), "not_found", "assess_data_quality"),
        ("synthesize_outcome", json!({}), "not_found", "create_workflow"),
    ] {
        let execution = house.run(intent, parameters.clone()).await;
        assert_eq!(execution.status, ExecutionStatus::Failed, "{intent} {parameters}");
        let problem = execution.problem.unwrap();
        assert_eq!(problem.code, code, "{intent} {parameters}: {}", problem.message);
        assert!(problem.message.contains(words), "{intent} {parameters}: {}", problem.message);
    }
    house.runtime.stop(Duration::from_secs(5)).await;
}

#[test]
fn descriptors_are_whole() {
    for handler in [crate::journey::handlers(), super::handlers()].concat() {
        let descriptor = handler.descriptor();
        assert_eq!(descriptor.parameters["additionalProperties"], false);
        let properties = descriptor.parameters["properties"].as_object().unwrap();
        assert!(properties.values().all(|property| property["description"].is_string()), "{}", descriptor.intent_type);
        assert!((4..=8).contains(&descriptor.examples.len()), "{}", descriptor.intent_type);
    }
}

fn exhibit(number: u64, kind: Kind, title: &str, payload: Value, parents: &[u64]) -> Exhibit {
    let id = |number: &u64| format!("art_{number}").parse().unwrap();
    Exhibit {
        artifact_id: id(&number),
        kind,
        title: title.to_owned(),
        payload: payload.as_object().cloned().unwrap(),
        parents: parents.iter().map(id).collect(),
    }
}

fn lines(sections: &[Section]) -> Vec<String> {
    let line = |section: &Section| {
        let statements = section.statements.iter().map(|statement| {
            let sources: Vec<&str> = statement.sources.iter().map(|source| source.artifact_id.as_str()).collect();
            format!("{} [{}]", statement.text, sources.join(" "))
        });
        std::iter::once(format!("# {}", section.title)).chain(statements).collect::<Vec<_>>()
    };
    sections.iter().flat_map(line).collect()
}

#[test]
fn findings_become_phases_the_worst_first() {
    let evidence = Evidence {
        exhibits: vec![
            exhibit(1, Kind::File, "orders.csv", json!({}), &[]),
            exhibit(
                2,
                Kind::ParsedFile,
                "Read",
                json!({"file_name": "orders.csv", "row_count": 1200, "column_count": 3}),
                &[1],
            ),
            exhibit(
                3,
                Kind::DataQuality,
                "Quality",
                json!({"file_name": "orders.csv", "issues": [
                    {"severity": "low", "message": "`note` is empty in 3 rows."},
                    {"severity": "critical", "message": "`id` has 2 duplicates."},
                    {"message": "No severity."},
                ]}),
                &[1, 2],
            ),
            exhibit(4, Kind::File, "stock.csv", json!({}), &[]),
            exhibit(
                5,
                Kind::ParsedFile,
                "Read",
                json!({"file_name": "stock.csv", "row_count": 1, "column_count": 1}),
                &[4],
            ),
            exhibit(6, Kind::File, "new.pdf", json!({}), &[]),
        ],
    };
    assert_eq!(
        lines(&roadmap(&evidence)),
        [
            "# Phase 1: Put the data in order",
            "orders.csv, critical: `id` has 2 duplicates. [art_3]",
            "orders.csv, low: `note` is empty in 3 rows. [art_3]",
            "orders.csv, low: No severity. [art_3]",
            "# Phase 2: Find out what is open",
            "How good the data in stock.csv is has not been assessed. [art_4]",
            "new.pdf has not been read. [art_6]",
        ]
    );
    assert_eq!(
        lines(&synthesize(&evidence)),
        [
            "# The data",
            "orders.csv was uploaded. [art_1]",
            "orders.csv has 1,200 rows and 3 columns. [art_2]",
            "stock.csv was uploaded. [art_4]",
            "stock.csv has 1 row and 1 column. [art_5]",
            "new.pdf was uploaded. [art_6]",
            "# How good the data is",
            "In orders.csv, 3 issues were found (1 critical, 2 low). [art_3]",
            "# What is not known yet",
            "How good the data in stock.csv is has not been assessed. [art_4]",
            "new.pdf has not been read. [art_6]",
        ]
    );
}

#[test]
fn hostile_names_change_nothing_around_them() {
    let evidence = Evidence { exhibits: vec![exhibit(1, Kind::File, "<b>*x*</b>\n# y", json!({}), &[])] };
    let text = synthesize(&evidence)[0].markdown();
    assert!(text.contains(r"\<b\>\*x\*\</b\> \# y was uploaded."), "{text}");
}
