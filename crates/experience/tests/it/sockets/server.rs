//! A server over a guard and a Runtime in memory, and its client: sockets, and bytes as they are.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use contract::{
    Timestamp,
    agent::{AgentKind, AgentSummary, Surface},
    auth::{Login, Register, Secret},
};
use experience::{Experience, ExperienceConfig, socket::Sockets};
use futures_util::{SinkExt, StreamExt};
use runtime::{
    Catalogue, Runtime, RuntimeClient, RuntimeConfig,
    memory::{MemoryObjects, MemoryStore},
};
use security_guard::{GuardConfig, SecurityGuard, SignedIn, Welcome, memory::MemoryAccounts};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
    time::Instant,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};
use tokio_util::sync::CancellationToken;

use super::agent;

/// No answer takes longer than this, however busy the machine is; it ends a test that would never end.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a server that stops waits for its sockets.
const DRAIN_PATIENCE: Duration = Duration::from_secs(4);

/// Time that passes as it does outside, because sockets wait in it, and chance that counts.
struct TestClock {
    began: Instant,
    counter: AtomicU64,
}

impl TestClock {
    fn time(&self) -> Timestamp {
        Timestamp::from_millis(1_795_339_800_000).after(self.began.elapsed())
    }

    fn chance(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64: spreads a counter over all bits.
            let mut mixed = self.counter.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

impl runtime::Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.time()
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.chance(bytes);
    }
}

impl security_guard::Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.time()
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.chance(bytes);
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) guard: SecurityGuard,
    pub(crate) runtime: RuntimeClient,
    pub(crate) sockets: Sockets,
    /// Opens the second half of `two_steps`.
    pub(crate) gate: Arc<Notify>,
    _working: Runtime,
    stop: CancellationToken,
    serving: JoinSet<()>,
}

impl Server {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// A server whose config, `experience` and `auth`, is this TOML.
    pub(crate) async fn with(config: &str) -> Self {
        let config: toml::Table = toml::from_str(config).unwrap();
        let section = |name: &str| config.get(name).cloned().unwrap_or(toml::Value::Table(toml::Table::new()));
        let clock = Arc::new(TestClock { began: Instant::now(), counter: AtomicU64::new(1) });
        let guard = SecurityGuard::open(guard_config(section("auth")), Arc::new(MemoryAccounts::new()), clock.clone());
        let guard = guard.await.unwrap();
        let gate: Arc<Notify> = Arc::default();
        let catalogue = Catalogue::new(agent::handlers(Arc::clone(&gate))).unwrap();
        let each_piece = RuntimeConfig { coalesce: Duration::ZERO, ..RuntimeConfig::default() };
        let (store, objects) = (Arc::new(MemoryStore::default()), Arc::new(MemoryObjects::default()));
        let working = Runtime::start(store, objects, clock.clone(), catalogue, each_piece).await.unwrap();
        let runtime = working.client();
        let experience_config: ExperienceConfig = section("experience").try_into().unwrap();
        let experience = Experience::new(guard.clone(), runtime.clone(), agents(), experience_config, clock);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let sockets = experience.plane().sockets.clone();
        let mut serving = JoinSet::new();
        serving.spawn(experience::serve(listener, experience, stop.clone(), DRAIN_PATIENCE));
        Self { address, guard, runtime, sockets, gate, _working: working, stop, serving }
    }

    pub(crate) async fn register(&self, name: &str) -> SignedIn {
        let registration = Register {
            name: name.to_owned(),
            email: format!("{name}@example.com"),
            password: Secret("correct horse battery".to_owned()),
            session_id: None,
            invitation: None,
        };
        match self.guard.register(registration, &self.address.ip().into()).await.unwrap() {
            Welcome::SignedIn(signed_in) => *signed_in,
            Welcome::ConfirmFirst => panic!("no address has to be confirmed here"),
        }
    }

    /// Signs in once more as somebody who has registered.
    pub(crate) async fn sign_in(&self, name: &str) -> SignedIn {
        let login = Login {
            email: format!("{name}@example.com"),
            password: Secret("correct horse battery".to_owned()),
            session_id: None,
            code: None,
        };
        self.guard.login(login, &self.address.ip().into()).await.outcome.unwrap()
    }

