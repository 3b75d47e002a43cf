//! Which permissions each route needs: the one table. It is enforced where a request's credential becomes a caller (`call.rs`), and
//! the OpenAPI document says it with each operation (`x-permissions`). What a message on a socket needs stands with its verb.

use http::Method;
use security_guard::Permission::{self, *};

/// Method, path, and what is needed. A route of somebody who has signed in has to stand here, even where that is enough.
const TABLE: &[(&str, &str, &[Permission])] = &[
    ("POST", "/api/auth/logout", &[]),
    ("GET", "/api/auth/me", &[]),
    ("POST", "/api/auth/ticket", &[]),
    ("POST", "/api/auth/password", &[]),
    ("GET", "/api/auth/second-factor", &[]),
    ("POST", "/api/auth/second-factor", &[]),
    ("POST", "/api/auth/second-factor/confirm", &[]),
    ("POST", "/api/auth/second-factor/remove", &[]),
    ("GET", "/api/auth/sign-ins", &[]),
    ("DELETE", "/api/auth/sign-ins", &[]),
    ("DELETE", "/api/auth/sign-ins/{id}", &[]),
    ("GET", "/api/audit", &[ReadAudit]),
    // Nobody hands on more than they may, and only a person hands on.
    ("POST", "/api/auth/delegate", &[]),
    // Whose keys they are is what matters, and that a person has signed in.
    ("POST", "/api/auth/keys", &[]),
    ("GET", "/api/auth/keys", &[]),
    ("DELETE", "/api/auth/keys/{key_id}", &[]),
    ("GET", "/api/tenants", &[]),
    ("POST", "/api/tenants/switch", &[]),
    ("POST", "/api/tenants/join", &[]),
    ("GET", "/api/tenant/members", &[ManageMembers]),
    ("PATCH", "/api/tenant/members/{user_id}", &[ManageMembers]),
    // Everybody may leave.
    ("DELETE", "/api/tenant/members/{user_id}", &[]),
    ("POST", "/api/tenant/transfer", &[ManageTenant]),
    ("POST", "/api/tenant/service-accounts", &[ManageMembers]),
    ("POST", "/api/tenant/invitations", &[ManageMembers]),
    ("GET", "/api/tenant/invitations", &[ManageMembers]),
    ("DELETE", "/api/tenant/invitations/{invitation_id}", &[ManageMembers]),
    ("POST", "/api/session/create", &[UseSessions]),
    ("GET", "/api/session/{id}", &[UseSessions]),
    ("DELETE", "/api/session/{id}", &[UseSessions]),
    ("PATCH", "/api/session/{id}/upgrade", &[UseSessions]),
    ("POST", "/api/intent/submit", &[SubmitIntents]),
    ("GET", "/api/intents", &[]),
    ("POST", "/api/intent/pending/create", &[SubmitIntents]),
    ("POST", "/api/intent/pending/list", &[ReadArtifacts]),
    ("GET", "/api/execution/{id}/status", &[ReadExecutions]),
    ("GET", "/api/execution/{id}/events", &[ReadExecutions]),
    ("GET", "/api/execution/{id}/stream", &[ReadExecutions]),
    ("POST", "/api/execution/{id}/cancel", &[CancelExecutions]),
    ("POST", "/api/execution/{id}/redrive", &[SubmitIntents]),
    ("GET", "/api/executions", &[ReadExecutions]),
    ("GET", "/api/schedules", &[ReadExecutions]),
    ("POST", "/api/schedules", &[SubmitIntents]),
    ("GET", "/api/schedules/{id}", &[ReadExecutions]),
    ("PATCH", "/api/schedules/{id}", &[SubmitIntents]),
    ("DELETE", "/api/schedules/{id}", &[SubmitIntents]),
    ("GET", "/api/approvals", &[ReadExecutions]),
    ("POST", "/api/approvals/{hook_id}", &[DecideApprovals]),
    ("GET", "/api/agents", &[]),
    ("GET", "/api/conversations", &[ReadExecutions]),
    ("GET", "/api/conversations/{id}", &[ReadExecutions]),
    ("PATCH", "/api/conversations/{id}", &[TalkToAgents]),
    ("DELETE", "/api/conversations/{id}", &[TalkToAgents]),
    ("GET", "/api/conversations/{id}/events", &[ReadExecutions]),
    ("POST", "/api/conversations/{id}/fork", &[SubmitIntents]),
    ("POST", "/api/artifact/list", &[ReadArtifacts]),
    ("POST", "/api/artifact/resolve", &[ReadArtifacts]),
    ("GET", "/api/artifacts/{id}", &[ReadArtifacts]),
    ("GET", "/api/artifacts/{id}/content", &[ReadArtifacts]),
    ("POST", "/api/files", &[SubmitIntents, WriteArtifacts]),
    ("POST", "/api/v1/guide-agent/chat", &[TalkToAgents]),
    ("POST", "/api/v1/guide-agent/analyze-intent", &[TalkToAgents]),
    ("GET", "/api/v1/guide-agent/history/{session_id}", &[ReadExecutions]),
    // Each message on a socket is looked at by itself.
    ("GET", "/api/runtime/agent", &[]),
    ("GET", "/api/experience/agent", &[]),
];

/// What this route needs; `None` for one that is not in the table.
pub(crate) fn needed(method: &Method, path: &str) -> Option<&'static [Permission]> {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let row = TABLE.iter().find(|(its_method, its_path, _)| *its_method == method && *its_path == path);
    row.map(|(.., permissions)| *permissions)
}
