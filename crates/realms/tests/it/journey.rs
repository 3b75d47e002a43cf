//! Procedures become workflows and procedures again, and the session's findings a synthesis and a roadmap.

use serde_json::{Value, json};

use crate::house::House;

const PROCEDURE: &str = "# Returns\n1. The clerk scans the parcel.\n2. If the value exceeds 100 euros, the manager checks it; otherwise go to step 4.\n3. Repair it\n4. Refund the customer.\n";

#[tokio::test]
async fn a_file_becomes_a_workflow_a_procedure_a_synthesis_and_a_roadmap() {
    let house = House::new().await;
    house.upload("returns_procedure.md", PROCEDURE).await;
    let workflow = house.result("create_workflow", json!({"file": "returns procedure"})).await;
    assert_eq!(workflow["title"], "Returns");
    assert_eq!(workflow["actors"], json!(["clerk", "manager"]));
    let summary = workflow["summary"].as_str().unwrap();
    assert!(
        summary.starts_with("Workflow **Returns**, drawn from **returns_procedure.md**: 4 tasks and 1 decision."),
        "{summary}"
    );

    let sop = house.result("generate_sop", json!({"workflow": "returns"})).await;
    assert_eq!(sop["step_count"], 5);
    let again = house.result("create_workflow", json!({"sop": "Returns", "title": "Again"})).await;
    let kinds = |workflow: &Value| -> Vec<String> {
        workflow["nodes"].as_array().unwrap().iter().map(|node| node["kind"].to_string()).collect()
    };
    assert_eq!(kinds(&again), kinds(&workflow));

    house.upload("orders.csv", "id,price\n1,2\n2,\n2,3\n").await;
    house.result("assess_data_quality", json!({"file": "orders.csv"})).await;
    let synthesis = house.result("synthesize_outcome", json!({})).await;
    let text = synthesis["summary"].as_str().unwrap();
    assert!(text.contains("“Returns” has 4 tasks and 1 decision; it names clerk and manager."), "{text}");
    assert!(text.contains("orders.csv has 3 rows and 2 columns."), "{text}");
    assert!(text.contains(workflow["workflow_id"].as_str().unwrap()), "{text}");
    let roadmap = house.result("generate_roadmap", json!({"title": "Next"})).await;
    let text = roadmap["summary"].as_str().unwrap();
    assert!(text.starts_with("# Next\n"), "{text}");
    for expected in [
        "## Phase 1: Put the data in order",
        "automate “The clerk scans the parcel”",
        "decide “The value exceeds 100 euros?” by a rule",
        "2 of 4 tasks name nobody",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[tokio::test]
async fn bpmn_comes_in_as_text_and_as_a_file() {
    let house = House::new().await;
    let workflow = realms::journey::procedure::read_procedure(PROCEDURE, "t").unwrap();
    let bpmn = realms::journey::bpmn::write_bpmn(&workflow);
    let sop = house.result("generate_sop", json!({"text": bpmn})).await;
    assert_eq!(sop["title"], "Returns");
    house.upload("returns.bpmn", &bpmn).await;
    let drawn = house.result("create_workflow", json!({"file": "returns.bpmn"})).await;
    assert_eq!(drawn["nodes"], serde_json::to_value(&workflow.nodes).unwrap());
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
        let (found, message) = house.failure(intent, parameters.clone()).await;
        assert_eq!(found, code, "{intent} {parameters}: {message}");
        assert!(message.contains(words), "{intent} {parameters}: {message}");
    }
}
