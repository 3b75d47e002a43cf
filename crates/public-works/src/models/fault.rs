//! What can go wrong with a provider, what a person is told about it, and whether it is worth another try.

use std::time::Duration;

use agents::model::ModelError;
use contract::Timestamp;
use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde_json::Value;

/// The first wait before another try; it doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait that a provider can ask for; whoever wants a longer one is tried again with the whole turn, or not at all.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// The most of a provider's own words that enters the log, in characters.
const MAX_DETAIL_CHARS: usize = 500;

/// Why a provider gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind:?}: {detail}")]
pub(super) struct Fault {
    pub(super) kind: Kind,
    /// For the log: no key, no address, and not much.
    pub(super) detail: String,
    /// What the provider said about another try.
    pub(super) hint: Hint,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hint {
    pub(super) after: Option<Duration>,
    /// Whether it is worth one at all.
    pub(super) should_retry: Option<bool>,
}

/// Faults by what is done about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// No connection, or one that broke.
    Unreachable,
    /// Nothing came for too long.
    Silent,
    /// It has too much to do, or we asked too often.
    Busy,
    /// A fault of its own.
    Broken,
    /// It was left alone because it failed too often.
    Resting,
    /// The answer ended in its midst.
    Cut,
    /// What came is no answer of this form.
    Garbage,
    /// There is no API at the address, or it does not know the model.
    NotThere,
    Key,
    /// The account is exhausted: waiting does not help.
    Quota,
    TooLong,
    Refused,
    /// The provider does not want to answer this.
    Declined,
    /// The answer has no end.
    Endless,
}

impl Fault {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let detail = detail.into().chars().take(MAX_DETAIL_CHARS).collect();
        Self { kind, detail, hint: Hint::default() }
    }

    /// Whether it speaks against the provider, and not against this one request.
    pub(super) fn is_outage(&self) -> bool {
        matches!(self.kind, Kind::Unreachable | Kind::Silent | Kind::Broken | Kind::Cut | Kind::Garbage)
    }

    /// How long to wait before the next try, or `None` where there is none. `tries` counts those that were made; `chance` is from 0
    /// to 1 and keeps many from coming back at once.
    pub(super) fn wait(&self, tries: u32, retries: u32, chance: f64) -> Option<Duration> {
        if tries > retries || !self.may_pass() || self.kind == Kind::Resting || self.hint.should_retry == Some(false) {
            return None;
        }
        if let Some(after) = self.hint.after {
            return (after <= LONGEST_WAIT).then_some(after);
        }
        let doubled = FIRST_WAIT.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST_WAIT);
        Some(doubled.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0))
    }

    fn may_pass(&self) -> bool {
        match self.kind {
            Kind::Unreachable
            | Kind::Silent
            | Kind::Busy
            | Kind::Broken
            | Kind::Resting
            | Kind::Cut
            | Kind::Garbage => true,
            Kind::NotThere
            | Kind::Key
            | Kind::Quota
            | Kind::TooLong
            | Kind::Refused
            | Kind::Declined
            | Kind::Endless => false,
        }
    }

    /// As the turn meets it: one sentence for a person, with the model's name in our own configuration.
    pub(super) fn told(&self, model: &str) -> ModelError {
        let sentence = match self.kind {
            Kind::Unreachable => format!("The model {model} cannot be reached just now."),
            Kind::Silent => format!("The model {model} went silent."),
            Kind::Busy => format!("The model {model} has too much to do just now."),
            Kind::Broken => format!("The model {model} had a fault of its own."),
            Kind::Resting => format!("The model {model} failed several times and is left alone for a while."),
            Kind::Cut => format!("The answer of the model {model} was cut off."),
            Kind::Garbage => format!("The model {model} sent something that cannot be read."),
            Kind::NotThere => format!(
                "The provider of the model {model} does not know it, or its address is wrong; whoever runs this server has to correct models.{model}."
            ),
            Kind::Key => format!(
                "The provider of the model {model} does not accept the key; whoever runs this server has to correct it."
            ),
            Kind::Quota => format!("The account at the provider of the model {model} is used up."),
            Kind::TooLong => {
                format!("The conversation has become too long for the model {model}; begin a new one.")
            }
            Kind::Refused => {
                format!("The provider of the model {model} refused the request; the server's log says why.")
            }
            Kind::Declined => format!("The provider of the model {model} declines to answer this."),
            Kind::Endless => format!("The model {model} does not stop talking; the answer was ended."),
        };
        if self.may_pass() { ModelError::Transient(sentence) } else { ModelError::Final(sentence) }
    }

    /// What a status other than success means. `body` is as much of it as was read.
    pub(super) fn of_status(status: StatusCode, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let said = Said::of(&body);
        let kind = match status.as_u16() {
            401 | 403 => Kind::Key,
            402 => Kind::Quota,
            404 => Kind::NotThere,
            413 => Kind::TooLong,
            429 if said.is_exhausted() => Kind::Quota,
            408 | 409 | 425 | 429 => Kind::Busy,
            // Overloaded, in Anthropic's own number.
            503 | 529 => Kind::Busy,
            500.. => Kind::Broken,
            _ if said.is_too_long() => Kind::TooLong,
            // Gemini says it of a wrong key with 400.
            _ if said.is_about_the_key() => Kind::Key,
            _ => Kind::Refused,
        };
        // What is said about a key may quote it.
        let detail = if kind == Kind::Key { String::new() } else { said.text() };
        let hint = Hint { after: retry_after(headers, now).or(said.retry_delay), should_retry: should_retry(headers) };
        Self { hint, ..Self::new(kind, format!("status {status} {detail}")) }
    }

    /// An error that came in the midst of an answer, as an object.
    pub(super) fn of_error(error: &Value) -> Self {
        let said = Said::of(error);
        let kind = match said.code.as_str() {
            "overloaded_error" | "rate_limit_error" | "rate_limit_exceeded" | "429" | "503" | "529" => Kind::Busy,
            "authentication_error" | "permission_error" | "401" | "403" => Kind::Key,
            "content_filter" => Kind::Declined,
            _ if said.is_exhausted() => Kind::Quota,
            _ if said.is_too_long() => Kind::TooLong,
            "invalid_request_error" | "400" => Kind::Refused,
            _ => Kind::Broken,
        };
        let detail = if kind == Kind::Key { String::new() } else { said.text() };
        let hint = Hint { after: said.retry_delay, should_retry: None };
        Self { hint, ..Self::new(kind, format!("in the midst of the answer: {detail}")) }
    }
}

