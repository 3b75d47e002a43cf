//! Files through the front door.

use contract::{ArtifactId, artifact::LifecycleState, execution::ExecutionStatus};
use runtime::{Content, RuntimeError};
use serde_json::{Value, json};

use crate::house::{House, owner};

const STOCK: &[u8] = include_bytes!("../fixtures/stock.xlsx");
const POLICY: &[u8] = include_bytes!("../fixtures/policy.pdf");

fn summary(result: &Value) -> &str {
    result["summary"].as_str().unwrap()
}

#[tokio::test]
async fn a_file_of_an_older_client_is_a_draft_until_it_is_saved() {
    let house = House::new().await;
    let parameters = json!({
        "ingestion_type": "upload", "file_content": "612c620a312c320a", "ui_name": "x.csv", "file_type": "csv",
        "mime_type": "text/csv", "filename": "x.csv",
    });
    let execution = house.run("ingest_file", parameters).await;
    let file = &execution.artifacts["file"];
    assert_eq!(
        (&file["lifecycle_state"], &file["file_name"], &file["size_bytes"]),
        (&json!("draft"), &json!("x.csv"), &json!(8))
    );
    assert_eq!((&file["file_id"], &file["status"]), (&file["artifact_id"], &json!("draft")));
    assert_eq!(file["sha256"], "492d5ea496056f1a6a6592241032fab764c321596317930b4fa0e1e8bc3b7470");
    let saved = house.run("save_materialization", json!({"file_id": file["file_id"]})).await;
    assert_eq!(saved.artifacts["file"]["lifecycle_state"], "ready");
}

#[tokio::test]
async fn every_kind_of_file_is_read() {
    let house = House::new().await;
    let utf_16: Vec<u8> = "\u{feff}name;price\nTee;1,5\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, bytes, kind, size) in [
        ("a.csv", b"a,b\n1,2\n3,4\n".to_vec(), "table", 2),
        ("b.tsv", b"a\tb\n1\t2\n".to_vec(), "table", 1),
        ("c.csv", utf_16, "table", 1),
        ("d.json", br#"[{"a":1},{"a":2}]"#.to_vec(), "table", 2),
        ("e.jsonl", b"{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n".to_vec(), "table", 3),
        ("f.xlsx", STOCK.to_vec(), "table", 3),
        ("g.txt", b"four words stand here".to_vec(), "document", 4),
        ("h.md", b"# Title\n\nSome words.\n".to_vec(), "document", 3),
        ("i.html", b"<p>two words</p>".to_vec(), "document", 2),
        ("j.pdf", POLICY.to_vec(), "document", 24),
    ] {
        let file_id = house.upload(name, bytes).await;
        let execution = house.run("parse_content", json!({"file_id": file_id})).await;
        assert_eq!(execution.status, ExecutionStatus::Completed, "{name}: {:?}", execution.problem);
        let parsed = &execution.artifacts["parsed_file"];
        assert_eq!(parsed["kind"], kind, "{name}");
        let count = if kind == "table" { &parsed["row_count"] } else { &parsed["word_count"] };
        assert_eq!(count, size, "{name}");
        assert_eq!(parsed["parent_artifacts"], json!([file_id]), "{name}");
        assert!(summary(&execution.result).contains(name), "{name}");
        let again = house.run("parse_content", json!({"file": name})).await;
        assert_eq!(again.artifacts["parsed_file"]["artifact_id"], parsed["artifact_id"], "{name} was read twice");
        house.result("get_parsed_file", json!({"file": name})).await;
    }
}