    /// Drains and stops the server.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        within(self.serving.join_next()).await.unwrap().unwrap();
    }

    /// A socket to the agent door for somebody who has signed in.
    pub(crate) async fn talk(&self, who: &SignedIn) -> Client {
        let path = format!("/api/runtime/agent?session_id={}", who.session.session_id);
        self.connect(&path, who).await
    }

    pub(crate) async fn connect(&self, path: &str, who: &SignedIn) -> Client {
        let bearer = format!("Bearer {}", who.access_token.0);
        self.open(path, &[("authorization", &bearer)]).await.unwrap()
    }

    /// A socket, or the status with which it was refused.
    pub(crate) async fn open(&self, path: &str, headers: &[(&'static str, &str)]) -> Result<Client, u16> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match within(connect_async(request)).await {
            Ok((stream, response)) => {
                let protocol = response.headers().get("sec-websocket-protocol");
                let protocol = protocol.map(|value| value.to_str().unwrap().to_owned());
                Ok(Client { stream, protocol })
            }
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends a request as it is and reads its answer, whose length is told; the connection may stay open.
    pub(crate) async fn raw_problem(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let mut buffer = [0; 4096];
        while !answer.ends_with('}') {
            let read = within(stream.read(&mut buffer)).await.unwrap();
            assert_ne!(read, 0, "{answer}");
            answer.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        }
        answer
    }

    /// Sends a request as it is and reads no more than the beginning of a good answer.
    pub(crate) async fn begin(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut beginning = [0; 12];
        within(stream.read_exact(&mut beginning)).await.unwrap();
        assert_eq!(&beginning, b"HTTP/1.1 200");
        stream
    }

    /// Sends a request as it is and reads the answer to its end.
    pub(crate) async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        within(stream.read_to_string(&mut answer)).await.unwrap();
        answer
    }
}

fn guard_config(auth: toml::Value) -> GuardConfig {
    let mut config: toml::Table = toml::from_str(
        "[auth.password]\nmemory_kib = 19456\npasses = 2\nlanes = 1\n\
         [limits]\nregister = \"1000/1s\"\nlogin = \"1000/1s\"",
    )
    .unwrap();
    if let (Some(toml::Value::Table(base)), toml::Value::Table(auth)) = (config.get_mut("auth"), auth) {
        base.extend(auth);
    }
    config.try_into().unwrap()
}

fn agents() -> Vec<AgentSummary> {
    let agent = |id: &str, kind, surface| AgentSummary {
        agent_id: id.parse().unwrap(),
        kind,
        realm: None,
        surfaces: vec![surface],
        description: String::new(),
        intents: Vec::new(),
        turn_policy: contract::agent::TurnPolicy::Queue,
    };
    vec![
        agent("guide", AgentKind::Guide, Surface::General),
        agent("liaison.content", AgentKind::Liaison, Surface::Content),
        agent("liaison.journey", AgentKind::Liaison, Surface::Journey),
        agent("specialist.tables", AgentKind::Specialist, Surface::General),
    ]
}

/// The other end of a socket.
pub(crate) struct Client {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The subprotocol that the server chose.
    pub(crate) protocol: Option<String>,
}

impl Client {
    pub(crate) async fn send(&mut self, frame: Value) {
        self.stream.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// Sends without minding that the server may have closed already.
    pub(crate) async fn try_send(&mut self, message: Message) {
        let _ = self.stream.send(message).await;
    }

    /// Says goodbye, and waits until the server has gone.
    pub(crate) async fn close(mut self) {
        self.stream.close(None).await.unwrap();
        while let Some(Ok(_)) = within(self.stream.next()).await {}
    }

    /// Reads for a while, which answers pings; what it reads is forgotten.
    pub(crate) async fn read_for(&mut self, time: Duration) {
        let reading = async { while let Some(Ok(_)) = self.stream.next().await {} };
        let _ = tokio::time::timeout(time, reading).await;
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match within(self.stream.next()).await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no frame but {other:?}"),
            }
        }
    }

    /// The frames up to the first of this event type (or frame type), with it.
    pub(crate) async fn until(&mut self, word: &str) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            frames.push(self.next().await);
            let last = &frames[frames.len() - 1];
            if last["event_type"] == word || last["type"] == word {
                return frames;
            }
        }
    }

    /// The code with which the server closes, whatever comes before it.
    pub(crate) async fn close_code(&mut self) -> u16 {
        loop {
            match within(self.stream.next()).await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                other => panic!("no goodbye but {other:?}"),
            }
        }
    }

    /// Every text frame up to the goodbye, and its code.
    pub(crate) async fn until_goodbye(&mut self) -> (Vec<Value>, u16) {
        let mut frames = Vec::new();
        loop {
            match within(self.stream.next()).await {
                Some(Ok(Message::Text(text))) => frames.push(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return (frames, frame.code.into()),
                Some(Ok(_)) => {}
                other => panic!("no goodbye but {other:?}"),
            }
        }
    }
}

/// The `event_type` of each frame.
pub(crate) fn words(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|frame| frame["event_type"].as_str().unwrap_or("-")).collect()
}

/// The `seq` of each frame.
pub(crate) fn seqs(frames: &[Value]) -> Vec<u64> {
    frames.iter().filter_map(|frame| frame["seq"].as_u64()).collect()
}

pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it takes too long")
}
