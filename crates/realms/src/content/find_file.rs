//! Which file an intent is about: the one that the parameters name, or the newest that fits. Every realm asks here.

use contract::{
    ArtifactId, Code,
    artifact::{Artifact, LifecycleState},
};
use runtime::{
    ExecutionContext, Failure, OwnerView,
    port::store::{ArtifactFilter, Object},
};
use serde_json::{Value, json};

use super::format::FileKind;
use crate::markdown::{code, listed};

/// The artifact type of a file.
pub const FILE: &str = "file";

/// How many of the newest files are looked through for a name.
const MOST_FILES: u32 = 1_000;

/// How many names a failure lists.
const LISTED_NAMES: usize = 5;

/// The parameters that name a file, the clearest first: an id is clearer than a name.
const NAMING: [&str; 9] = [
    "file_id",
    "artifact_id",
    "parsed_file_id",
    "source_artifact_id",
    "source_file_id",
    "file_reference",
    "parsed_file_reference",
    "boundary_contract_id",
    "file",
];

/// What an intent can do something with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Any,
    /// Rows and columns.
    Table,
    /// Text.
    Document,
}

impl Wanted {
    pub(super) fn fits(self, file: &Artifact) -> bool {
        let kind = file.semantic_payload.get("file_type").and_then(Value::as_str).and_then(FileKind::from_word);
        match self {
            Self::Any => true,
            Self::Table => kind.is_some_and(FileKind::is_tabular),
            Self::Document => kind.is_some_and(FileKind::is_document),
        }
    }
}

/// The JSON Schema properties by which an intent can be told its file, with `more` beside them.
pub fn file_properties(more: Value) -> Value {
    let mut properties = Object::new();
    for name in NAMING {
        let description = match name {
            "file" => {
                "The file: its name as a person says it (the ending may be left out), or its id. The newest file where it is missing."
            }
            "file_id" => "The id of the file.",
            "artifact_id" => "The id of the file, under the name that artifacts use.",
            "parsed_file_id" => "The id of the file's parsed form; it stands for the file.",
            _ => "An older name for `file_id`.",
        };
        properties
            .insert(name.to_owned(), json!({"type": ["string", "null"], "maxLength": 300, "description": description}));
    }
    if let Value::Object(more) = more {
        properties.extend(more);
    }
    Value::Object(properties)
}

/// The file that the parameters name; without any, the newest that fits of this session, else of this owner. Archived files are
/// found only by their name or id.
pub async fn find_file(context: &ExecutionContext, parameters: &Object, wanted: Wanted) -> Result<Artifact, Failure> {
    find_in(&context.view().await?, parameters, wanted).await
}

async fn find_in(view: &OwnerView, parameters: &Object, wanted: Wanted) -> Result<Artifact, Failure> {
    match named(parameters) {
        Some(named) => find_named(view, named).await,
        None => find_newest(view, wanted).await,
    }
}

/// The parameters with the file that they mean, by its name for people and by its id: files that come later do not change it.
pub(super) async fn settle_file(view: &OwnerView, mut parameters: Object, wanted: Wanted) -> Result<Object, Failure> {
    let file = find_in(view, &parameters, wanted).await?;
    let said = parameters.get(FILE).and_then(Value::as_str).map(str::trim).filter(|said| !said.is_empty());
    if let Some(said) = said
        && plain(said) != plain(file_name(&file))
        && find_named(view, said).await?.artifact_id != file.artifact_id
    {
        let message = format!("{} is not the file of the id beside it. Name the file once.", code(said));
        return Err(Failure::new(Code::ValidationFailed, message));
    }
    for name in NAMING {
        parameters.remove(name);
    }
    parameters.insert(FILE.to_owned(), json!(file_name(&file)));
    parameters.insert("file_id".to_owned(), json!(file.artifact_id));
    Ok(parameters)
}

/// The same for a file that is to come back: without a name it is the newest archived one.
pub(super) async fn find_archived(context: &ExecutionContext, parameters: &Object) -> Result<Artifact, Failure> {
    let view = context.view().await?;
    if let Some(named) = named(parameters) {
        return find_named(&view, named).await;
    }
    let files = newest_files(&view).await?;
    let archived = files.into_iter().find(|file| file.lifecycle_state == LifecycleState::Archived);
    archived.ok_or_else(|| Failure::new(Code::NotFound, "No file is archived, so there is nothing to restore."))
}

