//! `symphainy call`: one intent, submitted, awaited and printed.

use std::io::{self, IsTerminal, Read};

use contract::{
    Event, EventType, ExecutionId,
    approval::Approval,
    execution::{Execution, ExecutionStatus},
    intent::{IntentDescriptor, IntentList, Submitted},
};
use serde_json::{Map, Value, json};

use crate::{
    cli::CallArguments,
    client::{Api, ApiError, password, sign_in},
    exit::{Complaint, Exit},
    output::{show, show_line},
    paint::{Paint, tame},
};

/// The parameters on standard input, at most, in bytes; a server takes no more either.
const MAX_INPUT_BYTES: u64 = 1024 * 1024;

/// How often a stream of events that broke off is opened again.
const MAX_RECONNECTIONS: u32 = 20;

/// The parameter that names an uploaded file.
const FILE_ID: &str = "file_id";

pub(crate) async fn call(arguments: CallArguments) -> Result<Exit, Complaint> {
    // Standard input can be read once: the parameters come before a password that is typed.
    let mut parameters = parameters(&arguments)?;
    let mut api = sign_in(&arguments.sign_in).await?;
    if let Some(path) = &arguments.file {
        refuse_without_file(&mut api, &arguments.intent).await?;
        let file = api.upload(path).await?;
        parameters.insert(FILE_ID.to_owned(), json!(file.artifact_id));
    }
    let body = json!({ "intent_type": arguments.intent, "session_id": api.session_id(), "parameters": parameters });
    let submitted: Submitted = api.post("/api/intent/submit", &body).await?;
    if arguments.no_wait {
        show_line(&if arguments.json { json!(submitted).to_string() } else { submitted.execution_id.to_string() });
        return Ok(Exit::Success);
    }
    let paint = Paint::of(&io::stderr());
    let waits = watch(&mut api, &submitted.execution_id, paint).await?;
    let execution: Execution = api.get(&format!("/api/execution/{}/status", submitted.execution_id)).await?;
    if arguments.json {
        show_line(&json!(execution).to_string());
    } else {
        print(&execution, waits.as_ref());
    }
    Ok(if execution.status == ExecutionStatus::Completed { Exit::Success } else { Exit::Failed })
}

fn parameters(arguments: &CallArguments) -> Result<Map<String, Value>, Complaint> {
    let mut parameters = match (&arguments.parameters, &arguments.from_input) {
        (Some(text), _) => object(text)?,
        (None, Some(_)) => {
            let mut text = String::new();
            io::stdin()
                .take(MAX_INPUT_BYTES)
                .read_to_string(&mut text)
                .map_err(|error| Complaint::new(Exit::Data, format!("Standard input cannot be read ({error}).")))?;
            object(&text)?
        }
        (None, None) => Map::new(),
    };
    for param in &arguments.param {
        let (name, value) = param
            .split_once('=')
            .ok_or_else(|| Complaint::usage(format!("{param:?} is no parameter: write --param NAME=VALUE.")))?;
        parameters.insert(name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| json!(value)));
    }
    Ok(parameters)
}

fn object(text: &str) -> Result<Map<String, Value>, Complaint> {
    serde_json::from_str(text)
        .map_err(|error| Complaint::new(Exit::Data, format!("The parameters are not one JSON object ({error}).")))
}

async fn refuse_without_file(api: &mut Api, intent: &str) -> Result<(), Complaint> {
    let list: IntentList = api.get("/api/intents").await?;
    let takes_file = |descriptor: &IntentDescriptor| {
        descriptor.intent_type == intent && descriptor.parameters["properties"].get(FILE_ID).is_some()
    };
    if list.intents.iter().any(takes_file) {
        return Ok(());
    }
    let with_file: Vec<&str> = list
        .intents
        .iter()
        .filter(|descriptor| descriptor.parameters["properties"].get(FILE_ID).is_some())
        .map(|descriptor| descriptor.intent_type.as_str())
        .collect();
    Err(Complaint::usage(format!("{intent} takes no file. These do: {}.", with_file.join(", "))))
}

/// Waits for the end and tells on the way how it goes. Answers the approval that it stopped at, if somebody has to decide elsewhere.
async fn watch(api: &mut Api, execution_id: &ExecutionId, paint: Paint) -> Result<Option<Approval>, Complaint> {
    let mut after = 0;
    for _ in 0..MAX_RECONNECTIONS {
        let mut response = api.events(&format!("/api/execution/{execution_id}/events?after={after}")).await?;
        let mut lines = Lines::default();
        // A stream that breaks off is opened again, from the last event that was heard.
        while let Ok(Some(bytes)) = response.chunk().await {
            for event in lines.take(&bytes) {
                after = event.seq;
                if event.execution_id != *execution_id {
                    continue;
                }
                tell(&event, paint);
                if event.event_type.ends_execution() {
                    return Ok(None);
                }
                if event.event_type == EventType::ApprovalPending
                    && let Some(approval) = decide(api, &event).await?
                {
                    return Ok(Some(approval));
                }
            }
        }
    }
    Err(ApiError::NoAnswer(format!(
        "The events of {execution_id} break off. It goes on without us: ask for its status."
    ))
    .into())
}

