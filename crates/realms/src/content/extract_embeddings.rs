//! `extract_embeddings`: makes a file's text findable by what it says. Without a provider of embeddings that is a lexical index, and
//! it says so.

use std::collections::BTreeMap;

use async_trait::async_trait;
use contract::{artifact::LifecycleState, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, NewArtifact, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    find_file::{Wanted, file_name, file_properties, find_file},
    parsed::{ensure_parsed, gone},
    table::{Cell, TABLE_MEDIA_TYPE, Table},
    terms::{terms, words},
};
use crate::{
    descriptor,
    markdown::{code, counted, listed},
};

/// The artifact type of an index.
const KEY: &str = "embeddings";

/// The most words of a passage; a paragraph that is longer is several.
const PASSAGE_WORDS: usize = 200;

/// The most passages of a file that are indexed.
const MOST_PASSAGES: usize = 2_000;

/// The terms that are kept of each passage, and of the whole file.
const PASSAGE_TERMS: usize = 12;
const FILE_TERMS: usize = 50;

const SHOWN_TERMS: usize = 8;

pub(super) struct ExtractEmbeddings {
    descriptor: IntentDescriptor,
}

impl ExtractEmbeddings {
    pub(super) fn new() -> Self {
        let properties = file_properties(json!({
            "embedding_model": {"type": ["string", "null"], "maxLength": 100, "description": "Accepted for older clients; there is no provider of embeddings, so it changes nothing."},
        }));
        let examples = [
            "make this document searchable by meaning",
            "extract embeddings",
            "index the text of the policy",
            "prepare the file for semantic search",
        ];
        let description = "Indexes what a file says, passage by passage, so that it can be found. Without a provider of embeddings the \
            index is lexical: it knows words, not meanings.";
        Self { descriptor: descriptor(REALM, "extract_embeddings", description, properties, &examples) }
    }
}

/// A piece of the file, and the words that it is about.
struct Passage {
    text_beginning: String,
    words: usize,
    terms: Vec<(String, usize)>,
}

#[async_trait]
impl Handler for ExtractEmbeddings {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let file = find_file(context, &parameters, Wanted::Any).await?;
        let parsed = ensure_parsed(context, &file).await?;
        let (object, bytes) = context.content(&parsed.artifact_id).await?.ok_or_else(gone)?;
        let is_table = object.media_type == TABLE_MEDIA_TYPE;
        let (passages, file_terms) = context
            .compute(move || {
                let texts = if is_table {
                    of_table(&Table::from_stored(&bytes).map_err(|_| gone())?)
                } else {
                    of_text(&String::from_utf8_lossy(&bytes))
                };
                let whole = terms(&texts.join(" "), FILE_TERMS);
                Ok((texts.iter().take(MOST_PASSAGES).map(|text| passage(text)).collect::<Vec<_>>(), whole))
            })
            .await?;
        let name = file_name(&file);
        let in_passages = document_frequencies(&passages);
        let told: Vec<String> = file_terms.iter().map(|term| code(&term.word)).collect();
        let summary = format!(
            "**{name}** is indexed in {}. It is a lexical index, since no provider of embeddings is configured: it knows words, not \
             meanings. It is about {}.",
            counted(passages.len(), "passage", "passages"),
            if told.is_empty() { "nothing that has words".to_owned() } else { listed(&told, SHOWN_TERMS) },
        );
        let mut payload = Object::from_iter([
            ("method".to_owned(), json!("lexical")),
            ("provider".to_owned(), Value::Null),
            ("file_id".to_owned(), json!(file.artifact_id)),
            ("file_name".to_owned(), json!(name)),
            ("parsed_file_id".to_owned(), json!(parsed.artifact_id)),
            ("chunk_count".to_owned(), json!(passages.len())),
            (
                "terms".to_owned(),
                file_terms
                    .iter()
                    .map(|term| json!({"term": term.word, "count": term.count, "passages": in_passages.get(&term.word)}))
                    .collect(),
            ),
            (
                "passages".to_owned(),
                passages
                    .iter()
                    .map(|passage| json!({"begins": passage.text_beginning, "words": passage.words, "terms": passage.terms}))
                    .collect(),
            ),
        ]);
        let artifact = context.keep(
            KEY,
            NewArtifact {
                artifact_type: KEY.to_owned(),
                lifecycle_state: Some(LifecycleState::Ready),
                semantic_descriptor: Object::from_iter([("title".to_owned(), json!(format!("Index of {name}")))]),
                semantic_payload: payload.clone(),
                renderings: Object::from_iter([("markdown".to_owned(), json!(summary))]),
                parent_artifacts: vec![parsed.artifact_id, file.artifact_id],
                ..NewArtifact::default()
            },
        );
        payload.remove("passages");
        payload.insert("embeddings_id".to_owned(), json!(artifact.artifact_id));
        payload.insert("summary".to_owned(), json!(summary));
        Ok(Value::Object(payload))
    }
}

/// Paragraphs, the long ones in pieces.
fn of_text(text: &str) -> Vec<String> {
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs
        .flat_map(|paragraph| {
            let words: Vec<&str> = paragraph.split_whitespace().collect();
            words.chunks(PASSAGE_WORDS).map(|piece| piece.join(" ")).collect::<Vec<_>>()
        })
        .collect()
}

/// The names of the columns, then a row each.
fn of_table(table: &Table) -> Vec<String> {
    let names = table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(" ");
    let rows = table
        .rows
        .iter()
        .take(MOST_PASSAGES)
        .map(|row| row.iter().filter_map(Cell::as_text).collect::<Vec<_>>().join(" "));
    std::iter::once(names).chain(rows).filter(|text| !text.is_empty()).collect()
}

fn passage(text: &str) -> Passage {
    let terms = terms(text, PASSAGE_TERMS).into_iter().map(|term| (term.word, term.count)).collect();
    Passage { text_beginning: crate::markdown::shortened(text, 80), words: words(text).count(), terms }
}

/// In how many passages a term stands.
fn document_frequencies(passages: &[Passage]) -> BTreeMap<String, usize> {
    let mut frequencies = BTreeMap::new();
    for (term, _) in passages.iter().flat_map(|passage| &passage.terms) {
        *frequencies.entry(term.clone()).or_default() += 1;
    }
    frequencies
}
