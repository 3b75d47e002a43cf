//! `ingest_file`: takes an upload in, as an artifact that is a draft until somebody keeps it.

use async_trait::async_trait;
use bytes::Bytes;
use contract::{ArtifactId, Code, artifact::LifecycleState, intent::IntentDescriptor};
use runtime::{
    ExecutionContext, Failure, Handler, NewArtifact,
    port::store::{Object, StoredObject},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    REALM,
    find_file::FILE,
    format::{FileKind, sniff},
};
use crate::{
    descriptor,
    markdown::{self, listed},
};

/// The largest file, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The longest file name that is kept, in characters.
const LONGEST_NAME: usize = 200;

pub(super) struct IngestFile {
    descriptor: IntentDescriptor,
}

impl IngestFile {
    pub(super) fn new() -> Self {
        let text =
            |description: &str| json!({"type": ["string", "null"], "maxLength": 300, "description": description});
        let properties = json!({
            "file_content": {"type": ["string", "null"], "description": "The bytes of the file in hexadecimal, where nothing was uploaded with the intent."},
            "filename": text("The name of the file, with its ending."),
            "ui_name": text("The name that people see; `filename` where it is missing."),
            "mime_type": text("What the client takes it for. The bytes decide."),
            "file_type": text("What the client takes it for. The bytes decide."),
            "ingestion_type": text("How the file comes in; `upload` is the only way."),
            "keep": {"type": ["boolean", "null"], "description": "Whether it is kept at once. Otherwise it is a draft until `save_materialization`."},
        });
        let examples = [
            "upload a file",
            "I want to add my orders.csv",
            "here is a spreadsheet for you",
            "let me send you a document",
            "import this data",
        ];
        let description =
            "Takes an uploaded file in, finds out what it is and remembers it, so that it can be read and asked about.";
        Self { descriptor: descriptor(REALM, "ingest_file", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for IngestFile {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let keep = parameters.get("keep").and_then(Value::as_bool).unwrap_or(false);
        let mut taken = Vec::new();
        for object in incoming(context, &parameters).await? {
            let key = if taken.is_empty() { FILE.to_owned() } else { format!("{FILE}_{}", taken.len() + 1) };
            taken.push(take_in(context, &key, object, &parameters, keep).await?);
        }
        let mut result = taken.first().cloned().unwrap_or_default();
        result.insert("summary".to_owned(), Value::from(summary(&taken, keep)));
        result.insert("files".to_owned(), Value::from(taken));
        Ok(Value::Object(result))
    }
}

/// What comes in: the uploads that the intent carries, or the bytes in its parameters.
async fn incoming(context: &ExecutionContext, parameters: &Object) -> Result<Vec<StoredObject>, Failure> {
    if !context.attachments().is_empty() {
        return Ok(context.attachments().to_vec());
    }
    let Some(hex) = parameters.get("file_content").and_then(Value::as_str) else {
        return Err(Failure::new(
            Code::ValidationFailed,
            "No file came with this. Upload one, for example with POST /api/files, or attach it in your client.",
        ));
    };
    let bytes = from_hex(hex.trim()).ok_or_else(|| {
        Failure::new(Code::ValidationFailed, "`file_content` must be hexadecimal: two digits a byte, nothing else.")
    })?;
    let name = parameters.get("filename").and_then(Value::as_str).unwrap_or("upload");
    Ok(vec![context.write_object(Bytes::from(bytes), FileKind::Unknown.media_type(), name).await?])
}

async fn take_in(
    context: &ExecutionContext,
    key: &str,
    object: StoredObject,
    parameters: &Object,
    keep: bool,
) -> Result<Object, Failure> {
    if object.size_bytes > MAX_FILE_BYTES {
        let message =
            format!("The file is larger than {}. Split it into smaller files.", markdown::size(MAX_FILE_BYTES));
        return Err(Failure::new(Code::PayloadTooLarge, message));
    }
    let bytes = context.read_object(&object).await?;
    let name = clean_name(&object.file_name);
    let (kind, sha256, name) =
        context.compute(move || Ok((sniff(&name, &bytes), to_hex(&Sha256::digest(&bytes)), name))).await?;
    let id = context.new_artifact_id();
    let ui_name = parameters.get("ui_name").and_then(Value::as_str).map_or_else(|| name.clone(), clean_name);
    let state = if keep { LifecycleState::Ready } else { LifecycleState::Draft };
    let payload = payload(&id, &name, &ui_name, kind, object.size_bytes, &sha256, state);
    context.keep(
        key,
        NewArtifact {
            artifact_id: Some(id),
            artifact_type: FILE.to_owned(),
            lifecycle_state: Some(state),
            semantic_descriptor: descriptor_of(&ui_name, kind, object.size_bytes),
            semantic_payload: payload.clone(),
            content: Some(StoredObject { media_type: kind.media_type().to_owned(), file_name: name.clone(), ..object }),
            search_text: Some(searchable(&name, &ui_name)),
            ..NewArtifact::default()
        },
    );
    Ok(payload)
}

fn descriptor_of(title: &str, kind: FileKind, size_bytes: u64) -> Object {
    Object::from_iter([
        ("title".to_owned(), Value::from(title)),
        ("media_type".to_owned(), Value::from(kind.media_type())),
        ("size_bytes".to_owned(), Value::from(size_bytes)),
    ])
}

fn payload(
    id: &ArtifactId,
    name: &str,
    ui_name: &str,
    kind: FileKind,
    size_bytes: u64,
    sha256: &str,
    state: LifecycleState,
) -> Object {
    Object::from_iter([
        ("file_id".to_owned(), Value::from(id.as_str())),
        ("file_name".to_owned(), Value::from(name)),
        ("ui_name".to_owned(), Value::from(ui_name)),
        ("file_type".to_owned(), Value::from(kind.as_str())),
        ("mime_type".to_owned(), Value::from(kind.media_type())),
        ("size_bytes".to_owned(), Value::from(size_bytes)),
        ("sha256".to_owned(), Value::from(sha256)),
        ("status".to_owned(), Value::from(state.as_str())),
    ])
}

/// The name in one piece and in its words, so that "orders" finds `orders_2025.csv`.
fn searchable(name: &str, ui_name: &str) -> String {
    let words: String = name.chars().map(|sign| if sign.is_alphanumeric() { sign } else { ' ' }).collect();
    format!("{name} {ui_name} {words}")
}

fn summary(taken: &[Object], keep: bool) -> String {
    let text = |file: &Object, key: &str| file.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let named: Vec<String> = taken
        .iter()
        .map(|file| {
            let size = markdown::size(file.get("size_bytes").and_then(Value::as_u64).unwrap_or(0));
            format!("**{}** ({}, {size})", text(file, "file_name"), text(file, "file_type").to_uppercase())
        })
        .collect();
    let kinds: Vec<FileKind> = taken.iter().filter_map(|file| FileKind::from_word(&text(file, "file_type"))).collect();
    let verb = if taken.len() == 1 { "is" } else { "are" };
    let state = if keep { "here and kept" } else { "here as a draft; save it to keep it" };
    let next = if kinds.iter().any(|kind| kind.is_tabular()) {
        "Ask \"how good is this data?\" or \"profile it\"."
    } else if kinds.iter().any(|kind| kind.is_document()) {
        "Ask me to read it, or to make a workflow of it."
    } else {
        "It can be kept, but this kind of file cannot be read."
    };
    format!("{} {verb} {state}. {next}", listed(&named, 5))
}

/// The last piece of a path, without control signs; what is too long loses its middle so that the ending stays.
fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|sign| !sign.is_control()).collect();
    let clean = clean.trim().trim_start_matches('.');
    let signs: Vec<char> = clean.chars().collect();
    if signs.is_empty() {
        return "upload".to_owned();
    }
    if signs.len() <= LONGEST_NAME {
        return clean.to_owned();
    }
    let half = LONGEST_NAME / 2;
    signs[..half].iter().chain(['…'].iter()).chain(&signs[signs.len() - half + 1..]).collect()
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |&[high, low]: &[u8; 2]| Some(digit(high)? << 4 | digit(low)?);
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_both_ways_and_nothing_else_does() {
        assert_eq!(from_hex("00fFa5"), Some(vec![0, 255, 165]));
        assert_eq!(from_hex(""), Some(Vec::new()));
        for text in ["0", "zz", "é0", "0x10", "+1"] {
            assert_eq!(from_hex(text), None, "{text:?}");
        }
        assert_eq!(to_hex(&[0, 255, 165]), "00ffa5");
    }

    #[test]
    fn names_carry_no_path_and_no_control_signs() {
        for (name, wanted) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\data\\a.csv", "a.csv"),
            ("a\nb\0.csv", "ab.csv"),
            (".hidden", "hidden"),
            ("", "upload"),
            ("..", "upload"),
            ("Grüße 2026.md", "Grüße 2026.md"),
        ] {
            assert_eq!(clean_name(name), wanted);
        }
        let long = clean_name(&format!("{}.csv", "x".repeat(400)));
        assert!(long.ends_with("x.csv") && long.chars().count() == LONGEST_NAME, "{long}");
    }
}
