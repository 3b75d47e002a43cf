//! Uploading files as a form. Bytes are streamed into the object storage as they come; they become an artifact by the
//! intent `ingest_file`, like everything that happens.

use std::{sync::Arc, time::Duration};

use axum::{
    Json as JsonBody,
    extract::{
        Multipart, State,
        multipart::{Field, MultipartError, MultipartRejection},
    },
    response::{IntoResponse, Response},
};
use contract::{Code, ExecutionId, SessionId, artifact::Artifact, intent::Timing, problem::FieldError};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use runtime::{
    SubmitRequest, Upload,
    port::store::{ArtifactFilter, PageRequest, StoredObject},
};
use security_guard::Asker;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::SemaphorePermit;
use utoipa::ToSchema;

use super::{execution, intent::idempotency_key};
use crate::{CallContext, Credentials, Plane, Refusal};

const INGEST_FILE: &str = "ingest_file";

/// How many files one request may bring.
const MAX_FILES: usize = 20;
/// How long a client may pause while it sends.
const CHUNK_PATIENCE: Duration = Duration::from_secs(30);
/// How long a whole form may take to come in.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(15 * 60);
/// When somebody without a credential may try again while others upload, in seconds.
const RETRY_AFTER_UPLOADS: u64 = 5;
/// How long we wait for a file to be taken in.
const INGEST_PATIENCE: Duration = Duration::from_secs(60);
const MAX_FILE_NAME_CHARACTERS: usize = 255;
const MAX_MEDIA_TYPE_BYTES: usize = 127;
const MAX_ARTIFACTS_COUNTED: u32 = 1_000;
const OCTETS: &str = "application/octet-stream";

/// The form of an upload, as the OpenAPI document describes it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read from a form, field by field, and only described here")]
pub(super) struct UploadForm {
    /// One file, or several fields of this name.
    #[schema(content_media_type = "application/octet-stream")]
    file: Vec<u8>,
    /// The session that the file belongs to; the credential's own when it is not given. The id of an anonymous session is its
    /// credential.
    session_id: Option<SessionId>,
}

/// What was taken in: the artifact of one file, or those of several. The fields of its payload stand beside an artifact's own.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is put together of JSON, and only described here")]
pub(super) enum Uploaded {
    One(Box<Artifact>),
    Several { artifacts: Vec<Artifact> },
}

/// Upload files.
///
/// Answers when they are taken in: the artifact, or `{artifacts: […]}` for several. Where one of several is refused, the others stay: the
/// answer is that refusal, and its `errors` tell of each file (`file[0]`, …) under which id it was kept, or why not. A retry with the same
/// `Idempotency-Key` takes in no file twice.
#[utoipa::path(
    post, path = "/api/files", tag = "artifacts",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    security((), ("bearer" = []), ("cookie" = [])),
    responses(
        (status = 201, body = Uploaded), (status = 404, description = "There is no such session, or it is not yours."),
        (status = 409, description = "A twin of this request is under way."),
        (status = 415, description = "It is not a form."),
    ),
)]
pub(super) async fn upload(
    State(plane): State<Arc<Plane>>,
    credentials: Credentials,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Refusal> {
    let key = idempotency_key(&headers)?;
    // A credential in the head is looked at before any byte is taken.
    let context = if credentials.is_empty() { None } else { Some(credentials.clone().enter().await?) };
    let form = form.map_err(|_| not_a_form())?;
    let _place = match &context {
        Some(_) => None,
        None => Some(place_for_a_stranger(&plane)?),
    };
    let mut arriving = Arriving::new(&plane, context);
    let arrived = tokio::time::timeout(UPLOAD_PATIENCE, arriving.read(form)).await;
    arrived.map_err(|_| Refusal::new(Code::BadRequest, "The upload took too long. Send less at once."))??;
    let Arriving { context, session_id, files, .. } = arriving;
    if files.is_empty() {
        return Err(Refusal::field("file", "is required: send at least one file"));
    }
    let context = match context {
        Some(context) => context,
        None => credentials.enter_with_session(session_id.as_ref()).await?,
    };
    let session_id = session_id.unwrap_or_else(|| context.session_id().clone());
    context.check_session(&session_id).await?;
    let new_bytes = files.iter().map(|file| file.upload.size_bytes()).sum();
    check_space(&context, new_bytes, key.as_deref().map(|key| key_of_file(key, 0)).as_deref()).await?;
    let begun = submit_all(&context, &session_id, files, key).await;
    answer(&context, begun).await
}

/// What of a form has come in.
struct Arriving<'plane> {
    plane: &'plane Plane,
    context: Option<CallContext>,
    session_id: Option<SessionId>,
    files: Vec<Arrived>,
    received_bytes: u64,
    limit_bytes: u64,
}

