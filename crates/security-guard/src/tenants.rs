//! The port for tenants: memberships, invitations and the tenant that a sign-in is in. A part of the accounts. What a change of
//! members means is ruled here, once for every plug, and applied inside the plug's transaction.

use async_trait::async_trait;
use contract::{
    InvitationId, SignInId, TenantId, Timestamp, UserId,
    tenant::{Invitation, Member, MemberKind},
};

use crate::{
    Role,
    accounts::{FreshSession, SignedInAs, StoreError, Tenant, TokenHash, User},
};

/// People and service accounts of one tenant.
pub const MAX_MEMBERS: usize = 1_000;
/// Open invitations of one tenant.
pub const MAX_INVITATIONS: usize = 200;

/// What is to become of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberChange {
    Role(Role),
    /// The member becomes the owner, and the owner an admin.
    Transfer,
    Remove,
}

/// A change of one member, wanted by another or by themselves.
#[derive(Clone, Debug)]
pub struct ChangeRequest {
    pub tenant_id: TenantId,
    pub by: UserId,
    pub member: UserId,
    pub change: MemberChange,
    pub now: Timestamp,
    /// Written for a person who is removed from the only tenant that they have.
    pub fresh_tenant: Tenant,
}

/// The outcome of [`Tenants::change_member`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    Done,
    Refused(ChangeRefused),
}

/// Why a member stays as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeRefused {
    /// Whoever wants it is not in the tenant, or may not.
    NotAllowed,
    NotAMember,
    /// A tenant always has an owner: transfer it first.
    IsTheOwner,
    /// An owner is made by a transfer, an agent as a service account.
    NotThatRole,
    /// Only people own tenants, and only those who can sign in.
    CannotOwn,
}

/// What a plug knows when it is asked for a change.
#[derive(Clone, Copy, Debug)]
pub struct MemberState {
    /// The role of whoever wants it; absent: not in the tenant.
    pub by: Option<Role>,
    pub is_self: bool,
    /// Role and kind of the member; absent: not in the tenant.
    pub member: Option<(Role, MemberKind)>,
    pub is_disabled: bool,
}

/// The rule, the same for every plug; a plug calls it inside its transaction. There is exactly one owner, who leaves by a transfer
/// only.
pub fn rule_on_member(state: MemberState, change: &MemberChange) -> Changed {
    use ChangeRefused::*;
    let refused = match (state.by, state.member) {
        (None, _) => NotAllowed,
        (Some(_), None) => NotAMember,
        (Some(by), Some((role, kind))) => match change {
            MemberChange::Transfer if by != Role::Owner => NotAllowed,
            MemberChange::Transfer if state.is_self => IsTheOwner,
            MemberChange::Transfer if kind == MemberKind::ServiceAccount || state.is_disabled => CannotOwn,
            MemberChange::Transfer => return Changed::Done,
            MemberChange::Remove if role == Role::Owner => IsTheOwner,
            MemberChange::Remove if state.is_self => return Changed::Done,
            MemberChange::Remove if !manages(by) => NotAllowed,
            MemberChange::Remove => return Changed::Done,
            MemberChange::Role(_) if !manages(by) => NotAllowed,
            MemberChange::Role(_) if role == Role::Owner => IsTheOwner,
            MemberChange::Role(wanted) if !can_be_given(*wanted) || kind == MemberKind::ServiceAccount => NotThatRole,
            MemberChange::Role(_) => return Changed::Done,
        },
    };
    Changed::Refused(refused)
}

fn manages(role: Role) -> bool {
    role.permissions().contains(&crate::Permission::ManageMembers)
}

/// Whether people can be invited as this, or be made it.
pub fn can_be_given(role: Role) -> bool {
    match role {
        Role::Admin | Role::Member | Role::Viewer => true,
        Role::Owner | Role::Agent => false,
    }
}

/// An invitation to be written.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    pub invitation: Invitation,
    pub role: Role,
    /// The address as it is compared.
    pub email_key: String,
    pub token: TokenHash,
}

/// The outcome of [`Tenants::invite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invited {
    /// An earlier one for the same address works no more.
    Done,
    AlreadyAMember,
    TooMany,
}

/// The outcome of [`Tenants::accept`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    Done {
        tenant: Tenant,
        role: Role,
    },
    /// Not an invitation, used, withdrawn, over, or another address's: nobody learns which.
    Unknown,
    /// The tenant has [`MAX_MEMBERS`].
    Full,
}

/// What a token of an invitation is worth for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenInvitation {
    /// Whether it went to the address in a letter, so that whoever has it has the mailbox.
    pub by_mail: bool,
}

/// A sign-in goes over to another tenant of its user's.
#[derive(Clone, Debug)]
pub struct SwitchRequest {
    pub sign_in_id: SignInId,
    pub tenant_id: TenantId,
    pub now: Timestamp,
    /// The session of work in the other tenant.
    pub fresh_session: FreshSession,
}

/// Where tenants are kept.
#[async_trait]
pub trait Tenants: Send + Sync {
    /// The tenants of a user in the order of joining, each with their role there.
    async fn memberships(&self, user_id: &UserId) -> Result<Vec<(Tenant, Role)>, StoreError>;

