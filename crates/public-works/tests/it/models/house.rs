//! What the tests of models share: a request, a model at a test's provider, and who takes its answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use agents::{
    Directory, LanguageModel,
    model::{ModelError, ModelRequest, Piece, ReplySink, Tools},
};
use async_trait::async_trait;
use contract::{
    Owner, Timestamp,
    agent::Surface,
    intent::{ApprovalRule, IntentDescriptor},
};
use public_works::{
    RemoteModel,
    models::{ApiKey, ModelConfig, Provider as Form},
};
use runtime::Clock;
use serde_json::json;

use super::provider::Provider;

/// The key of all tests; nothing that is told may have it.
pub(crate) const KEY: &str = "sk-test-0123456789";

/// Time that goes on a millisecond with each look, and chance that counts.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Clock for Counter {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + self.0.fetch_add(1, Ordering::Relaxed) as i64)
    }

    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        bytes.iter_mut().zip(count.iter().cycle()).for_each(|(byte, chance)| *byte = *chance);
    }
}

/// A configuration that loses no time.
pub(crate) fn config(form: Form, provider: &Provider) -> ModelConfig {
    let path = if matches!(form, Form::Anthropic | Form::Gemini) { "" } else { "/v1" };
    ModelConfig {
        provider: form,
        base_url: Some(provider.url(path)),
        model: Some("test-model".to_owned()),
        retries: 0,
        ..ModelConfig::default()
    }
}

pub(crate) fn model(config: ModelConfig) -> RemoteModel {
    RemoteModel::new("mine", config, Some(ApiKey::new(KEY)), Arc::new(Counter::default())).unwrap()
}

pub(crate) fn descriptor(intent_type: &str) -> IntentDescriptor {
    IntentDescriptor {
        intent_type: intent_type.to_owned(),
        realm: "content".to_owned(),
        description: format!("Does {intent_type}."),
        parameters: json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": { "file": { "type": "string" } },
        }),
        approval: ApprovalRule::None,
        examples: vec!["read it".to_owned()],
    }
}

pub(crate) fn request() -> ModelRequest {
    let directory = Directory::builtin();
    let agent = Arc::clone(directory.get(&"liaison.content".parse().unwrap()).unwrap());
    let catalogue = [Arc::new(descriptor("parse_content")), Arc::new(descriptor("list_files"))];
    ModelRequest {
        tools: Arc::new(Tools::of(&agent, &directory, &catalogue)),
        agent,
        history: Arc::default(),
        message: "Read both files.".to_owned(),
        rounds: Vec::new(),
        surface: Surface::Content,
        files: Arc::from(vec!["a.csv".to_owned()]),
        max_tokens: 100_000,
        owner: owner("tenant_1"),
    }
}

pub(crate) fn owner(tenant: &str) -> Owner {
    Owner::User { tenant_id: tenant.parse().unwrap(), user_id: "user_1".parse().unwrap() }
}

/// Keeps all pieces; texts that follow each other are one.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Taken(pub(crate) Vec<Piece>);

impl Taken {
    pub(crate) fn text(&self) -> String {
        self.0
            .iter()
            .filter_map(|piece| if let Piece::Text(text) = piece { Some(text.as_str()) } else { None })
            .collect()
    }
}

#[async_trait]
impl ReplySink for Taken {
    async fn take(&mut self, piece: Piece) -> Result<(), ModelError> {
        match (self.0.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
            (_, piece) => self.0.push(piece),
        }
        Ok(())
    }
}

/// Asks, within a time that no test needs.
pub(crate) async fn ask(model: &RemoteModel) -> (Result<(), ModelError>, Taken) {
    let mut taken = Taken::default();
    let outcome = tokio::time::timeout(Duration::from_secs(60), model.reply(&request(), &mut taken)).await;
    (outcome.expect("a model that hangs is given up by itself"), taken)
}