/// A file whose bytes are stored but not yet made durable: dropped, it leaves nothing behind.
struct Arrived {
    upload: Upload,
    name: String,
    media_type: String,
}

impl<'plane> Arriving<'plane> {
    fn new(plane: &'plane Plane, context: Option<CallContext>) -> Self {
        let limits = &plane.config.limits;
        let signed_in = context.as_ref().is_some_and(|context| context.asker().caller().is_some());
        let most = limits.upload_bytes as u64;
        let limit_bytes = if signed_in { most } else { most.min(limits.anonymous_upload_bytes) };
        Self { plane, context, session_id: None, files: Vec::new(), received_bytes: 0, limit_bytes }
    }

    async fn read(&mut self, mut form: Multipart) -> Result<(), Refusal> {
        while let Some(field) = in_time(form.next_field()).await?.map_err(broken)? {
            match field.name() {
                Some("file") => self.read_file(field).await?,
                Some("session_id") => self.read_session_id(field).await?,
                name => {
                    let name: String = name.unwrap_or_default().chars().take(100).collect();
                    return Err(Refusal::field(name, "is not known here; leave it out"));
                }
            }
        }
        Ok(())
    }

    async fn read_file(&mut self, mut field: Field<'_>) -> Result<(), Refusal> {
        if self.files.len() == MAX_FILES {
            return Err(Refusal::field("file", format!("at most {MAX_FILES} files fit into one request")));
        }
        let name = file_name(field.file_name().unwrap_or_default());
        let media_type = media_type(field.content_type().unwrap_or_default());
        let mut upload = self.plane.runtime.upload().await?;
        while let Some(bytes) = in_time(field.chunk()).await?.map_err(broken)? {
            self.count(bytes.len())?;
            upload.write(bytes).await?;
        }
        self.files.push(Arrived { upload, name, media_type });
        Ok(())
    }

    async fn read_session_id(&mut self, mut field: Field<'_>) -> Result<(), Refusal> {
        let mut text = Vec::new();
        while let Some(bytes) = in_time(field.chunk()).await?.map_err(broken)? {
            text.extend_from_slice(&bytes);
            if text.len() > contract::id::MAX_ID_BYTES {
                break;
            }
        }
        let session_id = std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok());
        let session_id = session_id.ok_or_else(|| Refusal::field("session_id", "has to be the id of a session"))?;
        if self.session_id.replace(session_id).is_some() {
            return Err(Refusal::field("session_id", "stands there twice"));
        }
        Ok(())
    }

    fn count(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.received_bytes += bytes as u64;
        if self.received_bytes <= self.limit_bytes {
            return Ok(());
        }
        let detail = format!("An upload may have at most {} bytes here.", self.limit_bytes);
        Err(Refusal::new(Code::PayloadTooLarge, detail))
    }
}

/// Whoever names an anonymous session in the form shows it only when bytes have come in, so that few may do so at a time.
fn place_for_a_stranger(plane: &Plane) -> Result<SemaphorePermit<'_>, Refusal> {
    plane.strangers_uploads.try_acquire().map_err(|_| {
        let said = "Too many uploads without a credential are under way. Try again in a moment, or sign in.";
        Refusal::new(Code::Unavailable, said).retry_after(RETRY_AFTER_UPLOADS)
    })
}

