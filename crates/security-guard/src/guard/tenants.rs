//! Tenants: which ones somebody is in, who else is, who is invited, and going over from one to another.

use std::time::Duration;

use contract::{
    InvitationId, TenantId, UserId,
    auth::{AuthResponse, Secret},
    problem::FieldError,
    tenant::{CreatedInvitation, Invitation, Invite, Member, MemberKind, Membership},
};

use super::{Inner, SecurityGuard, post, register::check_name};
use crate::{
    Caller, GuardError, Permission, Role,
    accounts::{Tenant, User},
    clock::random,
    email::EmailAddress,
    mailbox::LetterKind,
    secrets::{base64url, hash_token},
    tenants::{
        Accepted, ChangeRefused, ChangeRequest, Changed, Invited, MemberChange, NewInvitation, SwitchRequest,
        can_be_given,
    },
};

/// What invitations begin with, so that people can tell what they have found.
const PREFIX: &str = "symi_";
/// How long an invitation can be accepted.
const INVITATION_TTL: Duration = Duration::from_secs(7 * 24 * 3_600);

/// A sign-in in another tenant: a new access token, while the refresh token stays what it is.
#[derive(Clone, Debug)]
pub struct Switched {
    pub access_token: Secret,
    /// Seconds until the access token expires.
    pub expires_in: u64,
    pub caller: Caller,
}

impl Switched {
    /// The contract's body. There is no refresh token in it: the sign-in keeps its own.
    pub fn response(&self, message: impl Into<String>) -> AuthResponse {
        self.caller.auth_response(&self.access_token, self.expires_in, message.into())
    }
}

impl SecurityGuard {
    /// The tenants that the caller is in.
    pub async fn memberships(&self, caller: &Caller) -> Result<Vec<Membership>, GuardError> {
        let found = self.0.accounts.memberships(caller.user_id()).await?;
        let membership = |(tenant, role): (Tenant, Role)| Membership {
            current: tenant.tenant_id == *caller.tenant_id(),
            tenant_id: tenant.tenant_id,
            name: tenant.name,
            role: role.to_string(),
        };
        Ok(found.into_iter().map(membership).collect())
    }

    /// Takes the caller's sign-in over to another tenant of theirs. Its tokens for the old one are refused from now on, and its
    /// sockets there are closed.
    ///
    /// # Errors
    /// `Forbidden` with an API key, `NotFound` for a tenant that is not the caller's.
    pub async fn switch_tenant(&self, caller: &Caller, tenant_id: TenantId) -> Result<Switched, GuardError> {
        let guard = &self.0;
        let only_signed_in =
            GuardError::Forbidden("An API key works in its own tenant alone. Sign in to go to another one.");
        let sign_in_id = caller.sign_in_id().ok_or(only_signed_in)?.clone();
        let request = SwitchRequest {
            sign_in_id: sign_in_id.clone(),
            tenant_id,
            now: guard.clock.now(),
            fresh_session: guard.fresh_session(),
        };
        let found = guard.accounts.switch_tenant(request).await?.ok_or(GuardError::NotFound("tenant"))?;
        guard.verified.forget_sign_in(&sign_in_id);
        let (access_token, caller) = guard.access_token(found.standing, &found.session)?;
        Ok(Switched { access_token, expires_in: guard.tokens().ttl_seconds(), caller })
    }

    /// Everybody in the caller's tenant.
    pub async fn members(&self, caller: &Caller) -> Result<Vec<Member>, GuardError> {
        may_manage(caller)?;
        Ok(self.0.accounts.members(caller.tenant_id()).await?)
    }

    /// Gives a member another role, which counts from their next request on.
    pub async fn change_role(&self, caller: &Caller, member: UserId, role: &str) -> Result<(), GuardError> {
        may_manage(caller)?;
        self.change_member(caller, member, MemberChange::Role(given_role(role)?)).await
    }

    /// Removes a member, who is out from their next request on, and whose keys for this tenant end. Anybody may remove themselves.
    pub async fn remove_member(&self, caller: &Caller, member: UserId) -> Result<(), GuardError> {
        if member != *caller.user_id() {
            may_manage(caller)?;
        } else if !caller.is_signed_in() {
            return Err(GuardError::Forbidden("An API key does not leave its tenant. Sign in first."));
        }
        self.change_member(caller, member, MemberChange::Remove).await
    }

    /// Makes a member the owner, and the caller an admin.
    pub async fn transfer_tenant(&self, caller: &Caller, new_owner: UserId) -> Result<(), GuardError> {
        if !caller.may(Permission::ManageTenant) || !caller.is_signed_in() {
            return Err(GuardError::Forbidden(
                "Only the owner gives a tenant to somebody else, signed in as themselves.",
            ));
        }
        self.change_member(caller, new_owner, MemberChange::Transfer).await
    }

    async fn change_member(&self, caller: &Caller, member: UserId, change: MemberChange) -> Result<(), GuardError> {
        let guard = &self.0;
        let request = ChangeRequest {
            tenant_id: caller.tenant_id().clone(),
            by: caller.user_id().clone(),
            member: member.clone(),
            change,
            now: guard.clock.now(),
            fresh_tenant: guard.fresh_tenant(),
        };
        if let Changed::Refused(why) = guard.accounts.change_member(request).await? {
            return Err(refusal(why));
        }
        // What is remembered of either has their roles of before.
        guard.verified.forget_user(&member);
        guard.verified.forget_user(caller.user_id());
        Ok(())
    }

