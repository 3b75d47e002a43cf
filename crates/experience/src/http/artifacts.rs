//! What executions made and kept.

use axum::{
    Json as JsonBody,
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use contract::{
    ArtifactId, Code,
    artifact::{Artifact, ArtifactPage, LifecycleState, ListArtifacts, ResolveArtifact},
};
use http::{HeaderValue, header};
use runtime::{
    Content,
    port::store::{ArtifactFilter, PageRequest, StoredObject},
};
use serde_json::{Map, Value};

use super::{
    json::{Json, OptionalJson},
    query::{PathId, page_limit},
};
use crate::{CallContext, Credentials, Refusal};

/// List artifacts.
///
/// Newest first, all but deleted ones unless they are asked for. `eligible_for` is a hint and narrows nothing yet.
#[utoipa::path(
    post, path = "/api/artifact/list", tag = "artifacts", request_body(content = Option<ListArtifacts>),
    responses((status = 200, body = ArtifactPage)),
)]
pub(super) async fn list(
    credentials: Credentials,
    OptionalJson(body): OptionalJson<ListArtifacts>,
) -> Result<JsonBody<ArtifactPage>, Refusal> {
    let context = credentials.enter_with_legacy_session(body.session_id.as_ref()).await?;
    context.check_tenant(body.tenant_id.as_ref())?;
    let limit = page_limit(body.limit)?;
    let offset = body.offset.unwrap_or(0);
    let filter = ArtifactFilter {
        session_id: body.session_id,
        artifact_type: body.artifact_type,
        lifecycle_state: body.lifecycle_state.as_deref().map(lifecycle_state).transpose()?,
        ..ArtifactFilter::default()
    };
    let page = PageRequest { limit, offset, cursor: body.cursor };
    let page = context.runtime().artifacts(context.owner(), &filter, page).await?;
    Ok(JsonBody(ArtifactPage {
        artifacts: page.items,
        total: page.total,
        limit,
        offset,
        next_cursor: page.next_cursor,
    }))
}

fn lifecycle_state(word: &str) -> Result<LifecycleState, Refusal> {
    LifecycleState::from_word(word)
        .ok_or_else(|| Refusal::field("lifecycle_state", "has to be draft, ready (or active), archived or deleted"))
}

/// Read an artifact in its flat form.
///
/// The artifact's fields and its payload's beside them, and the artifact again under `artifact`.
#[utoipa::path(
    post, path = "/api/artifact/resolve", tag = "artifacts", request_body = ResolveArtifact,
    responses((status = 200, body = Artifact), (status = 404, description = "There is no such artifact, or it is not yours.")),
)]
pub(super) async fn resolve(
    credentials: Credentials,
    Json(body): Json<ResolveArtifact>,
) -> Result<JsonBody<Map<String, Value>>, Refusal> {
    let context = credentials.enter_with_legacy_session(body.session_id.as_ref()).await?;
    context.check_tenant(body.tenant_id.as_ref())?;
    let artifact = find(&context, &body.artifact_id).await?;
    if body.artifact_type.is_some_and(|wanted| wanted != artifact.artifact_type) {
        return Err(Refusal::not_found("artifact of this type"));
    }
    let mut answer = artifact.flat();
    answer.insert("artifact".to_owned(), Value::Object(artifact.flat()));
    Ok(JsonBody(answer))
}

/// Read an artifact.
///
/// A deleted one keeps its record, without its payload.
#[utoipa::path(
    get, path = "/api/artifacts/{id}", tag = "artifacts", params(("id" = ArtifactId, Path)),
    responses((status = 200, body = Artifact)),
)]
pub(super) async fn get(context: CallContext, id: PathId) -> Result<JsonBody<Artifact>, Refusal> {
    Ok(JsonBody(find(&context, &id.of("artifact")?).await?))
}

async fn find(context: &CallContext, id: &ArtifactId) -> Result<Artifact, Refusal> {
    let artifact = context.runtime().artifact(context.owner(), id).await?;
    artifact.ok_or_else(|| Refusal::not_found("artifact"))
}

/// Download an artifact's bytes.
#[utoipa::path(
    get, path = "/api/artifacts/{id}/content", tag = "artifacts", params(("id" = ArtifactId, Path)),
    responses(
        (status = 200, content_type = "*/*", description = "The bytes, as the media type that they came with.", body = Value),
        (status = 410, description = "It was deleted."),
    ),
)]
pub(super) async fn content(context: CallContext, id: PathId) -> Result<Response, Refusal> {
    match context.runtime().content(context.owner(), &id.of("artifact")?).await? {
        Content::Bytes(object, bytes) => Ok(download(&object, bytes)),
        Content::Gone => Err(Refusal::new(Code::Gone, "This artifact was deleted, and its content with it.")),
        Content::None => Err(Refusal::not_found("artifact with content")),
    }
}

/// Somebody's bytes, for saving: a browser is to show none of them as a page of this site.
fn download(object: &StoredObject, bytes: Bytes) -> Response {
    const OPAQUE: HeaderValue = HeaderValue::from_static("application/octet-stream");
    const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");
    let media_type = HeaderValue::from_str(&object.media_type).unwrap_or(OPAQUE);
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_DISPOSITION, disposition(&object.file_name)),
        (header::CONTENT_SECURITY_POLICY, SANDBOX),
    ];
    (headers, Body::from(bytes)).into_response()
}

/// `attachment` with the name in ASCII for old clients and in UTF-8 for the others (RFC 6266).
fn disposition(file_name: &str) -> HeaderValue {
    let plain: String = file_name
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() || "._- ".contains(character) { character } else { '_' })
        .collect();
    let mut encoded = String::with_capacity(file_name.len());
    for byte in file_name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    let text = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    HeaderValue::try_from(text).expect("letters, digits and signs are a header value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_cannot_leave_their_header() {
        for (name, expected) in [
            ("sales.csv", "attachment; filename=\"sales.csv\"; filename*=UTF-8''sales.csv"),
            (
                "Größe \"1\".csv",
                "attachment; filename=\"Gr__e _1_.csv\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%221%22.csv",
            ),
            (
                "a\r\nSet-Cookie: x",
                "attachment; filename=\"a__Set-Cookie_ x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x",
            ),
        ] {
            assert_eq!(disposition(name), expected);
        }
    }
}
