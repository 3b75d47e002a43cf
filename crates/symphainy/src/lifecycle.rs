//! The life of a serving process: the data is opened and brought up to date, the port taken, unfinished work taken up, and then the
//! doors open. At a signal they close in the opposite order.

use std::{convert::Infallible, io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use experience::Experience;
use public_works::{Database, SqliteStore};
use runtime::Handler;
use security_guard::SecurityGuard;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    config::Config,
    exit::{Complaint, Exit},
    housekeeping,
    wiring::{self, House, Voices},
};

/// How often what has expired is forgotten.
const TIDY_INTERVAL: Duration = Duration::from_secs(600);

/// Serves until a signal, and then puts everything away. `ready` is told the address when requests are answered.
pub(crate) async fn serve(
    config: &Config,
    voices: Voices,
    more: Vec<Arc<dyn Handler>>,
    ready: impl FnOnce(Addresses),
) -> Result<Exit, Complaint> {
    let mut signals = Signals::hear()?;
    let database = wiring::open_database(&config.server.data_dir).await?;
    // Nothing is executed before it is certain that this process can serve.
    let listener = listen(config.server.listen).await?;
    let address =
        listener.local_addr().map_err(|error| Complaint::internal(format!("The port cannot be read ({error}).")))?;
    let admin = match config.server.admin_listen {
        Some(address) => Some(listen_for_operators(address).await?),
        None => None,
    };
    let house = House::start(config, &database, voices, more).await?;
    if config.experience.legacy_client {
        warn!("legacy_client is on: tokens in the query and session ids are accepted as credentials");
    }
    ready(Addresses { face: address, admin: admin.as_ref().and_then(|listener| listener.local_addr().ok()) });
    info!(%address, data_dir = %config.server.data_dir.display(), "ready");
    let failing = database.clone();
    let life = live(config, Doors { listener, admin }, house, database, &mut signals);
    tokio::select! {
        exit = life => Ok(exit),
        () = failing.failed() => Err(storage_failed(failing.path())),
    }
}

/// Where it can be reached.
pub(crate) struct Addresses {
    pub(crate) face: SocketAddr,
    pub(crate) admin: Option<SocketAddr>,
}

/// Where requests come in.
struct Doors {
    listener: TcpListener,
    admin: Option<TcpListener>,
}

/// From the first request to the last one.
async fn live(config: &Config, doors: Doors, house: House, database: Database, signals: &mut Signals) -> Exit {
    let House { guard, runtime, experience, objects } = house;
    let client = runtime.client();
    let (patience, retention) = (config.server.drain_patience, &config.retention);
    let store = SqliteStore::new(database.clone());
    let closing = CancellationToken::new();
    let operators = experience.clone();
    let mut serving = std::pin::pin!(experience::serve(doors.listener, experience, closing.clone(), patience));
    let signal = tokio::select! {
        signal = signals.next() => signal,
        () = &mut serving => unreachable!("it serves until it is told to close"),
        never = serve_operators(doors.admin, operators) => match never {},
        never = tidy(&guard) => match never {},
        never = housekeeping::forget_abandoned(&store, &client, &*objects) => match never {},
        never = housekeeping::send_letters(&guard) => match never {},
        never = housekeeping::fold(&store) => match never {},
        never = housekeeping::retain(&store, retention) => match never {},
    };
    info!(signal, ?patience, "closing; a second signal ends it at once");
    closing.cancel();
    drop((store, client));
    let put_away = async {
        tokio::join!(serving, runtime.stop(patience));
        database.close().await;
    };
    tokio::select! {
        () = put_away => {
            info!("closed");
            Exit::Success
        }
        _ = signals.next() => {
            warn!("ended at once; what ran goes on at the next start");
            Exit::Interrupted
        }
    }
}

async fn serve_operators(listener: Option<TcpListener>, experience: Experience) -> Infallible {
    match listener {
        Some(listener) => experience::serve_operator(listener, experience).await,
        None => std::future::pending().await,
    }
}

/// Has the guard forget what has expired, now and then.
async fn tidy(guard: &SecurityGuard) -> Infallible {
    let mut interval = tokio::time::interval(TIDY_INTERVAL);
    loop {
        interval.tick().await;
        if let Err(error) = guard.trim_audit().await {
            warn!(%error, "the audit could not be trimmed");
        }
        if let Err(error) = guard.forget_expired().await {
            warn!(%error, "what has expired could not be forgotten");
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Complaint> {
    TcpListener::bind(address).await.map_err(|error| Complaint::unavailable(cannot_listen(address, &error)))
}

async fn listen_for_operators(address: SocketAddr) -> Result<TcpListener, Complaint> {
    TcpListener::bind(address).await.map_err(|error| {
        let sentence =
            format!("The operator's listener cannot be opened on {address} ({error}). Correct server.admin_listen.");
        Complaint::unavailable(sentence)
    })
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> String {
    let elsewhere = SocketAddr::new(address.ip(), 0);
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "The port {address} is taken by another program. Stop that one, or choose another port; --listen {elsewhere} takes any \
             that is free."
        ),
        io::ErrorKind::PermissionDenied => {
            format!(
                "This user may not listen on {address}. Choose a port above 1023, such as --listen {}:8000.",
                address.ip()
            )
        }
        io::ErrorKind::AddrNotAvailable => {
            format!(
                "This machine does not have the address {}. Listen on one that it has, such as 127.0.0.1.",
                address.ip()
            )
        }
        _ => format!("It cannot listen on {address} ({error}). Choose another address with --listen."),
    }
}

fn storage_failed(path: &Path) -> Complaint {
    let sentence = format!(
        "The storage failed ({}), so nothing more is promised; what was acknowledged is kept. Check the disk, then start again.",
        path.display()
    );
    Complaint::new(Exit::Storage, sentence)
}

/// The signals that concern us.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// A terminal that goes away takes nothing with it: hearing the signal is what keeps the process alive.
    _hang_up: Signal,
}

impl Signals {
    fn hear() -> Result<Self, Complaint> {
        let hear =
            |kind| signal(kind).map_err(|error| Complaint::internal(format!("Signals cannot be heard ({error}).")));
        Ok(Self {
            interrupt: hear(SignalKind::interrupt())?,
            terminate: hear(SignalKind::terminate())?,
            _hang_up: hear(SignalKind::hangup())?,
        })
    }

    /// The name of the next signal to stop.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}
