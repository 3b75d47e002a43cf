//! How a conversation looks on a terminal: a pure function from events to text. It knows where the cursor stands, so that what is
//! streamed, what tools do and what is asked never run into each other.

use contract::{
    artifact::Artifact,
    conversation::{Conversation, Role},
};
use serde_json::Value;

use crate::{
    client::socket::Heard,
    paint::{Paint, TAKE_BACK, tame},
};

/// The longest value of a proposed parameter that is shown whole, in characters.
const MAX_VALUE: usize = 400;

/// What is on the terminal so far, as far as it matters for what comes.
pub(super) struct Screen {
    paint: Paint,
    /// Whether the output is a terminal on which a line can be taken back.
    live: bool,
    at_line_start: bool,
    /// Who speaks at present.
    agent: String,
    /// Whose name stands above what is said.
    heading: Option<String>,
    /// Whether anything was said since the agent took the turn.
    spoke: bool,
    /// The tool whose line is still open.
    open_tool: Option<String>,
    /// Whether the cursor stands behind the prompt.
    prompted: bool,
}

impl Screen {
    pub(super) fn new(paint: Paint, live: bool) -> Self {
        Self {
            paint,
            live,
            at_line_start: true,
            agent: String::new(),
            heading: None,
            spoke: false,
            open_tool: None,
            prompted: false,
        }
    }

    /// The sign that something can be typed; nothing where it stands there already.
    pub(super) fn prompt(&mut self) -> String {
        if self.prompted {
            return String::new();
        }
        let output = format!("{}\n{} ", self.fresh_line(), self.paint.bold("›"));
        self.at_line_start = false;
        self.prompted = true;
        output
    }

    /// The text for an event. What concerns no reader is empty.
    pub(super) fn event(&mut self, heard: &Heard) -> String {
        match heard.event_type.as_str() {
            "agent.started" => self.started(heard),
            "agent.token" => self.token(heard.text("token")),
            "agent.tool" => self.tool(heard),
            "agent.completed" => self.completed(heard),
            "agent.failed" => self.line(&self.paint.bad(&tame(heard.text("error")))),
            "agent.cancelled" => self.note("stopped; what was said is kept"),
            "approval.pending" => self.approval(&heard.data),
            "approval.decided" if heard.data["approved"] == true => self.note("approved"),
            "approval.decided" => self.note("not approved"),
            "approval.expired" => self.note("nobody answered in time: it was not done"),
            "execution.retrying" => self.note(&format!("it is tried again: {}", heard.text("error"))),
            _ => String::new(),
        }
    }

    /// The user's own line has been echoed by the terminal, or was never shown.
    pub(super) fn user_spoke(&mut self) {
        self.at_line_start = true;
        self.prompted = false;
        self.heading = None;
    }

    /// A remark of the chat itself.
    pub(super) fn note(&mut self, text: &str) -> String {
        self.line(&self.paint.dim(&format!("  ({})", tame(text))))
    }

    /// A sentence about something that went wrong.
    pub(super) fn trouble(&mut self, text: &str) -> String {
        self.line(&self.paint.bad(&tame(text)))
    }

    /// A line of its own.
    pub(super) fn line(&mut self, text: &str) -> String {
        let mut output = self.fresh_line();
        output.push_str(text);
        output.push('\n');
        output
    }

    fn fresh_line(&mut self) -> String {
        self.open_tool = None;
        self.prompted = false;
        let output = if self.at_line_start { "" } else { "\n" };
        self.at_line_start = true;
        output.to_owned()
    }

    fn started(&mut self, heard: &Heard) -> String {
        heard.text("agent_id").clone_into(&mut self.agent);
        self.spoke = false;
        if heard.data["attempt"].as_u64().is_some_and(|attempt| attempt > 1)
            && heard.data["routing"]["rule"] != "hand_off"
        {
            self.heading = None;
            return self.note("it was interrupted; the answer begins again");
        }
        let reason = heard.data["routing"]["reason"].as_str().unwrap_or_default();
        match heard.data["routing"]["rule"].as_str() {
            Some("hand_off") => self.note(&format!("handed over to {}: {reason}", heard.text("agent_id"))),
            Some("hand_back") => self.note(&format!("handed back to {}: {reason}", heard.text("agent_id"))),
            Some(_) | None => String::new(),
        }
    }

