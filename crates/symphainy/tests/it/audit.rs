//! The audit, as an operator checks it.

use public_works::{
    Database,
    sqlite::{DatabaseError, rusqlite::Transaction},
};
use serde_json::Value;

use crate::process::Place;

const PASSWORD: [(&str, &str); 1] = [("SYMPHAINY_PASSWORD", "correct horse battery")];

/// Runs SQL on the data folder, as somebody who wants to hide something would.
fn tamper(place: &Place, sql: &'static str) {
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    executor.block_on(async {
        let database = Database::open(&place.data_dir()).unwrap();
        let work = move |transaction: &Transaction<'_>| -> Result<(), DatabaseError> {
            transaction.execute_batch(sql)?;
            Ok(())
        };
        database.write(work).await.unwrap();
        database.close().await;
    });
}

// ASVS 16.4.2: A record that was changed or removed is found and named.
#[test]
fn a_record_that_was_tampered_with_is_named() {
    let place = Place::new();
    let user = |arguments: &[&str]| place.run(&[&["user"], arguments].concat(), "", &PASSWORD).well();
    user(&["create", "ada@example.com", "--name", "Ada"]);
    user(&["disable", "ada@example.com"]);
    user(&["enable", "ada@example.com"]);
    let holds = place.run(&["audit", "verify"], "", &[]).well();
    assert!(holds.contains("The audit holds: 3 records, from 1 on."), "{holds}");
    let kept = holds.lines().last().unwrap().to_owned();
    user(&["reset-password", "ada@example.com"]);
    let exported = place.run(&["audit", "export", "--after", "1"], "", &[]).well();
    let actions: Vec<String> = exported
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["action"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(actions, ["disable_user", "enable_user", "reset_password"]);
    assert!(!exported.contains("ada@example.com"), "ids and no addresses: {exported}");
    place.run(&["audit", "verify", "--kept", &kept], "", &[]).well();

    tamper(&place, "UPDATE audit SET text = replace(text, 'disable_user', 'enable_user') WHERE number = 2");
    let broken = place.run(&["audit", "verify", "--json"], "", &[]);
    assert_eq!(broken.exit, 1);
    let said: Value = serde_json::from_str(&broken.output).unwrap();
    assert!(said["problem"].as_str().unwrap().starts_with("the record 2 was changed"), "{said}");
    tamper(&place, "UPDATE audit SET text = replace(text, 'enable_user', 'disable_user') WHERE number = 2");
    place.run(&["audit", "verify"], "", &[]).well();
    tamper(&place, "DELETE FROM audit WHERE number = 4");
    let short = place.run(&["audit", "verify"], "", &[]);
    assert_eq!(short.exit, 1);
    assert!(short.output.contains("ends with the record 3 and should end with 4"), "{short:?}");
    for (kept, exit, part) in [("nonsense", 64, "NUMBER:HASH"), (&*format!("2:{}", "0".repeat(64)), 1, "the record 2")]
    {
        let said = place.run(&["audit", "verify", "--kept", kept], "", &[]);
        assert_eq!(said.exit, exit, "{said:?}");
        assert!((said.output + &said.errors).contains(part), "{kept}");
    }
}

#[test]
fn keys_are_rotated_on_the_data_folder() {
    let place = Place::new();
    place.run(&["user", "create", "ada@example.com", "--name", "Ada"], "", &PASSWORD).well();
    let keys = |arguments: &[&str]| -> Vec<Value> {
        let said = place.run(&[&["keys"], arguments, &["--json"]].concat(), "", &[]).well();
        serde_json::from_str::<Value>(&said).unwrap()["keys"].as_array().unwrap().clone()
    };
    let states = |keys: &[Value]| keys.iter().map(|key| key["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(states(&keys(&["list"])), ["signing"]);
    assert_eq!(states(&keys(&["rotate"])), ["signing", "next"]);
    assert_eq!(states(&keys(&["rotate", "--at-once"])), ["signing"]);
    let audit = place.run(&["audit", "export"], "", &[]).well();
    assert_eq!(audit.matches("rotate_keys").count(), 2, "{audit}");
    assert!(place.run(&["keys", "list"], "", &[]).well().contains("signs"));
}
