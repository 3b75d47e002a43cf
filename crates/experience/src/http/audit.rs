//! The audit of a tenant, for those who govern it.

use axum::Json as JsonBody;
use contract::{Code, audit::AuditPage};

use super::query::{PageQuery, Query, page_limit};
use crate::{CallContext, Refusal};

/// Read the audit.
///
/// What the guard decided about the people of the caller's tenant: newest first, for owners and admins. Each record's hash is over
/// the one before it, so that what is changed afterwards is found (`symphainy audit verify`).
#[utoipa::path(get, path = "/api/audit", tag = "audit", params(PageQuery), responses((status = 200, body = AuditPage)))]
pub(super) async fn list(context: CallContext, Query(query): Query<PageQuery>) -> Result<JsonBody<AuditPage>, Refusal> {
    let limit = page_limit(query.limit)?;
    let bad_cursor =
        |_| Refusal::new(Code::BadCursor, "The cursor is not one of this list. Begin again without a cursor.");
    let before = query.cursor.map(|cursor| cursor.parse().map_err(bad_cursor)).transpose()?;
    let page = context.plane().guard.audit_page(context.caller()?, before, limit as usize).await?;
    Ok(JsonBody(page))
}
