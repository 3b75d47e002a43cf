//! Who may know whom: the table of ARCHITECTURE.md held against the manifests of the workspace.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

use crate::tree::{assert_none, root};

/// A crate of ours, and what it may and must not see.
struct Room {
    name: &'static str,
    /// Those of our crates that it may use; it need not.
    may_use: &'static [&'static str],
    /// Libraries that must not be among its own dependencies.
    never: &'static [&'static [&'static str]],
}

const AXUM: &[&str] =
    &["axum", "axum-core", "axum-extra", "hyper", "hyper-util", "tower", "tower-http", "tokio-tungstenite"];
const SQL: &[&str] = &["rusqlite", "libsqlite3-sys", "sqlx", "tokio-postgres", "deadpool-postgres", "postgres"];
const NATS: &[&str] = &["async-nats", "nats"];
const TOKIO: &[&str] = &["tokio", "tokio-util", "tokio-stream"];
const MAIL: &[&str] = &["lettre"];
const CHANCE: &[&str] = &["rand", "getrandom"];

const ROOMS: &[Room] = &[
    Room { name: "contract", may_use: &[], never: &[AXUM, SQL, NATS, TOKIO, CHANCE] },
    Room { name: "security-guard", may_use: &["contract"], never: &[AXUM, SQL, NATS, MAIL] },
    Room { name: "runtime", may_use: &["contract"], never: &[AXUM, SQL, NATS] },
    Room { name: "agents", may_use: &["contract", "runtime"], never: &[AXUM, SQL, NATS] },
    Room { name: "realms", may_use: &["contract", "runtime"], never: &[AXUM, SQL, NATS] },
    Room { name: "experience", may_use: &["contract", "runtime", "security-guard"], never: &[SQL, NATS, MAIL] },
    Room {
        name: "public-works",
        // It brings the plugs for the ports that these own.
        may_use: &["agents", "contract", "realms", "runtime", "security-guard"],
        never: &[AXUM],
    },
    Room {
        name: "symphainy",
        may_use: &["agents", "contract", "experience", "public-works", "realms", "runtime", "security-guard"],
        never: &[],
    },
    Room { name: "xtask", may_use: &[], never: &[] },
];

/// The most edges from the binary down to the words.
const LONGEST_CHAIN: usize = 4;

/// Names that say nothing about what is inside.
const VAGUE_NAMES: [&str; 8] = ["common", "utils", "util", "types", "helpers", "shared", "core", "misc"];

/// The crates that are programs.
const PROGRAMS: [&str; 2] = ["symphainy", "xtask"];

struct Crate {
    name: String,
    /// The names of its normal and build dependencies; tests may use what they like.
    dependencies: Vec<String>,
    is_program: bool,
}

/// The crates of the workspace. The manifests say all of it, so nothing is downloaded or resolved.
fn crates() -> Vec<Crate> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs, since it runs this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON");
    metadata["packages"].as_array().expect("there are packages").iter().map(read_crate).collect()
}

fn read_crate(package: &Value) -> Crate {
    let text = |value: &Value| value.as_str().expect("names are texts").to_owned();
    let list = |key: &str| package[key].as_array().expect("it is a list").clone();
    Crate {
        name: text(&package["name"]),
        dependencies: list("dependencies")
            .iter()
            .filter(|dependency| dependency["kind"] != "dev")
            .map(|dependency| text(&dependency["name"]))
            .collect(),
        is_program: list("targets").iter().any(|target| target["kind"] == serde_json::json!(["bin"])),
    }
}

fn is_ours(name: &str) -> bool {
    ROOMS.iter().any(|room| room.name == name)
}

#[test]
fn every_crate_has_a_row_in_the_table() {
    let crates = crates();
    let names: Vec<&str> = crates.iter().map(|one| one.name.as_str()).collect();
    let unknown = names.iter().filter(|name| !is_ours(name)).map(|name| format!("{name} has no row"));
    let gone = ROOMS
        .iter()
        .filter(|room| !names.contains(&room.name))
        .map(|room| format!("{} has a row and no crate", room.name));
    assert_none(
        "A new crate is design: give it a row here and in ARCHITECTURE.md.",
        &unknown.chain(gone).collect::<Vec<_>>(),
    );
}

#[test]
fn nobody_sees_through_a_wall() {
    let mut complaints = Vec::new();
    for one in crates() {
        let Some(room) = ROOMS.iter().find(|room| room.name == one.name) else { continue };
        for dependency in &one.dependencies {
            if is_ours(dependency) && !room.may_use.contains(&dependency.as_str()) {
                complaints.push(format!("{} uses {dependency}", one.name));
            }
            if room.never.iter().any(|libraries| libraries.contains(&dependency.as_str())) {
                complaints.push(format!("{} uses the library {dependency}", one.name));
            }
        }
    }
    assert_none("These edges are not in the table; a port in the upper crate is the way out.", &complaints);
}

#[test]
fn the_house_stays_flat() {
    let crates = crates();
    let edges: BTreeMap<&str, Vec<&str>> = crates
        .iter()
        .map(|one| {
            (one.name.as_str(), one.dependencies.iter().map(String::as_str).filter(|name| is_ours(name)).collect())
        })
        .collect();
    let longest = edges.keys().map(|name| chain(name, &edges)).max_by_key(Vec::len).expect("there are crates");
    assert!(
        longest.len() <= LONGEST_CHAIN + 1,
        "this chain has more than {LONGEST_CHAIN} edges: {}",
        longest.join(" → ")
    );
}

/// The longest way down from a crate. Cargo knows no circles, so it ends.
fn chain<'a>(name: &'a str, edges: &BTreeMap<&'a str, Vec<&'a str>>) -> Vec<&'a str> {
    let below = edges.get(name).into_iter().flatten().map(|below| chain(below, edges));
    let mut longest = below.max_by_key(Vec::len).unwrap_or_default();
    longest.insert(0, name);
    longest
}

#[test]
fn names_say_what_is_inside() {
    let crates = crates();
    let vague = crates.iter().filter(|one| VAGUE_NAMES.contains(&one.name.as_str())).map(|one| one.name.clone());
    assert_none("Such a crate becomes everybody's drawer; put things where they are used.", &vague.collect::<Vec<_>>());
}

#[test]
fn there_is_one_program() {
    let crates = crates();
    let programs: Vec<String> = crates
        .iter()
        .filter(|one| one.is_program != PROGRAMS.contains(&one.name.as_str()))
        .map(|one| one.name.clone())
        .collect();
    assert_none("Symphainy is one binary, with xtask beside it for developers.", &programs);
}
