//! The OpenAPI document and the pages about it.

use contract::Code;

use crate::house::{House, get};

/// The document as it was agreed on. Run the test with `BLESS=1` in the environment to agree on a new one.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

#[test]
#[expect(clippy::disallowed_methods, reason = "whoever runs the test says that the document may change")]
fn the_document_is_the_golden_one() {
    let document = experience::http::document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(GOLDEN, &document).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    assert!(
        golden == document,
        "the API has changed: look at it, then run this test with BLESS=1 and commit openapi.json"
    );
}

#[test]
fn the_page_of_routes_says_where_they_are() {
    let page = include_str!("../../src/http/router.rs");
    for operation in crate::problems::operations() {
        let said = page.lines().filter_map(|line| line.split_once("// ")).any(|(_, said)| {
            let words: Vec<&str> = said.split([' ', ',']).filter(|word| !word.is_empty()).collect();
            words.contains(&operation.method.as_str()) && words.contains(&operation.path.as_str())
        });
        assert!(said, "router.rs does not say {} {}", operation.method, operation.path);
    }
}

#[tokio::test]
async fn the_document_and_its_pages_are_served() {
    let house = House::new().await;
    let document = house.ask(get("/openapi.json")).await.expect(200).json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let page = house.ask(get("/docs/")).await.expect(200);
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert_eq!(house.ask(get("/docs")).await.expect(308).headers["location"], "/docs/");
    let script = house.ask(get("/docs/swagger-initializer.js")).await.expect(200);
    assert!(String::from_utf8_lossy(&script.body).contains("/openapi.json"));
    for (name, content_type) in [("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")] {
        let file = house.ask(get(&format!("/docs/{name}"))).await.expect(200);
        assert!(file.headers["content-type"].to_str().unwrap().starts_with(content_type));
        assert_eq!(file.headers["content-encoding"], "gzip");
        assert!(file.body.starts_with(&[0x1f, 0x8b]), "{name}");
    }
    house.ask(get("/docs/nothing.js")).await.expect(404);
    let errors = house.ask(get("/docs/errors")).await.expect(200);
    let errors = String::from_utf8_lossy(&errors.body);
    for code in Code::ALL {
        assert!(errors.contains(&format!("id=\"{}\"", code.as_str())), "{code:?}");
    }
}

#[tokio::test]
async fn health_is_told() {
    let house = House::new().await;
    for path in ["/health", "/health/live", "/health/ready"] {
        assert_eq!(house.ask(get(path)).await.expect(200).text("status"), "healthy");
    }
}
