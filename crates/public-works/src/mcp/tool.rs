//! A tool that a server offers, as an intent. Names, texts and schema are somebody else's: what does not fit is left out, with a reason.

use contract::intent::{ApprovalRule, IntentDescriptor};
use serde_json::Value;

use super::{
    config::{Approval, McpConfig},
    fault::quoted,
    schema::tame,
};

/// The most tools of one server.
pub(super) const MAX_TOOLS: usize = 200;

/// The longest name of an intent: providers of language models take no longer one.
const MAX_NAME_BYTES: usize = 64;

/// The most characters of a description.
const MAX_DESCRIPTION_CHARS: usize = 1_024;

/// What a server offers, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// As the server calls it.
    pub name: String,
    pub descriptor: IntentDescriptor,
    /// Whether doing it twice is no more than doing it once, as the server says.
    pub may_be_repeated: bool,
}

impl Tool {
    /// Reads an entry of the server's list; the error says why it is left out.
    pub(super) fn read(server: &str, config: &McpConfig, entry: &Value) -> Result<Self, String> {
        let name = entry.get("name").and_then(Value::as_str).ok_or("it has no name")?;
        let intent_type = intent_type(server, name)?;
        let says = |hint: &str| entry.pointer(&format!("/annotations/{hint}")).and_then(Value::as_bool) == Some(true);
        let only_reads = says("readOnlyHint");
        let needs_approval = match config.approval {
            Approval::Always => true,
            Approval::UnlessReadOnly => !only_reads,
            Approval::Never => false,
        };
        let title = entry.get("title").or_else(|| entry.pointer("/annotations/title")).and_then(Value::as_str);
        let title = title.map(quoted).filter(|title| !title.is_empty());
        let described = entry.get("description").and_then(Value::as_str).map(description).unwrap_or_default();
        Ok(Self {
            name: name.to_owned(),
            descriptor: IntentDescriptor {
                intent_type,
                realm: server.to_owned(),
                description: match (described.is_empty(), &title) {
                    (false, _) => described,
                    (true, Some(title)) => format!("{title}."),
                    (true, None) => format!("Does {} at the server {server}.", quoted(name)),
                },
                parameters: tame(entry.get("inputSchema"))?,
                approval: if needs_approval { ApprovalRule::Owner } else { ApprovalRule::None },
                examples: title.into_iter().collect(),
            },
            may_be_repeated: only_reads || says("idempotentHint"),
        })
    }
}

/// `shop` and `find.order` are `shop_find_order`: providers of language models take letters, digits, `_` and `-` alone.
fn intent_type(server: &str, tool: &str) -> Result<String, String> {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    let name = format!("{server}_{}", tool.chars().map(plain).collect::<String>());
    if tool.is_empty() || name.len() > MAX_NAME_BYTES {
        return Err(format!("its name must have from 1 to {} letters", MAX_NAME_BYTES - server.len() - 1));
    }
    Ok(name)
}

/// Paragraphs stay; what no screen shows goes.
fn description(text: &str) -> String {
    let shown = text.chars().filter(|letter| *letter == '\n' || !letter.is_control());
    let text: String = shown.take(MAX_DESCRIPTION_CHARS).collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(entry: Value) -> Result<Tool, String> {
        Tool::read("shop", &McpConfig::default(), &entry)
    }

    #[test]
    fn a_tool_becomes_an_intent() {
        let tool = read(json!({
            "name": "find.order",
            "title": "Find an order",
            "description": "Finds an order.\u{1b}[31m",
            "inputSchema": { "type": "object", "properties": { "id": { "type": "string" } } },
            "annotations": { "readOnlyHint": true },
        }))
        .unwrap();
        let IntentDescriptor { intent_type, realm, description, approval, examples, .. } = tool.descriptor;
        assert_eq!((intent_type.as_str(), realm.as_str()), ("shop_find_order", "shop"));
        assert_eq!(description, "Finds an order.[31m");
        assert_eq!((approval, examples), (ApprovalRule::None, vec!["Find an order".to_owned()]));
        assert!(tool.may_be_repeated);
    }

    #[test]
    fn approval_follows_the_setting_and_the_hint() {
        for (setting, hint, needed) in [
            (Approval::Always, json!(true), true),
            (Approval::UnlessReadOnly, json!(true), false),
            (Approval::UnlessReadOnly, json!(false), true),
            (Approval::UnlessReadOnly, json!("true"), true),
            (Approval::Never, json!(false), false),
        ] {
            let entry =
                json!({ "name": "a", "inputSchema": { "type": "object" }, "annotations": { "readOnlyHint": hint } });
            let config = McpConfig { approval: setting, ..McpConfig::default() };
            let tool = Tool::read("shop", &config, &entry).unwrap();
            assert_eq!(tool.descriptor.approval == ApprovalRule::Owner, needed, "{setting:?} {entry}");
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        for entry in [
            json!(null),
            json!({ "name": "" , "inputSchema": { "type": "object" } }),
            json!({ "name": "x".repeat(60), "inputSchema": { "type": "object" } }),
            json!({ "name": "a" }),
            json!({ "name": "a", "inputSchema": "any" }),
        ] {
            assert!(read(entry.clone()).is_err(), "{entry}");
        }
    }
}
