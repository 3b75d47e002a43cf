//! API keys through the front door: what they open, and what they do not.

use serde_json::{Value, json};

use crate::house::{House, Person, ask, get, post};

impl House {
    /// A key of this person's: the person as a program with it.
    pub(crate) async fn key(&self, person: &Person, limits: Value) -> (Person, String) {
        let mut body = json!({ "name": "for tests" });
        body.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
        let made = self.ask(post("/api/auth/keys").bearer(person).json(&body)).await.expect(201).json();
        let key = made["key"].as_str().unwrap().to_owned();
        let key_id = made["api_key"]["key_id"].as_str().unwrap().to_owned();
        let me = self.ask(get("/api/auth/me").header("authorization", &format!("Bearer {key}"))).await.expect(200);
        let session_id = me.json()["session"]["session_id"].as_str().unwrap().to_owned();
        (Person { token: key, session_id, ..person.clone() }, key_id)
    }
}

#[tokio::test]
async fn a_program_works_with_a_key() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let (program, key_id) = house.key(&ada, json!({})).await;
    let execution_id = house.submit(&program, "echo", json!({ "text": "hello" })).await;
    assert_eq!(house.until_ended(&program, &execution_id).await, "completed");
    let events = house.ask(get(&format!("/api/execution/{execution_id}/events")).bearer(&program)).await.expect(200);
    assert!(String::from_utf8_lossy(&events.body).contains("execution.completed"));
    house.upload(&program).await;
    house.ask(get(&format!("/api/execution/{execution_id}/status")).bearer(&ada)).await.expect(200);

    let listed = house.ask(get("/api/auth/keys").bearer(&ada)).await.expect(200);
    assert_eq!(listed.json()["keys"][0]["key_id"], key_id.as_str());
    assert!(listed.json()["keys"][0]["last_used_at"].is_string());
    assert!(!String::from_utf8_lossy(&listed.body).contains(&program.token), "it is shown once");
    house.ask(ask("DELETE", &format!("/api/auth/keys/{key_id}")).bearer(&ada)).await.expect(204);
    house.ask(get("/api/agents").bearer(&program)).await.refused(401, "token_invalid");
}

#[tokio::test]
async fn a_key_does_no_more_than_it_is_for() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let (reader, _) = house.key(&ada, json!({ "scopes": ["artifact:read"] })).await;
    house.ask(post("/api/artifact/list").bearer(&reader).json(&json!({}))).await.expect(200);
    let submit = |intent: &str, who: &Person| json!({ "intent_type": intent, "session_id": who.session_id });
    let refused = house.ask(post("/api/intent/submit").bearer(&reader).json(&submit("echo", &reader))).await;
    assert!(refused.refused(403, "forbidden").text("detail").contains("intent:submit"));

    let (echoer, _) = house.key(&ada, json!({ "intents": ["echo"] })).await;
    house.submit(&echoer, "echo", json!({})).await;
    for (path, body) in [
        ("/api/intent/submit", submit("careful", &echoer)),
        ("/api/v1/guide-agent/chat", json!({ "message": "hello", "session_id": echoer.session_id })),
        ("/api/v1/guide-agent/analyze-intent", json!({ "message": "hello" })),
    ] {
        house.ask(post(path).bearer(&echoer).json(&body)).await.refused(403, "policy_refused");
    }
    let (talker, _) = house.key(&ada, json!({ "intents": ["agent_invoke"] })).await;
    let careful = json!({ "message": "careful", "session_id": talker.session_id });
    let answer = house.ask(post("/api/v1/guide-agent/chat").bearer(&talker).json(&careful)).await.expect(200);
    assert!(answer.text("error").contains("other intents than careful"), "no way round by an agent: {answer:?}");
    for (method, path) in [("POST", "/api/auth/keys"), ("GET", "/api/auth/keys"), ("DELETE", "/api/auth/keys/key_1")] {
        let asked = ask(method, path).bearer(&echoer);
        let asked = if method == "POST" { asked.json(&json!({ "name": "more" })) } else { asked };
        house.ask(asked).await.refused(403, "forbidden");
    }
}

#[tokio::test]
async fn nobody_has_somebody_elses_keys() {
    let house = House::new().await;
    let (ada, eve) = (house.register("ada").await, house.register("eve").await);
    let (_, key_id) = house.key(&ada, json!({})).await;
    house.ask(ask("DELETE", &format!("/api/auth/keys/{key_id}")).bearer(&eve)).await.refused(404, "not_found");
    let path = format!("/api/auth/keys/{key_id}?user_id={}", ada.user_id);
    house.ask(ask("DELETE", &path).bearer(&eve)).await.refused(404, "not_found");
    let body = json!({ "name": "mine", "user_id": ada.user_id });
    house.ask(post("/api/auth/keys").bearer(&eve).json(&body)).await.refused(404, "not_found");
    let listed = house.ask(get(&format!("/api/auth/keys?user_id={}", ada.user_id)).bearer(&eve)).await.expect(200);
    assert_eq!(listed.json()["keys"], json!([]));
}