    fn token(&mut self, token: &str) -> String {
        let token = tame(token);
        let mut output = String::new();
        if self.heading.as_ref() != Some(&self.agent) {
            output.push_str(&self.fresh_line());
            output.push_str(&self.paint.name(&tame(&self.agent)));
            output.push('\n');
            self.heading = Some(self.agent.clone());
        } else if self.open_tool.is_some() {
            output.push_str(&self.fresh_line());
        }
        // The space before a paragraph is there already when a line of ours came in between.
        let said = if self.at_line_start && !self.spoke { token.trim_start_matches('\n') } else { token.as_str() };
        self.spoke |= !said.is_empty();
        if !said.is_empty() {
            self.at_line_start = said.ends_with('\n');
        }
        output.push_str(said);
        output
    }

    fn tool(&mut self, heard: &Heard) -> String {
        let intent = tame(heard.text("intent"));
        let (sign, rest) = match heard.text("state") {
            "started" if !self.live => return String::new(),
            "started" => {
                let output = self.fresh_line() + &self.paint.dim(&format!("  … {intent}"));
                self.at_line_start = false;
                self.open_tool = Some(intent);
                return output;
            }
            "completed" => (self.paint.good("✓"), String::new()),
            _ => (self.paint.bad("✗"), format!(": {}", tame(heard.text("error")))),
        };
        let text = format!("  {sign} {}", self.paint.dim(&format!("{intent}{rest}")));
        if self.open_tool.as_ref() == Some(&intent) {
            self.open_tool = None;
            self.at_line_start = true;
            return format!("{TAKE_BACK}{text}\n");
        }
        self.line(&text)
    }

    fn completed(&mut self, heard: &Heard) -> String {
        let mut output = String::new();
        if !self.spoke && !heard.text("response").is_empty() {
            output.push_str(&self.token(heard.text("response")));
        }
        output.push_str(&self.fresh_line());
        output
    }

    /// Exactly what would happen, and the question.
    fn approval(&mut self, approval: &Value) -> String {
        let proposed = &approval["proposed"];
        let intent = tame(proposed["intent_type"].as_str().unwrap_or("something"));
        let mut output =
            self.line(&self.paint.doubtful(&format!("  This needs your approval: {}", self.paint.bold(&intent))));
        for (name, value) in proposed["parameters"].as_object().into_iter().flatten() {
            output.push_str(&self.line(&format!("    {}: {}", tame(name), shown(value))));
        }
        if let Some(reason) = approval["reason"].as_str().filter(|reason| !reason.is_empty()) {
            output.push_str(&self.line(&self.paint.dim(&format!("    why: {}", tame(reason)))));
        }
        output.push_str("  Do it? [y/N] ");
        self.at_line_start = false;
        output
    }
}

