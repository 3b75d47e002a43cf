//! The commands, as scripts use them.

use serde_json::Value;

use crate::{
    person::{PASSWORD, orders},
    process::Place,
};

const AS_ADA: [&str; 2] = ["--email", "ada@example.com"];

#[test]
fn a_script_can_hold_a_conversation() {
    let place = Place::new();
    let server = place.serve(&[]);
    let environment = [("SYMPHAINY_SERVER", server.url.as_str()), ("SYMPHAINY_PASSWORD", PASSWORD)];
    let orders = orders();
    let upload = orders.to_str().unwrap();
    let arguments = [&["chat", "--register", "Ada", "--upload", upload][..], &AS_ADA].concat();
    let lines = "how good is this data?\ndelete orders.csv\nmaybe\nn\n/files\n/nothing\n";
    let said = place.run(&arguments, lines, &environment).well();
    for part in [
        "Uploaded orders.csv",
        "handed over to liaison.insights",
        "✓ assess_data_quality",
        "of 100",
        "This needs your approval: delete_file",
        "file: orders.csv",
        "Please answer y or n",
        "(not approved)",
        "  orders.csv (ready",
        "There is no /nothing",
    ] {
        assert!(said.contains(part), "{part:?} is missing in:\n{said}");
    }
    assert!(!said.contains('\u{1b}'), "no colours in a pipe");

    let one = place.run(&[&["chat"][..], &AS_ADA, &["what can I do here?"]].concat(), "", &environment).well();
    assert!(one.starts_with("guide\n"), "{one}");
    let anonymous = place.run(&["chat", "--anonymous", "hello"], "", &environment).well();
    assert!(anonymous.starts_with("guide\n"), "{anonymous}");
}

#[test]
fn an_intent_can_be_called() {
    let place = Place::new();
    let server = place.serve(&[]);
    let environment = [("SYMPHAINY_SERVER", server.url.as_str()), ("SYMPHAINY_PASSWORD", PASSWORD)];
    let call =
        |arguments: &[&str], input: &str| place.run(&[&["call"], arguments, &AS_ADA].concat(), input, &environment);
    let orders = orders();
    let first = call(&["profile_data", "--file", orders.to_str().unwrap(), "--register", "Ada"], "").well();
    assert!(first.contains("61"), "{first}");
    let sql = "sql=SELECT count(*) AS orders FROM data WHERE status = 'returned'";
    let counted = call(&["query_data", "--param", "file=orders.csv", "--param", sql, "--json"], "").well();
    let execution: Value = serde_json::from_str(&counted).unwrap();
    assert_eq!(execution["status"], "completed", "{execution}");
    assert!(call(&["list_files", "-"], "{}").well().contains("orders.csv"));
    assert!(call(&["list_files", "--no-wait"], "").well().starts_with("exec_"));

    for (arguments, input, exit, part) in [
        (&["get_parsed_file", "--param", "file=nothing.csv"][..], "", 1, "nothing.csv"),
        (&["no_such_intent"], "", 65, "intent"),
        (&["list_files", "--param", "colour=red"], "", 65, "colour"),
        (&["list_files", "-"], "[]", 65, "one JSON object"),
        (&["create_workflow", "--file", "not-there.csv"], "", 65, "not-there.csv"),
        (&["list_files", "--file", "not-there.csv"], "", 64, "takes no file"),
    ] {
        let said = call(arguments, input);
        assert_eq!(said.exit, exit, "{arguments:?}: {said:?}");
        assert!((said.errors + &said.output).contains(part), "{arguments:?}");
    }
    let wrong = [("SYMPHAINY_SERVER", server.url.as_str()), ("SYMPHAINY_PASSWORD", "another pass phrase")];
    assert_eq!(place.run(&[&["call", "list_files"][..], &AS_ADA].concat(), "", &wrong).exit, 77);
}

#[test]
fn a_sign_in_can_be_remembered() {
    let place = Place::new();
    let server = place.serve(&[]);
    let environment = [("SYMPHAINY_SERVER", server.url.as_str()), ("SYMPHAINY_PASSWORD", PASSWORD)];
    let first = [&["call", "list_files", "--register", "Ada", "--remember"][..], &AS_ADA].concat();
    place.run(&first, "", &environment).well();
    for _ in 0..2 {
        place.run(&["call", "list_files"], "", &environment[..1]).well();
    }
}

#[test]
fn users_are_kept_on_the_data_folder() {
    let place = Place::new();
    let user = |arguments: &[&str], password: &str| place.run(&[&["user"], arguments].concat(), password, &[]);
    assert_eq!(user(&["list"], "").exit, 65, "there is no data yet");
    let created = user(&["create", "ada@example.com", "--name", "Ada Lovelace"], "correct horse battery\n").well();
    assert!(created.contains("ada@example.com (Ada Lovelace)"), "{created}");
    assert_eq!(user(&["create", "ADA@example.com", "--name", "Ada"], "correct horse battery\n").exit, 65);
    assert_eq!(user(&["create", "bob@example.com", "--name", "Bob"], "short\n").exit, 65);
    assert_eq!(user(&["disable", "nobody@example.com"], "").exit, 65);
    user(&["disable", "ada@example.com"], "").well();
    let listed: Value = serde_json::from_str(&user(&["list", "--json"], "").well()).unwrap();
    assert_eq!(listed["users"].as_array().unwrap().len(), 1);
    assert!(listed["users"][0]["disabled_at"].is_string());
    user(&["enable", "ada@example.com"], "").well();
    user(&["reset-password", "ada@example.com"], "another pass phrase\n").well();

    let server = place.serve(&[]);
    let said = user(&["list"], "");
    assert_eq!(said.exit, 69);
    assert!(said.errors.contains("while it is stopped"), "{said:?}");
    let call = |password: &str| {
        let environment = [("SYMPHAINY_SERVER", server.url.as_str()), ("SYMPHAINY_PASSWORD", password)];
        place.run(&[&["call", "list_files"][..], &AS_ADA].concat(), "", &environment).exit
    };
    assert_eq!((call("another pass phrase"), call("correct horse battery")), (0, 77));
}

