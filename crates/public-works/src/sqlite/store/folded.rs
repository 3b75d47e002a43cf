//! A run of tokens as one line. The tokens of an answer differ in their number, their time and their text alone, so that what they
//! have in common is written once. Unfolded they are what they were, byte for byte; what would not be is not folded.

use contract::{EventType, ExecutionId, Timestamp};
use runtime::port::store::JournalEvent;
use serde::{Deserialize, Serialize};

/// How a folded line begins; an event begins with a brace.
pub(super) const MARK: char = '[';

/// The line: the number of the first token, the common text around the times and the tokens, the time of the first token, and how much
/// later each one came, in milliseconds, with its text.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Folded<'text>(u64, #[serde(borrow)] Frame<'text>, i64, Vec<(i64, String)>);

/// Whose the tokens are, and what stands after the number, after the time and after the token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Frame<'text>(
    ExecutionId,
    #[serde(borrow)] std::borrow::Cow<'text, str>,
    #[serde(borrow)] std::borrow::Cow<'text, str>,
    #[serde(borrow)] std::borrow::Cow<'text, str>,
);

impl Frame<'_> {
    fn event(&self, seq: u64, at: Timestamp, token: &str) -> JournalEvent {
        let token = serde_json::to_string(token).expect("a text is JSON");
        let json = format!(r#"{{"seq":{seq}{}{at}{}{token}{}"#, self.1, self.2, self.3);
        JournalEvent { seq, event_type: EventType::AgentToken, execution_id: self.0.clone(), json: json.into() }
    }
}

/// One token, taken apart.
struct Token<'event> {
    frame: Frame<'event>,
    at: Timestamp,
    text: String,
}

impl<'event> Token<'event> {
    /// `None` where the event is no token, or cannot be put together again exactly.
    fn of(event: &'event JournalEvent) -> Option<Self> {
        const TIME: &str = r#""timestamp":""#;
        const TOKEN: &str = r#""token":"#;
        if event.event_type != EventType::AgentToken {
            return None;
        }
        let rest = event.json.strip_prefix(&format!(r#"{{"seq":{}"#, event.seq))?;
        let time = rest.find(TIME)? + TIME.len();
        let time_end = time + rest[time..].find('"')?;
        let token = time_end + rest[time_end..].find(TOKEN)? + TOKEN.len();
        let mut texts = serde_json::Deserializer::from_str(&rest[token..]).into_iter::<String>();
        let text = texts.next()?.ok()?;
        let token_end = token + texts.byte_offset();
        let frame = Frame(
            event.execution_id.clone(),
            rest[..time].into(),
            rest[time_end..token].into(),
            rest[token_end..].into(),
        );
        let token = Self { frame, at: rest[time..time_end].parse().ok()?, text };
        (token.frame.event(event.seq, token.at, &token.text).json == event.json).then_some(token)
    }
}

/// The lines of events that follow one another.
pub(super) fn fold(events: &[JournalEvent]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut run: Option<Folded<'_>> = None;
    for event in events {
        let token = Token::of(event);
        match (&mut run, token) {
            (Some(Folded(_, frame, first_at, tokens)), Some(token)) if *frame == token.frame => {
                tokens.push((token.at.as_millis() - *first_at, token.text));
            }
            (_, Some(token)) => {
                lines.extend(run.take().map(line));
                run = Some(Folded(event.seq, token.frame, token.at.as_millis(), vec![(0, token.text)]));
            }
            (_, None) => {
                lines.extend(run.take().map(line));
                lines.push(event.json.to_string());
            }
        }
    }
    lines.extend(run.take().map(line));
    lines
}

fn line(run: Folded<'_>) -> String {
    // One token alone is shorter as it is.
    if let Folded(seq, frame, at, tokens) = &run
        && let [(_, text)] = tokens.as_slice()
    {
        return frame.event(*seq, Timestamp::from_millis(*at), text).json.to_string();
    }
    serde_json::to_string(&run).expect("a run is texts and numbers")
}

/// The events of a folded line.
pub(super) fn unfold(line: &str) -> Result<Vec<JournalEvent>, serde_json::Error> {
    let Folded(first_seq, frame, first_at, tokens) = serde_json::from_str(line)?;
    let events = (first_seq..).zip(&tokens);
    Ok(events.map(|(seq, (later, text))| frame.event(seq, Timestamp::from_millis(first_at + later), text)).collect())
}

#[cfg(test)]
mod tests {
    use runtime::port::store::NewEvent;
    use serde_json::json;

    use super::*;

    fn events(told: &[(EventType, i64, &str, &str)]) -> Vec<JournalEvent> {
        let event = |(seq, (event_type, at, agent, text)): (u64, &(EventType, i64, &str, &str))| {
            let data = json!({ "agent_id": agent, "execution_id": "exec_1", "token": text });
            let at = Timestamp::from_millis(1_800_000_000_000 + at);
            NewEvent::new(*event_type, &"exec_1".parse().unwrap(), at, &data).numbered(seq)
        };
        (7..).zip(told).map(event).collect()
    }

    fn unfolded(lines: &[String]) -> Vec<JournalEvent> {
        let read = |line: &String| {
            if line.starts_with(MARK) { unfold(line).unwrap() } else { vec![JournalEvent::from_json(line).unwrap()] }
        };
        lines.iter().flat_map(read).collect()
    }

    #[test]
    fn what_was_folded_is_what_it_was() {
        use EventType::{AgentStarted, AgentToken};
        let told = events(&[
            (AgentStarted, 0, "guide", "\"token\":"),
            (AgentToken, 1, "guide", "He"),
            (AgentToken, 31, "guide", "llo \"you\"\n"),
            (AgentToken, 31, "guide", ""),
            // A clock that went back, and text that is no text.
            (AgentToken, -500, "guide", "\u{0}\u{1b}\u{2028}🦀 \"token\":\"x\" \\"),
            (AgentToken, 60, "liaison.content", "another voice"),
            (AgentStarted, 61, "guide", ""),
            (AgentToken, 62, "guide", "alone"),
        ]);
        let lines = fold(&told);
        assert_eq!(lines.len(), 5, "{lines:#?}");
        assert_eq!(lines.iter().filter(|line| line.starts_with(MARK)).count(), 1);
        assert_eq!(unfolded(&lines), told);
    }

    #[test]
    fn a_token_in_another_form_is_left_as_it_is() {
        for json in [
            r#"{"event_type":"agent.token","seq":7,"execution_id":"exec_1","timestamp":"2026-01-01T00:00:00.000Z","data":{"token":"a"}}"#,
            r#"{"seq":7,"event_type":"agent.token","execution_id":"exec_1","timestamp":"2026-01-01T00:00:00Z","data":{"token":"a"}}"#,
            r#"{"seq":7,"event_type":"agent.token","execution_id":"exec_1","timestamp":"2026-01-01T00:00:00.000Z","data":{"token":"\u0061"}}"#,
            r#"{"seq":7,"event_type":"agent.token","execution_id":"exec_1","timestamp":"2026-01-01T00:00:00.000Z","data":{"text":"a"}}"#,
        ] {
            let event = JournalEvent::from_json(json).unwrap();
            assert_eq!(fold(&[event.clone(), event]), [json, json]);
        }
    }
}
