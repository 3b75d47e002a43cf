//! Schedules over HTTP.

use serde_json::{Value, json};

use crate::house::{House, ask, get, post};

#[tokio::test]
async fn a_schedule_is_made_read_paused_and_deleted() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let body = json!({
        "intent_type": "echo", "session_id": ada.session_id, "cron": "30 2 * * *", "time_zone": "Europe/Berlin",
    });
    let made = house.ask(post("/api/schedules").bearer(&ada).json(&body)).await.expect(201).json();
    assert_eq!((&made["missed_runs"], &made["paused"]), (&json!("run_once"), &json!(false)));
    assert!(made["next_at"].as_str().unwrap().ends_with(":30:00.000Z"), "{made}");
    let path = format!("/api/schedules/{}", made["schedule_id"].as_str().unwrap());
    assert_eq!(house.ask(get(&path).bearer(&ada)).await.expect(200).json(), made);
    let page = house.ask(get("/api/schedules").bearer(&ada)).await.expect(200).json();
    assert_eq!(page["schedules"], json!([made]));
    let change = |paused: bool| ask("PATCH", &path).bearer(&ada).json(&json!({ "paused": paused }));
    let paused = house.ask(change(true)).await.expect(200).json();
    assert_eq!((&paused["paused"], &paused["next_at"]), (&json!(true), &Value::Null));
    assert_eq!(house.ask(change(false)).await.expect(200).json()["next_at"], made["next_at"]);
    house.ask(ask("DELETE", &path).bearer(&ada)).await.expect(204);
    for gone in [get(&path), ask("DELETE", &path)] {
        house.ask(gone.bearer(&ada)).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    for (body, field) in [
        (json!({ "cron": "often" }), "cron"),
        (json!({ "cron": "0 0 30 2 *" }), "cron"),
        (json!({ "time_zone": "Mars/Olympus" }), "time_zone"),
        (json!({ "parameters": { "text": 7 } }), "parameters.text"),
    ] {
        let mut whole = json!({ "intent_type": "echo", "session_id": ada.session_id, "cron": "0 9 * * *" });
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let refused =
            house.ask(post("/api/schedules").bearer(&ada).json(&whole)).await.refused(422, "validation_failed");
        assert_eq!(refused.json()["errors"][0]["field"], field, "{whole}");
    }
    let unknown = json!({ "intent_type": "dance", "session_id": ada.session_id, "cron": "0 9 * * *" });
    house.ask(post("/api/schedules").bearer(&ada).json(&unknown)).await.refused(404, "unknown_intent");
    let session = house.anonymous_session().await;
    let body = json!({ "intent_type": "echo", "session_id": session, "cron": "0 9 * * *" });
    house.ask(post("/api/schedules").json(&body)).await.refused(401, "authentication_required");
}
