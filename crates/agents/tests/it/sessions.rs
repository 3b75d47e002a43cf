//! What clients ask about conversations and sessions, through a Runtime in memory.

use contract::execution::ExecutionStatus;
use serde_json::{Value, json};

use crate::turns::House;

async fn result(house: &House, intent: &str, parameters: Value) -> Value {
    let id = house.submit(intent, parameters, None).await;
    let execution = house.end(&id).await;
    assert_eq!(execution.status, ExecutionStatus::Completed, "{intent}: {:?}", execution.problem);
    assert!(!execution.result["summary"].as_str().unwrap().is_empty(), "{intent}");
    execution.result
}

async fn code(house: &House, intent: &str, parameters: Value) -> String {
    let id = house.submit(intent, parameters, None).await;
    house.end(&id).await.problem.expect("it fails").code
}

#[tokio::test]
async fn a_history_is_given_whole_or_with_one_liaison() {
    let house = House::new(Vec::new()).await;
    house.end(&house.say("guide", "hello").await).await;
    house.end(&house.say("liaison.insights", "how good is orders.csv?").await).await;
    let whole = result(&house, "get_conversation_history", json!({})).await;
    let said: Vec<&Value> = whole["messages"].as_array().unwrap().iter().map(|message| &message["role"]).collect();
    assert_eq!(said, ["user", "assistant", "user", "assistant"]);
    assert_eq!(whole["messages"][3]["agent_id"], "liaison.insights");
    let last = result(&house, "get_conversation_history", json!({ "limit": 1 })).await;
    assert_eq!(last["before"], last["messages"][0]["seq"]);
    for pillar in ["insights", "insights_pillar"] {
        let part = result(&house, "get_pillar_conversation_history", json!({ "pillar": pillar })).await;
        assert_eq!(part["messages"], json!(whole["messages"].as_array().unwrap()[2..]));
    }
    let none = result(&house, "get_pillar_conversation_history", json!({ "pillar": "operations" })).await;
    assert_eq!(none["messages"], json!([]));
    assert_eq!(code(&house, "get_conversation_history", json!({ "conversation_id": "elsewhere" })).await, "not_found");
    assert_eq!(code(&house, "get_pillar_conversation_history", json!({ "pillar": "nowhere" })).await, "unknown_agent");
}

#[tokio::test]
async fn a_message_to_a_realm_is_answered_by_its_liaison() {
    let house = House::new(Vec::new()).await;
    let parameters = json!({ "pillar": "content", "message": "parse orders.csv" });
    let answer = result(&house, "send_message_to_pillar_agent", parameters).await;
    assert_eq!(answer["agent_id"], "liaison.content");
    assert!(answer["response"].as_str().unwrap().contains("**parse_content** was done."), "{answer}");
}

#[tokio::test]
async fn a_session_says_what_it_has_come_to_and_what_is_next() {
    let house = House::new(Vec::new()).await;
    let first = result(&house, "get_journey_guidance", json!({ "goal": "trust the data" })).await;
    assert_eq!(
        (&first["next_steps"][0]["intent_type"], &first["current_realm"]),
        (&json!("ingest_file"), &json!("content"))
    );
    house.end(&house.say("liaison.insights", "how good is orders.csv?").await).await;
    for intent in ["get_session_details", "get_session_state"] {
        let state = result(&house, intent, json!({})).await;
        assert_eq!(state["realm_state"]["insights"]["artifacts"][0]["artifact_type"], "assess_data_quality");
        assert_eq!(state["artifact_counts"], json!({ "assess_data_quality": 1 }));
        assert_eq!((&state["is_anonymous"], &state["user_id"]), (&json!(false), &json!("user_1")));
    }
    assert_eq!(code(&house, "get_session_details", json!({ "session_id": "sess_other" })).await, "not_found");
}
