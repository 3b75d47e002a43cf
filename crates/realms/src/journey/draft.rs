//! A procedure in the making: the steps that somebody has told one after another in a session. Each message leaves a new draft that
//! descends from the one before.

use contract::{ArtifactId, Code, artifact::LifecycleState};
use runtime::{
    ExecutionContext, Failure,
    port::store::{ArtifactFilter, PageRequest},
};

/// The artifact type of a draft, and the key under which it is kept.
pub(super) const DRAFT: &str = "sop_draft";

/// The most steps of a draft.
pub(super) const MOST_STEPS: usize = 200;

/// What has been told so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) steps: Vec<String>,
    /// The draft that it was read from.
    pub(super) parent: Option<ArtifactId>,
}

/// What a message does to a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Added(usize),
    TakenBack,
    Emptied,
    Finished,
}

impl Draft {
    /// Takes a message in: steps, one a line, or one of the few words that mean something else.
    pub(super) fn take(&mut self, message: &str) -> Result<Change, Failure> {
        match message.trim().trim_end_matches(['.', '!']).to_lowercase().as_str() {
            "undo" | "remove the last step" | "take that back" => {
                self.steps.pop();
                return Ok(Change::TakenBack);
            }
            "start over" | "begin again" | "clear" => {
                self.steps.clear();
                return Ok(Change::Emptied);
            }
            "done" | "that is all" | "that's all" | "finish" | "finished" => return Ok(Change::Finished),
            _ => {}
        }
        let steps: Vec<String> = message.lines().map(without_number).filter(|step| !step.is_empty()).collect();
        if self.steps.len() + steps.len() > MOST_STEPS {
            let message = format!(
                "A draft has at most {MOST_STEPS} steps. Write the procedure to a file and run create_workflow."
            );
            return Err(Failure::new(Code::ValidationFailed, message));
        }
        let added = steps.len();
        self.steps.extend(steps);
        Ok(Change::Added(added))
    }

    /// The steps with their numbers, as `read_procedure` takes them.
    pub(super) fn text(&self) -> String {
        self.steps.iter().zip(1..).map(|(step, number)| format!("{number}. {step}\n")).collect()
    }
}

/// A line without the number or the bullet before it.
fn without_number(line: &str) -> String {
    let line = line.trim();
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let numbered = line[digits..].strip_prefix(['.', ')']).filter(|_| digits > 0);
    numbered.unwrap_or(line.trim_start_matches(['-', '*', '•'])).trim().to_owned()
}

/// The newest draft of this session; an empty one where there is none.
pub(super) async fn current(context: &ExecutionContext) -> Result<Draft, Failure> {
    let filter = ArtifactFilter {
        artifact_type: Some(DRAFT.to_owned()),
        session_id: Some(context.session_id().clone()),
        ..ArtifactFilter::default()
    };
    let newest = context.artifacts(&filter, PageRequest::first(1)).await?.items.pop();
    let Some(artifact) = newest.filter(|artifact| artifact.lifecycle_state != LifecycleState::Deleted) else {
        return Ok(Draft::default());
    };
    let steps = artifact.semantic_payload.get("steps").and_then(serde_json::Value::as_array);
    let steps = steps.into_iter().flatten().filter_map(|step| step.as_str().map(str::to_owned)).collect();
    Ok(Draft { steps, parent: Some(artifact.artifact_id) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_steps_and_are_taken_back() {
        let mut draft = Draft::default();
        assert_eq!(draft.take("1. Open it\n2) Pay it\n- File it\n\n").unwrap(), Change::Added(3));
        assert_eq!(draft.take("Undo.").unwrap(), Change::TakenBack);
        assert_eq!(draft.take("24 hours later, remind them").unwrap(), Change::Added(1));
        assert_eq!(draft.text(), "1. Open it\n2. Pay it\n3. 24 hours later, remind them\n");
        assert_eq!(draft.take("that is all").unwrap(), Change::Finished);
        assert!(draft.take(&"step\n".repeat(MOST_STEPS)).is_err());
        assert_eq!((draft.take("start over").unwrap(), draft.steps.len()), (Change::Emptied, 0));
    }
}
