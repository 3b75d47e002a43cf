//! The life of the process: it listens, serves, and stops without losing anything.

use std::{io, net::SocketAddr, process::ExitCode};

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    config::Settings,
    exit::{self, Failure},
    wiring::{House, WiringError},
};

/// How often what has expired is forgotten.
const TIDY_INTERVAL: std::time::Duration = std::time::Duration::from_secs(600);

/// Serves until a signal. `ready` is told the address once requests are answered.
pub(crate) async fn serve(settings: &Settings, ready: impl FnOnce(SocketAddr)) -> Result<ExitCode, Failure> {
    let mut signals = Signals::new().map_err(|error| Failure::new(exit::SOFTWARE, error.to_string()))?;
    // The port first: a second server on the same port should not touch the data folder.
    let listener = listen(settings.server.listen).await?;
    let address = listener.local_addr().map_err(|error| Failure::new(exit::SOFTWARE, error.to_string()))?;
    let house = House::build(settings).await.map_err(not_standing)?;
    if settings.experience.legacy_client {
        warn!("legacy_client is on: tokens in the query and session ids as credentials are accepted");
    }
    let stop = CancellationToken::new();
    let patience = settings.server.drain_patience;
    #[expect(clippy::disallowed_methods, reason = "`shut_down` waits for it")]
    let serving = tokio::spawn(experience::serve(listener, house.experience.clone(), stop.clone(), patience));
    ready(address);
    let why = wait_for_end(&house, &mut signals).await;
    info!(reason = why.as_str(), "stopping");
    stop.cancel();
    let exit_code = tokio::select! {
        code = shut_down(house, serving, patience, why) => code,
        () = signals.any() => {
            warn!("stopped at once; what ran goes on at the next start");
            ExitCode::from(exit::FAILED)
        }
    };
    Ok(exit_code)
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Failure::new(
            exit::UNAVAILABLE,
            format!("{address} is in use: stop what listens there, or choose another with --listen 127.0.0.1:8001"),
        ),
        io::ErrorKind::PermissionDenied => Failure::new(
            exit::UNAVAILABLE,
            format!("this user may not listen on {address}: choose a port above 1023 with --listen"),
        ),
        _ => Failure::new(exit::UNAVAILABLE, format!("cannot listen on {address}: {error}")),
    })
}

fn not_standing(error: WiringError) -> Failure {
    let code = match &error {
        WiringError::Database(_) | WiringError::Objects(_) => exit::CANNOT_CREATE,
        WiringError::Guard(_) | WiringError::Agents(_) => exit::CONFIG,
        WiringError::Catalogue(_) | WiringError::Recovery(_) => exit::SOFTWARE,
    };
    Failure::new(code, error.to_string())
}

/// Why the process ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Signal,
    /// Nothing can be said about what is durable: the next start reads what is.
    StorageFailed,
}

impl Why {
    fn as_str(self) -> &'static str {
        match self {
            Self::Signal => "signal",
            Self::StorageFailed => "storage",
        }
    }
}

async fn wait_for_end(house: &House, signals: &mut Signals) -> Why {
    let mut tidy = tokio::time::interval(TIDY_INTERVAL);
    loop {
        tokio::select! {
            () = signals.any() => return Why::Signal,
            () = house.database.failed() => {
                error!("the storage failed; the process ends, and the next start goes on from what is durable");
                return Why::StorageFailed;
            }
            _ = tidy.tick() => {
                if let Err(error) = house.guard.forget_expired().await {
                    warn!(%error, "what has expired could not be forgotten");
                }
            }
        }
    }
}

async fn shut_down(
    house: House,
    serving: tokio::task::JoinHandle<()>,
    patience: std::time::Duration,
    why: Why,
) -> ExitCode {
    if let Err(error) = serving.await {
        error!(%error, "serving ended badly");
    }
    house.runtime.stop(patience).await;
    drop(house.experience);
    drop(house.guard);
    house.database.close().await;
    match why {
        Why::Signal => ExitCode::SUCCESS,
        Why::StorageFailed => ExitCode::from(exit::SOFTWARE),
    }
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
