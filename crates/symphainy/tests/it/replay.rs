//! What has been is told again, gone on from, and chosen again.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    person::{PASSWORD, Person, last, seqs},
    process::Place,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_story_is_told_from_the_folder_and_through_the_server() {
    let place = Place::new();
    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    let mut socket = ada.socket().await;
    let frames = socket.turn("c1", "m1", "which files do I have?").await;
    let execution = frames.last().unwrap()["data"]["execution_id"].as_str().unwrap().to_owned();
    for id in ["c1", &execution] {
        let story = place.run(&["replay", id], "", &[]).well();
        for part in ["“which files do I have?”", "answers, by the rule guide", "list_files is done", "completed"] {
            assert!(story.contains(part), "{id}: {part:?} is missing in\n{story}");
        }
        assert!(!story.contains('\u{1b}'), "no colours in a pipe");
    }
    let folder: Value = serde_json::from_str(&place.run(&["replay", "c1", "--json"], "", &[]).well()).unwrap();
    let entries = folder["entries"].as_array().unwrap();
    let child = entries.iter().find(|entry| entry["depth"] == 1).unwrap();
    assert_ne!(child["execution_id"], execution.as_str());
    assert!(
        entries
            .iter()
            .all(|entry| entry["event_type"] != "agent.token" || entry["text"].as_str().unwrap().contains("says"))
    );
    let environment = [("SYMPHAINY_SERVER", server.url.as_str()), ("SYMPHAINY_PASSWORD", PASSWORD)];
    for id in ["c1", &execution] {
        let told = |more: &[&str]| -> Value {
            let said = place.run(&[&["replay", id, "--json"], more].concat(), "", &environment).well();
            serde_json::from_str(&said).unwrap()
        };
        assert_eq!(told(&["--email", "ada@example.com"]), told(&[]), "{id}");
    }
    for (id, exit) in [("nothing", 65), ("exec_nothing", 65), ("no id", 64)] {
        assert_eq!(place.run(&["replay", id], "", &[]).exit, exit, "{id}");
    }
    assert_eq!(place.run(&["replay"], "", &[]).exit, 64);

    // Somebody else's conversation of the same name is another one.
    let bob = Person::register(&server.url, "Bob").await;
    bob.socket().await.turn("c1", "m1", "hello").await;
    let said = place.run(&["replay", "c1"], "", &[]);
    assert_eq!(said.exit, 64, "{said:?}");
    let of_bob = place.run(&["replay", "c1", "--user", bob.user["id"].as_str().unwrap()], "", &[]).well();
    assert!(of_bob.contains("“hello”"), "{of_bob}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_from_an_earlier_point() {
    let place = Place::new();
    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    let mut socket = ada.socket().await;
    let first = socket.turn("c1", "m1", "what can I do here?").await;
    let at = first.last().unwrap()["seq"].as_u64().unwrap();
    socket.turn("c1", "m2", "which files do I have?").await;
    let before = ada.get("/api/conversations/c1").await;
    let environment = [("SYMPHAINY_SERVER", server.url.as_str()), ("SYMPHAINY_PASSWORD", PASSWORD)];
    let at = at.to_string();
    let arguments = ["fork", "c1", "--at", &at, "--email", "ada@example.com", "--json"];
    let forked: Value = serde_json::from_str(&place.run(&arguments, "", &environment).well()).unwrap();
    assert_eq!((&forked["messages"], &forked["forked_from"]), (&json!(2), &json!("c1")));

    let id = forked["conversation_id"].as_str().unwrap();
    let read = ada.get(&format!("/api/conversations/{id}")).await;
    let words = |conversation: &Value| -> Vec<Value> {
        let messages = conversation["messages"].as_array().unwrap();
        messages.iter().map(|message| json!([message["role"], message["content"], message["agent_id"]])).collect()
    };
    assert_eq!(words(&read), words(&before)[..2]);
    assert_eq!((&read["cursor"], &read["title"]), (&json!(3), &before["title"]));
    let turn = socket.turn(id, "m2", "hello").await;
    assert_eq!(last(&turn, "agent.started")["routing"]["rule"], "present", "the agent of then answers");
    let page = ada.get(&format!("/api/conversations/{id}/events?limit=200")).await;
    let events = page["events"].as_array().unwrap();
    assert_eq!(seqs(events), (1..=events.len() as u64).collect::<Vec<_>>());
    assert_eq!(events[0]["event_type"], "conversation.forked");
    assert_eq!(ada.get("/api/conversations/c1").await, before, "the first one is what it was");

    for (path, at, status) in [("c1", 9_999, 422), ("c1", 0, 422), ("nothing", 1, 404)] {
        let path = format!("/api/conversations/{path}/fork");
        let answer = ada.send(Method::POST, &path, Some(&json!({ "at": at }))).await;
        assert_eq!(answer.status(), status, "{path} at {at}");
    }
    drop(server);
    place.run(&["doctor", "--deep", "--listen", "127.0.0.1:0"], "", &[]).well();
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_chosen_again_under_another_configuration() {
    let place = Place::new();
    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    let mut socket = ada.socket().await;
    let context = json!({ "conversation_id": "c1", "surface": "content_pillar" });
    let payload = json!({ "text": "which files do I have?", "context": context });
    socket.send(json!({ "type": "agent.message", "id": "m1", "payload": payload })).await;
    socket.until(|frame| frame["event_type"] == "agent.completed").await;
    assert!(place.run(&["replay", "--routing"], "", &[]).well().contains("each is the same"));

    // Nobody speaks for this surface any more.
    std::fs::create_dir(place.path().join("agents")).unwrap();
    let definition = "agent_id = \"liaison.content\"\nkind = \"liaison\"\nrealm = \"content\"\nsurfaces = []\n\
                      description = \"Files.\"\ninstructions = \"Be brief.\"\n";
    std::fs::write(place.path().join("agents/content.toml"), definition).unwrap();
    let said = place.run(&["replay", "--routing", "--json"], "", &[]);
    assert_eq!(said.exit, 1, "{said:?}");
    let compared: Value = serde_json::from_str(&said.output).unwrap();
    let difference = &compared["differences"][0];
    assert_eq!((&compared["choices"], &difference["was"]["agent_id"]), (&json!(1), &json!("liaison.content")));
    assert_eq!((&difference["was"]["rule"], &difference["would_be"]["agent_id"]), (&json!("surface"), &json!("guide")));
    let said = place.run(&["replay", "--routing", "c1"], "", &[]);
    assert!(said.output.contains("would be  guide"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_long_ago_goes_into_an_archive_and_is_read_back() {
    let place = Place::new();
    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    let mut socket = ada.socket().await;
    let first = socket.turn("c1", "m1", "which files do I have?").await;
    let execution = first.last().unwrap()["data"]["execution_id"].as_str().unwrap().to_owned();
    let before = [place.run(&["replay", "c1"], "", &[]).well(), place.run(&["replay", &execution], "", &[]).well()];
    let cursor = ada.get("/api/conversations/c1").await["cursor"].as_u64().unwrap();
    let archive = |age: &str| place.run(&["archive", "--older-than", age, "--to", "old/all.jsonl", "--json"], "", &[]);
    assert_eq!(archive("1d").exit, 69, "the folder is in use");
    assert!(server.stop().success());
    let said: Value = serde_json::from_str(&archive("1d").well()).unwrap();
    assert_eq!(said["executions"], 0, "nothing is so old");
    let said: Value = serde_json::from_str(&archive("0s").well()).unwrap();
    assert_eq!(said["executions"], 2, "the turn and what it called");
    let from = ["--from", "old/all.jsonl"];
    let read = |id: &str| place.run(&[&["replay", id][..], &from].concat(), "", &[]).well();
    assert_eq!([read("c1"), read(&execution)], before);
    assert_eq!(place.run(&["replay", &execution], "", &[]).exit, 65, "it is nowhere else");
    place.run(&["doctor", "--deep", "--listen", "127.0.0.1:0"], "", &[]).well();

    let server = place.serve(&[]);
    let ada = ada.at(&server.url);
    let mut socket = ada.socket().await;
    let frames = socket.turn("c1", "m2", "hello").await;
    assert_eq!(frames[0]["seq"], cursor + 1, "the numbers go on");
    let mut socket = ada.socket().await;
    socket.send(json!({ "type": "agent.resume", "conversation_id": "c1", "after": 3 })).await;
    let frames = socket.until(|frame| frame["event_type"] == "agent.completed").await;
    assert_eq!((&frames[0]["event_type"], &frames[0]["seq"]), (&json!("history.removed"), &json!(cursor)));
    assert_eq!(seqs(&frames), (cursor..cursor + frames.len() as u64).collect::<Vec<_>>());
}
