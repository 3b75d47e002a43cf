//! Serving: connections in, answers out, and an orderly end. The caller brings the socket and the stop signal.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use tracing::{debug, warn};

use crate::{Experience, Plane};

/// How many headers a request may have.
const MAX_HEADERS: usize = 100;

/// Hyper does not take a smaller buffer for the head of a request.
const LEAST_HEADER_BYTES: usize = 8 * 1024;

/// How many connections the operator's listener has at once.
const OPERATOR_CONNECTIONS: usize = 32;

/// What the listener waits after it could not accept, so that a lack of file descriptors does not turn into a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `shutdown`, then drains: sockets are told to leave, idle connections are closed, requests that run are answered, and
/// after `patience` what is left is dropped. Whoever connects meanwhile is still answered, once, so that a balancer reads at
/// `/health/ready` that this server goes away.
pub async fn serve(listener: TcpListener, experience: Experience, shutdown: CancellationToken, patience: Duration) {
    let plane = Arc::clone(experience.plane());
    let front = Front {
        router: experience.router(),
        room: Arc::new(Semaphore::new(plane.config.limits.connections)),
        connections: TaskTracker::new(),
        plane: Arc::clone(&plane),
    };
    let watching_sign_ins = {
        let (plane, stop) = (Arc::clone(&plane), plane.draining.clone());
        async move { plane.sockets.heed(&plane.guard, stop).await }
    };
    front.connections.spawn(watching_sign_ins);
    tokio::select! {
        biased;
        () = shutdown.cancelled() => {}
        never = front.take(&listener) => match never {},
    }
    plane.draining.cancel();
    tokio::select! {
        () = front.drain(patience) => {}
        never = front.take(&listener) => match never {},
    }
}

/// Serves what only the operator sees until it is dropped, or until the face drains.
pub async fn serve_operator(listener: TcpListener, experience: Experience) -> Infallible {
    let front = Front {
        router: experience.operator_router(),
        room: Arc::new(Semaphore::new(OPERATOR_CONNECTIONS)),
        connections: TaskTracker::new(),
        plane: Arc::clone(experience.plane()),
    };
    front.take(&listener).await
}

/// What connections share.
struct Front {
    router: Router,
    room: Arc<Semaphore>,
    connections: TaskTracker,
    plane: Arc<Plane>,
}

impl Front {
    /// Takes connections for as long as it is polled.
    async fn take(&self, listener: &TcpListener) -> Infallible {
        loop {
            let Some((stream, peer, permit)) = accept(listener, &self.room).await else { continue };
            let connection = connection(stream, peer, self.router.clone(), &self.plane);
            self.connections.spawn(async move {
                connection.await;
                drop(permit);
            });
        }
    }

    async fn drain(&self, patience: Duration) {
        self.connections.close();
        let ended = tokio::time::timeout(patience, self.connections.wait());
        let ((), ended) = tokio::join!(self.plane.sockets.drain(patience), ended);
        if ended.is_err() {
            warn!(connections = self.connections.len(), "connections were still open at the end");
        }
    }
}

/// The next connection, once there is room for it. `None` where accepting failed.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.expect("nobody closes this semaphore");
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// One connection, to its end. Sockets leave it at their upgrade and are drained by their own registry.
fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    plane: &Plane,
) -> impl Future<Output = ()> + Send + use<> {
    // An answer is small and complete: waiting for more to send would only cost a round trip.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let draining = plane.draining.clone();
    let comes_late = draining.is_cancelled();
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(plane.config.limits.header_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(plane.config.limits.header_bytes.max(LEAST_HEADER_BYTES))
        .keep_alive(!comes_late)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    async move {
        let mut connection = std::pin::pin!(connection);
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            () = draining.cancelled(), if !comes_late => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = outcome {
            // Clients go away in the middle all the time; that is theirs to do.
            debug!(%error, "a connection ended early");
        }
    }
}
