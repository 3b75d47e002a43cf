//! Each route says in the document what it needs, and is held to it: an API key that has everything but that is refused, with the
//! permission's name.

use security_guard::Permission;
use serde_json::{Value, json};

use crate::{
    house::House,
    problems::{Operation, operations},
    walls::Things,
};

/// What the document says that an operation needs; `None` where it says nothing.
fn said(operation: &Operation) -> Option<Vec<String>> {
    let document = serde_json::to_value(experience::http::document()).unwrap();
    let said = &document["paths"][&operation.path][operation.method.to_lowercase()]["x-permissions"];
    let words = said.as_array()?.iter().map(|word| word.as_str().unwrap().to_owned());
    Some(words.collect())
}

// ASVS 8.1.1: What each route needs stands in one table, and in the API's document with each operation.
#[test]
fn every_route_says_what_it_needs() {
    let document = serde_json::to_value(experience::http::document()).unwrap();
    for operation in operations() {
        let security = &document["paths"][&operation.path][operation.method.to_lowercase()]["security"];
        let is_public = *security == json!([{}]);
        match said(&operation) {
            None => assert!(is_public, "permissions.rs has no row for {operation:?}"),
            Some(words) => {
                assert!(!is_public || words.is_empty(), "{operation:?} is for everybody and needs {words:?}");
                for word in words {
                    assert!(word.parse::<Permission>().is_ok(), "{operation:?} needs {word}, which there is not");
                }
            }
        }
    }
}

// ASVS 8.2.1: A credential that has everything but what the route names is refused.
// ASVS 8.3.1: The check is where a credential becomes a caller, on the server.
#[tokio::test]
async fn every_route_is_held_to_it() {
    let house = House::new().await;
    let things = Things::make(&house).await;
    let all: Vec<&str> = Permission::ALL.iter().map(|permission| permission.as_str()).collect();
    let (mut refused, mut asked) = (0, 0);
    for operation in operations().into_iter().filter(|operation| !operation.is_socket) {
        for permission in said(&operation).unwrap_or_default() {
            let scopes: Vec<&str> = all.iter().copied().filter(|scope| *scope != permission).collect();
            let (program, key_id) = house.key(&things.ada, json!({ "scopes": scopes })).await;
            let answer = house.ask(things.ask(&operation).bearer(&program)).await;
            let answer = answer.refused(403, "forbidden");
            assert!(answer.text("detail").contains(&permission), "{operation:?}: {answer:?}");
            revoke(&house, &things, &key_id).await;
            refused += 1;
        }
        asked += 1;
    }
    assert!(refused > 20 && asked > 40, "{refused} of {asked}: the document has lost its permissions");
    things.check_untouched(&house).await;
}

#[tokio::test]
async fn what_needs_nothing_is_open_to_a_key_that_may_nothing() {
    let house = House::new().await;
    let things = Things::make(&house).await;
    let (program, _) = house.key(&things.ada, json!({ "scopes": [] })).await;
    for operation in operations().into_iter().filter(|operation| !operation.is_socket) {
        if said(&operation).is_some_and(|words| words.is_empty()) {
            let answer = house.ask(things.ask(&operation).bearer(&program)).await;
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(!body.contains("does not include"), "{operation:?}: {body}");
        }
    }
}

async fn revoke(house: &House, things: &Things, key_id: &str) {
    let path = format!("/api/auth/keys/{key_id}");
    house.ask(crate::house::ask("DELETE", &path).bearer(&things.ada)).await.expect(204);
}

#[tokio::test]
async fn a_viewer_looks_and_does_nothing() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let viewer = house.member(&ada, "bob", "viewer").await;
    let submit: Value = json!({ "intent_type": "echo", "session_id": viewer.session_id });
    let answer = house.ask(crate::house::post("/api/intent/submit").bearer(&viewer).json(&submit)).await;
    assert!(answer.refused(403, "forbidden").text("detail").contains("intent:submit"));
    house.ask(crate::house::get("/api/executions").bearer(&viewer)).await.expect(200);
}
