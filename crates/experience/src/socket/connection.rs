//! One open socket, in one task: it hears the client, does what it says, and tells it what happens in the conversations that it
//! watches. What a client can say stands in `verbs/`.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use contract::{ConversationId, SessionId};
use futures_util::{StreamExt, stream::SplitStream};
use security_guard::Asker;
use serde_json::json;
use tokio::time::Instant;
use tracing::info;

use super::{
    Close, Order, Outbox, Pulse, Seat, frames,
    pace::Pace,
    standing::{Due, Standing},
    verbs,
    watches::{News, Watches},
};
use crate::{Plane, logged};

/// A socket and its caller.
pub(super) struct Connection {
    pub(super) plane: Arc<Plane>,
    pub(super) standing: Standing,
    pub(super) session_id: SessionId,
    /// Where the last message went.
    pub(super) conversation_id: Option<ConversationId>,
    pub(super) watches: Watches,
    seat: Seat,
    pace: Pace,
    bad_frames: u32,
}

/// What comes next in the life of a socket.
enum Next {
    Heard(Option<Result<Message, axum::Error>>),
    Wrote(Result<(), Close>),
    Ordered(Order),
    News(Result<Vec<Message>, Close>),
    Tick,
}

impl Connection {
    pub(super) fn new(plane: Arc<Plane>, seat: Seat, asker: Asker, session_id: SessionId) -> Self {
        let standing = Standing::new(asker, plane.clock.now(), Instant::now());
        let pace = Pace::new(plane.config.limits.messages);
        Self {
            plane,
            standing,
            session_id,
            conversation_id: None,
            watches: Watches::default(),
            seat,
            pace,
            bad_frames: 0,
        }
    }

    /// Serves the socket to its end. The runs that it began go on.
    pub(super) async fn run(mut self, socket: WebSocket, greets: bool) {
        let (sink, mut incoming) = socket.split();
        let mut outbox = Outbox::new(sink, &self.plane.config.limits);
        let why = match self.greet(greets, &mut outbox) {
            Ok(()) => self.live(&mut incoming, &mut outbox).await,
            Err(why) => why,
        };
        info!(session_id = logged::path(self.session_id.as_str()), why = ?why, "a socket ends");
        let Self { seat, watches, .. } = self;
        drop(watches);
        outbox.close(incoming, why, seat).await;
    }

    fn greet(&self, greets: bool, outbox: &mut Outbox) -> Result<(), Close> {
        if !greets {
            return Ok(());
        }
        let user_id = self.standing.asker.caller().map(|caller| caller.user_id());
        let data = json!({ "session_id": self.session_id, "user_id": user_id, "message": "connected" });
        outbox.push_text(frames::own_event("CONNECTION_ESTABLISHED", self.plane.clock.now(), &data))
    }

    async fn live(&mut self, incoming: &mut SplitStream<WebSocket>, outbox: &mut Outbox) -> Close {
        let limits = &self.plane.config.limits;
        let mut pulse = Pulse::new(limits.ping_interval, limits.pong_timeout, Instant::now());
        loop {
            let lived = match self.next(incoming, outbox, pulse.next_at()).await {
                Next::Heard(heard) => {
                    pulse.beats(Instant::now());
                    // What a client says takes far more memory to do than an idle socket should have.
                    Box::pin(self.hear(heard, outbox)).await
                }
                Next::Wrote(wrote) => wrote,
                Next::Ordered(Order::Leave) => Err(Close::Draining),
                Next::Ordered(Order::LookAgain) => Box::pin(self.look_again()).await,
                Next::News(news) => {
                    let pushed = news.and_then(|messages| outbox.push_all(messages));
                    pulse.sent(Instant::now(), outbox);
                    pushed
                }
                Next::Tick => match pulse.tick(Instant::now(), outbox) {
                    Ok(()) => Box::pin(self.tick(outbox)).await,
                    Err(why) => Err(why),
                },
            };
            if let Err(why) = lived {
                return why;
            }
        }
    }

    async fn next(&mut self, incoming: &mut SplitStream<WebSocket>, outbox: &mut Outbox, pulse_at: Instant) -> Next {
        let all_sent = outbox.is_empty();
        let tick_at = self.standing.next_at().min(pulse_at);
        tokio::select! {
            biased;
            order = self.seat.order() => Next::Ordered(order),
            wrote = outbox.write(), if !all_sent => Next::Wrote(wrote),
            heard = incoming.next() => Next::Heard(heard),
            news = self.watches.next(all_sent), if !self.watches.is_empty() => Next::News(told(news)),
            () = tokio::time::sleep_until(tick_at) => Next::Tick,
        }
    }

    async fn hear(&mut self, heard: Option<Result<Message, axum::Error>>, outbox: &mut Outbox) -> Result<(), Close> {
        let message = match heard {
            None => return Err(Close::Gone),
            Some(Err(error)) => return Err(Close::from_error(error)),
            Some(Ok(message)) => message,
        };
        if !self.pace.keeps(Instant::now()) {
            return Err(Close::TooManyMessages);
        }
        match message {
            Message::Text(text) => match frames::parse(&text) {
                Ok(frame) => verbs::obey(self, frame, outbox).await,
                Err(bad) => self.count_bad(&bad, outbox),
            },
            Message::Binary(_) => Err(Close::NotText),
            // The protocol answers pings by itself.
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => Err(Close::ByClient),
        }
    }

    fn count_bad(&mut self, bad: &frames::BadFrame, outbox: &mut Outbox) -> Result<(), Close> {
        self.bad_frames += 1;
        if self.bad_frames >= self.plane.config.limits.bad_frames {
            return Err(Close::TooManyBadFrames);
        }
        verbs::tell_bad_frame(bad, self.plane.clock.now(), outbox)
    }

    async fn tick(&mut self, outbox: &mut Outbox) -> Result<(), Close> {
        match self.standing.due(Instant::now()) {
            None => Ok(()),
            Some(Due::Expiring) => {
                let data = json!({ "expires_at": self.standing.token_ends_at() });
                outbox.push_text(frames::own_event("auth.expiring", self.plane.clock.now(), &data))
            }
            Some(Due::LookAgain) => self.look_again().await,
            Some(Due::Expired) => {
                self.look_again().await?;
                self.standing.postpone(Instant::now());
                Ok(())
            }
        }
    }

    pub(super) async fn look_again(&mut self) -> Result<(), Close> {
        self.standing.look_again(&self.plane.guard).await
    }

    /// The caller goes on with another credential.
    pub(super) fn is_now(&mut self, asker: Asker) {
        self.seat.is_now(&asker);
        self.standing = Standing::new(asker, self.plane.clock.now(), Instant::now());
    }
}

fn told(news: Result<News<'_>, runtime::RuntimeError>) -> Result<Vec<Message>, Close> {
    match news {
        Ok(News { telling, events }) => Ok(events.iter().filter_map(|event| telling.tell(event)).collect()),
        Err(error) => {
            tracing::error!(%error, "a conversation cannot be read for a socket");
            Err(Close::Broken)
        }
    }
}
