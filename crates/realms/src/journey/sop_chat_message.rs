//! `sop_chat_message` and `process_wizard_conversation`: a procedure told step by step. What was told so far is kept as a draft.

use async_trait::async_trait;
use contract::{Code, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    draft::{Change, DRAFT, current},
    procedure::MAX_TEXT_BYTES,
    report::{Report, keep},
    source::parameter,
};
use crate::{
    descriptor,
    markdown::{counted, plain},
};

/// The parameters that hold what was said, the clearest first.
const SAID: [&str; 3] = ["message", "text", "user_message"];

pub(super) struct SopChatMessage {
    descriptor: IntentDescriptor,
}

impl SopChatMessage {
    pub(super) fn new() -> Self {
        let examples = ["add a step to the procedure draft", "next step of the draft: the clerk files it"];
        Self::named("sop_chat_message", &examples)
    }

    /// The same, under the name of the wizard of older clients.
    pub(super) fn of_wizard() -> Self {
        Self::named("process_wizard_conversation", &["start the process wizard", "go on with the process wizard"])
    }

    fn named(intent_type: &str, examples: &[&str]) -> Self {
        let said = |description: &str| json!({"type": ["string", "null"], "maxLength": MAX_TEXT_BYTES, "description": description});
        let properties = json!({
            "message": said("Steps of the procedure, one a line; or `undo`, `start over`, `done`."),
            "text": said("An older name for `message`."),
            "user_message": said("An older name for `message`."),
            "context": {"type": ["object", "null"], "description": "Accepted for older clients; it changes nothing."},
        });
        let description = "Takes steps of a procedure one message after another and keeps them as a draft of this session; `undo` and `start over` take back.";
        Self { descriptor: descriptor(REALM, intent_type, description, properties, examples) }
    }
}

#[async_trait]
impl Handler for SopChatMessage {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let Some(message) = SAID.iter().find_map(|name| parameter(&parameters, name)) else {
            return Err(Failure::new(Code::ValidationFailed, "There is no step in `message`. Say what is done first."));
        };
        let mut draft = current(context).await?;
        let change = draft.take(message)?;
        let done = match change {
            Change::Added(count) => format!("{} added.", counted(count, "step was", "steps were")),
            Change::TakenBack => "The last step was taken back.".to_owned(),
            Change::Emptied => "The draft is empty again.".to_owned(),
            Change::Finished => "Run `generate_sop_from_chat` to write it down.".to_owned(),
        };
        let steps = draft.steps.iter().zip(1..).map(|(step, number)| format!("\n{number}. {}", plain(step)));
        let summary = format!(
            "{done} The draft has {}.\n{}",
            counted(draft.steps.len(), "step", "steps"),
            steps.collect::<String>()
        );
        let payload = Object::from_iter([
            ("steps".to_owned(), json!(draft.steps)),
            ("step_count".to_owned(), json!(draft.steps.len())),
            ("is_finished".to_owned(), json!(change == Change::Finished)),
        ]);
        let report = Report {
            key: DRAFT,
            title: "Procedure in the making".to_owned(),
            payload,
            summary,
            drawings: Vec::new(),
            parents: draft.parent.into_iter().collect(),
        };
        Ok(keep(context, report))
    }
}
