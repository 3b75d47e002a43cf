//! Judgements and questions through the front door, over the example files.

use serde_json::{Value, json};

use crate::house::House;

const ORDERS: &str = include_str!("../../../../examples/data/orders.csv");
const SALES: &str = include_str!("../fixtures/sales.csv");

fn issues(result: &Value) -> Vec<(String, String, u64)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let issues = result["issues"].as_array().unwrap();
    issues
        .iter()
        .map(|issue| (text(&issue["kind"]), text(&issue["column"]), issue["count"].as_u64().unwrap()))
        .collect()
}

#[tokio::test]
async fn the_defects_of_the_example_orders_are_all_found() {
    let house = House::new().await;
    house.upload("orders.csv", ORDERS).await;
    house.upload("notes.md", "# Not a table\n").await;
    let execution = house.run("assess_data_quality", json!({})).await;
    let result = &execution.result;
    assert_eq!(result["row_count"], 61);
    let found = issues(result);
    for (kind, column, count) in [
        ("missing_values", "customer", 1),
        ("missing_values", "city", 2),
        ("missing_values", "total", 1),
        ("missing_values", "status", 1),
        ("mixed_date_formats", "ordered_on", 3),
        ("outliers", "quantity", 1),
        ("duplicate_rows", "", 1),
        ("spelling_variants", "city", 1),
        ("whitespace", "product", 1),
    ] {
        assert!(found.contains(&(kind.to_owned(), column.to_owned(), count)), "{kind} of {column}: {found:?}");
    }
    let artifact = &execution.artifacts["data_quality"];
    assert!(artifact["renderings"]["markdown"].as_str().unwrap().contains("| completeness |"));
    assert_eq!(artifact["parent_artifacts"], json!([result["parsed_file_id"], result["file_id"]]));
    assert!(result["summary"].as_str().unwrap().contains("of 100"));
}

#[tokio::test]
async fn european_numbers_and_dates_are_understood() {
    let house = House::new().await;
    house.upload("sales.csv", SALES).await;
    let profile = house.result("profile_data", json!({"file": "sales"})).await;
    assert_eq!((&profile["row_count"], &profile["duplicate_rows"]), (&json!(12), &json!(1)));
    let revenue = &profile["columns"][5];
    // 1250 + 500 + 1000 + 750 + 625.5 + 875 + 875 + 1125 + 625 + 750 + 99000 + 500
    assert_eq!((&revenue["type"], &revenue["statistics"]["sum"]), (&json!("number"), &json!(107_875.5)));
    assert_eq!(revenue["outliers"]["examples"], json!([{"row": 11, "value": 99_000.0}]));
    let found = issues(&house.result("assess_data_quality", json!({"file": "sales"})).await);
    for wanted in [
        ("impossible_dates", "sold_on", 1),
        ("duplicate_keys", "sale_id", 1),
        ("spelling_variants", "region", 1),
        ("missing_values", "units", 1),
    ] {
        assert!(found.contains(&(wanted.0.to_owned(), wanted.1.to_owned(), wanted.2)), "{wanted:?}: {found:?}");
    }
}

#[tokio::test]
async fn questions_are_answered_or_helped() {
    let house = House::new().await;
    house.upload("orders.csv", ORDERS).await;
    let answer = house.result("query_data", json!({"question": "How many orders are there?"})).await;
    assert_eq!((&answer["sql"], &answer["rows"]), (&json!("SELECT COUNT(*) AS \"rows\" FROM data"), &json!([[61]])));
    assert!(answer["summary"].as_str().unwrap().contains("**61**"));
    let (code, message) = house.failure("query_data", json!({"question": "what will sell best next year?"})).await;
    assert_eq!(code, "query_refused");
    assert!(message.contains("\"average quantity by customer\"") && message.contains("`unit_price`"), "{message}");
    for (parameters, code) in [
        (json!({"sql": "SELECT nonsense FROM data"}), "query_refused"),
        (json!({"sql": "DELETE FROM data"}), "query_refused"),
        (json!({}), "validation_failed"),
    ] {
        assert_eq!(house.failure("query_data", parameters.clone()).await.0, code, "{parameters}");
    }
}

#[tokio::test]
async fn a_document_has_no_quality_and_a_broken_table_says_where() {
    let house = House::new().await;
    house.upload("notes.md", "# Words\n").await;
    assert_eq!(house.failure("profile_data", json!({})).await.0, "unsupported_format");
    house.upload("broken.csv", "a,b\n1,2,3\n").await;
    let execution = house.run("assess_data_quality", json!({"file": "broken"})).await;
    let problem = execution.problem.unwrap();
    assert_eq!((problem.code.as_str(), problem.details.map(|place| place.line)), ("unreadable_file", Some(2)));
}