fn tell(event: &Event, paint: Paint) {
    let text = match event.event_type {
        EventType::StepCompleted => {
            format!("  {} {}", paint.good("✓"), paint.dim(event.data["step"].as_str().unwrap_or_default()))
        }
        EventType::ExecutionRetrying => {
            paint.dim(&format!("  it is tried again: {}", tame(event.data["error"].as_str().unwrap_or_default())))
        }
        _ => return,
    };
    if io::stderr().is_terminal() {
        eprintln!("{text}");
    }
}

/// Asks the person at the terminal; in a script the approval stays open and is answered.
async fn decide(api: &mut Api, event: &Event) -> Result<Option<Approval>, Complaint> {
    let approval: Approval = serde_json::from_value(event.data.clone())
        .map_err(|error| Complaint::internal(format!("The approval cannot be read ({error}).")))?;
    if !crate::is_interactive() {
        return Ok(Some(approval));
    }
    let proposed = json!(approval.proposed.parameters);
    show_line(&format!(
        "This needs your approval: {} with {}\n  why: {}",
        approval.proposed.intent_type,
        tame(&proposed.to_string()),
        tame(&approval.reason)
    ));
    let answer = password::ask("Do it? [y/N] ")?;
    let approved = answer.is_some_and(|answer| answer.trim().eq_ignore_ascii_case("y"));
    let path = format!("/api/approvals/{}", approval.hook_id);
    let _: Approval = api.post(&path, &json!({ "approved": approved })).await?;
    Ok(None)
}

fn print(execution: &Execution, waits: Option<&Approval>) {
    let paint = Paint::of(&io::stdout());
    let mut text = String::new();
    match (&execution.error, waits) {
        (_, Some(approval)) => text.push_str(&format!(
            "{}: {}\nAnswer it in `symphainy chat`, or POST {{\"approved\":true}} to /api/approvals/{}\n",
            paint.doubtful("It waits for an approval"),
            tame(&approval.reason),
            approval.hook_id
        )),
        (Some(error), None) => text.push_str(&format!("{}: {}\n", paint.bad(execution.status.as_str()), tame(error))),
        (None, None) => text.push_str(&result_text(&execution.result)),
    }
    for (key, artifact) in &execution.artifacts {
        let id = artifact["artifact_id"].as_str().unwrap_or_default();
        text.push_str(&paint.dim(&format!("\n{key}: {id}")));
    }
    text.push_str(&paint.dim(&format!("\n{} {}\n", execution.execution_id, execution.status)));
    show(&text);
}

/// The result in its own words, where it has some.
fn result_text(result: &Value) -> String {
    match result["summary"].as_str() {
        Some(summary) => format!("{}\n", tame(summary)),
        None => format!("{}\n", serde_json::to_string_pretty(result).unwrap_or_default()),
    }
}

/// Server-Sent Events out of pieces of bytes.
#[derive(Default)]
struct Lines {
    waiting: Vec<u8>,
}

impl Lines {
    /// The events that are whole with these bytes. A line of another kind, or of an unknown event, is passed over.
    fn take(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.waiting.extend_from_slice(bytes);
        let Some(end) = self.waiting.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let whole: Vec<u8> = self.waiting.drain(..=end).collect();
        let text = String::from_utf8_lossy(&whole);
        text.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?.trim()).ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_however_they_are_cut() {
        let stream = ": keep\n\nid: 1\nevent: execution.started\ndata: {\"seq\":1,\"event_type\":\"execution.started\",\
                      \"execution_id\":\"exec_1\",\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"data\":{}}\n\nid: 2\n";
        for size in [1, 7, 4_096] {
            let mut lines = Lines::default();
            let events: Vec<Event> = stream.as_bytes().chunks(size).flat_map(|bytes| lines.take(bytes)).collect();
            assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1], "in pieces of {size}");
        }
    }

    #[test]
    fn a_result_speaks_for_itself() {
        assert_eq!(result_text(&json!({ "summary": "Good." })), "Good.\n");
        assert_eq!(result_text(&json!({ "rows": 2 })), "{\n  \"rows\": 2\n}\n");
    }
}
