//! Servers of tools as realms of the house: what they offer is asked for in a conversation, governed, and left out where they are not.

use serde_json::json;

use crate::{
    person::{Person, ends_turn, last},
    process::Place,
};

/// A server with a tool that reads and one that writes, of what every shell has.
const SHOP: &str = r#"
answer() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"; }
while read -r line; do
    id=${line#*\"id\":}; id=${id%%[,\}]*}
    case $line in
    *'"initialize"'*) answer '{"protocolVersion":"2025-03-26","capabilities":{"tools":{}},"serverInfo":{"name":"shop","version":"1"}}' ;;
    *'"tools/list"'*) answer '{"tools":[
        {"name":"stock","title":"How many are in stock","inputSchema":{"type":"object","properties":{"question":{"type":"string"}},"required":["question"]},"annotations":{"readOnlyHint":true}},
        {"name":"close","title":"Close the shop","inputSchema":{"type":"object"}}]}' ;;
    *'"tools/call"'*'"stock"'*) answer '{"content":[{"type":"text","text":"Twelve pens."}]}' ;;
    *'"tools/call"'*) echo closed > closed; answer '{"content":[{"type":"text","text":"The shop is closed."}]}' ;;
    esac
done
"#;

/// A place with a server that is there, and one that is not but is spoken of.
fn place() -> Place {
    let place = Place::new();
    // A message is one line.
    let script = SHOP.replace("[\n        {", "[{").replace("},\n        {", "},{");
    std::fs::write(place.path().join("shop.sh"), script).unwrap();
    let policy =
        "[roles.member]\nintents = [\"*\"]\nexcept = [\"wiki/*\"]\n[agents.\"liaison.wiki\"]\nintents = [\"wiki/*\"]\n";
    std::fs::write(place.path().join("policy.toml"), policy).unwrap();
    place.set(
        "[runtime]\napprovals = [\"wiki_edit = admin\"]\n[policy]\nfile = \"policy.toml\"\n\
         [mcp.shop]\ncommand = \"/bin/sh\"\nargs = [\"shop.sh\"]\nstart_timeout = \"60s\"\n\
         [mcp.wiki]\ncommand = \"/no/such/program\"\n",
    );
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_of_others_are_used_in_a_conversation() {
    let place = place();
    let server = place.serve(&[]);
    assert_eq!(server.row("tools of"), "shop (2 tools), wiki (not there)");
    let ada = Person::register(&server.url, "Ada").await;
    let intents = ada.get("/api/intents").await;
    let approvals: Vec<(&str, &str)> = intents["intents"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|intent| intent["realm"] == "shop")
        .map(|intent| (intent["intent_type"].as_str().unwrap(), intent["approval"].as_str().unwrap()))
        .collect();
    assert_eq!(approvals, [("shop_close", "owner"), ("shop_stock", "none")]);

    let mut socket = ada.socket().await;
    let told = socket.turn("c1", "m1", "how many pens are in stock?").await;
    let told = last(&told, "agent.completed");
    assert_eq!((&told["agent_id"], &told["handed_off_from"]), (&json!("liaison.shop"), &json!("guide")));
    assert!(told["response"].as_str().unwrap().contains("Twelve pens."), "{told}");

    socket.say("c2", "m2", "close the shop").await;
    let frames = socket.until(|frame| frame["event_type"] == "approval.pending").await;
    let approval = last(&frames, "approval.pending");
    assert_eq!(approval["proposed"]["intent_type"], "shop_close");
    assert!(!place.path().join("closed").exists(), "nothing has happened yet");
    socket.send(json!({ "type": "approval.respond", "hook_id": approval["hook_id"], "approved": true })).await;
    let told = socket.until(ends_turn).await;
    assert!(last(&told, "agent.completed")["response"].as_str().unwrap().contains("The shop is closed."), "{told:?}");
    assert!(place.path().join("closed").exists());
    assert!(server.stop().success(), "{}", place.log());
}

#[test]
fn the_doctor_says_which_are_there() {
    let said = place().run(&["doctor"], "", &[]);
    assert!(said.output.contains("shop answers and has 2 tools"), "{said:?}");
    assert!(said.output.contains("wiki: it cannot be started (/no/such/program: "), "{said:?}");
}
