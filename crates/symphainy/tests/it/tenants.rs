//! Two users, two tenants: nothing of the one can be reached by the other, on any route that the server says it has.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    person::{Person, orders},
    process::Place,
};

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_finds_no_way_across() {
    let place = Place::new();
    let server = place.serve(&[]);
    let (ada, bob) = (Person::register(&server.url, "Ada").await, Person::register(&server.url, "Bob").await);
    assert_ne!(ada.user["tenant_id"], bob.user["tenant_id"]);
    let things = things_of(&ada).await;

    let document = bob.get("/openapi.json").await;
    let mut tried = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let Some((before, rest)) = path.split_once('{') else { continue };
        let after = rest.split_once('}').unwrap().1;
        for method in operations.as_object().unwrap().keys() {
            for id in &things {
                let path = format!("{before}{id}{after}");
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let answer = bob.send(method.clone(), &path, Some(&json!({ "approved": true }))).await;
                let status = answer.status();
                let text = answer.text().await.unwrap();
                assert!(!text.contains("orders.csv") && !text.contains("ada@example.com"), "{method} {path}: {text}");
                assert!(status.is_client_error(), "{method} {path}: {status} {text}");
                tried += 1;
            }
        }
    }
    assert!(tried > 30, "the document names {tried} ways only");

    for (path, body) in
        [("/api/conversations", None), ("/api/approvals?status=all", None), ("/api/artifact/list", Some(json!({})))]
    {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let listed = bob.send(method, path, body.as_ref()).await.text().await.unwrap();
        assert!(things.iter().all(|id| !listed.contains(id.as_str())), "{path}: {listed}");
    }
    let named =
        json!({ "intent_type": "list_files", "session_id": bob.session_id, "tenant_id": ada.user["tenant_id"] });
    assert_eq!(bob.send(Method::POST, "/api/intent/submit", Some(&named)).await.status(), 403);
    let foreign = json!({ "intent_type": "list_files", "session_id": ada.session_id });
    assert_eq!(bob.send(Method::POST, "/api/intent/submit", Some(&foreign)).await.status(), 404);

    // Nothing that Bob did has reached Ada.
    assert_eq!(ada.get("/api/approvals").await["approvals"].as_array().unwrap().len(), 1);
    assert_eq!(ada.get(&format!("/api/session/{}", ada.session_id)).await["user_id"], ada.user["id"]);
}

/// One of everything, by id: a session, a file, an execution, a conversation, an approval that waits.
async fn things_of(person: &Person) -> Vec<String> {
    let file = person.upload(&orders()).await;
    let mut socket = person.socket().await;
    let conversation_id = "conv-of-ada";
    let answered = socket.turn(conversation_id, "m1", "how good is this data?").await;
    socket.say(conversation_id, "m2", "delete orders.csv").await;
    let asked = socket.until(|frame| frame["event_type"] == "approval.pending").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    vec![
        person.session_id.clone(),
        text(&file["artifact_id"]),
        text(&answered.last().unwrap()["execution_id"]),
        conversation_id.to_owned(),
        text(&asked.last().unwrap()["data"]["hook_id"]),
    ]
}
