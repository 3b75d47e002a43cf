//! What an anonymous session kept goes with it; what was claimed stays.

use std::{fs, path::Path};

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    person::{Person, http, orders},
    process::{PATIENCE, Place},
};

/// An anonymous session with a file, and the execution that took the file in.
async fn visitor(url: &str) -> (String, String) {
    let session: Value = json_of(http().post(format!("{url}/api/session/create-anonymous")).json(&json!({}))).await;
    let session_id = session["session_id"].as_str().unwrap().to_owned();
    let part = Part::bytes(fs::read(orders()).unwrap()).file_name("orders.csv");
    let form = Form::new().text("session_id", session_id.clone()).part("file", part);
    let artifact = json_of(http().post(format!("{url}/api/files")).multipart(form)).await;
    (session_id, artifact["produced_by"]["execution_id"].as_str().unwrap().to_owned())
}

async fn json_of(request: reqwest::RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    answer.json().await.unwrap()
}

fn files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_visitor_kept_goes_with_the_session() {
    let place = Place::new();
    let server = place.serve(&[]);
    let (deleted, of_deleted) = visitor(&server.url).await;
    let (claimed, of_claimed) = visitor(&server.url).await;
    let ada = Person::register(&server.url, "Ada").await;
    let upgraded = ada.send(reqwest::Method::PATCH, &format!("/api/session/{claimed}/upgrade"), Some(&json!({}))).await;
    assert_eq!(upgraded.status(), 200);
    let objects = place.data_dir().join("objects");
    assert_eq!(files(&objects), 2);
    let gone = http().delete(format!("{}/api/session/{deleted}", server.url)).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    drop(server);

    // The first pass is at the start.
    let server = place.serve(&[]);
    let began = Instant::now();
    while !place.log().contains("forgotten, as their sessions have ended") {
        assert!(began.elapsed() < PATIENCE, "nothing was forgotten:\n{}", place.log());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(files(&objects), 1);
    let ada = ada.at(&server.url);
    let status = ada.get(&format!("/api/execution/{of_claimed}/status")).await;
    assert_eq!(status["status"], "completed");
    server.stop();
    let story = place.run(&["replay", &of_deleted], "", &[]);
    assert_ne!(story.exit, 0, "{story:?}");
    place.run(&["replay", &of_claimed], "", &[]).well();
    place.run(&["doctor", "--deep"], "", &[]).well();
}
