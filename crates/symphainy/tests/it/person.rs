//! A person with a client of the platform's dialect.

use std::path::{Path, PathBuf};

use futures_util::{SinkExt, StreamExt};
use reqwest::{
    Client, Method, Response,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::process::PATIENCE;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The example that the README talks about.
pub(crate) fn orders() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/orders.csv")
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Person {
    http: Client,
    url: String,
    token: String,
    pub(crate) session_id: String,
    pub(crate) user: Value,
}

pub(crate) fn http() -> Client {
    Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

impl Person {
    pub(crate) async fn register(url: &str, name: &str) -> Self {
        let email = format!("{}@example.com", name.to_lowercase());
        Self::answered(url, "register", json!({ "name": name, "email": email, "password": PASSWORD })).await
    }

    async fn answered(url: &str, verb: &str, body: Value) -> Self {
        let answer = http().post(format!("{url}/api/auth/{verb}")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let answer: Value = answer.json().await.unwrap();
        let text = |key: &str| answer[key].as_str().unwrap().to_owned();
        Self {
            http: http(),
            url: url.to_owned(),
            token: text("access_token"),
            session_id: text("session_id"),
            user: answer["user"].clone(),
        }
    }

    /// Somebody who was registered before.
    pub(crate) async fn sign_in(url: &str, name: &str) -> Self {
        let email = format!("{}@example.com", name.to_lowercase());
        Self::answered(url, "login", json!({ "email": email, "password": PASSWORD })).await
    }

    /// The same person, after the server has moved.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Response {
        let request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        request.send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.send(Method::GET, path, None).await;
        assert_eq!(answer.status(), 200, "GET {path}");
        answer.json().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.send(Method::POST, path, Some(&body)).await;
        assert!(answer.status().is_success(), "POST {path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    pub(crate) async fn upload(&self, path: &Path) -> Value {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let part = Part::bytes(std::fs::read(path).unwrap()).file_name(name);
        let form = Form::new().text("session_id", self.session_id.clone()).part("file", part);
        let request = self.http.post(format!("{}/api/files", self.url)).bearer_auth(&self.token).multipart(form);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 201);
        answer.json().await.unwrap()
    }

    /// The events of an execution over Server-Sent Events, to its end.
    pub(crate) async fn events(&self, execution_id: &str) -> Vec<Value> {
        let path = format!("/api/execution/{execution_id}/events");
        let text = self.send(Method::GET, &path, None).await.text().await.unwrap();
        text.lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    pub(crate) async fn socket(&self) -> Socket {
        let ticket = self.post("/api/auth/ticket", json!({})).await;
        let query = format!("ticket={}&session_id={}", ticket["ticket"].as_str().unwrap(), self.session_id);
        Socket::open(&self.url, &query).await
    }
}

/// An open agent socket.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    pub(crate) async fn open(url: &str, query: &str) -> Self {
        let url = format!("{}/api/runtime/agent?{query}", url.replacen("http", "ws", 1));
        let (stream, _) = connect_async(url).await.unwrap();
        Self { stream }
    }

    pub(crate) async fn send(&mut self, frame: Value) {
        self.stream.send(Message::text(frame.to_string())).await.unwrap();
    }

    pub(crate) async fn say(&mut self, conversation_id: &str, message_id: &str, text: &str) {
        let context = json!({ "conversation_id": conversation_id });
        self.send(
            json!({ "type": "agent.message", "id": message_id, "payload": { "text": text, "context": context } }),
        )
        .await;
    }

    /// The next frame; `None` where the server has closed.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            let message = timeout(PATIENCE, self.stream.next()).await.expect("the server says nothing");
            match message {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(text.as_str()).unwrap()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Frames up to and with the first that `ends`.
    pub(crate) async fn until(&mut self, ends: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await.unwrap_or_else(|| panic!("the socket ended after {frames:#?}"));
            let is_last = ends(&frame);
            frames.push(frame);
            if is_last {
                return frames;
            }
        }
    }

    /// Says something and hears the whole turn.
    pub(crate) async fn turn(&mut self, conversation_id: &str, message_id: &str, text: &str) -> Vec<Value> {
        self.say(conversation_id, message_id, text).await;
        self.until(ends_turn).await
    }

    pub(crate) async fn close(mut self) {
        self.stream.close(None).await.unwrap();
        while self.next().await.is_some() {}
    }
}

/// Whether a frame ends a turn. A turn's intents have ends of their own, so that its answer comes first.
pub(crate) fn ends_turn(frame: &Value) -> bool {
    matches!(frame["event_type"].as_str(), Some("agent.completed" | "agent.failed" | "agent.cancelled"))
}

/// The data of the last event of a type.
pub(crate) fn last<'frames>(frames: &'frames [Value], event_type: &str) -> &'frames Value {
    let found = frames.iter().rev().find(|frame| frame["event_type"] == event_type);
    &found.unwrap_or_else(|| panic!("no {event_type} in {frames:#?}"))["data"]
}

/// The tokens of the frames, one behind the other.
pub(crate) fn spoken(frames: &[Value]) -> String {
    let tokens = frames.iter().filter(|frame| frame["event_type"] == "agent.token");
    tokens.map(|frame| frame["data"]["token"].as_str().unwrap()).collect()
}

pub(crate) fn seqs(frames: &[Value]) -> Vec<u64> {
    frames.iter().filter_map(|frame| frame["seq"].as_u64()).collect()
}
