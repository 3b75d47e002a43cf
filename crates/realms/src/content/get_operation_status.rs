//! `get_operation_status`: how an operation stands that was begun before.

use async_trait::async_trait;
use contract::{Code, ExecutionId, execution::ExecutionStatus, intent::IntentDescriptor};
use runtime::{CallOutcome, ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::REALM;
use crate::{descriptor, markdown::code};

pub(super) struct GetOperationStatus {
    descriptor: IntentDescriptor,
}

impl GetOperationStatus {
    pub(super) fn new() -> Self {
        let id = |description: &str| json!({"type": ["string", "null"], "maxLength": 128, "description": description});
        let properties = json!({
            "operation_id": id("The id of the operation: that of its execution."),
            "execution_id": id("Another name for `operation_id`."),
        });
        let examples = [
            "how is the bulk upload going?",
            "is the operation done?",
            "what came of the import I started?",
            "check the status of the operation",
        ];
        let description = "Says how an operation stands that was begun before, and what came of it.";
        Self { descriptor: descriptor(REALM, "get_operation_status", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for GetOperationStatus {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let named = ["operation_id", "execution_id"].iter().find_map(|key| parameters.get(*key)?.as_str());
        let Some(named) = named else {
            return Err(Failure::new(Code::ValidationFailed, "Name the operation by its `operation_id`."));
        };
        let nothing = || Failure::new(Code::NotFound, format!("There is no operation {}.", code(named)));
        let id: ExecutionId = named.parse().map_err(|_| nothing())?;
        let standing = context.standing(&id).await?.ok_or_else(nothing)?;
        Ok(json!({
            "summary": summary(&standing),
            "operation_id": id,
            "status": standing.status,
            "error": standing.problem.as_ref().map(|problem| &problem.message),
            "artifacts": standing.artifacts,
            "result": standing.result,
        }))
    }
}

fn summary(standing: &CallOutcome) -> String {
    let told = standing.result.get("summary").and_then(Value::as_str).unwrap_or("It left no summary.");
    let problem = standing.problem.as_ref().map_or("No reason was given.", |problem| problem.message.as_str());
    match standing.status {
        ExecutionStatus::Pending => "It waits for its turn.".to_owned(),
        ExecutionStatus::Running => "It is under way.".to_owned(),
        ExecutionStatus::AwaitingApproval => "It waits for somebody's approval.".to_owned(),
        ExecutionStatus::Completed => format!("It is done. {told}"),
        ExecutionStatus::Failed => format!("It failed: {problem}"),
        ExecutionStatus::Cancelled => format!("It was cancelled: {problem}"),
    }
}
