//! What there is to measure, in the words of OpenMetrics 1.0: requests as they pass, and what sockets and Runtime hold at the moment
//! of asking. Labels are routes, methods, statuses and intents, never anything that a client chooses.

use std::{fmt, time::Duration};

use http::{Method, StatusCode};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder, NoLabelSet, text::encode},
    metrics::{MetricType, counter::ConstCounter, family::Family, gauge::ConstGauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use runtime::{DURATION_BOUNDS_MS, IntentFigures, RuntimeClient};

use crate::socket::Sockets;

/// The media type of the text.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the buckets of requests, in seconds.
const REQUEST_BOUNDS: [f64; 9] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 10.0];

/// What every number of ours begins with.
const PREFIX: &str = "symphainy";

/// All that is measured.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    /// As it stands in the OpenAPI document; `none` for a path that nothing answers.
    route: String,
    status: u16,
}

impl Metrics {
    pub(crate) fn new(runtime: RuntimeClient, sockets: Sockets) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let new: fn() -> Histogram = || Histogram::new(REQUEST_BOUNDS);
        let requests = Family::new_with_constructor(new);
        registry.register_with_unit(
            "http_request_duration",
            "From a request's head to its answer's head",
            Unit::Seconds,
            requests.clone(),
        );
        registry.register_collector(Box::new(Present { runtime, sockets }));
        Self { registry, requests }
    }

    pub(crate) fn count_request(&self, method: &Method, route: Option<&str>, status: StatusCode, took: Duration) {
        let labels = RequestLabels {
            method: method_label(method),
            route: route.unwrap_or("none").to_owned(),
            status: status.as_u16(),
        };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Everything, as a page.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Clients can make up methods; those are one.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: [Method; 7] =
        [Method::GET, Method::POST, Method::PATCH, Method::DELETE, Method::PUT, Method::HEAD, Method::OPTIONS];
    const LABELS: [&str; 7] = ["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"];
    KNOWN.iter().position(|known| known == method).map_or("other", |index| LABELS[index])
}

/// What is counted elsewhere and read when somebody asks.
struct Present {
    runtime: RuntimeClient,
    sockets: Sockets,
}

impl fmt::Debug for Present {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Present").finish_non_exhaustive()
    }
}

impl Collector for Present {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let figures = self.runtime.figures();
        let mut gauge = |name: &str, help: &str, value: u64| {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
        };
        gauge("sockets", "Open sockets of the agents", self.sockets.len() as u64)?;
        gauge("executions_running", "Executions that have a place to run", figures.running)?;
        gauge("executions_queued", "Executions that wait in memory for a place or their key", figures.queued)?;

        let events = encoder.encode_descriptor("journal_events", "Events committed", None, MetricType::Counter)?;
        ConstCounter::new(figures.events).encode(events)?;

        let mut build = encoder.encode_descriptor("build", "What this is, as a label", None, MetricType::Gauge)?;
        ConstGauge::new(1_i64).encode(build.encode_family(&[("version", env!("CARGO_PKG_VERSION"))])?)?;

        let mut accepted =
            encoder.encode_descriptor("executions_accepted", "Executions accepted", None, MetricType::Counter)?;
        for (intent_type, figures) in &figures.intents {
            let labels = [("intent_type", intent_type.as_str())];
            ConstCounter::new(figures.accepted).encode(accepted.encode_family(&labels)?)?;
        }
        let mut retried =
            encoder.encode_descriptor("executions_retried", "Attempts after the first", None, MetricType::Counter)?;
        for (intent_type, figures) in &figures.intents {
            let labels = [("intent_type", intent_type.as_str())];
            ConstCounter::new(figures.retried).encode(retried.encode_family(&labels)?)?;
        }
        let mut ended =
            encoder.encode_descriptor("executions_ended", "Executions that have ended", None, MetricType::Counter)?;
        for (intent_type, figures) in &figures.intents {
            let ends = [("completed", figures.completed), ("failed", figures.failed), ("cancelled", figures.cancelled)];
            for (status, count) in ends {
                let labels = [("intent_type", intent_type.as_str()), ("status", status)];
                ConstCounter::new(count).encode(ended.encode_family(&labels)?)?;
            }
        }
        let mut durations = encoder.encode_descriptor(
            "execution_duration",
            "From an execution's acceptance to its end",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for (intent_type, figures) in &figures.intents {
            encode_durations(figures, durations.encode_family(&[("intent_type", intent_type.as_str())])?)?;
        }
        Ok(())
    }
}

fn encode_durations(figures: &IntentFigures, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
    let bounds = DURATION_BOUNDS_MS.iter().map(|bound_ms| *bound_ms as f64 / 1_000.0).chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = bounds.zip(figures.durations).collect();
    encoder.encode_histogram::<NoLabelSet>(figures.total.as_secs_f64(), figures.durations.iter().sum(), &buckets, None)
}