async fn in_time<T>(arriving: impl Future<Output = T>) -> Result<T, Refusal> {
    let arrived = tokio::time::timeout(CHUNK_PATIENCE, arriving).await;
    arrived.map_err(|_| Refusal::new(Code::BadRequest, "The upload stood still for too long. Send it again."))
}

fn broken(error: MultipartError) -> Refusal {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(Code::PayloadTooLarge, "The upload is too large. Send less."),
        _ => Refusal::new(Code::BadRequest, "The form is broken or broke off. Send it again as multipart/form-data."),
    }
}

fn not_a_form() -> Refusal {
    Refusal::new(Code::UnsupportedMediaType, "Send a form: `Content-Type: multipart/form-data` with the field `file`.")
}

/// The last part of what the client calls the file: no folder, no control character.
pub(super) fn file_name(said: &str) -> String {
    let last = said.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String =
        last.chars().filter(|character| !character.is_control()).take(MAX_FILE_NAME_CHARACTERS).collect();
    match name.trim() {
        "" | "." | ".." => "upload".to_owned(),
        name => name.to_owned(),
    }
}

pub(super) fn media_type(said: &str) -> String {
    let fits = said.len() <= MAX_MEDIA_TYPE_BYTES
        && said.contains('/')
        && said.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if fits { said.to_owned() } else { OCTETS.to_owned() }
}

/// Holds an anonymous session to what it may keep in all. A retry by `key` brings nothing new.
pub(super) async fn check_space(context: &CallContext, new_bytes: u64, key: Option<&str>) -> Result<(), Refusal> {
    if let Asker::User(_) = context.asker() {
        return Ok(());
    }
    let filter = ArtifactFilter { artifact_type: Some("file".to_owned()), ..ArtifactFilter::default() };
    let page = PageRequest::first(MAX_ARTIFACTS_COUNTED);
    let kept = context.runtime().artifacts(context.owner(), &filter, page).await?.items;
    let size =
        |artifact: &Artifact| artifact.semantic_descriptor.get("size_bytes").and_then(Value::as_u64).unwrap_or(0);
    let kept_bytes: u64 = kept.iter().map(size).sum();
    let most = context.plane().config.limits.anonymous_upload_bytes;
    if kept_bytes + new_bytes <= most {
        return Ok(());
    }
    if let Some(key) = key
        && context.runtime().knows_key(context.owner(), key).await?
    {
        return Ok(());
    }
    let detail =
        format!("An anonymous session keeps at most {most} bytes. Register or sign in, and claim it to go on.");
    Err(Refusal::new(Code::QuotaReached, detail))
}

/// The files of one request are submitted one by one.
fn key_of_file(key: &str, index: usize) -> String {
    format!("{key}/{index}")
}

/// What became of a file, or of nothing where an earlier one was refused.
struct Begun {
    name: String,
    execution: Result<ExecutionId, Refusal>,
}

/// Submits one after the other, up to the first that is refused. What is submitted is executed whatever follows, so that the answer has
/// to tell of each.
async fn submit_all(
    context: &CallContext,
    session_id: &SessionId,
    files: Vec<Arrived>,
    key: Option<String>,
) -> Vec<Begun> {
    let mut begun = Vec::with_capacity(files.len());
    for (index, Arrived { upload, name, media_type }) in files.into_iter().enumerate() {
        let key = key.as_deref().map(|key| key_of_file(key, index));
        let execution = match begun.last() {
            Some(Begun { execution: Err(refusal), .. }) => Err(Refusal::clone(refusal)),
            Some(_) | None => submit(context, session_id, upload, &media_type, &name, key).await,
        };
        begun.push(Begun { name, execution });
    }
    begun
}

