//! A budget out of the configuration stops a call of a model before it is made, also after the process was killed.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::json;

use crate::{
    person::{Person, last},
    process::{PATIENCE, Place},
};

const ANSWER: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hello.\"},\"finish_reason\":\"stop\"}]}\n\n\
                      data: {\"choices\":[],\"usage\":{\"prompt_tokens\":90000,\"completion_tokens\":9000}}\n\n\
                      data: [DONE]\n\n";

/// A model's server: answers each request the same, and counts them.
fn provider() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::default());
    let counted = Arc::clone(&asked);
    let serve = move || {
        for stream in listener.incoming().map_while(Result::ok) {
            counted.fetch_add(1, Ordering::SeqCst);
            answer(stream);
        }
    };
    thread::Builder::new().name("provider".to_owned()).spawn(serve).unwrap();
    (address, asked)
}

fn answer(mut stream: TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n{ANSWER}", ANSWER.len()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_stops_a_call_also_after_a_kill() {
    let (address, asked) = provider();
    let place = Place::new();
    place.set(&format!(
        "\n[models.mine]\nprovider = \"openai_compatible\"\nbase_url = \"http://{address}/v1\"\nmodel = \"m\"\n\
         price_input = 2.0\nprice_output = 10.0\n[budgets]\nuser = \"100000 tokens/1d\"\ntenant = \"5.00 USD/30d\"\n"
    ));
    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    let frames = ada.socket().await.turn("c1", "m1", "Hello there.").await;
    let usage = &last(&frames, "agent.completed")["usage"];
    assert_eq!((&usage["model"], &usage["cost_micros"]), (&json!("mine"), &json!(2 * 90_000 + 10 * 9_000)));
    server.kill();

    let server = place.serve(&[]);
    let frames = ada.at(&server.url).socket().await.turn("c1", "m2", "And again.").await;
    let failed = last(&frames, "agent.failed");
    assert_eq!(failed["code"], "budget_exhausted");
    let told = failed["error"].as_str().unwrap();
    assert!(told.contains("The budget of this user (100000 tokens/1d)"), "{told}");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "the second call was not made");
    let bob = Person::register(&server.url, "Bob").await;
    last(&bob.socket().await.turn("c1", "m1", "Hello there.").await, "agent.completed");
}

#[test]
fn a_budget_that_cannot_be_held_does_not_start() {
    let cases = [
        ("[budgets]\nuser = \"much\"\n", "budgets.user: \"much\" is no budget: write such as"),
        ("[budgets]\nuser = 5\n", "budgets.user"),
        (
            "[models.mine]\nmodel = \"m\"\n[budgets]\ntenant = \"5 USD/1d\"\n",
            "the model mine has no price: add price_input and price_output to [models.mine]",
        ),
    ];
    for (settings, part) in cases {
        let place = Place::new();
        place.set(&format!("\n{settings}"));
        let said = place.run(&["serve", "--listen", "127.0.0.1:0"], "", &[("OPENAI_API_KEY", "sk-4711")]);
        assert_eq!(said.exit, 78, "{settings}: {said:?}");
        assert!(said.errors.contains(part), "{settings}: {said:?}");
    }
}
