//! Search finds words, and whatever is typed is nothing but words.

use contract::artifact::LifecycleState;

use super::scene::{Scene, user};
use crate::port::store::StoredArtifact;

/// What people and attackers type; none of it may fail or be understood as syntax.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "\"",
    "\"\"",
    "'",
    "' OR 1=1 --",
    "*",
    "AND",
    "OR",
    "NOT",
    "NEAR",
    "NEAR(a b)",
    "a AND",
    "(",
    ")",
    "((((",
    "text:revenue",
    "space:s1",
    "- space : s1",
    "^revenue",
    "rev*",
    "{text} : x",
    "+",
    "\\",
    "%",
    "_",
    "\u{0}",
    "a\u{0}b",
    "🦀",
    "\u{feff}",
    "\u{202e}evil",
    "; DROP TABLE artifacts; --",
];

async fn kept(scene: &Scene<'_>, owner: &str, texts: &[&str]) -> Vec<StoredArtifact> {
    let state = scene.running(scene.header(&user(owner))).await;
    let artifacts = texts
        .iter()
        .map(|text| StoredArtifact { search_text: Some((*text).to_owned()), ..scene.artifact(&state, text) });
    let artifacts: Vec<StoredArtifact> = artifacts.collect();
    scene.keep(&state, artifacts.clone()).await;
    artifacts
}

async fn found(scene: &Scene<'_>, owner: &str, text: &str) -> Vec<String> {
    let hits = scene.store.search(&user(owner), text, 100).await.unwrap();
    let titles = hits.iter().map(|hit| hit.artifact.semantic_descriptor["title"].as_str().unwrap().to_owned());
    let mut titles: Vec<String> = titles.collect();
    titles.sort();
    titles
}

pub(super) async fn all_words_must_be_there(scene: Scene<'_>) {
    let texts = ["revenue of the north", "revenue and cost", "Cost in the NORTH, monthly", "Größe"];
    kept(&scene, "ada", &texts).await;
    for (text, expected) in [
        ("revenue", vec!["revenue and cost", "revenue of the north"]),
        ("REVENUE north", vec!["revenue of the north"]),
        ("north cost", vec!["Cost in the NORTH, monthly"]),
        ("monthly", vec!["Cost in the NORTH, monthly"]),
        ("größe", vec!["Größe"]),
        ("revenue profit", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(found(&scene, "ada", text).await, expected, "{text:?}");
    }
    let hits = scene.store.search(&user("ada"), "monthly", 1).await.unwrap();
    assert!(hits[0].snippet.contains("**monthly**"), "{}", hits[0].snippet);
    assert_eq!(scene.store.search(&user("ada"), "revenue", 1).await.unwrap().len(), 1);
}

pub(super) async fn what_is_deleted_or_taken_out_is_not_found(scene: Scene<'_>) {
    let mut artifacts = kept(&scene, "ada", &["apple one", "apple two", "apple three", "apple four"]).await;
    let state = scene.running(scene.header(&user("ada"))).await;
    artifacts[0].artifact.lifecycle_state = LifecycleState::Deleted;
    artifacts[0].search_text = None;
    artifacts[1].search_text = Some(String::new());
    artifacts[2].search_text = None;
    artifacts[2].artifact.lifecycle_state = LifecycleState::Archived;
    artifacts[3].search_text = Some("pear four".to_owned());
    scene.keep(&state, artifacts).await;
    assert_eq!(found(&scene, "ada", "apple").await, ["apple three"]);
    assert_eq!(found(&scene, "ada", "pear").await, ["apple four"]);
}

pub(super) async fn no_text_breaks_it(scene: Scene<'_>) {
    kept(&scene, "ada", &["apple", "pear"]).await;
    for text in HOSTILE {
        let hits = found(&scene, "ada", text).await;
        assert!(hits.is_empty(), "{text:?} found {hits:?}");
    }
    let long = "word ".repeat(20_000);
    assert!(found(&scene, "ada", &long).await.is_empty());
    kept(&scene, "ada", &["NOT near OR and"]).await;
    for text in ["not", "NEAR OR", "and NOT \"or\""] {
        assert_eq!(found(&scene, "ada", text).await, ["NOT near OR and"], "{text:?}");
    }
}

pub(super) async fn others_texts_are_not_found(scene: Scene<'_>) {
    kept(&scene, "ada", &["secret plan"]).await;
    assert!(found(&scene, "bob", "secret").await.is_empty());
    kept(&scene, "bob", &["another plan"]).await;
    assert_eq!(found(&scene, "bob", "plan").await, ["another plan"]);
    for text in ["secret", "secret OR plan", "\" OR space:s1 AND \"secret", "plan space:s1"] {
        assert!(found(&scene, "bob", text).await.is_empty(), "{text:?}");
    }
}
