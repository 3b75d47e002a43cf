//! Conversations over the agent socket: each message once and in order, whatever became of the socket meanwhile, and the same events
//! for every viewer.

use std::{collections::HashSet, time::Duration};

use futures_util::{SinkExt, StreamExt};
use rand::RngExt;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::{
    client::Client,
    http::Request,
    known::{Seen, Shown},
    world::World,
};

/// How many messages a conversation gets before the next one begins; with the answers they fit on one page.
const MAX_MESSAGES: usize = 60;

/// How long a frame may take while the server lives.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a socket may say where the disk fails.
const FAULTS: [&str; 3] = [r#""code":"internal""#, r#""code":"unavailable""#, r#""code":"storage_full""#];

/// The agent that says back what it hears.
const AGENT: &str = "liaison.torture";

/// A conversation as its only speaker knows it.
#[derive(Default)]
pub(super) struct Talk {
    conversation_id: String,
    /// What was said, in its order; all but the last are acknowledged.
    texts: Vec<String>,
    seen: Seen,
    /// The executions that were accepted and have not ended.
    running: HashSet<String>,
    /// The events that brought the messages, in their order.
    accepted: Vec<u64>,
    /// The events that brought the answers.
    answered: Vec<(u64, String)>,
    socket: Option<Socket>,
}

type Socket = WebSocketStream<TcpStream>;

impl Client {
    pub(super) async fn say_something(&mut self) {
        if self.talks.last().is_none_or(|talk| talk.texts.len() >= MAX_MESSAGES) {
            if let Some(talk) = self.talks.last_mut() {
                talk.socket = None;
            }
            let conversation_id = format!("talk{}-{}", self.name(), self.talks.len());
            self.talks.push(Talk { conversation_id, ..Talk::default() });
        }
        let index = self.talks.len() - 1;
        // Several at once wait for each other's turns.
        for _ in 0..self.chance.random_range(1..4) {
            let words = self.chance.random_range(1..8);
            let talk = &mut self.talks[index];
            let number = talk.texts.len();
            talk.texts.push((0..words).map(|word| format!("word{number}.{word}")).collect::<Vec<_>>().join(" "));
            self.until_accepted(index).await;
            self.world.acknowledge();
        }
        if self.flips(2) {
            self.until_idle(index).await;
        }
    }

    /// Says the last message until it is part of the conversation.
    async fn until_accepted(&mut self, index: usize) {
        let mut said = false;
        while self.talks[index].accepted.len() < self.talks[index].texts.len() && !self.is_over() {
            if self.talks[index].socket.is_none() {
                said = false;
                self.connect(index).await;
            }
            if !said && self.talks[index].socket.is_some() {
                said = self.say_last(index).await;
            }
            self.hear(index).await;
        }
    }

    async fn until_idle(&mut self, index: usize) {
        while !self.talks[index].running.is_empty() && !self.is_over() {
            if self.talks[index].socket.is_none() {
                self.connect(index).await;
            }
            self.hear(index).await;
        }
    }

    async fn say_last(&mut self, index: usize) -> bool {
        let talk = &mut self.talks[index];
        let number = talk.texts.len() - 1;
        let context = json!({"conversation_id": talk.conversation_id});
        let payload = json!({"text": talk.texts[number], "agent_id": AGENT, "context": context});
        let frame = json!({"type": "agent.message", "id": format!("message{number}"), "payload": payload});
        let Some(socket) = &mut talk.socket else { return false };
        let sent = socket.send(Message::text(frame.to_string())).await.is_ok();
        if !sent {
            talk.socket = None;
        }
        sent
    }

    /// Opens a socket and goes on from the last event that was seen.
    async fn connect(&mut self, index: usize) {
        let head = self.talks[index].seen.head();
        let resumed = if head > 0 { Some(head) } else { None };
        let conversation_id = self.talks[index].conversation_id.clone();
        match self.open(&conversation_id, resumed).await {
            Some(socket) => self.talks[index].socket = Some(socket),
            None => self.world.back().await,
        }
    }

    async fn open(&mut self, conversation_id: &str, after: Option<u64>) -> Option<Socket> {
        let stream = TcpStream::connect(self.world.address).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let mut request = format!("ws://{}/api/runtime/agent", self.world.address).into_client_request().ok()?;
        request.headers_mut().insert("authorization", format!("Bearer {}", self.account.access_token).parse().ok()?);
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.ok()?;
        if let Some(after) = after {
            let frame = json!({"type": "agent.resume", "conversation_id": conversation_id, "after": after});
            socket.send(Message::text(frame.to_string())).await.ok()?;
        }
        Some(socket)
    }

    /// Hears one frame of the talk's own socket.
    async fn hear(&mut self, index: usize) {
        let talk = &mut self.talks[index];
        let Some(socket) = &mut talk.socket else { return };
        let Some(text) = next_text(&self.world, socket).await else {
            talk.socket = None;
            return self.world.back().await;
        };
        let Some(shown) = Shown::read(&text) else {
            talk.socket = None;
            let is_event = text.contains(r#""event_type":"auth.expiring""#);
            let is_fault = self.world.is_failing && FAULTS.iter().any(|code| text.contains(code));
            self.world.check("a socket says nothing that is wrong", is_event || is_fault, || text.clone());
            return self.world.back().await;
        };
        let next = talk.seen.head() + 1;
        let taken = talk.seen.take(&shown);
        let holds = taken.is_ok() && shown.seq == next;
        self.world.check("a stream is the same for all and has no hole", holds, || {
            format!("{}: {taken:?}; event {} came where {next} was next", talk.conversation_id, shown.seq)
        });
        if holds {
            talk.note(&shown);
        }
    }

    /// Looks at all conversations as a new viewer and as a reader.
    pub(super) async fn settle_talks(&mut self) {
        for index in 0..self.talks.len() {
            self.until_idle(index).await;
            self.talks[index].socket = None;
            self.view_from_anywhere(index).await;
            self.read_talk(index).await;
        }
        if self.is_over() {
            return;
        }
        let answer = self.insist_authorized(Request::get("/api/conversations?limit=200")).await;
        let listed = answer.json()["conversations"].as_array().map_or(0, Vec::len);
        let held = self.talks.iter().filter(|talk| !talk.accepted.is_empty()).count();
        self.world.check("nothing is there that nobody asked for", listed == held.min(200) || self.is_over(), || {
            format!("{held} conversations were held and {listed} are listed")
        });
    }

    /// A new viewer that comes in at some event is shown what the first one was shown.
    async fn view_from_anywhere(&mut self, index: usize) {
        let head = self.talks[index].seen.head();
        let conversation_id = self.talks[index].conversation_id.clone();
        let mut after = self.chance.random_range(0..=head);
        let mut socket = None;
        while after < head && !self.is_over() {
            let open = match &mut socket {
                Some(open) => open,
                None => match self.open(&conversation_id, Some(after)).await {
                    Some(open) => socket.insert(open),
                    None => {
                        self.world.back().await;
                        continue;
                    }
                },
            };
            let Some(text) = next_text(&self.world, open).await else {
                socket = None;
                continue;
            };
            let shown = Shown::read(&text);
            let seq = shown.as_ref().map_or(0, |shown| shown.seq);
            let taken =
                shown.map_or_else(|| Err(text.clone()), |shown| self.talks[index].seen.take_all(after, &[shown]));
            let holds = taken.is_ok();
            self.world.check("a stream is the same for all and has no hole", holds, || {
                format!("{conversation_id}: {taken:?}")
            });
            if !holds {
                return;
            }
            after = seq;
        }
    }

    /// The conversation as it is read has each message once, in order, with its answer and with the event that brought it.
    async fn read_talk(&mut self, index: usize) {
        let conversation_id = self.talks[index].conversation_id.clone();
        if self.talks[index].accepted.is_empty() || self.is_over() {
            return;
        }
        let answer =
            self.insist_authorized(Request::get(format!("/api/conversations/{conversation_id}?limit=200"))).await;
        if !self.must("a conversation can be read", &answer) || self.is_over() {
            return;
        }
        let body = answer.json();
        let messages = body["messages"].as_array().cloned().unwrap_or_default();
        let talk = &self.talks[index];
        let of = |role: &str| {
            let wanted = messages.iter().filter(|message| message["role"] == role);
            wanted
                .map(|message| (message["seq"].as_u64().unwrap_or_default(), text_of(&message["content"])))
                .collect::<Vec<_>>()
        };
        let said: Vec<(u64, String)> = talk.accepted.iter().copied().zip(talk.texts.iter().cloned()).collect();
        let texts: Vec<String> = talk.texts.iter().map(|text| format!("heard: {text}")).collect();
        self.world.check("a conversation has each message once and in order", of("user") == said, || {
            format!("{conversation_id}: said {said:?}, kept {:?}", of("user"))
        });
        let answers = of("assistant");
        self.world.check("a message has its event", answers == talk.answered, || {
            format!("{conversation_id}: events {:?}, kept {answers:?}", talk.answered)
        });
        let mut heard: Vec<String> = answers.into_iter().map(|(_, text)| text).collect();
        let mut texts = texts;
        if self.world.is_failing {
            // A turn that found no space is tried again later, and those behind it do not wait for that.
            heard.sort();
            texts.sort();
        }
        self.world.check("a conversation has each answer once and in order", heard == texts, || {
            format!("{conversation_id}: said {:?}, answered {heard:?}", talk.texts)
        });
        let cursor = body["cursor"].as_u64();
        self.world.check("a conversation ends where its stream ends", cursor == Some(talk.seen.head()), || {
            format!("{conversation_id}: {cursor:?}, seen {}", talk.seen.head())
        });
    }
}

impl Talk {
    /// The messages that were said.
    pub(super) fn turns(&self) -> u64 {
        self.texts.len() as u64
    }

    fn note(&mut self, shown: &Shown) {
        match shown.event_type.as_str() {
            "execution.accepted" => {
                self.running.insert(shown.execution_id.clone());
                self.accepted.push(shown.seq);
            }
            "agent.completed" => self.answered.push((shown.seq, text_of(&shown.data["response"]))),
            _ if shown.ends_execution() => {
                self.running.remove(&shown.execution_id);
            }
            _ => {}
        }
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The next frame with text; `None` where the socket is over.
async fn next_text(world: &World, socket: &mut Socket) -> Option<String> {
    loop {
        let Ok(next) = tokio::time::timeout(PATIENCE, socket.next()).await else {
            world.find("a watched turn ends", "a socket says nothing more".to_owned());
            return None;
        };
        match next? {
            Ok(Message::Text(text)) => return Some(text.to_string()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}
