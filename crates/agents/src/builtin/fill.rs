//! Parameters out of what was said, by the names and types that an intent's JSON Schema gives its properties. It knows nothing of
//! particular intents.

use contract::intent::IntentDescriptor;
use serde_json::{Map, Value};

use super::{
    lexicon::LEXICON,
    message::{Said, Token},
    words::stem,
};

/// Names of properties that want a file; where there are several, they are names of the same, the first the clearest.
const FILE_NAMES: [&str; 8] =
    ["file", "file_name", "filename", "file_id", "artifact_id", "source", "document", "source_file"];
/// Names of properties that want words to look for.
const SEARCH_NAMES: [&str; 6] = ["query", "q", "words", "terms", "search", "search_text"];
/// Names of properties that want the sentence as it is.
const QUESTION_NAMES: [&str; 3] = ["question", "prompt", "request"];
/// Names of properties that want a text that was pasted.
const TEXT_NAMES: [&str; 5] = ["text", "procedure", "content", "body", "description"];
/// Names of properties that want to know how many.
const COUNT_NAMES: [&str; 7] = ["limit", "top", "n", "count", "rows", "max_rows", "row_count"];
/// Names of properties that want a name for what is made.
const TITLE_NAMES: [&str; 3] = ["title", "name", "label"];
/// Names of properties that want a column.
const COLUMN_NAMES: [&str; 3] = ["column", "columns", "field"];

/// Words after which the words to look for begin.
const BEFORE_SEARCH_WORDS: [&str; 18] = [
    "for",
    "about",
    "mention",
    "mentions",
    "mentioning",
    "contain",
    "contains",
    "containing",
    "word",
    "words",
    "find",
    "search",
    "term",
    "phrase",
    "called",
    "saying",
    "regarding",
    "where",
];
/// Words that are no part of the words to look for, at their beginning or end.
const AROUND_SEARCH_WORDS: [&str; 27] = [
    "the",
    "a",
    "an",
    "my",
    "in",
    "all",
    "files",
    "file",
    "documents",
    "document",
    "is",
    "are",
    "mentioned",
    "please",
    "me",
    "everything",
    "any",
    "anything",
    "for",
    "about",
    "of",
    "that",
    "them",
    "it",
    "with",
    "word",
    "words",
];
/// Words that point at what was spoken of before.
const POINTING: [&str; 12] =
    ["it", "its", "this", "that", "them", "those", "these", "same", "again", "there", "one", "and"];

/// What can be filled in, for the properties that the schema has. `referent` is the file that was spoken of before.
pub(super) fn parameters(descriptor: &IntentDescriptor, said: &Said, referent: Option<&str>) -> Map<String, Value> {
    let Some(properties) = descriptor.parameters.get("properties").and_then(Value::as_object) else {
        return Map::new();
    };
    let mut filled = Map::new();
    let has_sql_property = properties.contains_key("sql");
    for (name, schema) in properties {
        if let Some(value) = value(name, schema, said, referent, has_sql_property) {
            filled.insert(name.clone(), value);
        }
    }
    one_name_each(&mut filled);
    filled
}

fn value(name: &str, schema: &Value, said: &Said, referent: Option<&str>, has_sql_property: bool) -> Option<Value> {
    let is = |names: &[&str]| names.contains(&name);
    if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        return choice(choices, said);
    }
    if is(&COUNT_NAMES) {
        return count(schema, said);
    }
    if is(&COLUMN_NAMES) {
        return column(said).map(|column| shaped(schema, column));
    }
    if is(&FILE_NAMES) {
        let file = said.files.first().map(String::as_str).or(referent.filter(|_| points_back(said)));
        return file.map(|file| shaped(schema, file.to_owned()));
    }
    if name == "sql" {
        return said.sql.clone().map(Value::String);
    }
    if is(&QUESTION_NAMES) {
        let asked = said.sql.is_none() || !has_sql_property;
        return asked.then(|| whole_text(said)).filter(|text| !text.is_empty()).map(Value::String);
    }
    if is(&SEARCH_NAMES) {
        return search_words(said).map(Value::String);
    }
    if is(&TEXT_NAMES) {
        return said.body.clone().map(|body| shaped(schema, body));
    }
    if is(&TITLE_NAMES) {
        return title(said).map(Value::String);
    }
    None
}

/// Schemas keep older names of a property beside the clearest; one is enough. And of a pasted text and a file spoken of before, the text
/// is nearer.
fn one_name_each(filled: &mut Map<String, Value>) {
    if SEARCH_NAMES.iter().any(|name| filled.contains_key(*name)) {
        filled.retain(|name, _| !TEXT_NAMES.contains(&name.as_str()));
    }
    if TEXT_NAMES.iter().any(|name| filled.contains_key(*name)) {
        filled.retain(|name, _| !FILE_NAMES.contains(&name.as_str()));
    }
    for names in [&FILE_NAMES[..], &SEARCH_NAMES, &TEXT_NAMES, &COUNT_NAMES] {
        let clearest = names.iter().find(|name| filled.contains_key(**name)).copied();
        filled.retain(|name, _| !names.contains(&name.as_str()) || Some(name.as_str()) == clearest);
    }
}

