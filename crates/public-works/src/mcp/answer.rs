//! What a tool answered, as the result of an intent. Its words stay its own: they are told as what the server said.

use serde_json::{Map, Value, json};

use super::fault::{Fault, quoted};

/// The most characters of an answer that are told; all of it stands beside.
const MAX_TOLD_CHARS: usize = 4_000;

/// The result of a call, or what the tool says went wrong.
pub(super) fn result(server: &str, answer: &Value) -> Result<Value, Fault> {
    let content = answer.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = content.iter().filter_map(text).collect::<Vec<_>>().join("\n\n");
    if answer.get("isError").and_then(Value::as_bool) == Some(true) {
        return Err(Fault::Refused(if text.is_empty() { "no reason given".to_owned() } else { quoted(&text) }));
    }
    let structured = answer.get("structuredContent").filter(|value| value.is_object());
    let left_out: Vec<&str> = content.iter().filter(|part| self::text(part).is_none()).map(kind).collect();
    let told = match (text.trim().is_empty(), structured) {
        (true, Some(value)) => value.to_string(),
        (true, None) => String::new(),
        (false, _) => text.clone(),
    };
    let cut = told.char_indices().nth(MAX_TOLD_CHARS).map(|(end, _)| end);
    let mut fields = Map::new();
    fields.insert(
        "summary".to_owned(),
        summary(server, &told[..cut.unwrap_or(told.len())], cut.is_some(), &left_out).into(),
    );
    fields.insert("server".to_owned(), server.into());
    if cut.is_some() && !text.is_empty() {
        fields.insert("text".to_owned(), text.into());
    }
    if let Some(structured) = structured {
        fields.insert("structured".to_owned(), structured.clone());
    }
    if !left_out.is_empty() {
        fields.insert("left_out".to_owned(), json!(left_out));
    }
    Ok(Value::Object(fields))
}

fn summary(server: &str, told: &str, is_cut: bool, left_out: &[&str]) -> String {
    let mut summary = if told.is_empty() {
        format!("The server {server} did it and said nothing.")
    } else {
        format!("The server {server} answered:\n\n{told}")
    };
    if is_cut {
        summary.push_str("…\n\nThat is the beginning; the result has all of it.");
    }
    if !left_out.is_empty() {
        summary.push_str(&format!("\n\nLeft out, since only text is kept: {}.", left_out.join(", ")));
    }
    summary
}

/// The text of a part, where it has one.
fn text(part: &Value) -> Option<&str> {
    match part.get("type").and_then(Value::as_str) {
        Some("text") => part.get("text")?.as_str(),
        Some("resource") => part.get("resource")?.get("text")?.as_str(),
        Some("resource_link") => part.get("uri")?.as_str(),
        Some(_) | None => None,
    }
}

fn kind(part: &Value) -> &'static str {
    match part.get("type").and_then(Value::as_str) {
        Some("image") => "an image",
        Some("audio") => "a sound",
        Some("resource") => "a file",
        Some(_) | None => "something unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_and_the_rest_named() {
        let answer = json!({
            "content": [
                { "type": "text", "text": "Two pens." },
                { "type": "image", "data": "AAAA", "mimeType": "image/png" },
                { "type": "resource", "resource": { "uri": "a:b", "text": "One cup." } },
                7,
            ],
            "structuredContent": { "pens": 2 },
        });
        let result = result("shop", &answer).unwrap();
        assert_eq!(
            result["summary"],
            "The server shop answered:\n\nTwo pens.\n\nOne cup.\n\nLeft out, since only text is kept: an image, something unknown."
        );
        assert_eq!(result["structured"], json!({ "pens": 2 }));
        assert_eq!(result.get("text"), None);
    }

    #[test]
    fn a_long_text_is_told_by_its_beginning() {
        let long = "ö".repeat(MAX_TOLD_CHARS + 1);
        let result = result("shop", &json!({ "content": [{ "type": "text", "text": long }] })).unwrap();
        assert_eq!(result["text"], long);
        assert!(result["summary"].as_str().unwrap().chars().count() < MAX_TOLD_CHARS + 200);
    }

    #[test]
    fn what_it_calls_an_error_is_one() {
        let answer = json!({ "content": [{ "type": "text", "text": "No\n such pen." }], "isError": true });
        assert_eq!(result("shop", &answer), Err(Fault::Refused("No such pen.".to_owned())));
        assert!(result("shop", &json!({ "isError": true })).is_err());
        assert_eq!(result("shop", &json!({})).unwrap()["summary"], "The server shop did it and said nothing.");
    }
}
