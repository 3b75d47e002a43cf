//! Definitions of agents, from the one that is written to begin with to the one that the server answers by.

use serde_json::{Value, json};

use crate::{person::Person, process::Place};

const GOOD: &str = "agent_id = \"liaison.claims\"\nkind = \"liaison\"\nrealm = \"claims\"\ndescription = \"Claims.\"\n\
                    instructions = \"\"\nintents = [\n  \"list_files\",\n]\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_new_agent_is_whole_and_answers() {
    let place = Place::new();
    let said = place.run(&["agent", "new", "claims"], "", &[]).well();
    assert!(said.contains("liaison.claims.toml"), "{said}");
    place.run(&["agent", "new", "specialist.pricing"], "", &[]).well();
    let path = place.path().join("agents/liaison.claims.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    let again = place.run(&["agent", "new", "liaison.claims"], "", &[]);
    assert_eq!(again.exit, 65, "{}", again.errors);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), before, "nothing is overwritten");
    for (name, exit) in [("../claims", 64), ("Claims", 64), ("", 64), ("specialist.a.b", 64)] {
        assert_eq!(place.run(&["agent", "new", name], "", &[]).exit, exit, "{name}");
    }
    let checked = place.run(&["agent", "check"], "", &[]).well();
    assert_eq!(checked, "2 definitions checked: nothing is wrong.\n");

    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    let mut socket = ada.socket().await;
    let message = json!({
        "type": "agent.message", "id": "m1",
        "payload": { "text": "which files do I have?", "agent_id": "liaison.claims", "context": { "conversation_id": "c1" } },
    });
    socket.send(message).await;
    let frames = socket.until(|frame| frame["event_type"] == "agent.completed").await;
    assert_eq!(frames.last().unwrap()["data"]["agent_id"], "liaison.claims");
}

#[test]
fn all_agents_are_listed_with_their_files() {
    let place = Place::new();
    write(&place, "agents/mine.toml", GOOD);
    let listed: Value = serde_json::from_str(&place.run(&["agent", "list", "--json"], "", &[]).well()).unwrap();
    let agents = listed["agents"].as_array().unwrap();
    let of = |id: &str| agents.iter().find(|agent| agent["agent_id"] == id).unwrap();
    assert_eq!(of("guide")["file"], Value::Null);
    let mine = of("liaison.claims");
    assert_eq!(
        (&mine["model"], &mine["realm"], &mine["kind"]),
        (&json!("builtin"), &json!("claims"), &json!("liaison"))
    );
    assert_eq!(mine["intents"], json!(["list_files"]));
    assert!(mine["file"].as_str().unwrap().ends_with("mine.toml"));
    let words = place.run(&["agent", "list"], "", &[]).well();
    for part in ["liaison.claims  (liaison, realm claims)", "intents  list_files", "part of the binary", "mine.toml"] {
        assert!(words.contains(part), "{part:?} is missing in\n{words}");
    }
}

#[test]
fn mistakes_are_told_with_file_and_line_all_at_once() {
    let place = Place::new();
    let cases = [
        ("intents", GOOD.replace("list_files", "list_fiels"), 7, "no intent `list_fiels`; did you mean `list_files`?"),
        ("key", format!("{GOOD}turn_polcy = \"queue\"\n"), 9, "unknown field `turn_polcy`"),
        ("model", format!("{GOOD}model = \"large\"\n"), 9, "add a section [models.large]"),
        ("shape", GOOD.replace("realm = \"claims\"\n", ""), 2, "a liaison speaks for a realm"),
        ("broken", "agent_id = \n".to_owned(), 1, ""),
    ];
    for (name, text, line, part) in &cases {
        let file = format!("{name}.toml");
        write(&place, &file, text);
        let said = place.run(&["agent", "check", &file], "", &[]);
        assert_eq!(said.exit, 78, "{said:?}");
        assert!(said.output.starts_with(&format!("{file}, line {line}: ")), "{said:?}");
        assert!(said.output.contains(part), "{said:?}");
    }
    write(&place, "good.toml", GOOD);
    let twice = place.run(&["agent", "check", "good.toml", "intents.toml", "--json"], "", &[]);
    assert_eq!(twice.exit, 78);
    let told: Value = serde_json::from_str(&twice.output).unwrap();
    assert_eq!((&told["valid"], &told["files"]), (&json!(false), &json!(2)));
    let mistakes = told["mistakes"].as_array().unwrap();
    assert_eq!(mistakes.len(), 2, "{told}");
    assert_eq!(mistakes[1]["message"], "good.toml is named liaison.claims too; give one of them another agent_id");
    // One that is checked before it is put into the folder must not take the id of one that lies there.
    write(&place, "agents/there.toml", GOOD);
    let taken = place.run(&["agent", "check", "good.toml"], "", &[]);
    assert_eq!(taken.exit, 78, "{taken:?}");
    assert!(taken.output.contains("there.toml is named liaison.claims too"), "{taken:?}");
    assert_eq!(place.run(&["agent", "check", "agents/there.toml"], "", &[]).exit, 0);
    assert_eq!(place.run(&["agent", "check", "nothing.toml"], "", &[]).exit, 65);
}

#[test]
fn the_schema_is_the_published_one() {
    let published = include_str!("../../../../docs/agent.schema.json");
    assert_eq!(Place::new().run(&["agent", "schema"], "", &[]).well(), published);
}

fn write(place: &Place, file: &str, text: &str) {
    let path = place.path().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