fn named(parameters: &Object) -> Option<&str> {
    NAMING.iter().filter_map(|name| parameters.get(*name)?.as_str()).map(str::trim).find(|text| !text.is_empty())
}

/// The name of a file, as its owner gave it.
pub fn file_name(file: &Artifact) -> &str {
    file.semantic_payload
        .get("file_name")
        .or_else(|| file.semantic_descriptor.get("title"))
        .and_then(Value::as_str)
        .unwrap_or("the file")
}

async fn find_named(view: &OwnerView, named: &str) -> Result<Artifact, Failure> {
    if let Some(file) = find_by_id(view, named).await? {
        return Ok(file);
    }
    let files = newest_files(view).await?;
    match choose_by_name(&files, named) {
        Choice::One(file) => Ok(file.clone()),
        Choice::Several(names) => Err(Failure::new(
            Code::NotFound,
            format!("{} could be {}. Say which one, with its whole name.", code(named), listed(&names, LISTED_NAMES)),
        )),
        Choice::None => Err(nothing_named(named, &files)),
    }
}

/// An id of a file, or of something that was made of one.
async fn find_by_id(view: &OwnerView, text: &str) -> Result<Option<Artifact>, Failure> {
    let Ok(id) = text.parse::<ArtifactId>() else { return Ok(None) };
    let Some(artifact) = view.artifact(&id).await? else { return Ok(None) };
    let file = if artifact.artifact_type == FILE { Some(artifact) } else { parent_file(view, &artifact).await? };
    match file {
        Some(file) if file.lifecycle_state == LifecycleState::Deleted => {
            Err(Failure::new(Code::Gone, "That file was deleted. Upload it again to use it."))
        }
        other => Ok(other),
    }
}

async fn parent_file(view: &OwnerView, artifact: &Artifact) -> Result<Option<Artifact>, Failure> {
    for parent in &artifact.parent_artifacts {
        if let Some(parent) = view.artifact(parent).await?.filter(|parent| parent.artifact_type == FILE) {
            return Ok(Some(parent));
        }
    }
    Ok(None)
}

/// Not deleted ones, those of this session first, each newest first.
pub(super) async fn newest_files(view: &OwnerView) -> Result<Vec<Artifact>, Failure> {
    let filter = ArtifactFilter { artifact_type: Some(FILE.to_owned()), ..ArtifactFilter::default() };
    let mut files = view.newest_artifacts(&filter, MOST_FILES).await?;
    // The sort is stable, so the newest stay first among their own.
    files.sort_by_key(|file| file.session_id != *view.session_id());
    Ok(files)
}

/// The newest tables that are not put away, at most so many.
pub(crate) async fn newest_tables(context: &ExecutionContext, most: usize) -> Result<Vec<Artifact>, Failure> {
    let mut files = newest_files(&context.view().await?).await?;
    files.retain(|file| file.lifecycle_state != LifecycleState::Archived && Wanted::Table.fits(file));
    files.truncate(most);
    if files.is_empty() {
        return Err(Failure::new(Code::NotFound, "There is no table yet. Upload a CSV or an Excel sheet first."));
    }
    Ok(files)
}

async fn find_newest(view: &OwnerView, wanted: Wanted) -> Result<Artifact, Failure> {
    let mut files = newest_files(view).await?;
    files.retain(|file| file.lifecycle_state != LifecycleState::Archived);
    let fitting = files.iter().position(|file| wanted.fits(file)).unwrap_or(0);
    if files.is_empty() {
        let what = match wanted {
            Wanted::Any => "a CSV, an Excel sheet or a document",
            Wanted::Table => "a CSV or an Excel sheet",
            Wanted::Document => "a text, Markdown or PDF document",
        };
        return Err(Failure::new(
            Code::NotFound,
            format!("There is no file yet. Upload one first, for example {what}."),
        ));
    }
    Ok(files.swap_remove(fitting))
}

