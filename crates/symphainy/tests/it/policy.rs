//! Rules of one's own, from the command that checks them to the agent that is refused; and an API key in the hands of a script.

use serde_json::{Value, json};

use crate::{
    person::{PASSWORD, Person, orders},
    process::Place,
};

const RULES: &str = "\
[roles.owner]
intents = [\"*\"]
except = [\"delete_file\"]

[[approvals]]
intents = [\"assess_data_quality\"]
agents = [\"*\"]
reason = \"Somebody looks before an agent does.\"
";

#[test]
fn rules_are_checked_and_explained() {
    let place = Place::new();
    std::fs::write(place.path().join("mine.toml"), RULES).unwrap();
    let check = |arguments: &[&str]| place.run(&[&["policy", "check"], arguments].concat(), "", &[]);
    let said = check(&["mine.toml"]).well();
    assert!(said.contains("roles.owner: * except delete_file (was *)"), "{said}");
    let refused = check(&["mine.toml", "--role", "owner", "--intent", "delete_file"]);
    assert_eq!(
        (refused.exit, refused.output.as_str()),
        (1, "refused: The role owner may not submit delete_file; the rule is roles.owner of the policy.\n")
    );
    let asked = check(&["mine.toml", "--role", "admin", "--intent", "assess_data_quality", "--agent", "guide"]).well();
    assert_eq!(asked, "needs approval: Somebody looks before an agent does.\n");
    assert_eq!(check(&["mine.toml", "--role", "admin", "--intent", "delete_file"]).well(), "allowed\n");
    std::fs::write(place.path().join("wrong.toml"), RULES.replace("delete_file", "delete_fiel")).unwrap();
    let wrong = check(&["wrong.toml"]);
    assert_eq!(wrong.exit, 78);
    assert!(wrong.errors.contains("wrong.toml, line 3: there is no intent \"delete_fiel\""), "{}", wrong.errors);
    let default = place.run(&["policy", "default"], "", &[]).well();
    std::fs::write(place.path().join("default.toml"), default).unwrap();
    assert!(check(&["default.toml"]).well().contains("changes nothing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_hold_for_people_and_their_agents() {
    let place = Place::new();
    place.set("\n[policy]\nfile = \"mine.toml\"\n");
    std::fs::write(place.path().join("mine.toml"), RULES).unwrap();
    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    ada.upload(&orders()).await;
    let submit =
        json!({ "intent_type": "delete_file", "session_id": ada.session_id, "parameters": { "file": "orders.csv" } });
    let answer = ada.send(reqwest::Method::POST, "/api/intent/submit", Some(&submit)).await;
    assert_eq!(answer.status(), 403);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["error"], "policy_refused");
    let mut socket = ada.socket().await;
    socket.turn("c1", "m1", "delete orders.csv").await;
    assert_eq!(ada.get("/api/approvals?status=all").await["approvals"], json!([]), "the agent did not even get to ask");
    let files = ada.post("/api/artifact/list", json!({})).await;
    assert_eq!(files["artifacts"].as_array().unwrap().len(), 1);
    socket.say("c1", "m2", "how good is this data?").await;
    let asked = socket.until(|frame| frame["event_type"] == "approval.pending").await;
    assert_eq!(asked.last().unwrap()["data"]["reason"], "Somebody looks before an agent does.");
}

#[test]
fn a_policy_with_a_mistake_does_not_start() {
    let place = Place::new();
    place.set("\n[policy]\nfile = \"mine.toml\"\n");
    std::fs::write(place.path().join("mine.toml"), "[roles.root]\nintents = []\n").unwrap();
    let said = place.run(&["serve", "--listen", "127.0.0.1:0"], "", &[]);
    assert_eq!(said.exit, 78);
    assert!(said.errors.contains("mine.toml, line 1: there is no role \"root\""), "{}", said.errors);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_works_with_an_api_key() {
    let place = Place::new();
    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    let limits = json!({ "name": "a script", "intents": ["list_files", "ingest_file"] });
    let made = ada.post("/api/auth/keys", limits).await;
    let key = made["key"].as_str().unwrap();
    let environment = [("SYMPHAINY_SERVER", server.url.as_str()), ("SYMPHAINY_API_KEY", key)];
    assert!(!place.run(&["call", "list_files"], "", &environment).well().is_empty());
    let refused = place.run(&["call", "list_artifacts"], "", &environment);
    assert_ne!(refused.exit, 0);
    let mistyped = key.replace("symk_", "symk_0");
    let refused = place.run(&["call", "list_files"], "", &[environment[0], ("SYMPHAINY_API_KEY", &mistyped)]);
    assert_eq!(refused.exit, 77, "{}", refused.errors);
    assert!(!place.log().contains(key) && !place.log().contains(PASSWORD), "no secret in the log");
}
