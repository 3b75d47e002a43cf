//! Tenants over HTTP: which ones the caller is in, who else is in the current one, and who is invited. Whatever is kept belongs to
//! a user in a tenant; being in a tenant together shares nothing of it.

use axum::{
    Json as JsonBody,
    response::{IntoResponse, Response},
};
use contract::{
    InvitationId, UserId,
    auth::AuthResponse,
    tenant::{
        ChangeMember, CreateServiceAccount, CreatedInvitation, InvitationList, Invite, JoinTenant, Member, MemberList,
        Membership, MembershipList, SwitchTenant, TransferTenant,
    },
};
use http::StatusCode;

use super::{cookies::CookieKind, json::Json, query::PathId};
use crate::{CallContext, Credentials, Refusal, client::Client};

/// List my tenants.
#[utoipa::path(get, path = "/api/tenants", tag = "tenants", responses((status = 200, body = MembershipList)))]
pub(super) async fn list(context: CallContext) -> Result<JsonBody<MembershipList>, Refusal> {
    let tenants = context.plane().guard.memberships(context.caller()?).await?;
    Ok(JsonBody(MembershipList { tenants }))
}

/// Go over to another tenant.
///
/// The sign-in stays the same, and so does its refresh token; the access token in the answer is for the other tenant. Earlier ones
/// of this sign-in are refused from now on, and its sockets are closed. A sign-in with cookies gets the token as a cookie.
#[utoipa::path(
    post, path = "/api/tenants/switch", tag = "tenants", request_body = SwitchTenant,
    responses((status = 200, body = AuthResponse), (status = 404, description = "There is no such tenant, or it is not yours.")),
)]
pub(super) async fn switch(
    credentials: Credentials,
    client: Client,
    Json(body): Json<SwitchTenant>,
) -> Result<Response, Refusal> {
    let by_cookie = credentials.only_cookie();
    let context = credentials.enter().await?;
    let switched = context.plane().guard.switch_tenant(context.caller()?, body.to).await?;
    let mut answer = switched.response("You are in the other tenant now.");
    let Some(kind) = CookieKind::of(client).filter(|_| by_cookie) else {
        return Ok(JsonBody(answer).into_response());
    };
    answer.access_token = None;
    let mut response = JsonBody(answer).into_response();
    kind.set_access(response.headers_mut(), &switched.access_token.0, switched.expires_in)?;
    Ok(response)
}

/// Accept an invitation.
///
/// The invitation has to be for the address of the caller's account, and works once. The sign-in stays in the tenant that it is in.
#[utoipa::path(
    post, path = "/api/tenants/join", tag = "tenants", request_body = JoinTenant,
    responses(
        (status = 200, body = Membership), (status = 404, description = "It is no open invitation of yours."),
        (status = 409, description = "The tenant is full."),
    ),
)]
pub(super) async fn join(context: CallContext, Json(body): Json<JoinTenant>) -> Result<JsonBody<Membership>, Refusal> {
    Ok(JsonBody(context.plane().guard.join_tenant(context.caller()?, &body.token.0).await?))
}

/// List the members of the current tenant.
#[utoipa::path(get, path = "/api/tenant/members", tag = "tenants", responses((status = 200, body = MemberList)))]
pub(super) async fn members(context: CallContext) -> Result<JsonBody<MemberList>, Refusal> {
    let members = context.plane().guard.members(context.caller()?).await?;
    Ok(JsonBody(MemberList { members }))
}

/// Give a member another role.
///
/// It counts from their next request on.
#[utoipa::path(
    patch, path = "/api/tenant/members/{user_id}", tag = "tenants", params(("user_id" = UserId, Path)),
    request_body = ChangeMember,
    responses((status = 204, description = "It is so."), (status = 409, description = "They cannot get that role.")),
)]
pub(super) async fn change(
    context: CallContext,
    id: PathId,
    Json(body): Json<ChangeMember>,
) -> Result<StatusCode, Refusal> {
    context.plane().guard.change_role(context.caller()?, id.of("member")?, &body.role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a member, or leave.
///
/// Oneself, or somebody else with `member:manage`. They are out from their next request on, their sockets in this tenant are closed and
/// their keys for it end; they stay signed in, in another of their tenants. The owner has to transfer the tenant first.
#[utoipa::path(
    delete, path = "/api/tenant/members/{user_id}", tag = "tenants", params(("user_id" = UserId, Path)),
    responses((status = 204, description = "They are out."), (status = 409, description = "They are the owner.")),
)]
pub(super) async fn remove(context: CallContext, id: PathId) -> Result<StatusCode, Refusal> {
    context.plane().guard.remove_member(context.caller()?, id.of("member")?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give the tenant to another member.
///
/// The caller becomes an admin. A tenant has exactly one owner at any time.
#[utoipa::path(
    post, path = "/api/tenant/transfer", tag = "tenants", request_body = TransferTenant,
    responses(
        (status = 204, description = "The other one is the owner."), (status = 404, description = "There is no such member."),
        (status = 409, description = "They cannot own a tenant."),
    ),
)]
pub(super) async fn transfer(context: CallContext, Json(body): Json<TransferTenant>) -> Result<StatusCode, Refusal> {
    context.plane().guard.transfer_tenant(context.caller()?, body.new_owner).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a service account.
///
/// A program with the role `agent`: it has no password, works with the API keys that are made for it, and decides no approvals.
#[utoipa::path(
    post, path = "/api/tenant/service-accounts", tag = "tenants", request_body = CreateServiceAccount,
    responses((status = 201, body = Member), (status = 409, description = "The tenant is full.")),
)]
pub(super) async fn create_service_account(
    context: CallContext,
    Json(body): Json<CreateServiceAccount>,
) -> Result<(StatusCode, JsonBody<Member>), Refusal> {
    let account = context.plane().guard.create_service_account(context.caller()?, &body.name).await?;
    Ok((StatusCode::CREATED, JsonBody(account)))
}

/// Invite somebody by their address.
///
/// The answer is the only place where the token is ever shown: hand it to them. An earlier invitation of the same address works no more.
#[utoipa::path(
    post, path = "/api/tenant/invitations", tag = "tenants", request_body = Invite,
    responses((status = 201, body = CreatedInvitation), (status = 409, description = "They are a member already.")),
)]
pub(super) async fn invite(
    context: CallContext,
    Json(body): Json<Invite>,
) -> Result<(StatusCode, JsonBody<CreatedInvitation>), Refusal> {
    let created = context.plane().guard.invite(context.caller()?, &body).await?;
    Ok((StatusCode::CREATED, JsonBody(created)))
}

/// List the open invitations.
#[utoipa::path(get, path = "/api/tenant/invitations", tag = "tenants", responses((status = 200, body = InvitationList)))]
pub(super) async fn invitations(context: CallContext) -> Result<JsonBody<InvitationList>, Refusal> {
    let invitations = context.plane().guard.invitations(context.caller()?).await?;
    Ok(JsonBody(InvitationList { invitations }))
}

/// Withdraw an invitation.
#[utoipa::path(
    delete, path = "/api/tenant/invitations/{invitation_id}", tag = "tenants",
    params(("invitation_id" = InvitationId, Path)), responses((status = 204, description = "It works no more.")),
)]
pub(super) async fn withdraw(context: CallContext, id: PathId) -> Result<StatusCode, Refusal> {
    context.plane().guard.withdraw_invitation(context.caller()?, &id.of("invitation")?).await?;
    Ok(StatusCode::NO_CONTENT)
}