#[tokio::test]
async fn a_broken_file_names_its_place_and_stays() {
    let house = House::new().await;
    for (name, bytes, place) in [
        ("a.csv", &b"a,b\n1,2\n3,4,5\n"[..], Some((3, 5))),
        ("b.csv", b"a,b\n1,\"open\n", Some((2, 3))),
        ("c.json", b"{\"a\": }", Some((1, 7))),
        ("d.csv", b"", None),
        ("e.xlsx", b"PK\x03\x04broken", None),
    ] {
        let file_id = house.upload(name, bytes).await;
        let execution = house.run("parse_content", json!({"file": name})).await;
        assert_eq!(execution.status, ExecutionStatus::Failed, "{name}");
        let problem = execution.problem.unwrap();
        assert_eq!(problem.details.map(|place| (place.line, place.column)), place, "{name}: {}", problem.message);
        let id: ArtifactId = file_id.parse().unwrap();
        let file = house.client().artifact(&owner(), &id).await.unwrap().unwrap();
        assert_eq!(file.lifecycle_state, LifecycleState::Ready, "{name} is gone");
    }
}

#[tokio::test]
async fn what_is_deleted_is_what_was_agreed_to() {
    let house = House::new().await;
    let agreed_to = house.upload("orders.csv", "a,b\n1,2\n").await;
    let asked = house.submit("delete_file", json!({}), Vec::new()).await;
    let approval = house.pending().await;
    assert_eq!(approval.proposed.parameters["file"], "orders.csv");
    house.upload("orders.csv", "a,b\n3,4\n").await;
    let ambiguous = json!({"approved": true, "corrections": {"file": "elsewhere.csv"}});
    assert!(house.decide(&approval, ambiguous).await.is_err(), "the id and the name have to be the same file's");
    house.decide(&approval, json!({"approved": true})).await.unwrap();
    let deleted = house.client().wait(&owner(), &asked).await.unwrap().unwrap();
    assert_eq!(deleted.result["file_id"], json!(agreed_to));
}

#[tokio::test]
async fn nobody_is_asked_about_a_file_that_is_not_there() {
    let house = House::new().await;
    let refused = house.try_submit("delete_file", json!({"file": "orders.csv"}), Vec::new()).await;
    assert!(matches!(refused, Err(RuntimeError::InvalidParameters(_))), "{refused:?}");
}

#[tokio::test]
async fn files_are_listed_found_put_away_and_deleted() {
    let house = House::new().await;
    let (code, message) = house.failure("parse_content", json!({})).await;
    assert!(code == "not_found" && message.contains("Upload one"), "{message}");
    house.upload("orders.csv", "id,city\n1,Ulm\n2,Bonn\n").await;
    house.upload("Returns.md", "# Refunds\n\nA warranty case.\n").await;
    let (_, message) = house.failure("parse_content", json!({"file": "invoices"})).await;
    assert!(message.contains("`orders.csv`") && message.contains("`Returns.md`"), "{message}");
    house.result("parse_content", json!({"file": "returns"})).await;

    let listed = house.result("list_files", json!({})).await;
    assert_eq!(listed["files"].as_array().unwrap().len(), 2);
    let found = house.result("search_files", json!({"query": "warranty"})).await;
    assert_eq!(found["files"][0]["file_name"], "Returns.md");

    house.result("archive_file", json!({"file": "orders"})).await;
    let newest = house.result("parse_content", json!({"sheet": null})).await;
    assert_eq!(newest["file_name"], "Returns.md");
    assert_eq!(house.result("restore_file", json!({})).await["file_name"], "orders.csv");

    let deleted = house.run_approved("delete_file", json!({"file": "returns"})).await;
    assert_eq!(deleted.status, ExecutionStatus::Completed, "{:?}", deleted.problem);
    for key in ["file", "parsed_file"] {
        let id: ArtifactId = deleted.artifacts[key]["artifact_id"].as_str().unwrap().parse().unwrap();
        assert!(matches!(house.client().content(&owner(), &id).await.unwrap(), Content::Gone), "{key} is still there");
    }
    assert!(house.result("search_files", json!({"query": "warranty"})).await["files"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn intents_are_described_for_people_and_models() {
    let house = House::new().await;
    for intent in
        house.client().intents().iter().filter(|intent| ["content", "insights"].contains(&intent.realm.as_str()))
    {
        assert!((4..=8).contains(&intent.examples.len()), "{}", intent.intent_type);
        assert_eq!(intent.parameters["additionalProperties"], false, "{}", intent.intent_type);
        for (name, property) in intent.parameters["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{}: {name}", intent.intent_type);
        }
    }
}