/// A parameter's value: text as it is, anything else as JSON.
fn shown(value: &Value) -> String {
    let text = tame(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let count = text.chars().count();
    if count <= MAX_VALUE {
        return text;
    }
    let beginning: String = text.chars().take(MAX_VALUE).collect();
    format!("{beginning}… ({count} characters)")
}

/// A file in one line.
pub(super) fn file_line(file: &Artifact) -> String {
    let named = |key: &str| file.semantic_descriptor.get(key).or_else(|| file.semantic_payload.get(key));
    let name = ["file_name", "title"].iter().find_map(|key| named(key)?.as_str()).unwrap_or("a file");
    let size = named("size_bytes").or_else(|| named("file_size")).and_then(Value::as_u64);
    let size = size.map(|bytes| format!(", {bytes} bytes")).unwrap_or_default();
    format!("{} ({}{size})", tame(name), file.lifecycle_state.as_str())
}

pub(super) fn uploaded(file: &Artifact) -> String {
    format!("Uploaded {}", file_line(file))
}

/// The last messages of a conversation.
pub(super) fn messages(conversation: &Conversation, paint: Paint) -> String {
    let told = conversation.messages.iter().map(|message| {
        let who = match (message.role, &message.agent_id) {
            (Role::User, _) => paint.bold("you"),
            (Role::Assistant, Some(agent)) => paint.name(agent.as_str()),
            (Role::Assistant, None) => paint.name("agent"),
        };
        format!("{who}\n{}\n", tame(&message.content))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What a terminal shows in the end: lines that were taken back are gone.
    fn show(live: bool, events: &[Value]) -> String {
        let mut screen = Screen::new(Paint::Plain, live);
        let heard = events.iter().map(|event| serde_json::from_value(event.clone()).unwrap());
        heard.map(|heard: Heard| screen.event(&heard)).collect()
    }

    fn event(event_type: &str, data: Value) -> Value {
        json!({ "type": "runtime_event", "event_type": event_type, "seq": 1, "data": data })
    }

    fn started(agent: &str, rule: &str, attempt: u32) -> Value {
        event(
            "agent.started",
            json!({ "agent_id": agent, "attempt": attempt, "routing": { "rule": rule, "reason": "It knows data." } }),
        )
    }

    fn token(token: &str) -> Value {
        event("agent.token", json!({ "token": token }))
    }

    fn tool(state: &str) -> Value {
        event("agent.tool", json!({ "intent": "profile_data", "state": state, "error": "It is empty." }))
    }

    fn completed(response: &str) -> Value {
        event("agent.completed", json!({ "response": response }))
    }

    #[test]
    fn an_answer_streams_below_its_agents_name() {
        let events =
            [started("guide", "guide", 1), token("Hello"), token(", you.\n\nBye."), completed("Hello, you.\n\nBye.")];
        assert_eq!(show(true, &events), "guide\nHello, you.\n\nBye.\n");
    }

    #[test]
    fn a_hand_over_is_told_and_heads_anew() {
        let events = [
            started("guide", "guide", 1),
            token("One moment."),
            started("liaison.insights", "hand_off", 1),
            token("\n\nIt is good."),
            completed("One moment.\n\nIt is good."),
        ];
        let expected =
            "guide\nOne moment.\n  (handed over to liaison.insights: It knows data.)\nliaison.insights\nIt is good.\n";
        assert_eq!(show(true, &events), expected);
    }

    #[test]
    fn a_tool_is_one_line() {
        let events =
            [started("guide", "guide", 1), tool("started"), tool("completed"), token("Done."), completed("Done.")];
        assert_eq!(show(true, &events), "  … profile_data\r\u{1b}[K  ✓ profile_data\nguide\nDone.\n");
        assert_eq!(show(false, &events), "  ✓ profile_data\nguide\nDone.\n");
        assert_eq!(show(false, &[tool("failed")]), "  ✗ profile_data: It is empty.\n");
    }

    #[test]
    fn tools_between_words_keep_their_lines() {
        let events = [
            started("guide", "guide", 1),
            token("I look."),
            tool("started"),
            tool("completed"),
            token("\n\nIt is good."),
            completed(""),
        ];
        assert_eq!(show(false, &events), "guide\nI look.\n  ✓ profile_data\n\n\nIt is good.\n");
    }

    #[test]
    fn what_was_not_streamed_is_shown_at_the_end() {
        assert_eq!(show(true, &[started("guide", "guide", 1), completed("All at once.")]), "guide\nAll at once.\n");
    }

    #[test]
    fn a_second_attempt_says_so() {
        let events = [
            started("guide", "guide", 1),
            token("Hal"),
            started("guide", "guide", 2),
            token("Hallo"),
            completed("Hallo"),
        ];
        assert_eq!(show(true, &events), "guide\nHal\n  (it was interrupted; the answer begins again)\nguide\nHallo\n");
    }

    #[test]
    fn an_approval_shows_exactly_what_would_happen() {
        let approval = json!({
            "hook_id": "h", "reason": "It cannot be undone.",
            "proposed": { "intent_type": "delete_file", "parameters": { "file": "orders.csv\u{1b}[2J", "force": true } },
        });
        let expected = "  This needs your approval: delete_file\n    file: orders.csv[2J\n    force: true\n    why: It cannot be undone.\n  Do it? [y/N] ";
        assert_eq!(show(true, &[event("approval.pending", approval)]), expected);
    }

    #[test]
    fn the_prompt_is_shown_once_and_nothing_runs_into_it() {
        let mut screen = Screen::new(Paint::Plain, true);
        assert_eq!(screen.prompt(), "\n› ");
        assert_eq!(screen.prompt(), "");
        assert_eq!(screen.note("once more"), "\n  (once more)\n");
        assert_eq!(screen.prompt(), "\n› ");
        screen.user_spoke();
        assert_eq!(screen.line("said"), "said\n");
    }

    #[test]
    fn failures_and_ends_are_told() {
        for (shown, expected) in [
            (event("agent.failed", json!({ "error": "The model does not answer." })), "The model does not answer.\n"),
            (event("agent.cancelled", json!({})), "  (stopped; what was said is kept)\n"),
            (event("approval.decided", json!({ "approved": false })), "  (not approved)\n"),
            (event("execution.started", json!({})), ""),
        ] {
            assert_eq!(show(true, &[shown]), expected);
        }
    }
}