    /// Makes a service account in the caller's tenant. Its credentials are API keys that are made for it.
    pub async fn create_service_account(&self, caller: &Caller, name: &str) -> Result<Member, GuardError> {
        may_manage(caller)?;
        let guard = &self.0;
        let name = check_name(name).map_err(|error| GuardError::Invalid(vec![error]))?;
        let now = guard.clock.now();
        let user = User {
            user_id: UserId::from_parts(now, random(&*guard.clock)),
            email: String::new(),
            name,
            created_at: now,
            disabled_at: None,
        };
        if !guard.accounts.add_service_account(user.clone(), caller.tenant_id()).await? {
            return Err(GuardError::Conflict("The tenant has 1000 members already. Remove one that is not needed."));
        }
        Ok(Member {
            user_id: user.user_id,
            kind: MemberKind::ServiceAccount,
            name: user.name,
            email: user.email,
            role: Role::Agent.to_string(),
            disabled: false,
        })
    }

    /// Invites whoever has this address.
    ///
    /// # Errors
    /// `Invalid`; `Conflict` for a member, and where there are too many open invitations.
    pub async fn invite(&self, caller: &Caller, request: &Invite) -> Result<CreatedInvitation, GuardError> {
        may_manage(caller)?;
        let guard = &self.0;
        let role = given_role(&request.role)?;
        let email: EmailAddress =
            request.email.parse().map_err(|error| GuardError::invalid("email", format!("{error}")))?;
        let now = guard.clock.now();
        let token = format!("{PREFIX}{}", base64url(&random::<32>(&*guard.clock)));
        let invitation = Invitation {
            invitation_id: InvitationId::from_parts(now, random(&*guard.clock)),
            email: email.shown().to_owned(),
            role: role.to_string(),
            tenant_id: caller.tenant_id().clone(),
            invited_by: caller.user_id().clone(),
            created_at: now,
            expires_at: now.after(INVITATION_TTL),
        };
        let new = NewInvitation {
            invitation: invitation.clone(),
            role,
            email_key: email.key().to_owned(),
            token: hash_token(&token),
        };
        match guard.accounts.invite(new).await? {
            Invited::Done => {
                self.post(LetterKind::Invitation, invitation.invitation_id.as_str()).await?;
                Ok(CreatedInvitation { token: Secret(token), invitation })
            }
            Invited::AlreadyAMember => Err(GuardError::Conflict("Whoever has this address is a member already.")),
            Invited::TooMany => {
                Err(GuardError::Conflict("There are 200 open invitations. Withdraw some of them first."))
            }
        }
    }

    /// The open invitations of the caller's tenant.
    pub async fn invitations(&self, caller: &Caller) -> Result<Vec<Invitation>, GuardError> {
        may_manage(caller)?;
        Ok(self.0.accounts.invitations(caller.tenant_id(), self.0.clock.now()).await?)
    }

    /// Takes an invitation back.
    pub async fn withdraw_invitation(&self, caller: &Caller, invitation_id: &InvitationId) -> Result<(), GuardError> {
        may_manage(caller)?;
        let withdrawn = self.0.accounts.withdraw(caller.tenant_id(), invitation_id).await?;
        if withdrawn { Ok(()) } else { Err(GuardError::NotFound("invitation")) }
    }

    /// Accepts an invitation for the caller's address, once. The sign-in stays where it is.
    ///
    /// # Errors
    /// `NotFound` for whatever is not an open invitation of the caller's; `Conflict` where the tenant is full.
    pub async fn join_tenant(&self, caller: &Caller, token: &str) -> Result<Membership, GuardError> {
        let guard = &self.0;
        if caller.sign_in_id().is_none() {
            return Err(GuardError::Forbidden(
                "An invitation is accepted by a person who is signed in, not with a key.",
            ));
        }
        if !token.starts_with(PREFIX) && !token.starts_with(post::PREFIX) {
            return Err(GuardError::NotFound("invitation"));
        }
        match guard.accounts.accept(hash_token(token), caller.user_id(), guard.clock.now()).await? {
            Accepted::Done { tenant, role } => Ok(Membership {
                current: tenant.tenant_id == *caller.tenant_id(),
                tenant_id: tenant.tenant_id,
                name: tenant.name,
                role: role.to_string(),
            }),
            Accepted::Unknown => Err(GuardError::NotFound("invitation")),
            Accepted::Full => Err(GuardError::Conflict("The tenant has 1000 members already.")),
        }
    }
}

impl Inner {
    /// For somebody who would be left without any. It is named by whoever they are, which the store knows.
    fn fresh_tenant(&self) -> Tenant {
        let now = self.clock.now();
        Tenant { tenant_id: TenantId::from_parts(now, random(&*self.clock)), name: String::new(), created_at: now }
    }
}

fn may_manage(caller: &Caller) -> Result<(), GuardError> {
    match caller.may(Permission::ManageMembers) {
        true => Ok(()),
        false => Err(GuardError::Forbidden("This needs the permission member:manage, which owners and admins have.")),
    }
}

fn given_role(word: &str) -> Result<Role, GuardError> {
    word.parse().ok().filter(|role| can_be_given(*role)).ok_or_else(|| {
        GuardError::Invalid(vec![FieldError::new(
            "role",
            "Choose admin, member or viewer. An owner is made by a transfer.",
        )])
    })
}

fn refusal(why: ChangeRefused) -> GuardError {
    match why {
        ChangeRefused::NotAllowed => GuardError::Forbidden("Your role in this tenant does not allow that."),
        ChangeRefused::NotAMember => GuardError::NotFound("member"),
        ChangeRefused::IsTheOwner => {
            GuardError::Conflict("A tenant always has an owner. Transfer it to another member first.")
        }
        ChangeRefused::NotThatRole => GuardError::Conflict("This member cannot get that role."),
        ChangeRefused::CannotOwn => GuardError::Conflict("Only a person who can sign in can own a tenant."),
    }
}
