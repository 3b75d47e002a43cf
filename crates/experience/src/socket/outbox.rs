//! What waits to be sent on one socket: bounded, and written with one flush for all that is ready.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::extract::ws::{Message, WebSocket};
use futures_util::{
    FutureExt, Sink, StreamExt,
    stream::{SplitSink, SplitStream},
};

use super::{Close, Seat};
use crate::ExperienceLimits;

/// Messages for which room is kept while nothing waits.
const KEPT_MESSAGES: usize = 16;

/// How long a client is given to take the last frames and to say goodbye.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// The same for a client that has been slow until now.
const SLOW_CLOSE_PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection that cannot be read any more is held open so that its client can read why.
const LINGER: Duration = Duration::from_millis(500);

/// The sending half of a socket and what waits for it.
pub(crate) struct Outbox {
    sink: SplitSink<WebSocket, Message>,
    waiting: VecDeque<Message>,
    waiting_bytes: usize,
    max_messages: usize,
    max_bytes: usize,
    /// Whether something was handed to the socket that is not flushed.
    unflushed: bool,
    /// How many messages were handed to the socket: shows that a client reads, however slowly.
    sent: u64,
}

impl Outbox {
    pub(crate) fn new(sink: SplitSink<WebSocket, Message>, limits: &ExperienceLimits) -> Self {
        Self {
            sink,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            max_messages: limits.unsent_messages,
            max_bytes: limits.unsent_bytes,
            unflushed: false,
            sent: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.unflushed
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    pub(crate) fn push(&mut self, message: Message) -> Result<(), Close> {
        self.push_all([message])
    }

    pub(crate) fn push_text(&mut self, text: String) -> Result<(), Close> {
        self.push(Message::text(text))
    }

    /// Adds messages that are ready together. Where everything before them has been sent they may be any number, since
    /// whoever reads a journal page by page hands over one page; otherwise they have to fit beside what waits.
    pub(crate) fn push_all(&mut self, messages: impl IntoIterator<Item = Message>) -> Result<(), Close> {
        // A client that reads has taken all of it by now: only what is left then counts.
        if let Some(Err(close)) = self.write().now_or_never() {
            return Err(close);
        }
        let is_free = self.is_empty();
        for message in messages {
            let size_bytes = size_of(&message);
            let fits = self.waiting.len() < self.max_messages && self.waiting_bytes + size_bytes <= self.max_bytes;
            if !is_free && !fits {
                return Err(Close::Slow);
            }
            self.waiting_bytes += size_bytes;
            self.waiting.push_back(message);
        }
        Ok(())
    }

    /// Sends all that waits and flushes once. Safe to drop at any time; what was not sent is sent by the next call.
    pub(crate) async fn write(&mut self) -> Result<(), Close> {
        poll_fn(|context| self.poll_write(context)).await
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Close>> {
        while !self.waiting.is_empty() {
            ready!(Pin::new(&mut self.sink).poll_ready(context)).map_err(Close::from_error)?;
            let Some(message) = self.waiting.pop_front() else { break };
            self.waiting_bytes -= size_of(&message);
            self.sent += 1;
            self.unflushed = true;
            Pin::new(&mut self.sink).start_send(message).map_err(Close::from_error)?;
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.sink).poll_flush(context)).map_err(Close::from_error)?;
            self.unflushed = false;
            // An idle socket keeps little memory of its busy times.
            self.waiting.shrink_to(KEPT_MESSAGES);
        }
        Poll::Ready(Ok(()))
    }

    /// Says why, waits a moment for the client's own goodbye, and lets the connection go. A connection that is dropped with
    /// unread bytes in it is reset, and the client might never see the reason.
    pub(crate) async fn close(mut self, mut incoming: SplitStream<WebSocket>, why: Close, seat: Seat) {
        if why == Close::Gone {
            return;
        }
        if why == Close::Slow {
            self.waiting.clear();
            self.waiting_bytes = 0;
        }
        if let Some(frame) = why.frame() {
            self.waiting.push_back(Message::Close(Some(frame)));
        }
        let goodbye = async {
            self.unflushed = true;
            if self.write().await.is_err() {
                return;
            }
            while let Some(heard) = incoming.next().await {
                if heard.is_err() {
                    // Nothing more can be read after an error; so the client gets a moment to read.
                    tokio::time::sleep(LINGER).await;
                    return;
                }
            }
        };
        // Whoever does not say goodbye in time has been told all the same.
        let patience = if why == Close::Slow { SLOW_CLOSE_PATIENCE } else { CLOSE_PATIENCE };
        let _ = tokio::time::timeout(patience, goodbye).await;
        // The place is free before the client can know that the connection has ended.
        drop(seat);
    }
}

fn size_of(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}
