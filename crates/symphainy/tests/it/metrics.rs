//! The operator's listener: numbers of all that happens, apart from the face.

use serde_json::json;

use crate::{
    person::{Person, http, orders},
    process::Place,
};

/// The value of a line of the page.
fn value(page: &str, name: &str) -> f64 {
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("there is no {name} in:\n{page}"));
    line.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_reads_what_happens() {
    let place = Place::new();
    place.set("\n[server]\nadmin_listen = \"127.0.0.1:0\"\n");
    let server = place.serve(&[]);
    let metrics = server.row("metrics");
    let ada = Person::register(&server.url, "Ada").await;
    ada.upload(&orders()).await;
    let socket = ada.socket().await;
    let refused = ada.send(reqwest::Method::GET, "/api/execution/exec_none/status", None).await;
    assert_eq!(refused.status(), 404);
    let question = json!({ "intent_type": "list_files", "session_id": ada.session_id });
    let submitted = ada.post("/api/intent/submit", question).await;
    ada.events(submitted["execution_id"].as_str().unwrap()).await;

    let answer = http().get(&metrics).send().await.unwrap();
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let page = answer.text().await.unwrap();
    assert!(page.ends_with("# EOF\n"), "{page}");
    for (name, least) in [
        ("symphainy_sockets", 1.0),
        ("symphainy_journal_events_total", 6.0),
        ("symphainy_executions_accepted_total{intent_type=\"list_files\"}", 1.0),
        ("symphainy_executions_ended_total{intent_type=\"list_files\",status=\"completed\"}", 1.0),
        ("symphainy_executions_ended_total{intent_type=\"ingest_file\",status=\"completed\"}", 1.0),
        ("symphainy_execution_duration_seconds_count{intent_type=\"list_files\"}", 1.0),
        ("symphainy_execution_duration_seconds_bucket{le=\"+Inf\",intent_type=\"list_files\"}", 1.0),
        ("symphainy_http_request_duration_seconds_count{method=\"POST\",route=\"/api/files\",status=\"201\"}", 1.0),
        (
            "symphainy_http_request_duration_seconds_count{method=\"GET\",route=\"/api/execution/{id}/status\",status=\"404\"}",
            1.0,
        ),
    ] {
        assert!(value(&page, name) >= least, "{name} in:\n{page}");
    }
    assert_eq!(value(&page, "symphainy_executions_running"), 0.0);
    socket.close().await;

    // The face has no such page, and this listener nothing else.
    let face = http().get(format!("{}/metrics", server.url)).send().await.unwrap();
    assert_eq!(face.status(), 404);
    let elsewhere = http().get(metrics.replace("/metrics", "/api/agents")).send().await.unwrap();
    assert_eq!(elsewhere.status(), 404);
    let health = http().get(metrics.replace("/metrics", "/health/ready")).send().await.unwrap();
    assert_eq!(health.status(), 200);
}

#[test]
fn numbers_are_not_shown_to_other_machines_by_mistake() {
    let place = Place::new();
    place.set("\n[server]\nadmin_listen = \"0.0.0.0:0\"\n");
    let said = place.run(&["serve", "--listen", "127.0.0.1:0"], "", &[]);
    assert_eq!(said.exit, 78);
    assert!(said.errors.contains("server.admin_listen") && said.errors.contains("--expose"), "{}", said.errors);
}
