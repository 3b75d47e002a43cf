//! Bodies in, strictly: the right content type, no more than the limit, JSON, and nothing in it that the type does not
//! know. What is wrong is said with the field's name.

use std::{sync::Arc, time::Duration};

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
};
use bytes::Bytes;
use contract::{Code, problem::FieldError};
use http::{HeaderMap, header};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::{ExperienceLimits, Plane, Refusal};

/// How long a client may take to send the body of a request.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// A JSON body that has to be there.
pub(super) struct Json<T>(pub(super) T);

/// A JSON body that may be left out, which is the same as `{}`.
pub(super) struct OptionalJson<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Plane>> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, plane: &Arc<Plane>) -> Result<Self, Refusal> {
        let is_json = is_json(request.headers());
        let body = read(request, &plane.config.limits).await?;
        if is_json { parse(&body).map(Self) } else { Err(not_json()) }
    }
}

impl<T: DeserializeOwned + Default> FromRequest<Arc<Plane>> for OptionalJson<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, plane: &Arc<Plane>) -> Result<Self, Refusal> {
        let is_json = is_json(request.headers());
        let body = read(request, &plane.config.limits).await?;
        match body.is_empty() {
            true => Ok(Self(T::default())),
            false if is_json => parse(&body).map(Self),
            false => Err(not_json()),
        }
    }
}

async fn read(request: Request, limits: &ExperienceLimits) -> Result<Bytes, Refusal> {
    let is_auth = request.uri().path().starts_with("/api/auth/");
    let limit = if is_auth { limits.auth_body_bytes } else { limits.body_bytes };
    let too_large = || Refusal::new(Code::PayloadTooLarge, format!("The body may have at most {limit} bytes here."));
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_PATIENCE, to_bytes(request.into_body(), limit)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_over_limit(&error) => Err(too_large()),
        Ok(Err(_)) => Err(Refusal::new(Code::BadRequest, "The body broke off. Send the request again.")),
        Err(_) => Err(Refusal::new(Code::BadRequest, "The body took too long to arrive. Send the request again.")),
    }
}

fn is_over_limit(error: &axum::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = error.source();
    }
    false
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

fn not_json() -> Refusal {
    Refusal::new(Code::UnsupportedMediaType, "Send JSON, with the header `Content-Type: application/json`.")
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    // Serde reads an array as the fields of an object in their order, which nobody means.
    if body.trim_ascii_start().first() == Some(&b'[') {
        serde_json::from_slice::<IgnoredAny>(body).map_err(|error| malformed(&error))?;
        return Err(Refusal::field("", "has to be an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut deserializer);
    match parsed {
        Ok(value) => deserializer.end().map(|()| value).map_err(|error| malformed(&error)),
        Err(error) => Err(refuse(&error, body)),
    }
}

/// A body that does not fit may be no JSON at all further on; that is said first, because it has to be put right first.
fn refuse(error: &serde_path_to_error::Error<serde_json::Error>, body: &[u8]) -> Refusal {
    if let Err(syntax) = serde_json::from_slice::<IgnoredAny>(body) {
        return malformed(&syntax);
    }
    if !error.inner().is_data() {
        return malformed(error.inner());
    }
    let (field, message) = plain_words(error);
    Refusal::fields(vec![FieldError { field, message }])
}

/// The field that does not fit and what is wrong with it, without what was sent and without the names of our types.
pub(crate) fn plain_words(error: &serde_path_to_error::Error<serde_json::Error>) -> (String, String) {
    field_and_message(&error.path().to_string(), &error.inner().to_string())
}

fn malformed(error: &serde_json::Error) -> Refusal {
    let (line, column) = (error.line(), error.column());
    Refusal::new(Code::MalformedJson, format!("The body is not JSON: look at line {line}, column {column}."))
}

/// The field that serde means, and what it says about it, fit for a person. Serde names unknown, missing and repeated fields in
/// its sentence only.
fn field_and_message(path: &str, said: &str) -> (String, String) {
    let said = said.rsplit_once(" at line ").map_or(said, |(said, _)| said);
    let parent = if path == "." { "" } else { path };
    for (prefix, message) in [
        ("unknown field `", "is not known here; leave it out"),
        ("missing field `", "is required"),
        ("duplicate field `", "stands there twice"),
    ] {
        let name = said.strip_prefix(prefix).and_then(|rest| rest.split('`').next());
        if let Some(name) = name {
            return (join(parent, name), message.to_owned());
        }
    }
    (parent.to_owned(), plain(said))
}

fn join(parent: &str, name: &str) -> String {
    // The path of an unknown field ends with the field already.
    match parent.rsplit('.').next() {
        Some(last) if last == name => parent.to_owned(),
        Some("") | None => name.to_owned(),
        Some(_) => format!("{parent}.{name}"),
    }
}

/// Serde's words without the value, which may be long or somebody's secret, and without the names of our types.
fn plain(said: &str) -> String {
    if let Some((_, expected)) = said.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected ")) {
        let expected = if expected.starts_with("struct ") { "an object" } else { expected };
        return format!("has to be {expected}");
    }
    if let Some((_, expected)) = said.rsplit_once(", expected ") {
        return format!("has to be {expected}");
    }
    said.to_owned()
}

#[cfg(test)]
mod tests {
    use contract::{auth::Login, intent::SubmitIntent};

    use super::*;

    fn refusal<T: DeserializeOwned>(body: &[u8]) -> Refusal {
        parse::<T>(body).err().expect("the body does not fit")
    }

    #[test]
    fn what_is_no_json_is_told_from_what_does_not_fit() {
        for (body, code, field) in [
            (&b""[..], Code::MalformedJson, None),
            (b"{", Code::MalformedJson, None),
            (b"{} {}", Code::MalformedJson, None),
            (b"\xff\xfe", Code::MalformedJson, None),
            (br#"{"email":1, oops"#, Code::MalformedJson, None),
            (br#"{"email":"a@b.example","password":"secret","admin":true}"#, Code::ValidationFailed, Some("admin")),
            (br#"{"email":"a@b.example"}"#, Code::ValidationFailed, Some("password")),
            (br#"{"email":7,"password":"secret"}"#, Code::ValidationFailed, Some("email")),
            (br#"{"email":"a","email":"b","password":"c"}"#, Code::ValidationFailed, Some("email")),
            (br#"{"email":"a","password":"c","session_id":"a b"}"#, Code::ValidationFailed, Some("session_id")),
            (b"[]", Code::ValidationFailed, Some("")),
            (b"null", Code::ValidationFailed, Some("")),
        ] {
            let refusal = refusal::<Login>(body);
            assert_eq!(refusal.code(), code, "{}", String::from_utf8_lossy(body));
            let found = refusal.reason().errors.first().map(|error| error.field.as_str());
            assert_eq!(found, field, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!(r#"{{"intent_type":"a","session_id":"b","parameters":{{"x":{}}}}}"#, "[".repeat(100_000));
        assert_eq!(refusal::<SubmitIntent>(deep.as_bytes()).code(), Code::MalformedJson);
    }

    #[test]
    fn nothing_that_was_sent_is_said_back() {
        let refusal = refusal::<Login>(br#"{"email":"a@b.example","password":["hunter2"]}"#);
        assert!(!format!("{:?}", refusal.reason()).contains("hunter2"));
    }
}