    /// Moves a sign-in; `None` where it has ended or its user is not in that tenant.
    async fn switch_tenant(&self, request: SwitchRequest) -> Result<Option<SignedInAs>, StoreError>;

    /// Everybody in a tenant, in the order of joining; there are at most [`MAX_MEMBERS`].
    async fn members(&self, tenant_id: &TenantId) -> Result<Vec<Member>, StoreError>;

    /// Applies [`rule_on_member`]. Who is removed loses their keys for the tenant, and their sign-ins go on in another of their
    /// tenants.
    async fn change_member(&self, request: ChangeRequest) -> Result<Changed, StoreError>;

    /// Writes a service account into a tenant; `false` where it is full.
    async fn add_service_account(&self, user: User, tenant_id: &TenantId) -> Result<bool, StoreError>;

    /// Whether this is a service account of the tenant that has not been disabled.
    async fn is_service_account(&self, tenant_id: &TenantId, user_id: &UserId) -> Result<bool, StoreError>;

    async fn invite(&self, new: NewInvitation) -> Result<Invited, StoreError>;

    /// Those of a tenant that can be accepted, newest first.
    async fn invitations(&self, tenant_id: &TenantId, now: Timestamp) -> Result<Vec<Invitation>, StoreError>;

    /// One that can be accepted.
    async fn invitation(&self, invitation_id: &InvitationId, now: Timestamp) -> Result<Option<Invitation>, StoreError>;

    /// What this token is worth for whoever has this address; `None` where it is no open invitation of theirs.
    async fn open_invitation(
        &self,
        token: TokenHash,
        email_key: &str,
        now: Timestamp,
    ) -> Result<Option<OpenInvitation>, StoreError>;

    /// `false` where there is none.
    async fn withdraw(&self, tenant_id: &TenantId, invitation_id: &InvitationId) -> Result<bool, StoreError>;

    /// Uses an invitation up: the user, whose address it has to be for, becomes a member. Who is one already stays as they are.
    async fn accept(&self, token: TokenHash, user_id: &UserId, now: Timestamp) -> Result<Accepted, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_always_has_its_owner() {
        use ChangeRefused::*;
        let person = |role| Some((role, MemberKind::Person));
        let (transfer, remove) = (MemberChange::Transfer, MemberChange::Remove);
        let to = MemberChange::Role;
        for (by, is_self, member, change, expected, why) in [
            (Some(Role::Owner), true, person(Role::Owner), remove.clone(), Some(IsTheOwner), "an owner leaves"),
            (Some(Role::Admin), false, person(Role::Owner), remove.clone(), Some(IsTheOwner), "an admin's coup"),
            (Some(Role::Admin), false, person(Role::Owner), to(Role::Viewer), Some(IsTheOwner), "a slower coup"),
            (Some(Role::Admin), false, person(Role::Member), to(Role::Owner), Some(NotThatRole), "a second owner"),
            (Some(Role::Admin), false, person(Role::Member), transfer.clone(), Some(NotAllowed), "not the admin's"),
            (Some(Role::Owner), true, person(Role::Owner), transfer.clone(), Some(IsTheOwner), "to oneself"),
            (Some(Role::Owner), false, person(Role::Viewer), transfer.clone(), None, "a transfer"),
            (Some(Role::Owner), false, None, transfer, Some(NotAMember), "to a stranger"),
            (Some(Role::Member), false, person(Role::Viewer), remove.clone(), Some(NotAllowed), "a member removes"),
            (Some(Role::Member), true, person(Role::Member), remove.clone(), None, "a member leaves"),
            (Some(Role::Viewer), true, person(Role::Viewer), to(Role::Admin), Some(NotAllowed), "a viewer rises"),
            (Some(Role::Admin), false, person(Role::Viewer), to(Role::Admin), None, "an admin makes admins"),
            (
                Some(Role::Admin),
                false,
                person(Role::Viewer),
                to(Role::Agent),
                Some(NotThatRole),
                "a person is no agent",
            ),
            (None, false, person(Role::Viewer), remove, Some(NotAllowed), "a stranger"),
        ] {
            let state = MemberState { by, is_self, member, is_disabled: false };
            let expected = expected.map_or(Changed::Done, Changed::Refused);
            assert_eq!(rule_on_member(state, &change), expected, "{why}");
        }
        let program = Some((Role::Agent, MemberKind::ServiceAccount));
        let state = MemberState { by: Some(Role::Owner), is_self: false, member: program, is_disabled: false };
        assert_eq!(rule_on_member(state, &MemberChange::Transfer), Changed::Refused(CannotOwn));
        assert_eq!(rule_on_member(state, &MemberChange::Role(Role::Admin)), Changed::Refused(NotThatRole));
        let disabled = MemberState { member: person(Role::Admin), is_disabled: true, ..state };
        assert_eq!(rule_on_member(disabled, &MemberChange::Transfer), Changed::Refused(CannotOwn));
    }
}
