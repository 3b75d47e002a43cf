//! Tenants in memory.

use async_trait::async_trait;
use contract::{
    InvitationId, SignInId, TenantId, Timestamp, UserId,
    tenant::{Invitation, Member, MemberKind},
};

use super::{MemoryAccounts, State, UserRow, owned_session};
use crate::{
    Role,
    accounts::{PasswordHash, SignedInAs, StoreError, Tenant, TokenHash, User},
    mailbox::MailPurpose,
    tenants::{
        Accepted, ChangeRequest, Changed, Invited, MAX_INVITATIONS, MAX_MEMBERS, MemberChange, MemberState,
        NewInvitation, OpenInvitation, SwitchRequest, Tenants, rule_on_member,
    },
};

impl State {
    fn role(&self, user_id: &UserId, tenant_id: &TenantId) -> Option<Role> {
        let memberships = &self.users.get(user_id)?.memberships;
        memberships.iter().find(|(member_of, _)| member_of == tenant_id).map(|(_, role)| *role)
    }

    fn size(&self, tenant_id: &TenantId) -> usize {
        self.users.keys().filter(|user_id| self.role(user_id, tenant_id).is_some()).count()
    }

    pub(super) fn is_full(&self, tenant_id: &TenantId) -> bool {
        self.size(tenant_id) >= MAX_MEMBERS
    }

    /// Where they joined a tenant after another one, the later place counts.
    pub(super) fn join(&mut self, user_id: &UserId, tenant_id: &TenantId, role: Role) {
        self.joined += 1;
        let place = self.joined;
        if let Some(row) = self.users.get_mut(user_id) {
            row.memberships.push((tenant_id.clone(), role));
            self.places.insert((tenant_id.clone(), user_id.clone()), place);
        }
    }

    fn set_role(&mut self, user_id: &UserId, tenant_id: &TenantId, role: Role) {
        let memberships = self.users.get_mut(user_id).map(|row| &mut row.memberships);
        if let Some(membership) = memberships.into_iter().flatten().find(|(member_of, _)| member_of == tenant_id) {
            membership.1 = role;
        }
    }

    fn remove(&mut self, request: &ChangeRequest) {
        let ChangeRequest { tenant_id, member, .. } = request;
        let Some(row) = self.users.get_mut(member) else { return };
        row.memberships.retain(|(member_of, _)| member_of != tenant_id);
        if row.memberships.is_empty() && row.is_service_account {
            row.user.disabled_at = Some(request.now);
        } else if row.memberships.is_empty() {
            let tenant = Tenant { name: row.user.name.clone(), ..request.fresh_tenant.clone() };
            row.memberships.push((tenant.tenant_id.clone(), Role::Owner));
            self.tenants.insert(tenant.tenant_id.clone(), tenant);
        }
        if let Some((home, _)) = row.memberships.first().cloned() {
            for sign_in in
                self.sign_ins.values_mut().filter(|row| row.user_id == *member && row.tenant_id == *tenant_id)
            {
                sign_in.tenant_id = home.clone();
            }
        }
        self.end_keys(tenant_id, member);
    }
}

#[async_trait]
impl Tenants for MemoryAccounts {
    async fn memberships(&self, user_id: &UserId) -> Result<Vec<(Tenant, Role)>, StoreError> {
        let state = self.lock();
        let memberships = state.users.get(user_id).map(|row| row.memberships.as_slice()).unwrap_or_default();
        let with_tenant = |(tenant_id, role): &(TenantId, Role)| Some((state.tenants.get(tenant_id)?.clone(), *role));
        Ok(memberships.iter().filter_map(with_tenant).collect())
    }

