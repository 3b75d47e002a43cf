//! The events of an execution over a WebSocket: one JSON object a frame. It listens for the goodbye alone.

use std::sync::Arc;

use axum::{
    extract::{
        Path, Request, State,
        ws::{Message, WebSocket},
    },
    response::Response,
};
use futures_util::{StreamExt, stream::SplitStream};
use runtime::RuntimeError;
use runtime::port::store::JournalEvent;
use tokio::time::Instant;

use super::cursor::{ExecutionEvents, parse_cursor};
use crate::{
    Plane, Refusal,
    socket::{Close, Order, Outbox, Pace, Pulse, Seat, Upgrade, accept, refuse},
};

/// Watch an execution over a WebSocket.
///
/// The same events as `/events`; it closes with 1000 after the last one.
#[utoipa::path(
    get,
    path = "/api/execution/{id}/stream",
    tag = "executions",
    params(
        ("id" = String, Path, description = "The execution."),
        ("after" = Option<u64>, Query, description = "The `seq` of the last event that is known already."),
    ),
    responses(
        (status = 101, description = "The socket is open."),
        (status = 401, description = "No credential, or a bad one."),
        (status = 404, description = "There is no such execution, or it is not the caller's."),
        (status = 426, description = "Not a WebSocket."),
    ),
)]
pub(super) async fn execution_stream(
    State(plane): State<Arc<Plane>>,
    Path(execution_id): Path<String>,
    request: Request,
) -> Response {
    let upgrade = match Upgrade::read(request, &plane).await {
        Ok(upgrade) => upgrade,
        Err(refusal) => return refuse(refusal),
    };
    match enter(&plane, &upgrade, &execution_id).await {
        Ok((events, seat)) => accept(upgrade, &plane, move |plane, socket| run(plane, socket, events, seat)),
        Err(refusal) => refuse(refusal),
    }
}

async fn enter(plane: &Arc<Plane>, upgrade: &Upgrade, execution_id: &str) -> Result<(ExecutionEvents, Seat), Refusal> {
    let asker = upgrade.asker(plane).await?;
    let after = parse_cursor(upgrade.query("after"))?;
    let events = ExecutionEvents::open(Arc::clone(plane), asker.clone(), execution_id, after).await?;
    let seat = plane.sockets.enter(&asker, upgrade.client.address)?;
    Ok((events, seat))
}

/// What comes next in the life of a stream.
enum Next {
    Ordered(Order),
    Wrote(Result<(), Close>),
    Heard(Option<Result<Message, axum::Error>>),
    News(Result<Option<Vec<JournalEvent>>, RuntimeError>),
    Tick,
}

async fn run(plane: Arc<Plane>, socket: WebSocket, mut events: ExecutionEvents, seat: Seat) {
    let (sink, mut incoming) = socket.split();
    let mut outbox = Outbox::new(sink, &plane.config.limits);
    let why = live(&plane, &mut incoming, &mut outbox, &mut events, &seat).await;
    drop(events);
    outbox.close(incoming, why, seat).await;
}

async fn live(
    plane: &Plane,
    incoming: &mut SplitStream<WebSocket>,
    outbox: &mut Outbox,
    events: &mut ExecutionEvents,
    seat: &Seat,
) -> Close {
    let limits = &plane.config.limits;
    let mut pulse = Pulse::new(limits.ping_interval, limits.pong_timeout, Instant::now());
    let mut pace = Pace::new(limits.messages);
    loop {
        let all_sent = outbox.is_empty();
        let next = tokio::select! {
            biased;
            order = seat.order() => Next::Ordered(order),
            wrote = outbox.write(), if !all_sent => Next::Wrote(wrote),
            heard = incoming.next() => Next::Heard(heard),
            // A page at a time: the journal keeps the rest until the client has read.
            news = events.next(), if all_sent => Next::News(news),
            () = tokio::time::sleep_until(pulse.next_at()) => Next::Tick,
        };
        let lived = match next {
            Next::Ordered(Order::Leave) => Err(Close::Draining),
            Next::Ordered(Order::LookAgain) => events.may_go_on().await,
            Next::Wrote(wrote) => wrote,
            Next::Heard(heard) => {
                pulse.beats(Instant::now());
                hear(heard, &mut pace)
            }
            Next::News(Ok(Some(page))) => {
                let pushed = outbox.push_all(page.iter().map(|event| Message::text(&*event.json)));
                pulse.sent(Instant::now(), outbox);
                pushed
            }
            Next::News(Ok(None)) => Err(events.why_over()),
            Next::News(Err(error)) => {
                tracing::error!(%error, "the events of an execution cannot be read");
                Err(Close::Broken)
            }
            Next::Tick => pulse.tick(Instant::now(), outbox),
        };
        if let Err(why) = lived {
            return why;
        }
    }
}

fn hear(heard: Option<Result<Message, axum::Error>>, pace: &mut Pace) -> Result<(), Close> {
    match heard {
        None => Err(Close::Gone),
        Some(Err(error)) => Err(Close::from_error(error)),
        Some(Ok(Message::Close(_))) => Err(Close::ByClient),
        Some(Ok(Message::Binary(_))) => Err(Close::NotText),
        Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_))) => {
            if pace.keeps(Instant::now()) {
                Ok(())
            } else {
                Err(Close::TooManyMessages)
            }
        }
    }
}
