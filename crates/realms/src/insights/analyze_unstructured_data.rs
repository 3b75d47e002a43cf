//! `analyze_unstructured_data`: what stands in a document: its size, what it is about, and the dates, amounts and addresses in it.

use async_trait::async_trait;
use contract::intent::IntentDescriptor;
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    prose::{Prose, prose},
    report::{Report, keep_of},
};
use crate::{
    content::{
        find_file::{file_name, file_properties},
        parsed::open_document,
    },
    descriptor,
    markdown::{code, counted, listed},
};

const SHOWN: usize = 8;

pub(super) struct AnalyzeUnstructuredData {
    descriptor: IntentDescriptor,
}

impl AnalyzeUnstructuredData {
    pub(super) fn new() -> Self {
        let properties = file_properties(json!({
            "analysis_options": {"type": ["object", "null"], "description": "Accepted for older clients; it changes nothing."},
        }));
        let examples = [
            "analyze this document",
            "what is the policy about?",
            "which dates and amounts are in the contract?",
            "give me the key sentences of the text",
        ];
        let description = "Analyzes a document: its size, its key terms and key sentences, and the dates, amounts and addresses in it.";
        Self { descriptor: descriptor(REALM, "analyze_unstructured_data", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for AnalyzeUnstructuredData {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let open = open_document(context, &parameters).await?;
        let text = open.text.clone();
        let prose = context.compute(move || Ok(prose(&text))).await?;
        let name = file_name(&open.file);
        let summary = in_words(&prose, name);
        let title = format!("Analysis of {name}");
        let report = Report { key: "text_analysis", title, payload: json!(prose), markdown: summary.clone(), summary };
        keep_of(context, &open.file, &open.parsed, report)
    }
}

fn in_words(prose: &Prose, name: &str) -> String {
    let mut words = format!(
        "**{name}** has {} in {}; it takes about {} to read.",
        counted(prose.word_count, "word", "words"),
        counted(prose.sentence_count, "sentence", "sentences"),
        counted(prose.reading_minutes, "minute", "minutes"),
    );
    let terms: Vec<String> = prose.key_terms.iter().map(|term| code(&term.term)).collect();
    if !terms.is_empty() {
        words.push_str(&format!(" It is about {}.", listed(&terms, SHOWN)));
    }
    if !prose.key_sentences.is_empty() {
        words.push_str("\n\nIts key sentences:\n");
        for sentence in &prose.key_sentences {
            words.push_str(&format!("\n> {sentence}\n"));
        }
    }
    for (what, found) in
        [("Dates", &prose.dates), ("Amounts", &prose.amounts), ("Addresses", &prose.emails), ("Links", &prose.links)]
    {
        if !found.is_empty() {
            let found: Vec<String> = found.iter().map(|word| code(word)).collect();
            words.push_str(&format!("\n- {what}: {}", listed(&found, SHOWN)));
        }
    }
    words
}
