//! What stands in the address of a request: ids, which are not found where they cannot be ids, and the parameters of
//! lists.

use std::{str::FromStr, sync::Arc};

use axum::extract::{FromRequestParts, Path};
use contract::Code;
use http::request::Parts;
use runtime::port::store::PageRequest;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Plane, Refusal};

/// The length of a page where the client does not say, and the longest.
const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 200;

/// The id in a path. The handler says what it is the id of.
pub(super) struct PathId(String);

impl PathId {
    /// A text that cannot be an id names nothing.
    pub(super) fn of<Id: FromStr>(&self, what: &str) -> Result<Id, Refusal> {
        self.0.parse().map_err(|_| Refusal::not_found(what))
    }
}

impl FromRequestParts<Arc<Plane>> for PathId {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, plane: &Arc<Plane>) -> Result<Self, Refusal> {
        let path = Path::<String>::from_request_parts(parts, plane).await;
        path.map(|Path(text)| Self(text)).map_err(|_| Refusal::not_found("thing"))
    }
}

/// The parameters of a request's query.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Plane>> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _plane: &Arc<Plane>) -> Result<Self, Refusal> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(_) => Err(Refusal::new(Code::BadRequest, "The query of the address does not fit. See /docs for it.")),
        }
    }
}

/// A parameter of a query that is an id.
pub(super) fn parameter<Id: FromStr>(name: &str, text: Option<&str>) -> Result<Option<Id>, Refusal> {
    text.map(|text| text.parse().map_err(|_| Refusal::field(name, "is no id"))).transpose()
}

/// Which page of a list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// 1 to 200; 50 when not given.
    pub(super) limit: Option<u32>,
    /// What an earlier page gave as `next_cursor`.
    pub(super) cursor: Option<String>,
}

impl PageQuery {
    pub(super) fn page(self) -> Result<PageRequest, Refusal> {
        Ok(PageRequest { limit: page_limit(self.limit)?, offset: 0, cursor: self.cursor })
    }
}

/// The length of a page.
pub(super) fn page_limit(limit: Option<u32>) -> Result<u32, Refusal> {
    match limit.unwrap_or(DEFAULT_PAGE) {
        limit @ 1..=MAX_PAGE => Ok(limit),
        _ => Err(Refusal::field("limit", format!("has to be from 1 to {MAX_PAGE}"))),
    }
}
