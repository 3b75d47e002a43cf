//! The world outside of the server: it counts what was done to it, in its order, and forgets nothing when the server dies.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// What was done for one execution.
#[derive(Clone, Debug, Default)]
pub(super) struct Done {
    pub(super) ticket: u64,
    /// The steps' numbers in the order in which they had their effects.
    pub(super) steps: Vec<u8>,
}

impl Done {
    pub(super) fn times(&self, step: usize) -> u64 {
        self.steps.iter().filter(|done| usize::from(**done) == step).count() as u64
    }

    /// Whether a step ran again after the next one had begun, which its record is there to prevent.
    pub(super) fn went_back(&self) -> bool {
        !self.steps.is_sorted()
    }
}

pub(super) type ByExecution = HashMap<String, Done>;

pub(super) struct Effects {
    pub(super) address: SocketAddr,
    done: Arc<Mutex<ByExecution>>,
    connected: watch::Receiver<usize>,
    _serving: JoinSet<()>,
}

impl Effects {
    pub(super) async fn serve() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let done = Arc::<Mutex<ByExecution>>::default();
        let (count, connected) = watch::channel(0);
        let mut serving = JoinSet::new();
        let kept = Arc::clone(&done);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, count) = (Arc::clone(&kept), count.clone());
                count.send_modify(|connected| *connected += 1);
                connections.spawn(async move {
                    // It ends when the server dies, which is no error here.
                    let _ = answer(stream, &kept).await;
                    count.send_modify(|connected| *connected -= 1);
                });
            }
        });
        Ok(Self { address, done, connected, _serving: serving })
    }

    /// Waits until all that a dead server sent has come in.
    pub(super) async fn drained(&self) -> std::io::Result<()> {
        // Connections are taken in their order: when this one is answered, all earlier ones are counted.
        let mut last = BufReader::new(TcpStream::connect(self.address).await?);
        last.write_all(b"all of them?\n").await?;
        last.read_line(&mut String::new()).await?;
        drop(last);
        let mut connected = self.connected.clone();
        // The sender is gone only together with the listener.
        let _ = connected.wait_for(|connected| *connected == 0).await;
        Ok(())
    }

    pub(super) fn of(&self, execution_id: &str) -> Done {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).get(execution_id).cloned().unwrap_or_default()
    }

    pub(super) fn all(&self) -> ByExecution {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer(stream: TcpStream, done: &Mutex<ByExecution>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await? {
        let times = count(&line, done);
        writer.write_all(format!("{times}\n").as_bytes()).await?;
    }
    Ok(())
}

/// `execution/stepN ticket`.
fn count(line: &str, done: &Mutex<ByExecution>) -> u64 {
    let Some((key, ticket)) = line.split_once(' ') else { return 0 };
    let Some((execution_id, step)) = key.split_once("/step") else { return 0 };
    let step: u8 = step.parse().unwrap_or_default();
    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
    let of_execution = done.entry(execution_id.to_owned()).or_default();
    of_execution.ticket = ticket.parse().unwrap_or_default();
    of_execution.steps.push(step);
    of_execution.times(usize::from(step))
}
