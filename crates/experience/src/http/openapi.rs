//! The OpenAPI document: made from the routes once, at start-up. What is the same for all operations (who may call, which
//! problems may come back) is added here from what each one says about itself.

use http::Method;
use serde_json::json;
use utoipa::{
    OpenApi,
    openapi::{
        Content, Ref, RefOr, ResponseBuilder,
        extensions::ExtensionsBuilder,
        path::{Operation, ParameterIn, PathItem},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use contract::{
    Code,
    frame::{ClientFrame, ServerFrame},
    problem::{FieldError, Problem},
};

use crate::{call::COOKIE_TLS, permissions};

/// What stands in the document beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(title = "Symphainy", description = "The Experience Plane: what people and programs can ask for."),
    components(schemas(Problem, FieldError, ClientFrame, ServerFrame)),
    tags(
        (name = "auth", description = "Who is asking."),
        (name = "audit", description = "What was decided about whom."),
        (name = "tenants", description = "Who works together, and as what."),
        (name = "sessions", description = "Sessions of work: anonymous, owned, claimed."),
        (name = "intents", description = "What can be asked for, and asking for it."),
        (name = "executions", description = "How it goes."),
        (name = "schedules", description = "What is done again and again."),
        (name = "approvals", description = "What waits for somebody's word."),
        (name = "agents", description = "Who can be talked to."),
        (name = "conversations", description = "What was said."),
        (name = "artifacts", description = "What was made and kept."),
        (name = "guide", description = "The guide over plain HTTP."),
        (name = "health", description = "How the server is."),
    ),
)]
struct Base;

/// The document without its routes.
pub(super) fn base() -> utoipa::openapi::OpenApi {
    Base::openapi()
}

/// Adds what all operations share.
pub(super) fn finish(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let components = document.components.get_or_insert_default();
    let bearer =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An access token or an API key.")).build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let cookie = ApiKeyValue::with_description(COOKIE_TLS, "Set by a sign-in with `?mode=cookie`.");
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let either = ["bearer", "cookie"].map(|name| SecurityRequirement::new::<_, [&str; 0], &str>(name, []));
    document.security = Some(either.to_vec());
    for (path, item) in &mut document.paths.paths {
        let has_id = path.contains('{');
        for (method, operation) in operations(item) {
            add_problems(operation, &method, has_id);
            add_permissions(operation, &method, path);
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [(Method::GET, get), (Method::PUT, put), (Method::POST, post), (Method::DELETE, delete), (Method::PATCH, patch)]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// What the caller has to be allowed; an empty list where it is enough to have a credential.
fn add_permissions(operation: &mut Operation, method: &Method, path: &str) {
    if let Some(needed) = permissions::needed(method, path) {
        let needed: Vec<&str> = needed.iter().map(|permission| permission.as_str()).collect();
        let said = ExtensionsBuilder::new().add("x-permissions", json!(needed)).build();
        operation.extensions.get_or_insert_default().merge(said);
    }
}

fn add_problems(operation: &mut Operation, method: &Method, has_id: bool) {
    let takes_credential = match &operation.security {
        None => true,
        Some(ways) => ways.iter().any(|way| *way != SecurityRequirement::default()),
    };
    let has_body = operation.request_body.is_some();
    let has_query = operation
        .parameters
        .iter()
        .flatten()
        .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query));
    let possible = [
        (takes_credential, Code::AuthenticationRequired),
        (takes_credential, Code::Forbidden),
        (has_id, Code::NotFound),
        (has_body || has_query, Code::BadRequest),
        (has_body, Code::PayloadTooLarge),
        (has_body, Code::UnsupportedMediaType),
        (has_body || has_query, Code::ValidationFailed),
        (true, Code::TooManyRequests),
        (true, Code::Internal),
        (true, Code::Unavailable),
        (takes_credential && *method != Method::GET, Code::StorageFull),
    ];
    for (_, code) in possible.into_iter().filter(|(applies, _)| *applies) {
        let status = code.status().to_string();
        let response = ResponseBuilder::new().description(code.title()).build();
        operation.responses.responses.entry(status).or_insert(RefOr::T(response));
    }
    // Whatever is no success is a problem document, also where an operation describes it in its own words.
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
        {
            let content = Content::new(Some(Ref::from_schema_name("Problem")));
            response.content.insert("application/problem+json".to_owned(), RefOr::T(content));
        }
    }
}
