//! Connections: what comes over the wire before a route sees it, and the end of the server.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::house::House;

const GET_HEALTH: &str = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
const GET_READY: &str = "GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// Far more than anything here takes; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a port of its own.
struct Server {
    house: House,
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Server {
    async fn start(face: &str) -> Self {
        let house = House::with(face, "").await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let serving = tasks.spawn(experience::serve(listener, house.experience.clone(), stop.clone(), PATIENCE));
        Self { house, address, stop, serving }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// Sends, and reads until the answer's head and whatever comes with it are there.
async fn say(stream: &mut TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let mut buffer = [0; 4096];
    while !answer.contains("\r\n\r\n") {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the connection was closed after {answer:?}");
        answer.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    answer
}

async fn is_closed(mut stream: TcpStream) {
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("the server closes it").ok();
}

#[tokio::test]
async fn broken_and_slow_heads() {
    let server = Server::start("limits = { header_timeout = \"20ms\", header_bytes = 8192 }").await;
    let mut stream = server.connect().await;
    let large = format!("GET /health HTTP/1.1\r\nHost: localhost\r\nX-Large: {}\r\n\r\n", "x".repeat(10_000));
    assert!(say(&mut stream, &large).await.starts_with("HTTP/1.1 431"));
    let mut stream = server.connect().await;
    let many = format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X-Many: x\r\n".repeat(200));
    assert!(say(&mut stream, &many).await.starts_with("HTTP/1.1 431"));
    let mut stream = server.connect().await;
    assert!(say(&mut stream, "no http at all\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    let mut stream = server.connect().await;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: loc").await.unwrap();
    is_closed(stream).await;
}

#[tokio::test]
async fn the_end_is_orderly() {
    let server = Server::start("").await;
    let mut idle = server.connect().await;
    assert!(say(&mut idle, GET_HEALTH).await.starts_with("HTTP/1.1 200"));
    let mut held = server.connect().await;
    let body = "{\"metadata\":{}}";
    let head = "POST /api/session/create-anonymous HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let head = format!("{head}Content-Length: {}\r\nExpect: 100-continue\r\n\r\n", body.len());
    assert!(say(&mut held, &head).await.starts_with("HTTP/1.1 100"), "the server waits for the body");
    server.stop.cancel();
    is_closed(idle).await;
    let mut late = server.connect().await;
    assert!(say(&mut late, GET_READY).await.starts_with("HTTP/1.1 503"), "the server says that it goes away");
    is_closed(late).await;
    assert!(say(&mut held, body).await.starts_with("HTTP/1.1 200"), "what was begun is answered");
    is_closed(held).await;
    tokio::time::timeout(PATIENCE, server.serving).await.expect("the server ends").unwrap();
    drop(server.house);
}
