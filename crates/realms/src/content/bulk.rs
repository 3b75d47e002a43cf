//! The same intent for many files: each is an execution of its own, so that one that fails keeps no other from going on.

use contract::{Code, execution::ExecutionStatus};
use runtime::{Call, CallOutcome, ExecutionContext, Failure, FailureKind, NewArtifact, port::store::Object};
use serde_json::{Value, json};

use crate::markdown::{code, counted};

/// The most files of one operation.
pub(super) const MOST_FILES: usize = 200;

/// How many are worked on at a time.
const AT_A_TIME: usize = 8;

/// How many failures a summary tells.
const TOLD_FAILURES: usize = 5;

/// One file of an operation, and what is to be done with it.
pub(super) struct Item {
    /// As the summary calls it.
    pub(super) name: String,
    pub(super) parameters: Object,
}

/// Has `intent_type` executed for all of them, keeps the record of it, and makes the result. `done` is the verb of the summary.
pub(super) async fn execute(
    context: &ExecutionContext,
    intent_type: &str,
    done: &str,
    items: Vec<Item>,
) -> Result<Value, Failure> {
    let mut told = Vec::with_capacity(items.len());
    for group in items.chunks(AT_A_TIME) {
        let calls = group.iter().map(|item| Call {
            intent_type: intent_type.to_owned(),
            parameters: item.parameters.clone(),
            approval: None,
        });
        let begun = context.begin(calls.collect()).await?;
        for (item, begun) in group.iter().zip(begun) {
            let outcome = match begun {
                Ok(begun) => Ok(context.outcome(begun).await?),
                // It was not accepted, for a reason of its own.
                Err(failure) if failure.kind == FailureKind::Final => Err(failure),
                Err(failure) => return Err(failure),
            };
            told.push(tell(&item.name, outcome));
        }
    }
    let failed: Vec<&Value> = told.iter().filter(|item| item["status"] != "completed").collect();
    let succeeded = told.len() - failed.len();
    let summary = summary(done, succeeded, &failed);
    let mut payload = Object::from_iter([
        ("operation_id".to_owned(), json!(context.execution_id())),
        ("operation".to_owned(), json!(intent_type)),
        ("total".to_owned(), json!(told.len())),
        ("succeeded".to_owned(), json!(succeeded)),
        ("failed".to_owned(), json!(failed.len())),
        ("results".to_owned(), json!(told)),
    ]);
    context.keep(
        "bulk_operation",
        NewArtifact {
            artifact_type: "bulk_operation".to_owned(),
            semantic_descriptor: Object::from_iter([(
                "title".to_owned(),
                json!(format!("{intent_type} of many files")),
            )]),
            semantic_payload: payload.clone(),
            renderings: Object::from_iter([("markdown".to_owned(), json!(summary))]),
            ..NewArtifact::default()
        },
    );
    payload.insert("summary".to_owned(), json!(summary));
    Ok(Value::Object(payload))
}

/// Nothing, or too much, to do.
pub(super) fn check(count: usize) -> Result<(), Failure> {
    match count {
        0 => Err(Failure::new(Code::ValidationFailed, "Name at least one file.")),
        1..=MOST_FILES => Ok(()),
        _ => Err(Failure::new(
            Code::ValidationFailed,
            format!("These are more than {MOST_FILES} files; send fewer at a time."),
        )),
    }
}

fn tell(name: &str, outcome: Result<CallOutcome, Failure>) -> Value {
    match outcome {
        Ok(CallOutcome { status: ExecutionStatus::Completed, execution_id, result, artifacts, .. }) => json!({
            "file_name": name,
            "status": "completed",
            "execution_id": execution_id,
            "file_id": result.get("file_id"),
            "artifacts": artifacts,
        }),
        Ok(CallOutcome { status, execution_id, problem, .. }) => json!({
            "file_name": name,
            "status": status,
            "execution_id": execution_id,
            "error": problem.as_ref().map(|problem| &problem.message),
            "code": problem.as_ref().map(|problem| &problem.code),
        }),
        Err(failure) => json!({
            "file_name": name,
            "status": "failed",
            "error": failure.message,
            "code": failure.code.as_str(),
        }),
    }
}

fn summary(done: &str, succeeded: usize, failed: &[&Value]) -> String {
    let mut summary = format!("{} {done}.", counted(succeeded, "file was", "files were"));
    if failed.is_empty() {
        return summary;
    }
    summary.push_str(&format!(" {} not:\n", counted(failed.len(), "was", "were")));
    for item in failed.iter().take(TOLD_FAILURES) {
        let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default();
        summary.push_str(&format!("\n- {}: {}", code(text("file_name")), text("error")));
    }
    if failed.len() > TOLD_FAILURES {
        summary.push_str(&format!("\n- …and {} more", failed.len() - TOLD_FAILURES));
    }
    summary
}