/// A list where the schema wants one.
fn shaped(schema: &Value, text: String) -> Value {
    let wants_list = match schema.get("type") {
        Some(Value::Array(types)) => {
            types.iter().any(|kind| kind == "array") && !types.iter().any(|kind| kind == "string")
        }
        Some(kind) => kind == "array",
        None => false,
    };
    if wants_list { Value::Array(vec![Value::String(text)]) } else { Value::String(text) }
}

pub(super) fn points_back(said: &Said) -> bool {
    said.has_word(&POINTING)
}

fn whole_text(said: &Said) -> String {
    match &said.body {
        Some(body) => format!("{} {body}", said.text).trim().to_owned(),
        None => said.text.clone(),
    }
}

fn choice(choices: &[Value], said: &Said) -> Option<Value> {
    let words: Vec<String> = said.words().map(stem).collect();
    let named = |choice: &&Value| choice.as_str().is_some_and(|choice| words.contains(&stem(&choice.to_lowercase())));
    choices.iter().find(named).cloned()
}

/// A number that says how many, within what the schema allows. Numbers that something is compared with do not: these stand in questions.
fn count(schema: &Value, said: &Said) -> Option<Value> {
    let place = said.tokens.iter().position(|token| *token == Token::Number)?;
    let word = |at: Option<usize>| match at.and_then(|at| said.tokens.get(at)) {
        Some(Token::Word(word)) => word.as_str(),
        Some(Token::File | Token::Quoted | Token::Number | Token::Sql | Token::Body) | None => "",
    };
    let before = word(place.checked_sub(1));
    let after = word(Some(place + 1));
    let says_how_many = ["top", "first", "last", "limit", "only", "most", "maximum", "show", "least"].contains(&before)
        || ["rows", "row", "lines", "files", "results", "hits", "records", "entries"].contains(&after);
    if !says_how_many {
        return None;
    }
    let least = schema.get("minimum").and_then(Value::as_u64).unwrap_or(1);
    let most = schema.get("maximum").and_then(Value::as_u64).unwrap_or(u64::MAX);
    said.numbers.first().map(|number| Value::from((*number).clamp(least, most)))
}

fn column(said: &Said) -> Option<String> {
    let words: Vec<&str> = said.words().collect();
    let named = words.windows(2).find(|pair| matches!(pair[0], "column" | "field")).map(|pair| pair[1]);
    let named = named.filter(|word| !LEXICON.is_small(word));
    named.map(str::to_owned).or_else(|| said.quoted.first().filter(|_| said.has_word(&["column", "field"])).cloned())
}

fn title(said: &Said) -> Option<String> {
    said.quoted.first().filter(|_| said.has_word(&["called", "named", "titled", "title", "name"])).cloned()
}

