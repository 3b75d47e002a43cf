//! Serving: connections in, answers out, and an orderly end. The caller brings the socket and the stop signal.

use std::{net::SocketAddr, sync::Arc, time::Duration};

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

use crate::{Experience, ExperienceLimits};

/// How many headers a request may have.
const MAX_HEADERS: usize = 100;

/// What the listener waits after it could not accept, so that a lack of file descriptors does not turn into a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `shutdown`, then drains: nothing new is accepted, idle connections are closed, requests that run are
/// answered, and after `patience` what is left is dropped.
pub async fn serve(listener: TcpListener, experience: Experience, shutdown: CancellationToken, patience: Duration) {
    let plane = Arc::clone(experience.plane());
    let router = experience.router();
    let connections = TaskTracker::new();
    let watching_sign_ins = {
        let (plane, stop) = (Arc::clone(&plane), plane.draining.clone());
        async move { plane.sockets.heed(&plane.guard, stop).await }
    };
    connections.spawn(watching_sign_ins);
    let room = Arc::new(Semaphore::new(plane.config.limits.connections));
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = accept(&listener, &room) => accepted,
        };
        let Some((stream, peer, permit)) = accepted else { continue };
        let connection = connection(stream, peer, router.clone(), &plane.config.limits, plane.draining.clone());
        connections.spawn(async move {
            connection.await;
            drop(permit);
        });
    }
    drop(listener);
    plane.draining.cancel();
    connections.close();
    let (_, ended) = tokio::join!(plane.sockets.drain(patience), tokio::time::timeout(patience, connections.wait()));
    if ended.is_err() {
        warn!(connections = connections.len(), "connections were still open at the end");
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
    limits: &ExperienceLimits,
    draining: CancellationToken,
) -> impl Future<Output = ()> + Send + use<> {
    // An answer is small and complete: waiting for more to send would only cost a round trip.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(limits.header_bytes)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    async move {
        let mut connection = std::pin::pin!(connection);
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            () = draining.cancelled() => {
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
