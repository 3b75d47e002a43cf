//! A model at a provider: asks it within bounds, tries again where that may help, and leaves it alone where it does not.

use std::{sync::Arc, time::Duration};

use agents::{
    LanguageModel,
    model::{ModelError, ModelRequest, Piece, ReplySink, Usage},
    prompt::Prompt,
};
use async_trait::async_trait;
use futures_util::StreamExt;
use reqwest::{Client, redirect::Policy};
use runtime::Clock;
use tracing::{info, warn};

use super::{
    breaker::Breaker,
    config::{ApiKey, ModelConfig},
    fault::{Fault, Kind},
    places::Places,
    send::{events, send},
    wire::{Wire, WireRequest},
};

/// Connections to a provider that are kept for the next call.
const KEPT_CONNECTIONS: usize = 32;

/// How long such a connection is kept.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// A model that answers over HTTP.
pub struct RemoteModel {
    name: String,
    config: ModelConfig,
    wire: Wire,
    base_url: String,
    key: Option<ApiKey>,
    client: Client,
    breaker: Breaker,
    places: Places,
    clock: Arc<dyn Clock>,
}

/// Why a configured model cannot be used at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct UnusableModel {
    /// A setting of `[models.NAME]`.
    pub setting: &'static str,
    pub problem: String,
}

/// Why an attempt ended without an answer.
enum Stop {
    /// The provider.
    Fault(Fault),
    /// Whoever takes the answer.
    Sink(ModelError),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl RemoteModel {
    /// `name` is what the configuration calls the model.
    pub fn new(
        name: &str,
        config: ModelConfig,
        key: Option<ApiKey>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, UnusableModel> {
        config.check().map_err(|(setting, problem)| UnusableModel { setting, problem })?;
        let base_url = config.url().map_err(|problem| UnusableModel { setting: "base_url", problem })?;
        let client = Client::builder()
            .connect_timeout(config.connect_timeout)
            .pool_max_idle_per_host(KEPT_CONNECTIONS)
            .pool_idle_timeout(KEPT_FOR)
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("symphainy/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| UnusableModel { setting: "base_url", problem: error.to_string() })?;
        Ok(Self {
            name: name.to_owned(),
            wire: Wire::of(config.provider),
            base_url,
            key,
            client,
            breaker: Breaker::new(config.failures_until_rest, config.rest),
            places: Places::new(config.parallel_per_tenant),
            config,
            clock,
        })
    }

    /// One try: `sink` has what was said of it.
    async fn attempt(&self, request: &WireRequest, round: usize, sink: &mut Counted<'_>) -> Result<(), Stop> {
        let key = self.key.as_ref();
        let response = send(&self.client, &self.base_url, request, key, &self.config, &*self.clock).await?;
        let mut events = std::pin::pin!(events(response, &self.config));
        let mut reader = self.wire.reader(round);
        while let Some(data) = events.next().await {
            let progress = reader.read(&data?)?;
            sink.take_all(progress.pieces).await?;
            if progress.is_over {
                return Ok(());
            }
        }
        sink.take_all(reader.end()?).await
    }

    /// The most tokens of an answer.
    fn most_said(&self, request: &ModelRequest) -> u64 {
        u64::from(self.config.max_output_tokens).min(request.max_tokens.max(1))
    }

    /// From 0 to 1.
    fn chance(&self) -> f64 {
        let mut chance = [0];
        self.clock.fill(&mut chance);
        f64::from(chance[0]) / 255.0
    }
}

#[async_trait]
impl LanguageModel for RemoteModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn expected(&self, request: &ModelRequest) -> Usage {
        Usage { input_tokens: Prompt::of(request).estimated_tokens(), output_tokens: self.most_said(request) }
    }

    fn cost(&self, usage: Usage) -> u64 {
        // A dollar for a million tokens is a millionth of a dollar for each.
        let micros =
            usage.input_tokens as f64 * self.config.price_input + usage.output_tokens as f64 * self.config.price_output;
        micros.ceil() as u64
    }

    async fn reply(&self, request: &ModelRequest, sink: &mut dyn ReplySink) -> Result<(), ModelError> {
        let Some(_place) = self.places.take(&request.owner).await else {
            return Err(Fault::new(Kind::Busy, "the tenant's places were taken").told(&self.name));
        };
        let wire_request = self.wire.request(&Prompt::of(request), &self.config, self.most_said(request));
        let mut sink = Counted { sink, has_said: false };
        let mut tries = 0;
        loop {
            let Some(admission) = self.breaker.admit() else {
                return Err(Fault::new(Kind::Resting, "").told(&self.name));
            };
            tries += 1;
            let fault = match self.attempt(&wire_request, request.rounds.len(), &mut sink).await {
                Ok(()) => {
                    admission.succeeded();
                    return Ok(());
                }
                Err(Stop::Sink(error)) => return Err(error),
                Err(Stop::Fault(fault)) => fault,
            };
            if fault.is_outage() {
                admission.failed();
            } else {
                admission.succeeded();
            }
            let wait = fault.wait(tries, self.config.retries, self.chance()).filter(|_| !sink.has_said);
            let Some(wait) = wait else {
                warn!(model = %self.name, tries, fault = %fault, "a model did not answer");
                return Err(fault.told(&self.name));
            };
            info!(model = %self.name, tries, fault = %fault, wait_ms = wait.as_millis(), "a model is asked again");
            tokio::time::sleep(wait).await;
        }
    }
}

/// Knows whether anything was handed on that a second try would hand on again.
struct Counted<'a> {
    sink: &'a mut dyn ReplySink,
    has_said: bool,
}

impl Counted<'_> {
    async fn take_all(&mut self, pieces: Vec<Piece>) -> Result<(), Stop> {
        for piece in pieces {
            self.has_said |= matches!(piece, Piece::Text(_) | Piece::ToolCall(_));
            self.sink.take(piece).await.map_err(Stop::Sink)?;
        }
        Ok(())
    }
}
