//! Submitting intents, and which there are.

use axum::Json as JsonBody;
use contract::{
    Code,
    intent::{IntentList, SubmitIntent, Submitted, Timing},
};
use http::HeaderMap;
use runtime::{RuntimeError, SubmitRequest};
use security_guard::Asker;
use serde_json::Value;

use super::{files::check_space, json::Json};
use crate::{CallContext, Credentials, Refusal};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const MAX_IDEMPOTENCY_KEY_BYTES: usize = 255;
const MAX_CONCURRENCY_KEY_BYTES: usize = 128;

/// Submit an intent.
///
/// When this answers, the intent is durable; it does not wait for the execution. The same `Idempotency-Key` or `intent_id` with the
/// same body gets the first answer again. An anonymous session's `session_id` is its credential.
#[utoipa::path(
    post, path = "/api/intent/submit", tag = "intents", request_body = SubmitIntent,
    params(("idempotency-key" = Option<String>, Header, description = "1 to 255 visible characters; makes a retry safe.")),
    security((), ("bearer" = []), ("cookie" = [])),
    responses(
        (status = 200, body = Submitted),
        (status = 404, description = "There is no such intent, or no such session."),
        (status = 409, description = "A twin of this request is under way."),
        (status = 429, description = "As many wait for the `concurrency_key` as may."),
    ),
)]
pub(super) async fn submit(
    credentials: Credentials,
    headers: HeaderMap,
    Json(body): Json<SubmitIntent>,
) -> Result<JsonBody<Submitted>, Refusal> {
    let idempotency_key = idempotency_key(&headers)?;
    let context = credentials.enter_with_session(Some(&body.session_id)).await?;
    context.check_tenant(body.tenant_id.as_ref())?;
    context.check_session(&body.session_id).await?;
    if !context.runtime().offers(&body.intent_type) {
        return Err(RuntimeError::UnknownIntent(body.intent_type).into());
    }
    check_concurrency_key(body.concurrency_key.as_deref())?;
    // A file may come in the parameters too.
    if let Asker::Anonymous { .. } = context.asker() {
        let size_bytes = serde_json::to_vec(&body.parameters).map_err(Refusal::internal)?.len();
        check_space(&context, size_bytes as u64, idempotency_key.as_deref()).await?;
    }
    let mut metadata = body.metadata;
    if let Some(solution_id) = body.solution_id {
        metadata.insert("solution_id".to_owned(), Value::String(solution_id));
    }
    let request = SubmitRequest {
        owner: context.owner().clone(),
        authority: context.authority(),
        session_id: body.session_id,
        intent_type: body.intent_type,
        parameters: body.parameters,
        metadata,
        intent_id: body.intent_id,
        idempotency_key,
        conversation_id: body.conversation_id,
        message: None,
        attachments: Vec::new(),
        timing: Timing { run_at: body.run_at, deadline: body.deadline, priority: body.priority },
        quota: context.intent_quota(),
        concurrency_key: body.concurrency_key,
    };
    Ok(JsonBody(context.runtime().submit(request).await?))
}

fn check_concurrency_key(key: Option<&str>) -> Result<(), Refusal> {
    let fits = |key: &str| {
        (1..=MAX_CONCURRENCY_KEY_BYTES).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match key {
        Some(key) if !fits(key) => Err(Refusal::field(
            "concurrency_key",
            format!("has to be 1 to {MAX_CONCURRENCY_KEY_BYTES} visible ASCII characters, without spaces"),
        )),
        Some(_) | None => Ok(()),
    }
}

/// The key of the `Idempotency-Key` header: one, of 1 to 255 visible ASCII characters.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let bytes = value.as_bytes();
    let fits = (1..=MAX_IDEMPOTENCY_KEY_BYTES).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    match value.to_str() {
        Ok(key) if fits && values.next().is_none() => Ok(Some(key.to_owned())),
        Ok(_) | Err(_) => Err(Refusal::new(
            Code::BadIdempotencyKey,
            "Send one Idempotency-Key of 1 to 255 visible ASCII characters, without spaces.",
        )),
    }
}

/// List the intents.
///
/// Everything that can be asked for, with the JSON Schema of its parameters.
#[utoipa::path(get, path = "/api/intents", tag = "intents", responses((status = 200, body = IntentList)))]
pub(super) async fn list(context: CallContext) -> JsonBody<IntentList> {
    JsonBody(IntentList { intents: context.runtime().intents() })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn keys_are_visible_and_bounded() {
        let longest = "k".repeat(255);
        let too_long = "k".repeat(256);
        for (values, good) in [
            (vec![], true),
            (vec!["a"], true),
            (vec![longest.as_str()], true),
            (vec![too_long.as_str()], false),
            (vec![""], false),
            (vec!["a b"], false),
            (vec!["\u{e4}"], false),
            (vec!["a", "a"], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in &values {
                headers.append(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            assert_eq!(idempotency_key(&headers).is_ok(), good, "{values:?}");
        }
    }
}
