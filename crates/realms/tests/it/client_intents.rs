//! What clients submit by name, each once on real files: the artifact is read, and what was computed is held against the file.

use contract::{ArtifactId, artifact::LifecycleState, execution::ExecutionStatus};
use runtime::Content;
use serde_json::{Value, json};

use crate::house::{House, owner};

const SALES: &[u8] = include_bytes!("../fixtures/sales.csv");
const STOCK: &[u8] = include_bytes!("../fixtures/stock.xlsx");
const ORDERS: &[u8] = include_bytes!("../../../../examples/data/orders.csv");
const POLICY: &[u8] = include_bytes!("../fixtures/policy.pdf");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Runs it and answers what its artifact has, both ways of reading it.
async fn artifact(house: &House, intent: &str, parameters: Value, key: &str) -> Value {
    let execution = house.run(intent, parameters).await;
    assert_eq!(execution.status, ExecutionStatus::Completed, "{intent}: {:?}", execution.problem);
    assert!(!execution.result["summary"].as_str().unwrap().is_empty(), "{intent}");
    let shown = execution.artifacts[key].clone();
    for (field, value) in shown["semantic_payload"].as_object().unwrap() {
        assert_eq!(shown[field], *value, "{intent}: {field} does not stand beside the payload");
    }
    let id: ArtifactId = shown["artifact_id"].as_str().unwrap().parse().unwrap();
    let kept = house.client().artifact(&owner(), &id).await.unwrap().unwrap();
    assert_eq!(json!(kept.semantic_payload), shown["semantic_payload"], "{intent}");
    assert_eq!(kept.produced_by.intent_type, intent);
    shown
}

#[tokio::test]
async fn many_files_come_in_and_are_read_at_once() {
    let house = House::new().await;
    let files = json!([
        {"filename": "a.csv", "file_content": hex(SALES), "ingestion_type": "upload"},
        {"filename": "b.xlsx", "file_content": hex(STOCK)},
        {"filename": "c.csv", "file_content": "zz"},
        {"filename": "d.csv", "file_content": ""},
    ]);
    let taken = artifact(&house, "bulk_ingest_files", json!({"files": files, "keep": true}), "bulk_operation").await;
    assert_eq!((&taken["succeeded"], &taken["failed"]), (&json!(3), &json!(1)));
    assert!(taken["results"][2]["error"].as_str().unwrap().contains("hexadecimal"), "{taken}");
    let id: ArtifactId = taken["results"][1]["file_id"].as_str().unwrap().parse().unwrap();
    let file = house.client().artifact(&owner(), &id).await.unwrap().unwrap();
    assert_eq!((file.lifecycle_state, &file.semantic_payload["file_type"]), (LifecycleState::Ready, &json!("xlsx")));

    let read = artifact(&house, "bulk_parse_files", json!({}), "bulk_operation").await;
    assert_eq!((&read["total"], &read["succeeded"]), (&json!(3), &json!(2)), "{read}");
    let again = house.failure("bulk_parse_files", json!({"files": []})).await;
    assert_eq!(again.0, "validation_failed");

    let standing = house.result("get_operation_status", json!({"operation_id": read["operation_id"]})).await;
    assert_eq!((&standing["status"], &standing["result"]["failed"]), (&json!("completed"), &json!(1)));
    for id in ["exec_unknown", "no id at all", ""] {
        assert_eq!(house.failure("get_operation_status", json!({"operation_id": id})).await.0, "not_found", "{id}");
    }
}

