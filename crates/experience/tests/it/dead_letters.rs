//! Executions as a list, and what failed for good driven again.

use serde_json::{Value, json};

use crate::house::{House, Person, get, post};

async fn list(house: &House, person: &Person, query: &str) -> Vec<Value> {
    let page = house.ask(get(&format!("/api/executions{query}")).bearer(person)).await.expect(200).json();
    page["executions"].as_array().unwrap().clone()
}

#[tokio::test]
async fn executions_are_listed_by_what_they_are() {
    let house = House::new().await;
    let (ada, eve) = (house.register("ada").await, house.register("eve").await);
    let echo = house.submit(&ada, "echo", json!({})).await;
    let careful = house.submit(&ada, "careful", json!({})).await;
    house.until_ended(&ada, &echo).await;
    let ids = async |person: &Person, query: &str| -> Vec<String> {
        let listed = list(&house, person, query).await;
        listed.iter().map(|one| one["execution_id"].as_str().unwrap().to_owned()).collect()
    };
    // Time stands still, so that neither of them is the newest.
    let all = ids(&ada, "").await;
    assert!(all.len() == 2 && all.contains(&careful) && all.contains(&echo), "{all:?}");
    assert_eq!(ids(&eve, "").await, [] as [String; 0]);
    assert_eq!(ids(&ada, "?status=completed").await, std::slice::from_ref(&echo));
    assert_eq!(ids(&ada, "?intent_type=careful&status=awaiting_approval").await, std::slice::from_ref(&careful));
    assert_eq!(ids(&ada, &format!("?session_id={}", ada.session_id)).await.len(), 2);
    assert_eq!(ids(&ada, "?conversation_id=c1").await, [] as [String; 0]);
    let first = house.ask(get("/api/executions?limit=1").bearer(&ada)).await.expect(200).json();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(ids(&ada, &format!("?limit=1&cursor={cursor}")).await, all[1..]);
    for (query, field) in [("?status=broken", "status"), ("?parent=%20", "parent"), ("?limit=0", "limit")] {
        let refused = house.ask(get(&format!("/api/executions{query}")).bearer(&ada)).await;
        assert_eq!(refused.refused(422, "validation_failed").json()["errors"][0]["field"], field);
    }
}

#[tokio::test]
async fn a_dead_letter_is_found_looked_at_and_driven_again() {
    let house = House::new().await;
    let (ada, eve) = (house.register("ada").await, house.register("eve").await);
    let id = house.submit(&ada, "fragile", json!({ "text": "a" })).await;
    assert_eq!(house.until_ended(&ada, &id).await, "failed");
    let dead = list(&house, &ada, "?dead_letters=true").await;
    assert_eq!((dead.len(), dead[0]["execution_id"].as_str()), (1, Some(id.as_str())));
    assert_eq!(dead[0]["problem"]["message"], "It broke the first time.");

    let path = format!("/api/execution/{id}/redrive");
    house.ask(post(&path).bearer(&eve)).await.refused(404, "not_found");
    let again = house.ask(post(&path).bearer(&ada)).await.expect(202).json();
    assert_eq!(again["redrives"], 1);
    assert_eq!(house.until_ended(&ada, &id).await, "completed");
    assert_eq!(list(&house, &ada, "?dead_letters=true").await, [] as [Value; 0]);
    let refused = house.ask(post(&path).bearer(&ada)).await.refused(409, "not_redrivable");
    assert_eq!(refused.text("detail"), "It has completed; there is nothing to do again.");

    // Whoever watches from the beginning is told both rounds.
    let events = house.ask(get(&format!("/api/execution/{id}/events")).bearer(&ada)).await;
    let told = String::from_utf8(events.body.to_vec()).unwrap();
    for word in ["execution.failed", "execution.redriven", "execution.completed"] {
        assert!(told.contains(&format!("event: {word}")), "{told}");
    }
}