async fn submit(
    context: &CallContext,
    session_id: &SessionId,
    upload: Upload,
    media_type: &str,
    name: &str,
    key: Option<String>,
) -> Result<ExecutionId, Refusal> {
    let object = upload.finish(media_type, name).await?;
    Ok(context.runtime().submit(ingest(context, session_id, object, key)).await?.execution_id)
}

fn ingest(
    context: &CallContext,
    session_id: &SessionId,
    object: StoredObject,
    idempotency_key: Option<String>,
) -> SubmitRequest {
    let parameters = [
        ("keep".to_owned(), json!(true)),
        ("filename".to_owned(), json!(object.file_name)),
        ("mime_type".to_owned(), json!(object.media_type)),
    ];
    SubmitRequest {
        owner: context.owner().clone(),
        authority: context.authority(),
        session_id: session_id.clone(),
        intent_type: INGEST_FILE.to_owned(),
        parameters: parameters.into_iter().collect(),
        metadata: Map::new(),
        intent_id: None,
        idempotency_key,
        conversation_id: None,
        message: None,
        attachments: vec![object],
        timing: Timing::default(),
        quota: context.intent_quota(),
        concurrency_key: None,
    }
}

/// Tells what became of each file, when all have ended. Where one of several was refused, the refusal names those that were kept.
async fn answer(context: &CallContext, begun: Vec<Begun>) -> Result<Response, Refusal> {
    let mut kept = Vec::with_capacity(begun.len());
    let mut told = Vec::with_capacity(begun.len());
    let mut refused = None;
    for (index, Begun { name, execution }) in begun.into_iter().enumerate() {
        let artifact = match execution {
            Ok(execution_id) => taken_in(context, &execution_id).await,
            Err(refusal) => Err(refusal),
        };
        let became = match artifact {
            Ok(artifact) => {
                let id = artifact.get("artifact_id").and_then(Value::as_str).unwrap_or_default().to_owned();
                kept.push(artifact);
                format!("{name} was kept as {id}")
            }
            Err(refusal) => {
                let became = format!("{name} was not kept: {}", refusal.reason().detail);
                refused.get_or_insert(refusal);
                became
            }
        };
        told.push(FieldError::new(format!("file[{index}]"), became));
    }
    match refused {
        None => uploaded(kept),
        Some(refusal) if told.len() == 1 => Err(refusal),
        Some(refusal) => Err(refusal.for_some(kept.len(), told)),
    }
}

async fn taken_in(context: &CallContext, execution_id: &ExecutionId) -> Result<Value, Refusal> {
    let mut ended = execution::wait(context, execution_id, INGEST_PATIENCE).await?;
    if let Some(problem) = &ended.problem {
        return Err(Refusal::from_execution(problem));
    }
    let artifact = ended.artifacts.remove("file").or_else(|| ended.artifacts.into_iter().next().map(|(_, it)| it));
    artifact.ok_or_else(|| Refusal::internal("a file was taken in and no artifact was kept"))
}

fn uploaded(artifacts: Vec<Value>) -> Result<Response, Refusal> {
    match artifacts.as_slice() {
        [artifact] => {
            let id = artifact.get("artifact_id").and_then(Value::as_str).unwrap_or_default();
            let location = HeaderValue::try_from(format!("/api/artifacts/{id}")).map_err(Refusal::internal)?;
            Ok((StatusCode::CREATED, [(header::LOCATION, location)], JsonBody(artifact)).into_response())
        }
        several => Ok((StatusCode::CREATED, JsonBody(json!({ "artifacts": several }))).into_response()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_names_only() {
        for (said, name) in [
            ("sales.csv", "sales.csv"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\ada\\sales.csv", "sales.csv"),
            ("a\r\nb.csv", "ab.csv"),
            ("..", "upload"),
            ("", "upload"),
            ("dir/", "upload"),
        ] {
            assert_eq!(file_name(said), name, "{said:?}");
        }
        assert_eq!(media_type("text/csv; charset=utf-8"), "text/csv; charset=utf-8");
        assert_eq!(media_type("csv"), OCTETS);
    }
}