#[test]
fn the_doctor_says_what_is_wrong() {
    let place = Place::new();
    let doctor = |arguments: &[&str]| place.run(&[&["doctor", "--listen", "127.0.0.1:0"], arguments].concat(), "", &[]);
    let healthy: Value = serde_json::from_str(&doctor(&["--json"]).well()).unwrap();
    assert_eq!(healthy["ok"], true, "{healthy}");
    assert!(!place.data_dir().exists(), "it changes nothing");

    let server = place.serve(&[]);
    let address = server.url.trim_start_matches("http://");
    let running = place.run(&["doctor", "--listen", address], "", &[]).well();
    assert!(running.contains("a process uses the data folder") && running.contains("answers there"), "{running}");
    drop(server);

    place.set("logni = \"5/1m\"\n");
    let said = doctor(&[]);
    assert_eq!(said.exit, 1);
    assert!(said.output.contains("line 8: there is no setting limits.logni; did you mean limits.login?"), "{said:?}");
}

#[test]
fn who_cannot_serve_says_why() {
    let place = Place::new();
    let server = place.serve(&[]);
    let address = server.url.trim_start_matches("http://");
    let elsewhere = Place::new();
    for (said, exit, part) in [
        (place.run(&["serve", "--listen", "127.0.0.1:0"], "", &[]), 69, "Another process uses the data directory"),
        (elsewhere.run(&["serve", "--listen", address], "", &[]), 69, "is taken by another program"),
        (elsewhere.run(&["serve", "--listen", "0.0.0.0:0"], "", &[]), 78, "--expose"),
        (elsewhere.run(&["serve", "--config", "nowhere.toml"], "", &[]), 78, "nowhere.toml"),
        (elsewhere.run(&["serve", "--data-dir", "symphainy.toml"], "", &[]), 73, "cannot be made"),
        (elsewhere.run(&["serve", "--port", "1"], "", &[]), 64, "--port"),
        (elsewhere.run(&["chat", "--anonymous", "--server", "http://127.0.0.1:1"], "", &[]), 69, "Nothing answers"),
        (elsewhere.run(&["chat", "--server", &server.url], "", &[]), 64, "--email"),
    ] {
        assert_eq!(said.exit, exit, "{said:?}");
        assert!(said.errors.contains(part), "{part:?} is missing in {said:?}");
    }
}

#[test]
fn data_of_a_newer_version_is_left_alone() {
    let place = Place::new();
    assert!(place.serve(&[]).stop().success());
    let path = place.data_dir().join("symphainy.db");
    let connection = public_works::sqlite::rusqlite::Connection::open(path).unwrap();
    connection.execute("INSERT INTO schema_migrations (name, sql) VALUES ('9999_tomorrow', '')", []).unwrap();
    drop(connection);
    let said = place.run(&["serve", "--listen", "127.0.0.1:0"], "", &[]);
    assert_eq!(said.exit, 65, "{said:?}");
    assert!(said.errors.contains("newer version"), "{said:?}");
    let said = place.run(&["doctor", "--listen", "127.0.0.1:0"], "", &[]);
    assert_eq!(said.exit, 1);
    assert!(said.output.contains("fail  schema"), "{said:?}");
}

#[test]
fn agents_can_be_added() {
    let place = Place::new();
    let folder = place.path().join("agents");
    std::fs::create_dir(&folder).unwrap();
    let definition = "agent_id = \"liaison.audit\"\nkind = \"liaison\"\nrealm = \"insights\"\n\
                      description = \"Looks at data twice.\"\ninstructions = \"Be strict.\"\nintents = [\"assess_data_quality\"]\n";
    std::fs::write(folder.join("audit.toml"), definition).unwrap();
    let server = place.serve(&[]);
    let environment = [("SYMPHAINY_SERVER", server.url.as_str())];
    let said =
        place.run(&["chat", "--anonymous", "--agent", "liaison.audit", "what can you do?"], "", &environment).well();
    assert!(said.starts_with("liaison.audit\n"), "{said}");
    drop(server);

    std::fs::write(folder.join("audit.toml"), definition.replace("liaison\"\n", "liason\"\n")).unwrap();
    let said = place.run(&["serve", "--listen", "127.0.0.1:0"], "", &[]);
    assert_eq!(said.exit, 78, "{said:?}");
    assert!(said.errors.contains("audit.toml, line 2"), "{said:?}");
}

#[test]
fn help_reads_well() {
    let place = Place::new();
    for arguments in [
        &["--help"][..],
        &["serve", "--help"],
        &["chat", "--help"],
        &["call", "--help"],
        &["user", "--help"],
        &["doctor", "--help"],
        &["replay", "--help"],
        &["fork", "--help"],
        &["archive", "--help"],
        &["backup", "--help"],
        &["restore", "--help"],
        &["migrate", "--help"],
    ] {
        let help = place.run(arguments, "", &[]).well();
        assert!(help.contains("Usage: symphainy") && help.contains("Examples:"), "{help}");
    }
    assert!(place.run(&["--version"], "", &[]).well().starts_with("symphainy "));
}
