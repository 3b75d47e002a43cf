//! What a realm or an agent is to the Runtime: a thing that executes one intent.

use std::{borrow::Cow, time::Duration};

use async_trait::async_trait;
use contract::{Code, execution::ProblemDetails, intent::IntentDescriptor};
use serde_json::Value;

use crate::{context::ExecutionContext, port::store::Object, view::OwnerView};

/// How long an attempt may take where the handler does not say otherwise.
pub const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(300);

/// How a failure that may pass is tried again, where the handler knows better than the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// How often it is begun at most, the first time included.
    pub max_attempts: u32,
    /// The wait before the second attempt; it doubles from there, and chance takes up to half of it off.
    pub first_delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
}

/// Executes one intent. The Runtime has checked the parameters by the descriptor's schema before it calls.
#[async_trait]
pub trait Handler: Send + Sync {
    fn descriptor(&self) -> &IntentDescriptor;

    /// Whether clients may ask for it by its name. What is not offered is asked for by the house itself.
    fn is_offered(&self) -> bool {
        true
    }

    /// How long one attempt may take.
    fn time_limit(&self) -> Duration {
        DEFAULT_TIME_LIMIT
    }

    /// Names what the parameters only hint at (“the newest file”), before somebody is asked to agree, so that what is done is what was
    /// agreed to. Called only where somebody has to agree, and again with their corrections. A failure refuses the intent.
    async fn settle(&self, view: &OwnerView, parameters: Object) -> Result<Object, Failure> {
        let _ = view;
        Ok(parameters)
    }

    /// How it is tried again after a failure that may pass; as it is configured where it does not say.
    fn retries(&self) -> Option<Retries> {
        None
    }

    /// Does it, and answers what is to be the execution's `result`. What it did before may be done again after a crash, but for
    /// what went through `ExecutionContext::step` and `call`: these are remembered.
    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure>;
}

/// Why a handler could not do it.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub kind: FailureKind,
    pub code: Code,
    /// One sentence for a person that says what to do; no path, no SQL, no secret.
    pub message: Cow<'static, str>,
    pub details: Option<ProblemDetails>,
    /// Where it may pass: how long whatever failed wants to be left alone. It goes before the backoff, up to an hour.
    pub retry_after: Option<Duration>,
}

/// What the Runtime does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// It will fail again: end.
    Final,
    /// It may pass: try again later.
    Transient,
    /// Somebody wanted it to stop: end as cancelled.
    Cancelled,
    /// The worker may no longer write: stop and leave no trace.
    Fenced,
}

impl Failure {
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: FailureKind::Final, code, message: message.into(), details: None, retry_after: None }
    }

    pub fn transient(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: FailureKind::Transient, code, message: message.into(), details: None, retry_after: None }
    }

    pub fn cancelled(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: FailureKind::Cancelled,
            code: Code::Cancelled,
            message: reason.into(),
            details: None,
            retry_after: None,
        }
    }

    /// The same with a hint of when it is worth another try, as a server's `Retry-After` is.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The same with a place in a file, both counted from 1.
    pub fn at(mut self, line: u64, column: u64) -> Self {
        self.details = Some(ProblemDetails { line, column });
        self
    }
}