fn nothing_named(named: &str, files: &[Artifact]) -> Failure {
    let mut names: Vec<String> = Vec::new();
    for name in files.iter().map(|file| code(file_name(file))) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let there = match names.as_slice() {
        [] => "There is no file yet; upload one first.".to_owned(),
        names => format!("There is {}.", listed(names, LISTED_NAMES)),
    };
    Failure::new(Code::NotFound, format!("There is no file {}. {there}", code(named)))
}

#[derive(Debug, PartialEq)]
enum Choice<'a> {
    One(&'a Artifact),
    Several(Vec<String>),
    None,
}

/// The whole name wins over the name without its ending, that over the beginning of a name, that over a part of it. Of files with the
/// same name it is the first one: the newest.
fn choose_by_name<'a>(files: &'a [Artifact], named: &str) -> Choice<'a> {
    let wanted = plain(named);
    if wanted.is_empty() {
        return Choice::None;
    }
    let tests: [fn(&str, &str) -> bool; 4] = [
        |name, wanted| plain(name) == wanted,
        |name, wanted| plain(stem(name)) == wanted,
        |name, wanted| plain(name).starts_with(wanted),
        |name, wanted| plain(name).contains(wanted),
    ];
    for fits in tests {
        let fitting: Vec<&Artifact> = files.iter().filter(|file| fits(file_name(file), &wanted)).collect();
        let Some(&first) = fitting.first() else { continue };
        let mut names: Vec<String> = fitting.iter().map(|file| code(file_name(file))).collect();
        names.sort();
        names.dedup();
        return if names.len() == 1 { Choice::One(first) } else { Choice::Several(names) };
    }
    Choice::None
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Lower case, with one blank for whatever is no letter and no digit: people say "returns procedure" for `returns_procedure.md`.
fn plain(name: &str) -> String {
    let words: String = name.chars().map(|sign| if sign.is_alphanumeric() { sign } else { ' ' }).collect();
    words.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use contract::{IntentId, Timestamp, artifact::Provenance};

    use super::*;

    fn file(name: &str, number: u8) -> Artifact {
        let mut id = [0; 10];
        id[9] = number;
        Artifact {
            artifact_id: ArtifactId::from_parts(Timestamp::from_millis(1), id),
            artifact_type: FILE.to_owned(),
            tenant_id: None,
            session_id: "sess_1".parse().unwrap(),
            lifecycle_state: LifecycleState::Ready,
            semantic_descriptor: Object::new(),
            semantic_payload: Object::from_iter([("file_name".to_owned(), json!(name))]),
            renderings: Object::new(),
            materializations: Vec::new(),
            parent_artifacts: Vec::new(),
            produced_by: Provenance {
                intent: "intent_1".parse::<IntentId>().unwrap(),
                intent_type: "ingest_file".to_owned(),
                execution_id: "exec_1".parse().unwrap(),
            },
            created_at: Timestamp::from_millis(1),
            updated_at: Timestamp::from_millis(1),
        }
    }

    #[test]
    fn files_are_found_as_people_say_their_names() {
        let names = ["orders.csv", "orders_2025.csv", "Returns_Procedure.md", "orders.csv", "sales-q1.xlsx"];
        let files: Vec<Artifact> = names.iter().zip(1..).map(|(name, number)| file(name, number)).collect();
        for (said, wanted) in [
            ("orders.csv", Some(0)),
            ("ORDERS", Some(0)),
            ("orders 2025", Some(1)),
            ("returns procedure", Some(2)),
            ("returns", Some(2)),
            ("q1", Some(4)),
            ("order", None),
            ("nothing", None),
            ("...", None),
        ] {
            let found = match choose_by_name(&files, said) {
                Choice::One(file) => files.iter().position(|other| std::ptr::eq(other, file)),
                Choice::Several(_) | Choice::None => None,
            };
            assert_eq!(found, wanted, "{said:?}");
        }
        assert_eq!(
            choose_by_name(&files, "order"),
            Choice::Several(vec!["`orders.csv`".to_owned(), "`orders_2025.csv`".to_owned()])
        );
    }
}