#[tokio::test]
async fn files_are_validated_described_and_queried() {
    let house = House::new().await;
    let sales = house.upload("sales.csv", SALES).await;
    house.upload("stock.xlsx", STOCK).await;
    house.upload("broken.csv", "a,b\n1,\"open\n").await;
    house.upload("really.csv", POLICY).await;
    for (file, is_valid, told) in [
        ("sales.csv", true, "12 rows"),
        ("stock.xlsx", true, "it is XLSX"),
        ("broken.csv", false, "line 2, column 3"),
        ("really.csv", false, "its name says CSV and its bytes say PDF"),
    ] {
        let checked = house.result("validate_file", json!({"file": file})).await;
        assert_eq!(checked["is_valid"], is_valid, "{file}: {checked}");
        assert!(checked["summary"].as_str().unwrap().contains(told), "{file}: {checked}");
    }

    let said = json!({"file_id": sales, "metadata": {"ui_name": "Sales of 2025", "tags": ["Finance"]}});
    let changed = artifact_of(&house, "update_file_metadata", said, "file").await;
    assert_eq!((&changed["ui_name"], &changed["file_name"]), (&json!("Sales of 2025"), &json!("sales.csv")));
    assert_eq!(house.failure("update_file_metadata", json!({"file_id": sales})).await.0, "validation_failed");
    let found = house.result("search_files", json!({"query": "sales"})).await;
    assert_eq!(found["files"].as_array().unwrap().len(), 1, "what finds a file stays: {found}");

    for (conditions, names) in [
        (json!({"tag": "finance"}), vec!["sales.csv"]),
        (json!({"file_type": "csv", "sort_by": "name"}), vec!["broken.csv", "sales.csv"]),
        (json!({"max_size_bytes": 20}), vec!["broken.csv"]),
        (json!({"created_before": "2001-01-01T00:00:00Z"}), vec![]),
        (json!({"sort_by": "size", "descending": true, "limit": 1, "offset": 3}), vec!["broken.csv"]),
    ] {
        let queried = house.result("query_files", conditions.clone()).await;
        let found: Vec<&str> =
            queried["files"].as_array().unwrap().iter().map(|file| file["file_name"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{conditions}");
    }
    let (code, message) = house.failure("query_files", json!({"created_after": "yesterday"})).await;
    assert!(code == "validation_failed" && message.contains("created_after"), "{message}");
}

/// An artifact that was changed, not made.
async fn artifact_of(house: &House, intent: &str, parameters: Value, key: &str) -> Value {
    let execution = house.run(intent, parameters).await;
    assert_eq!(execution.status, ExecutionStatus::Completed, "{intent}: {:?}", execution.problem);
    execution.artifacts[key].clone()
}

#[tokio::test]
async fn an_index_says_that_it_is_lexical() {
    let house = House::new().await;
    house.upload("policy.pdf", POLICY).await;
    let index = artifact(&house, "extract_embeddings", json!({"file": "policy"}), "embeddings").await;
    assert_eq!((&index["method"], &index["provider"]), (&json!("lexical"), &Value::Null));
    assert_eq!(index["chunk_count"].as_u64().unwrap(), index["passages"].as_array().unwrap().len() as u64);
    let term = index["terms"][0]["term"].as_str().unwrap().to_owned();
    let text = house.result("get_parsed_file", json!({"file": "policy"})).await;
    assert!(text["text"].as_str().unwrap().to_lowercase().contains(&term), "{term}");
}

#[tokio::test]
async fn a_table_is_interpreted_measured_and_analyzed() {
    let house = House::new().await;
    house.upload("orders.csv", ORDERS).await;
    let meant = artifact(&house, "interpret_data_self_discovery", json!({}), "data_interpretation").await;
    let role = |column: &str| {
        let columns = meant["columns"].as_array().unwrap();
        columns.iter().find(|one| one["column"] == column).unwrap_or_else(|| panic!("{meant}"))["role"].clone()
    };
    assert_eq!(role("ordered_on"), "time");
    assert_eq!(role("total"), "money");

    let guided = json!({"expected_fields": ["order date", "total", "moon phase"]});
    let guided = artifact(&house, "interpret_data_guided", guided, "guided_interpretation").await;
    assert_eq!(guided["matches"][1]["column"], "total");
    assert_eq!(guided["missing_fields"], json!(["moon phase"]), "{guided}");
    assert_eq!(house.failure("interpret_data_guided", json!({})).await.0, "validation_failed");

    let whole = artifact(&house, "analyze_structured_data", json!({}), "structured_analysis").await;
    assert_eq!((&whole["row_count"], &whole["column_count"]), (&json!(61), &json!(9)));
    assert_eq!(whole["quality"]["score"], 99.2);

    house.upload("small.csv", "city,amount\nUlm,1\nBonn,2\nUlm,5\nBonn,\n").await;
    let wanted = json!({"metrics": [{"column": "amount", "aggregation": "sum"}, {"column": "amount", "aggregation": "count"}], "group_by": "city"});
    let metrics = artifact(&house, "calculate_metrics", wanted, "metrics").await;
    let values: Vec<(&Value, &Value)> =
        metrics["metrics"].as_array().unwrap().iter().map(|one| (&one["group"], &one["value"])).collect();
    let (bonn, ulm) = (json!("Bonn"), json!("Ulm"));
    assert_eq!(values, [(&bonn, &json!(2.0)), (&ulm, &json!(6.0)), (&bonn, &json!(1.0)), (&ulm, &json!(2.0))]);
    let usual = artifact(&house, "calculate_metrics", json!({}), "metrics").await;
    assert_eq!(usual["metrics"][0]["value"], 8.0);
    let wrong = json!({"metrics": [{"column": "colour", "aggregation": "sum"}]});
    let (_, message) = house.failure("calculate_metrics", wrong).await;
    assert!(message.contains("`city` and `amount`"), "{message}");
}

#[tokio::test]
async fn a_document_is_analyzed_word_for_word() {
    let house = House::new().await;
    house
        .upload(
            "note.md",
            "# Refunds\n\nA refund is paid within 14 days. A refund over €50 needs Ada (ada@example.com).\n",
        )
        .await;
    let analysis = artifact(&house, "analyze_unstructured_data", json!({}), "text_analysis").await;
    assert_eq!(analysis["emails"], json!(["ada@example.com"]));
    assert_eq!(analysis["amounts"], json!(["€50"]));
    assert_eq!(analysis["key_terms"][0], json!({"term": "refund", "count": 2}));
    let (code, _) = house.failure("analyze_structured_data", json!({"file": "note.md"})).await;
    assert_eq!(code, "unsupported_format");
}

#[tokio::test]
async fn tables_find_their_keys_in_each_other() {
    let house = House::new().await;
    house.upload("customers.csv", "customer_id,city\nC1,Ulm\nC2,Bonn\nC3,Kiel\nC4,Jena\n").await;
    house.upload("orders.csv", "order_no,customer\n1,C1\n2,C2\n3,C1\n4,C3\n5,C9\n").await;
    let map = artifact(&house, "map_relationships", json!({}), "relationships").await;
    let found = &map["relationships"][0];
    assert_eq!((&found["from_file"], &found["from_column"]), (&json!("orders.csv"), &json!("customer")), "{map}");
    assert_eq!((&found["to_file"], &found["to_column"]), (&json!("customers.csv"), &json!("customer_id")));
    assert_eq!((&found["shared"], &found["values"], &found["many_to_one"]), (&json!(3), &json!(4), &json!(true)));
    let drawn = map["renderings"]["mermaid"].as_str().unwrap();
    assert!(drawn.contains("orders_csv }o--|| customers_csv : \"customer = customer_id\""), "{drawn}");
    assert_eq!(map["parent_artifacts"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn lineage_is_drawn_described_and_purged() {
    let house = House::new().await;
    let file_id = house.upload("sales.csv", SALES).await;
    let profile = artifact(&house, "calculate_metrics", json!({}), "metrics").await;
    let lineage = artifact(&house, "visualize_lineage", json!({"file": "sales"}), "lineage").await;
    assert_eq!((lineage["nodes"].as_array().unwrap().len(), lineage["edges"].as_array().unwrap().len()), (3, 3));
    let drawn = lineage["renderings"]["mermaid"].as_str().unwrap();
    assert_eq!(drawn.matches("-->").count(), 2, "the way round is not drawn:\n{drawn}");
    let again = artifact(&house, "visualize_lineage", json!({"file": "sales"}), "lineage").await;
    assert_eq!(again["nodes"], lineage["nodes"], "drawings are no part of the lineage");

    let known = house.result("retrieve_artifact_metadata", json!({"artifact_id": profile["artifact_id"]})).await;
    assert_eq!(known["artifact_type"], "metrics");
    assert!(known["parent_artifacts"].as_array().unwrap().contains(&json!(file_id)));
    let of_file = house.result("retrieve_artifact_metadata", json!({"file": "sales"})).await;
    assert_eq!(of_file["derived_artifacts"].as_array().unwrap().len(), 4);

    let purged = house.run_approved("purge_file", json!({"file": "sales"})).await;
    assert_eq!(purged.status, ExecutionStatus::Completed, "{:?}", purged.problem);
    assert_eq!(purged.result["purged_artifacts"].as_array().unwrap().len(), 4);
    for id in [&profile["artifact_id"], &json!(file_id)] {
        let id: ArtifactId = id.as_str().unwrap().parse().unwrap();
        assert!(!matches!(house.client().content(&owner(), &id).await.unwrap(), Content::Bytes(..)));
        let left = house.client().artifact(&owner(), &id).await.unwrap().unwrap();
        assert_eq!(left.lifecycle_state, LifecycleState::Deleted);
    }
}

const PROCEDURE: &str = "# Returns\n1. The clerk scans the parcel.\n2. If the value exceeds 100 euros, the manager checks it; otherwise go to step 4.\n3. Repair it\n4. Refund the customer.\n";

#[tokio::test]
async fn a_process_is_reviewed_shared_out_and_redrawn() {
    let house = House::new().await;
    house.upload("returns.md", PROCEDURE).await;
    let workflow = house.result("create_workflow", json!({"file": "returns.md"})).await;

    let better = artifact(&house, "optimize_process", json!({}), "process_optimization").await;
    assert_eq!(better["parent_artifacts"], json!([workflow["workflow_id"]]));
    assert_eq!(better["metrics"]["task_count"], 4);
    assert_eq!(better["metrics"]["unassigned_count"], 2);
    assert_eq!(better["metrics"]["automatable_count"], 2);
    let texts = better["findings"].to_string();
    for text in ["“Repair it” names nobody who does it.", "A program could do “The clerk scans the parcel”."] {
        assert!(texts.contains(text), "{text}\n{texts}");
    }

    let shared = artifact(&house, "analyze_coexistence", json!({"workflow": "returns"}), "coexistence_analysis").await;
    assert_eq!((&shared["program_count"], &shared["person_count"]), (&json!(2), &json!(3)), "{shared}");

    let target = artifact(&house, "create_blueprint", json!({"title": "Tomorrow"}), "blueprint").await;
    assert_eq!((&target["title"], &target["change_count"]), (&json!("Tomorrow"), &json!(2)));
    assert_eq!(target["changes"][0]["actor_before"], "clerk");
    assert!(target["renderings"]["mermaid"].as_str().unwrap().starts_with("flowchart TD"), "{target}");
    assert_eq!(target["current"]["nodes"], workflow["nodes"]);

    let empty = House::new().await;
    for intent in ["optimize_process", "analyze_coexistence", "create_blueprint"] {
        let (code, message) = empty.failure(intent, json!({})).await;
        assert!(code == "not_found" && message.contains("create_workflow"), "{intent}: {message}");
    }
}

#[tokio::test]
async fn questions_about_a_process_are_answered_with_its_steps() {
    let house = House::new().await;
    house.result("create_workflow", json!({"text": PROCEDURE})).await;
    for (question, told) in [
        ("who takes part?", "It names clerk and manager."),
        ("how many steps are there?", "4 tasks, 1 decision and 2 actors"),
        ("what comes after the repair?", "“Refund the customer”"),
        ("what does the clerk do?", "“The clerk scans the parcel”"),
        ("what of the moon?", "No step of the workflow has these words."),
    ] {
        let answer = artifact(&house, "process_operations_query", json!({"query": question}), "process_answer").await;
        assert!(answer["answer"].as_str().unwrap().contains(told), "{question}: {answer}");
    }
    let said = json!({"message": "what comes after the repair?"});
    let answer = artifact(&house, "process_operations_conversation", said, "process_answer").await;
    assert_eq!(answer["nodes"].as_array().unwrap().len(), 1);
    assert_eq!(house.failure("process_operations_query", json!({})).await.0, "validation_failed");
}

#[tokio::test]
async fn a_procedure_is_told_step_by_step_and_written_down() {
    let house = House::new().await;
    let (code, message) = house.failure("generate_sop_from_chat", json!({})).await;
    assert!(code == "not_found" && message.contains("sop_chat_message"), "{message}");

    let told = json!({"message": "The clerk opens the invoice\nThe clerk pays the invoice"});
    let first = artifact(&house, "sop_chat_message", told, "sop_draft").await;
    assert_eq!(first["step_count"], 2);
    let more = artifact(&house, "process_wizard_conversation", json!({"message": "File it away"}), "sop_draft").await;
    assert_eq!((&more["step_count"], &more["parent_artifacts"]), (&json!(3), &json!([first["artifact_id"]])));
    let back = artifact(&house, "sop_chat_message", json!({"message": "undo"}), "sop_draft").await;
    assert_eq!(back["steps"], first["steps"]);

    let sop = artifact(&house, "generate_sop_from_chat", json!({"title": "Invoices"}), "sop").await;
    assert_eq!((&sop["step_count"], &sop["told_steps"]), (&json!(2), &first["steps"]), "{sop}");
    assert_eq!(sop["parent_artifacts"], json!([back["artifact_id"]]));
    let said = json!([{"role": "user", "content": "Open the door"}, {"role": "assistant", "content": "And then?"}, "Close the door"]);
    let given = artifact(&house, "generate_sop_from_chat", json!({"messages": said}), "sop").await;
    assert_eq!(given["told_steps"], json!(["Open the door", "Close the door"]));
}

#[tokio::test]
async fn findings_are_drawn_up_and_taken_away_as_files() {
    let house = House::new().await;
    for intent in ["create_poc", "create_solution", "export_artifact"] {
        assert_eq!(house.failure(intent, json!({})).await.0, "not_found", "{intent}");
    }
    house.upload("orders.csv", "id,price\n1,2\n2,\n2,3\n").await;
    let quality = house.result("assess_data_quality", json!({"file": "orders.csv"})).await;
    house.result("create_workflow", json!({"text": PROCEDURE})).await;

    let poc = artifact(&house, "create_poc", json!({"title": "Trial"}), "poc").await;
    let measure = &poc["sections"][1]["statements"][0];
    let issues = quality["issues"].as_array().unwrap().len();
    assert!(measure["text"].as_str().unwrap().starts_with(&format!("orders.csv has {issues} issue")), "{measure}");
    assert!(poc["sections"][0].to_string().contains("automate “The clerk scans the parcel”"), "{poc}");

    let (code, message) = house.failure("export_artifact", json!({"kind": "roadmap"})).await;
    assert!(code == "not_found" && message.contains("no roadmap"), "what was asked for, or nothing: {message}");
    let newest = artifact(&house, "export_artifact", json!({"kind": "poc", "format": "json"}), "export").await;
    assert_eq!(newest["file_name"], "trial.json");

    let solution = artifact(&house, "create_solution", json!({}), "solution").await;
    let sections = solution["sections"].as_array().unwrap();
    assert_eq!(sections[0]["title"], "The data");
    assert!(sections.iter().any(|section| section["title"].as_str().unwrap().starts_with("Phase 1")), "{solution}");
    for made in [&poc, &solution] {
        let statements =
            made["sections"].as_array().unwrap().iter().flat_map(|section| section["statements"].as_array().unwrap());
        for source in statements.map(|statement| &statement["sources"][0]["artifact_id"]) {
            assert!(made["parent_artifacts"].as_array().unwrap().contains(source), "{source}");
        }
    }

    for (format, ending, needle) in [("markdown", "md", "# Trial"), ("json", "json", "\"semantic_payload\"")] {
        let wanted = json!({"artifact_id": poc["artifact_id"], "format": format});
        let file = artifact(&house, "export_artifact", wanted, "export").await;
        assert_eq!(file["file_name"], format!("trial.{ending}"));
        assert_eq!(file["parent_artifacts"], json!([poc["artifact_id"]]));
        let id: ArtifactId = file["artifact_id"].as_str().unwrap().parse().unwrap();
        let Content::Bytes(_, bytes) = house.client().content(&owner(), &id).await.unwrap() else { panic!("{file}") };
        assert!(String::from_utf8_lossy(&bytes).contains(needle), "{format}");
    }
    let (code, message) =
        house.failure("export_artifact", json!({"artifact_id": poc["artifact_id"], "format": "bpmn"})).await;
    assert!(code == "validation_failed" && message.contains("`markdown`"), "{message}");
}

#[tokio::test]
async fn a_file_says_what_it_means() {
    let house = House::new().await;
    let orders = house.upload("orders.csv", ORDERS).await;
    let table =
        artifact(&house, "get_semantic_interpretation", json!({"file_id": orders}), "semantic_interpretation").await;
    assert_eq!((&table["interpretation_type"], &table["file_id"]), (&json!("table"), &json!(orders)));
    assert!(table["interpretation"]["columns"].to_string().contains("\"money\""), "{table}");
    house.upload("policy.pdf", POLICY).await;
    let text =
        artifact(&house, "get_semantic_interpretation", json!({"file": "policy"}), "semantic_interpretation").await;
    assert_eq!(text["interpretation_type"], "document");
    assert!(text["interpretation"]["word_count"].as_u64().unwrap() > 10, "{text}");
}