    async fn switch_tenant(&self, request: SwitchRequest) -> Result<Option<SignedInAs>, StoreError> {
        let mut state = self.lock();
        let SwitchRequest { sign_in_id, tenant_id, now, fresh_session: fresh } = request;
        let Some(user_id) = state.user_of(&sign_in_id, now) else { return Ok(None) };
        if state.role(&user_id, &tenant_id).is_none() {
            return Ok(None);
        }
        let session = owned_session(fresh.session_id, &tenant_id, &user_id, now, fresh.expires_at);
        state.sessions.insert(session.session_id.clone(), session.clone());
        let Some(row) = state.sign_ins.get_mut(&sign_in_id) else { return Ok(None) };
        row.tenant_id = tenant_id.clone();
        row.sign_in.session_id = session.session_id.clone();
        let sign_in = row.sign_in.clone();
        let standing = state.standing(&user_id, &tenant_id, Some(sign_in));
        Ok(standing.map(|standing| SignedInAs { standing, session }))
    }

    async fn members(&self, tenant_id: &TenantId) -> Result<Vec<Member>, StoreError> {
        let state = self.lock();
        let place = |user_id: &UserId| state.places.get(&(tenant_id.clone(), user_id.clone())).copied().unwrap_or(0);
        let mut found: Vec<Member> = Vec::new();
        for (user_id, row) in &state.users {
            let Some(role) = state.role(user_id, tenant_id) else { continue };
            found.push(Member {
                user_id: user_id.clone(),
                kind: row.kind(),
                name: row.user.name.clone(),
                email: row.user.email.clone(),
                role: role.to_string(),
                disabled: row.user.disabled_at.is_some(),
            });
        }
        found.sort_by_key(|member| place(&member.user_id));
        Ok(found)
    }

    async fn change_member(&self, request: ChangeRequest) -> Result<Changed, StoreError> {
        let mut state = self.lock();
        let ChangeRequest { tenant_id, by, member, change, .. } = &request;
        let row = state.users.get(member);
        let found = MemberState {
            by: state.role(by, tenant_id),
            is_self: by == member,
            member: state.role(member, tenant_id).zip(row.map(UserRow::kind)),
            is_disabled: row.is_some_and(|row| row.user.disabled_at.is_some()),
        };
        let ruling = rule_on_member(found, change);
        if ruling == Changed::Done {
            match change {
                MemberChange::Role(role) => state.set_role(member, tenant_id, *role),
                MemberChange::Remove => state.remove(&request),
                MemberChange::Transfer => {
                    state.set_role(by, tenant_id, Role::Admin);
                    state.set_role(member, tenant_id, Role::Owner);
                }
            }
        }
        Ok(ruling)
    }

    async fn add_service_account(&self, user: User, tenant_id: &TenantId) -> Result<bool, StoreError> {
        let mut state = self.lock();
        if state.is_full(tenant_id) {
            return Ok(false);
        }
        let user_id = user.user_id.clone();
        let password_hash = PasswordHash(String::new());
        let row = UserRow { user, password_hash, memberships: Vec::new(), is_service_account: true };
        state.users.insert(user_id.clone(), row);
        state.join(&user_id, tenant_id, Role::Agent);
        Ok(true)
    }

    async fn is_service_account(&self, tenant_id: &TenantId, user_id: &UserId) -> Result<bool, StoreError> {
        let state = self.lock();
        let row = state.users.get(user_id).filter(|row| row.is_service_account && row.user.disabled_at.is_none());
        Ok(row.is_some() && state.role(user_id, tenant_id).is_some())
    }

    async fn invite(&self, new: NewInvitation) -> Result<Invited, StoreError> {
        let mut state = self.lock();
        let Invitation { tenant_id, created_at, .. } = &new.invitation;
        let invited = state.by_email.get(&new.email_key);
        if invited.is_some_and(|user_id| state.role(user_id, tenant_id).is_some()) {
            return Ok(Invited::AlreadyAMember);
        }
        let open =
            |kept: &&NewInvitation| kept.invitation.tenant_id == *tenant_id && *created_at < kept.invitation.expires_at;
        let replaced =
            |kept: &NewInvitation| kept.invitation.tenant_id == *tenant_id && kept.email_key == new.email_key;
        if state.invitations.iter().filter(open).filter(|kept| !replaced(kept)).count() >= MAX_INVITATIONS {
            return Ok(Invited::TooMany);
        }
        state.invitations.retain(|kept| !replaced(kept));
        state.invitations.push(new);
        Ok(Invited::Done)
    }