/// What the three providers put into an error's body, where it is one.
struct Said {
    code: String,
    message: String,
    retry_delay: Option<Duration>,
}

impl Said {
    fn of(body: &Value) -> Self {
        // OpenAI and Gemini: {"error": {…}}; Gemini's stream: [{"error": {…}}]; some servers: {"error": "…"} or {"message": "…"}.
        let body = body.get(0).unwrap_or(body);
        let error = body.get("error").unwrap_or(body);
        let word = |key: &str| match error.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let message = word("message").or_else(|| error.as_str().map(str::to_owned)).unwrap_or_default();
        let code = word("code").filter(|code| !code.is_empty()).or_else(|| word("type")).or_else(|| word("status"));
        let details = error.get("details").and_then(Value::as_array).into_iter().flatten();
        let retry_delay = details.filter_map(|detail| seconds(detail.get("retryDelay")?.as_str()?)).next();
        Self { code: code.unwrap_or_default(), message, retry_delay }
    }

    fn text(&self) -> String {
        format!("{} {}", self.code, self.message).trim().to_owned()
    }

    fn is_exhausted(&self) -> bool {
        ["insufficient_quota", "billing_hard_limit_reached", "billing_error"].contains(&self.code.as_str())
    }

    fn is_too_long(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        self.code == "context_length_exceeded"
            || ["prompt is too long", "maximum context length", "exceeds the maximum number of tokens", "context size"]
                .iter()
                .any(|words| message.contains(words))
    }

    fn is_about_the_key(&self) -> bool {
        self.message.to_ascii_lowercase().contains("api key")
    }
}

