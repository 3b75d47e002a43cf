//! The JSON Schema of an intent's parameters, and what does not fit it, field by field. It knows no intent.

use boon::{Compiler, ErrorKind, InstanceLocation, InstanceToken, SchemaIndex, Schemas, ValidationError};
use contract::problem::FieldError;
use serde_json::Value;

/// How many things that are wrong with one set of parameters are told.
const MAX_FIELD_ERRORS: usize = 20;

/// The most characters of one message: a schema may list thousands of choices, and a caller send long names.
const MAX_MESSAGE_CHARS: usize = 200;

/// Where the schema seems to lie, so that relative references have something to be relative to.
const LOCATION: &str = "intent:///parameters";

/// Whether a schema can be one of an intent's parameters, or why not; for declarations that come from elsewhere.
pub fn check_schema(schema: &Value) -> Result<(), String> {
    Schema::compile(schema).map(drop)
}

/// A compiled schema.
pub(crate) struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    /// Draft 2020-12 where the schema names no other. The error says why it is none.
    pub(crate) fn compile(schema: &Value) -> Result<Self, String> {
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        compiler.use_loader(Box::new(NoLoader));
        let reason = |error: boon::CompileError| format!("{error:#}");
        compiler.add_resource(LOCATION, schema.clone()).map_err(reason)?;
        let index = compiler.compile(LOCATION, &mut schemas).map_err(reason)?;
        Ok(Self { schemas, index })
    }

    /// What is wrong with the parameters; empty where they fit.
    pub(crate) fn errors(&self, parameters: &Value) -> Vec<FieldError> {
        let mut told = Vec::new();
        if let Err(error) = self.schemas.validate(parameters, self.index) {
            tell(&error, &mut told);
        }
        told.truncate(MAX_FIELD_ERRORS);
        told
    }
}

/// A schema that is somewhere else is not fetched: a handler's declaration must not make the Runtime read files or call hosts.
struct NoLoader;

impl boon::UrlLoader for NoLoader {
    fn load(&self, _url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        Err("a schema has to bring everything that it refers to".into())
    }
}

fn tell(error: &ValidationError<'_, '_>, told: &mut Vec<FieldError>) {
    if told.len() >= MAX_FIELD_ERRORS {
        return;
    }
    let field = field(&error.instance_location);
    match &error.kind {
        ErrorKind::Group | ErrorKind::Schema { .. } | ErrorKind::Reference { .. } | ErrorKind::AllOf => {
            error.causes.iter().for_each(|cause| tell(cause, told));
        }
        ErrorKind::Required { want } => told.extend(
            want.iter().map(|name| FieldError { field: format!("{field}.{name}"), message: "is required".to_owned() }),
        ),
        kind => told.push(FieldError { field, message: shortened(&message(kind)) }),
    }
}

fn field(location: &InstanceLocation<'_>) -> String {
    location.tokens.iter().fold("parameters".to_owned(), |path, token| match token {
        InstanceToken::Prop(name) => format!("{path}.{name}"),
        InstanceToken::Item(index) => format!("{path}.{index}"),
    })
}

/// What the value has to be. The value itself is not named: it may be long, or somebody's secret.
fn message(kind: &ErrorKind<'_, '_>) -> String {
    match kind {
        ErrorKind::AdditionalProperties { got } => format!("is not known: {}; see GET /api/intents", got.join(", ")),
        ErrorKind::PropertyName { prop } => format!("has a field whose name does not do: {prop}"),
        ErrorKind::Dependency { prop, missing } | ErrorKind::DependentRequired { prop, missing } => {
            format!("needs {} beside {prop}", missing.join(", "))
        }
        ErrorKind::FalseSchema => "is not allowed here; leave it out".to_owned(),
        ErrorKind::Type { got, want } => format!("must be {}, not {got}", list(want.iter(), " or ")),
        ErrorKind::Enum { want } => format!("must be one of {}", list(want.iter(), ", ")),
        ErrorKind::Const { want } => format!("must be {want}"),
        ErrorKind::Format { want, .. } => format!("must be in the format {want}"),
        ErrorKind::Pattern { want, .. } => format!("must match {want}"),
        ErrorKind::ContentEncoding { want, .. } => format!("must be encoded as {want}"),
        ErrorKind::ContentMediaType { want, .. } => format!("must be of the media type {want}"),
        ErrorKind::ContentSchema => "must contain what its schema says".to_owned(),
        ErrorKind::MinLength { got, want } => format!("must have at least {want} characters, not {got}"),
        ErrorKind::MaxLength { got, want } => format!("must have at most {want} characters, not {got}"),
        ErrorKind::MinItems { got, want } => format!("must have at least {want} items, not {got}"),
        ErrorKind::MaxItems { got, want } => format!("must have at most {want} items, not {got}"),
        ErrorKind::MinProperties { got, want } => format!("must have at least {want} fields, not {got}"),
        ErrorKind::MaxProperties { got, want } => format!("must have at most {want} fields, not {got}"),
        ErrorKind::AdditionalItems { got } => format!("has {got} items too many"),
        ErrorKind::UniqueItems { got: [one, other] } => format!("must not repeat an item: {one} and {other} are equal"),
        ErrorKind::Contains => "must have an item of the kind that its schema says".to_owned(),
        ErrorKind::MinContains { got, want } => {
            format!("must have at least {want} items of the kind that its schema says, not {}", got.len())
        }
        ErrorKind::MaxContains { got, want } => {
            format!("must have at most {want} items of the kind that its schema says, not {}", got.len())
        }
        ErrorKind::Minimum { want, .. } => format!("must be at least {want}"),
        ErrorKind::Maximum { want, .. } => format!("must be at most {want}"),
        ErrorKind::ExclusiveMinimum { want, .. } => format!("must be more than {want}"),
        ErrorKind::ExclusiveMaximum { want, .. } => format!("must be less than {want}"),
        ErrorKind::MultipleOf { want, .. } => format!("must be a multiple of {want}"),
        ErrorKind::OneOf(Some(_)) => "fits more than one of the shapes of which it may have one".to_owned(),
        ErrorKind::AnyOf | ErrorKind::OneOf(None) => "fits none of the shapes that it may have".to_owned(),
        ErrorKind::Not => "has a shape that it must not have".to_owned(),
        ErrorKind::RefCycle { .. }
        | ErrorKind::Group
        | ErrorKind::Schema { .. }
        | ErrorKind::Reference { .. }
        | ErrorKind::AllOf
        | ErrorKind::Required { .. } => "does not fit its schema".to_owned(),
    }
}