/// What is to be looked for: a quotation, or what stands after `for`, `about` and the like, without the small words around it.
fn search_words(said: &Said) -> Option<String> {
    if let Some(quoted) = said.quoted.first() {
        return Some(quoted.clone());
    }
    let source = whole_text(said);
    let words: Vec<&str> = source
        .split_whitespace()
        .map(|word| word.trim_matches(|letter: char| !letter.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect();
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let last_marker = lower.iter().rposition(|word| BEFORE_SEARCH_WORDS.contains(&word.as_str()));
    let around = |at: &usize| AROUND_SEARCH_WORDS.contains(&lower[*at].as_str());
    let after = last_marker.map_or(0, |at| at + 1);
    let trimmed = |from: usize, to: usize| {
        let first = (from..to).find(|at| !around(at))?;
        let last = (first..to).rev().find(|at| !around(at))?;
        Some(words[first..=last].join(" "))
    };
    // `Where is acme mentioned in my files?`: the words stand before the marker.
    let found = trimmed(after, words.len()).or_else(|| {
        let before = last_marker?;
        let start = lower[..before].iter().rposition(|word| BEFORE_SEARCH_WORDS.contains(&word.as_str()));
        trimmed(start.map_or(0, |at| at + 1), before)
    });
    found
        .map(|found| found.split(" in my ").next().unwrap_or_default().to_owned())
        .map(|found| without_place(&found))
        .filter(|found| !found.is_empty())
}

/// Cuts `… in my files` and the like off.
fn without_place(found: &str) -> String {
    for place in [" in my", " in all", " in the", " in our", " across", " inside"] {
        if let Some((before, after)) = found.split_once(place)
            && after.split_whitespace().all(|word| AROUND_SEARCH_WORDS.contains(&word.to_lowercase().as_str()))
        {
            return before.to_owned();
        }
    }
    found.to_owned()
}

/// A property that has to be known before the intent is worth executing and is not: one that the schema requires, or the first of those
/// that the lexicon says one of is needed.
/// `from_nothing` is whether the person has no files and nothing was said before: then nothing can be meant that is there already.
pub(super) fn missing(
    descriptor: &IntentDescriptor,
    filled: &Map<String, Value>,
    from_nothing: bool,
) -> Option<String> {
    let required = descriptor.parameters.get("required").and_then(Value::as_array);
    let absent = required.into_iter().flatten().filter_map(Value::as_str).find(|name| !filled.contains_key(*name));
    if let Some(name) = absent {
        return Some(name.to_owned());
    }
    let properties = descriptor.parameters.get("properties").and_then(Value::as_object)?;
    let always = LEXICON.needs.get(&descriptor.intent_type);
    let at_first = || LEXICON.needs_from_nothing.get(&descriptor.intent_type).filter(|_| from_nothing);
    let one_of = always.or_else(at_first)?;
    let offered: Vec<&String> = one_of.iter().filter(|name| properties.contains_key(*name)).collect();
    if offered.iter().any(|name| filled.contains_key(*name)) {
        return None;
    }
    offered.first().map(|name| (*name).clone())
}

/// The only file that there is, where a file is missing: then there is nothing to ask.
pub(super) fn only_file(property: &str, files: &[String]) -> Option<Value> {
    match files {
        [only] if FILE_NAMES.contains(&property) => Some(Value::String(only.clone())),
        _ => None,
    }
}

/// The whole message as what was asked for: the answer to `I still need the text itself`.
pub(super) fn answer_to(property: &str, said: &Said) -> Option<Value> {
    let whole = whole_text(said);
    if FILE_NAMES.contains(&property) {
        return said.files.first().map(|file| Value::String(file.clone()));
    }
    if property == "sql" {
        return said.sql.clone().map(Value::String);
    }
    (!whole.is_empty()).then_some(Value::String(whole))
}

/// The file that filled parameters name.
pub(super) fn file_of(parameters: &Map<String, Value>) -> Option<&str> {
    FILE_NAMES.iter().find_map(|name| parameters.get(*name)?.as_str())
}

#[cfg(test)]
mod tests {
    use contract::intent::ApprovalRule;
    use serde_json::json;

    use super::*;

    fn filled(properties: &Value, text: &str) -> Value {
        let descriptor = IntentDescriptor {
            intent_type: "any".to_owned(),
            realm: "any".to_owned(),
            description: String::new(),
            parameters: json!({ "type": "object", "properties": properties }),
            approval: ApprovalRule::None,
            examples: Vec::new(),
        };
        Value::Object(parameters(&descriptor, &Said::read(text, &[]), Some("before.csv")))
    }

    #[test]
    fn properties_are_filled_by_their_names() {
        let text = json!({ "type": "string" });
        let cases = [
            ("file", "how good is 'my data.csv'?", json!({ "file": "my data.csv" })),
            ("file", "and the duplicates in it?", json!({ "file": "before.csv" })),
            ("file", "list files", json!({})),
            ("sql", "run select a, b from data", json!({ "sql": "select a, b from data" })),
            ("question", "what is the average amount?", json!({ "question": "what is the average amount?" })),
            ("query", "search my files for late delivery", json!({ "query": "late delivery" })),
            ("query", "where is Acme Corp mentioned in my documents?", json!({ "query": "Acme Corp" })),
            ("query", "find refund in my files", json!({ "query": "refund" })),
            ("query", "which files mention \"net 30\"", json!({ "query": "net 30" })),
            (
                "text",
                "a workflow from this: take it, check it, pack it, ship it",
                json!({ "text": "take it, check it, pack it, ship it" }),
            ),
            ("column", "profile the column amount", json!({ "column": "amount" })),
            ("title", "a roadmap called 'Spring'", json!({ "title": "Spring" })),
        ];
        for (name, said, expected) in cases {
            assert_eq!(filled(&json!({ name: text }), said), expected, "{said}");
        }
    }

    #[test]
    fn numbers_and_choices_keep_to_the_schema() {
        let limit = json!({ "limit": { "type": "integer", "minimum": 1, "maximum": 100 } });
        assert_eq!(filled(&limit, "show the first 500 rows"), json!({ "limit": 100 }));
        assert_eq!(filled(&limit, "amounts above 500"), json!({}));
        let state = json!({ "lifecycle_state": { "type": "string", "enum": ["ready", "archived"] } });
        assert_eq!(filled(&state, "list archived files"), json!({ "lifecycle_state": "archived" }));
    }
}