    async fn invitations(&self, tenant_id: &TenantId, now: Timestamp) -> Result<Vec<Invitation>, StoreError> {
        let state = self.lock();
        let invitations = state.invitations.iter().rev().map(|kept| &kept.invitation);
        Ok(invitations.filter(|kept| kept.tenant_id == *tenant_id && now < kept.expires_at).cloned().collect())
    }

    async fn invitation(&self, invitation_id: &InvitationId, now: Timestamp) -> Result<Option<Invitation>, StoreError> {
        let state = self.lock();
        let mut open = state.invitations.iter().map(|kept| &kept.invitation).filter(|kept| now < kept.expires_at);
        Ok(open.find(|kept| kept.invitation_id == *invitation_id).cloned())
    }

    async fn open_invitation(
        &self,
        token: TokenHash,
        email_key: &str,
        now: Timestamp,
    ) -> Result<Option<OpenInvitation>, StoreError> {
        let state = self.lock();
        let found =
            state.invitation_of(token, now).filter(|(place, _)| state.invitations[*place].email_key == email_key);
        Ok(found.map(|(_, by_mail)| OpenInvitation { by_mail }))
    }

    async fn withdraw(&self, tenant_id: &TenantId, invitation_id: &InvitationId) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let before = state.invitations.len();
        let is_it = |kept: &NewInvitation| {
            kept.invitation.tenant_id == *tenant_id && kept.invitation.invitation_id == *invitation_id
        };
        state.invitations.retain(|kept| !is_it(kept));
        Ok(state.invitations.len() < before)
    }

    async fn accept(&self, token: TokenHash, user_id: &UserId, now: Timestamp) -> Result<Accepted, StoreError> {
        let mut state = self.lock();
        let is_theirs = |kept: &NewInvitation| state.by_email.get(&kept.email_key) == Some(user_id);
        let place = state.invitation_of(token, now).map(|(place, _)| place);
        let Some(place) = place.filter(|place| is_theirs(&state.invitations[*place])) else {
            return Ok(Accepted::Unknown);
        };
        let tenant_id = state.invitations[place].invitation.tenant_id.clone();
        let present = state.role(user_id, &tenant_id);
        if present.is_none() && state.is_full(&tenant_id) {
            return Ok(Accepted::Full);
        }
        let Some(tenant) = state.tenants.get(&tenant_id).cloned() else { return Ok(Accepted::Unknown) };
        let invited = state.invitations.remove(place);
        if present.is_none() {
            state.join(user_id, &tenant_id, invited.role);
        }
        Ok(Accepted::Done { tenant, role: present.unwrap_or(invited.role) })
    }
}

impl State {
    /// Where the open invitation of this token stands, and whether the token went out in a letter.
    pub(super) fn invitation_of(&self, token: TokenHash, now: Timestamp) -> Option<(usize, bool)> {
        let by_mail = self.outbox.subject_of(token, MailPurpose::Invitation, now);
        let is_it = |kept: &NewInvitation| {
            let named = by_mail == Some(kept.invitation.invitation_id.as_str());
            now < kept.invitation.expires_at && (kept.token == token || named)
        };
        Some((self.invitations.iter().position(is_it)?, by_mail.is_some()))
    }

    /// Whose a sign-in is that has not ended.
    fn user_of(&self, sign_in_id: &SignInId, now: Timestamp) -> Option<UserId> {
        let row = self.sign_ins.get(sign_in_id).filter(|row| !row.revoked && now < row.sign_in.expires_at)?;
        Some(row.user_id.clone())
    }
}

impl UserRow {
    fn kind(&self) -> MemberKind {
        if self.is_service_account { MemberKind::ServiceAccount } else { MemberKind::Person }
    }
}
