//! The least programs that keep the promises: what this machine can do at most, for the ratio beside each figure. They do
//! one thing only and know nothing of the house.

use std::{cell::RefCell, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use axum::{
    Json, Router,
    extract::{
        State,
        ws::{Message, WebSocketUpgrade},
    },
    response::IntoResponse,
    routing::{get, post},
};
use futures_util::{SinkExt, StreamExt};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// How many inserts share one commit at most.
const GROUP: usize = 512;

/// The hash of the row of sign-ins, as the bench configures the product too: KiB of memory, and passes over it.
const HASH: (u32, u32) = (19_456, 2);

/// From one frame of a stream to the next, and how many there are.
const PACE: Duration = Duration::from_millis(20);
const PACED_FRAMES: usize = 1_000;

type Insert = (String, oneshot::Sender<i64>);

/// Accepts JSON, inserts one row with one group-committing writer, and answers after the sync.
pub(crate) async fn serve(listen: SocketAddr, data_dir: &Path, frames: usize) -> anyhow::Result<()> {
    let (sender, receiver) = mpsc::channel(4 * GROUP);
    let file = data_dir.join("limit.db");
    let writer = std::thread::Builder::new().name("limit.writer".to_owned()).spawn(move || write(&file, receiver))?;
    let frames: Arc<Vec<String>> = Arc::new((0..frames).map(|seq| frame(seq, frames)).collect());
    let places = Arc::new(Semaphore::new(std::thread::available_parallelism()?.get()));
    let router = Router::new()
        .route("/submit", post(submit))
        .route("/execute", post(execute))
        .with_state(sender)
        .route("/ready", get(async || "ready"))
        .route("/hash", post(async move || hash(&places).await))
        .route("/stream", get(stream))
        .route("/turn", get(move |upgrade: WebSocketUpgrade| turn(upgrade, Arc::clone(&frames))));
    let listener = tokio::net::TcpListener::bind(listen).await?;
    axum::serve(listener, router).await?;
    writer.join().expect("the limit's writer does not panic")?;
    Ok(())
}

/// What was asked, durable.
async fn submit(State(writer): State<mpsc::Sender<Insert>>, Json(body): Json<Value>) -> impl IntoResponse {
    let id = insert(&writer, body.to_string()).await;
    Json(json!({ "id": id, "status": "accepted" }))
}

/// What was asked, durable, and then what came of it, durable.
async fn execute(State(writer): State<mpsc::Sender<Insert>>, Json(body): Json<Value>) -> impl IntoResponse {
    let id = insert(&writer, body.to_string()).await;
    let result = json!({ "id": id, "status": "completed" });
    insert(&writer, result.to_string()).await;
    Json(result)
}

async fn insert(writer: &mpsc::Sender<Insert>, body: String) -> i64 {
    let (sender, receiver) = oneshot::channel();
    writer.send((body, sender)).await.expect("the writer outlives the server");
    receiver.await.expect("the writer answers")
}

fn write(file: &Path, mut receiver: mpsc::Receiver<Insert>) -> rusqlite::Result<()> {
    let mut connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("CREATE TABLE intent (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")?;
    let mut group = Vec::with_capacity(GROUP);
    while receiver.blocking_recv_many(&mut group, GROUP) > 0 {
        let transaction = connection.transaction()?;
        let mut answers = Vec::with_capacity(group.len());
        {
            let mut insert = transaction.prepare_cached("INSERT INTO intent (body) VALUES (?1)")?;
            for (body, sender) in group.drain(..) {
                answers.push((insert.insert([body])?, sender));
            }
        }
        transaction.commit()?;
        for (id, sender) in answers {
            // A caller that has gone does not need the answer.
            let _ = sender.send(id);
        }
    }
    Ok(())
}

/// Answers each message with the frames of a turn, all of them with one flush.
async fn turn(upgrade: WebSocketUpgrade, frames: Arc<Vec<String>>) -> impl IntoResponse {
    upgrade.read_buffer_size(4_096).on_upgrade(move |mut socket| async move {
        while let Some(Ok(Message::Text(_))) = socket.next().await {
            for frame in frames.iter() {
                if socket.feed(Message::Text(frame.as_str().into())).await.is_err() {
                    return;
                }
            }
            if socket.flush().await.is_err() {
                return;
            }
        }
    })
}

/// Answers a message with frames at a pace.
async fn stream(upgrade: WebSocketUpgrade) -> impl IntoResponse {
    upgrade.read_buffer_size(4_096).on_upgrade(async |mut socket| {
        let Some(Ok(Message::Text(_))) = socket.next().await else { return };
        let mut pace = tokio::time::interval(PACE);
        for seq in 0..PACED_FRAMES {
            pace.tick().await;
            if socket.send(Message::Text(frame(seq, PACED_FRAMES).into())).await.is_err() {
                return;
            }
        }
    })
}

/// One password hash, as many at a time as there are cores.
async fn hash(places: &Semaphore) -> &'static str {
    let _place = places.acquire().await.expect("nobody closes this semaphore");
    tokio::task::spawn_blocking(|| {
        thread_local! {
            static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
        }
        let params = Params::new(HASH.0, HASH.1, 1, Some(32)).expect("the parameters are in bounds");
        MEMORY.with_borrow_mut(|memory| {
            memory.resize(params.block_count(), Block::default());
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let mut output = [0; 32];
            argon2.hash_password_into_with_memory(b"correct horse battery", b"sixteen byte ok.", &mut output, memory)
        })
    })
    .await
    .expect("hashing does not panic")
    .expect("the salt has a good length");
    "right"
}

fn frame(seq: usize, frames: usize) -> String {
    let event_type = if seq + 1 == frames { "agent.completed" } else { "agent.token" };
    json!({"type": "runtime_event", "event_type": event_type, "seq": seq, "data": {"token": "a word or two "}})
        .to_string()
}