fn list(items: impl Iterator<Item = impl ToString>, between: &str) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(between)
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= MAX_MESSAGE_CHARS {
        return text.to_owned();
    }
    text.chars().take(MAX_MESSAGE_CHARS).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn errors(schema: &Value, parameters: &Value) -> Vec<String> {
        let errors = Schema::compile(schema).unwrap().errors(parameters);
        errors.into_iter().map(|FieldError { field, message }| format!("{field} {message}")).collect()
    }

    #[test]
    fn each_field_is_told_what_it_has_to_be() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "name": { "type": "string", "minLength": 2, "maxLength": 4 },
                "limit": { "type": ["integer", "null"], "minimum": 1, "maximum": 100 },
                "state": { "enum": ["ready", null] },
                "code": { "type": "string", "pattern": "^[a-z]+$" },
                "table": { "$ref": "#/$defs/table" },
                "either": { "anyOf": [{ "type": "string" }, { "type": "boolean" }] },
            },
            "required": ["name"],
            "additionalProperties": false,
            "$defs": { "table": {
                "type": "object",
                "properties": { "rows": { "type": "array", "items": { "type": "integer" } } },
                "required": ["rows", "columns"],
            } },
        });
        for (parameters, expected) in [
            (json!({ "name": "ab", "limit": null, "state": "ready", "either": true }), vec![]),
            (json!({ "name": "ab", "limit": 1.0 }), vec![]),
            (json!({}), vec!["parameters.name is required"]),
            (json!({ "name": "ab", "nmae": "secret" }), vec!["parameters is not known: nmae; see GET /api/intents"]),
            (
                json!({ "name": "secret", "limit": 1000 }),
                vec!["parameters.limit must be at most 100", "parameters.name must have at most 4 characters, not 6"],
            ),
            (json!({ "name": 7 }), vec!["parameters.name must be string, not number"]),
            (json!({ "name": "ab", "limit": "secret" }), vec!["parameters.limit must be null or integer, not string"]),
            (json!({ "name": "ab", "state": "secret" }), vec!["parameters.state must be one of \"ready\", null"]),
            (json!({ "name": "ab", "code": "S3CRET" }), vec!["parameters.code must match ^[a-z]+$"]),
            (
                json!({ "name": "ab", "table": { "rows": [1, "secret"] } }),
                vec!["parameters.table.columns is required", "parameters.table.rows.1 must be integer, not string"],
            ),
            (json!({ "name": "ab", "either": 5 }), vec!["parameters.either fits none of the shapes that it may have"]),
        ] {
            let mut told = errors(&schema, &parameters);
            told.sort();
            assert_eq!(told, expected, "{parameters}");
        }
    }

    #[test]
    fn what_is_told_has_bounds() {
        let schema = json!({ "items": { "type": "string" }, "additionalProperties": false });
        assert_eq!(errors(&schema, &json!(vec![1; 1_000])).len(), MAX_FIELD_ERRORS);
        let long = errors(&schema, &json!({ "n".repeat(1_000): 1 }));
        assert!(long[0].chars().count() <= MAX_MESSAGE_CHARS + "parameters …".len(), "{}", long[0]);
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for schema in [
            json!({ "type": "strin" }),
            json!({ "properties": { "name": { "minLength": -1 } } }),
            json!({ "pattern": "(" }),
            json!({ "$ref": "#/$defs/nothing" }),
            json!({ "$ref": "other.json" }),
            json!({ "$ref": "file:///etc/passwd" }),
            json!({ "$ref": "http://127.0.0.1/schema.json" }),
            json!({ "$schema": "https://example.com/schema" }),
        ] {
            let reason = Schema::compile(&schema).err();
            assert!(reason.as_ref().is_some_and(|reason| !reason.is_empty()), "{schema}: {reason:?}");
        }
    }
}