/// `3s` or `0.25s`, as Gemini writes it.
fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.strip_suffix('s')?.parse().ok()?).ok()
}

/// RFC 9110, 10.2.3, and the finer one of OpenAI and Anthropic.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |value: &reqwest::header::HeaderValue| value.to_str().ok().map(|text| text.trim().to_owned());
    if let Some(ms) = headers.get("retry-after-ms").and_then(text).and_then(|text| text.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    let said = headers.get(RETRY_AFTER).and_then(text)?;
    if let Ok(seconds) = said.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(&said).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let until = i64::try_from(date.as_millis()).ok()?;
    Some(Timestamp::from_millis(until).since(now))
}

fn should_retry(headers: &HeaderMap) -> Option<bool> {
    headers.get("x-should-retry")?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// 2015-10-21T07:28:00Z.
    const NOW: Timestamp = Timestamp::from_millis(1_445_412_480_000);

    fn of(status: u16, headers: &[(&'static str, &str)], body: Value) -> Fault {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Fault::of_status(StatusCode::from_u16(status).unwrap(), &headers, body.to_string().as_bytes(), NOW)
    }

    #[test]
    fn a_status_is_read_by_what_to_do_about_it() {
        let error = |code: &str, message: &str| json!({ "error": { "code": code, "message": message } });
        let cases = [
            (401, error("invalid_api_key", "Incorrect API key provided: sk-1"), Kind::Key),
            (
                400,
                json!({ "error": { "code": 400, "message": "API key not valid. Please pass a valid API key." } }),
                Kind::Key,
            ),
            (404, json!({}), Kind::NotThere),
            (429, error("rate_limit_exceeded", "Slow down."), Kind::Busy),
            (429, error("insufficient_quota", "Pay."), Kind::Quota),
            (400, error("context_length_exceeded", ""), Kind::TooLong),
            (
                400,
                json!({ "error": { "type": "invalid_request_error", "message": "prompt is too long: 9 > 8" } }),
                Kind::TooLong,
            ),
            (400, error("invalid", "temperature"), Kind::Refused),
            (500, json!("nonsense"), Kind::Broken),
            (529, json!({ "error": { "type": "overloaded_error" } }), Kind::Busy),
        ];
        for (status, body, kind) in cases {
            let fault = of(status, &[], body.clone());
            assert_eq!(fault.kind, kind, "{status} {body}");
            assert!(!fault.detail.contains("sk-1"));
        }
    }

    #[test]
    fn the_providers_own_hints_go_first() {
        let busy = |headers| of(429, headers, json!({}));
        let first = Some(Duration::from_millis(500));
        assert_eq!(busy(&[]).wait(1, 2, 0.0), first);
        assert_eq!(busy(&[]).wait(2, 2, 1.0), first);
        assert_eq!(busy(&[]).wait(3, 2, 0.0), None);
        assert_eq!(busy(&[("retry-after", "3")]).wait(1, 2, 0.5), Some(Duration::from_secs(3)));
        assert_eq!(
            busy(&[("retry-after-ms", "40"), ("retry-after", "3")]).wait(1, 2, 0.5),
            Some(Duration::from_millis(40))
        );
        assert_eq!(
            busy(&[("retry-after", "Wed, 21 Oct 2015 07:28:05 GMT")]).wait(1, 2, 0.5),
            Some(Duration::from_secs(5))
        );
        assert_eq!(busy(&[("retry-after", "3600")]).wait(1, 2, 0.5), None, "nobody waits an hour in a turn");
        assert_eq!(busy(&[("retry-after", "soon")]).wait(1, 2, 0.0), first);
        assert_eq!(busy(&[("x-should-retry", "false")]).wait(1, 2, 0.0), None);
        let gemini = json!({ "error": { "status": "RESOURCE_EXHAUSTED", "details": [{ "@type": "x" }, { "retryDelay": "0.25s" }] } });
        assert_eq!(of(429, &[], gemini).wait(1, 2, 0.0), Some(Duration::from_millis(250)));
        assert_eq!(of(401, &[("retry-after", "1")], json!({})).wait(1, 2, 0.0), None);
    }
}
