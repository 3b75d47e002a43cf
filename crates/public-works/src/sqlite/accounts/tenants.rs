//! Tenants in SQLite: memberships, invitations, and the tenant that a sign-in is in. Who may change whom is the guard's rule.

use async_trait::async_trait;
use contract::{
    InvitationId, TenantId, Timestamp, UserId,
    tenant::{Invitation, Member, MemberKind},
};
use rusqlite::{Connection, Row};
use security_guard::{
    Role,
    accounts::{SignedInAs, StoreError, Tenant, TokenHash, User},
    mailbox::MailPurpose,
    tenants::{
        Accepted, ChangeRequest, Changed, Invited, MAX_INVITATIONS, MAX_MEMBERS, MemberChange, MemberState,
        NewInvitation, OpenInvitation, SwitchRequest, Tenants, rule_on_member,
    },
};

use super::{
    Answer, SqliteAccounts, keys, mailbox,
    rows::{count, execute, find, instant, list, word},
    sessions, sign_ins, users,
};

#[async_trait]
impl Tenants for SqliteAccounts {
    async fn memberships(&self, user_id: &UserId) -> Result<Vec<(Tenant, Role)>, StoreError> {
        let user_id = user_id.clone();
        self.read(move |connection| memberships(connection, &user_id)).await
    }

    async fn switch_tenant(&self, request: SwitchRequest) -> Result<Option<SignedInAs>, StoreError> {
        self.write(move |transaction| switch(transaction, &request)).await
    }

    async fn members(&self, tenant_id: &TenantId) -> Result<Vec<Member>, StoreError> {
        let tenant_id = tenant_id.clone();
        self.read(move |connection| members(connection, &tenant_id)).await
    }

    async fn change_member(&self, request: ChangeRequest) -> Result<Changed, StoreError> {
        self.write(move |transaction| change(transaction, &request)).await
    }

    async fn add_service_account(&self, user: User, tenant_id: &TenantId) -> Result<bool, StoreError> {
        let tenant_id = tenant_id.clone();
        self.write(move |transaction| add_service_account(transaction, &user, &tenant_id)).await
    }

    async fn is_service_account(&self, tenant_id: &TenantId, user_id: &UserId) -> Result<bool, StoreError> {
        let (tenant_id, user_id) = (tenant_id.clone(), user_id.clone());
        self.read(move |connection| {
            let sql = "SELECT 1 AS found FROM users JOIN memberships ON memberships.user_id = users.id
                       WHERE users.id = ?1 AND memberships.tenant_id = ?2
                           AND users.is_service_account = 1 AND users.disabled_at IS NULL";
            let found: Option<i64> =
                find(connection, sql, &[&user_id.as_str(), &tenant_id.as_str()], |row| row.get("found"))?;
            Ok(found.is_some())
        })
        .await
    }

    async fn invite(&self, new: NewInvitation) -> Result<Invited, StoreError> {
        self.write(move |transaction| invite(transaction, &new)).await
    }

    async fn invitations(&self, tenant_id: &TenantId, now: Timestamp) -> Result<Vec<Invitation>, StoreError> {
        let tenant_id = tenant_id.clone();
        self.read(move |connection| open_invitations(connection, &tenant_id, now)).await
    }

    async fn invitation(&self, invitation_id: &InvitationId, now: Timestamp) -> Result<Option<Invitation>, StoreError> {
        let invitation_id = invitation_id.clone();
        let sql = "SELECT * FROM invitations WHERE id = ?1 AND expires_at > ?2";
        self.read(move |connection| find(connection, sql, &[&invitation_id.as_str(), &now.as_millis()], invitation_row))
            .await
    }

    async fn open_invitation(
        &self,
        token: TokenHash,
        email_key: &str,
        now: Timestamp,
    ) -> Result<Option<OpenInvitation>, StoreError> {
        let email_key = email_key.to_owned();
        self.read(move |connection| {
            let found = open_invitation(connection, token, now)?.filter(|found| found.email_key == email_key);
            Ok(found.map(|found| OpenInvitation { by_mail: found.by_mail }))
        })
        .await
    }

    async fn withdraw(&self, tenant_id: &TenantId, invitation_id: &InvitationId) -> Result<bool, StoreError> {
        let (tenant_id, invitation_id) = (tenant_id.clone(), invitation_id.clone());
        self.write(move |transaction| {
            let sql = "DELETE FROM invitations WHERE id = ?1 AND tenant_id = ?2";
            Ok(execute(transaction, sql, &[&invitation_id.as_str(), &tenant_id.as_str()])? > 0)
        })
        .await
    }

    async fn accept(&self, token: TokenHash, user_id: &UserId, now: Timestamp) -> Result<Accepted, StoreError> {
        let user_id = user_id.clone();
        self.write(move |transaction| accept(transaction, token, &user_id, now)).await
    }
}

fn memberships(connection: &Connection, user_id: &UserId) -> Answer<Vec<(Tenant, Role)>> {
    let sql = "SELECT tenants.id, tenants.name, tenants.created_at, memberships.role
               FROM memberships JOIN tenants ON tenants.id = memberships.tenant_id
               WHERE memberships.user_id = ?1 ORDER BY memberships.number";
    list(connection, sql, &[&user_id.as_str()], |row| Ok((tenant(row)?, word(row, "role")?)))
}

fn tenant(row: &Row<'_>) -> rusqlite::Result<Tenant> {
    Ok(Tenant { tenant_id: word(row, "id")?, name: row.get("name")?, created_at: instant(row, "created_at")? })
}

fn switch(connection: &Connection, request: &SwitchRequest) -> Answer<Option<SignedInAs>> {
    let SwitchRequest { sign_in_id, tenant_id, now, fresh_session } = request;
    let Some(found) = sign_ins::standing(connection, sign_in_id, *now)? else { return Ok(None) };
    let user_id = &found.user.user_id;
    if role(connection, user_id, tenant_id)?.is_none() {
        return Ok(None);
    }
    let session = sessions::insert_owned(connection, fresh_session, tenant_id, user_id, *now)?;
    execute(
        connection,
        "UPDATE sign_ins SET tenant_id = ?2, session_id = ?3 WHERE id = ?1",
        &[&sign_in_id.as_str(), &tenant_id.as_str(), &session.session_id.as_str()],
    )?;
    let standing = sign_ins::standing(connection, sign_in_id, *now)?;
    Ok(standing.map(|standing| SignedInAs { standing, session }))
}

fn role(connection: &Connection, user_id: &UserId, tenant_id: &TenantId) -> Answer<Option<Role>> {
    let sql = "SELECT role FROM memberships WHERE user_id = ?1 AND tenant_id = ?2 ORDER BY number";
    find(connection, sql, &[&user_id.as_str(), &tenant_id.as_str()], |row| word(row, "role"))
}

fn members(connection: &Connection, tenant_id: &TenantId) -> Answer<Vec<Member>> {
    let sql = "SELECT users.id, users.name, users.email, users.is_service_account, users.disabled_at, memberships.role
               FROM memberships JOIN users ON users.id = memberships.user_id
               WHERE memberships.tenant_id = ?1 ORDER BY memberships.number LIMIT ?2";
    list(connection, sql, &[&tenant_id.as_str(), &count(MAX_MEMBERS)], |row| {
        let role: Role = word(row, "role")?;
        Ok(Member {
            user_id: word(row, "id")?,
            kind: kind(row)?,
            name: row.get("name")?,
            email: row.get("email")?,
            role: role.to_string(),
            disabled: row.get::<_, Option<i64>>("disabled_at")?.is_some(),
        })
    })
}

fn kind(row: &Row<'_>) -> rusqlite::Result<MemberKind> {
    let is_service_account: bool = row.get("is_service_account")?;
    Ok(if is_service_account { MemberKind::ServiceAccount } else { MemberKind::Person })
}

fn size(connection: &Connection, tenant_id: &TenantId) -> Answer<usize> {
    let sql = "SELECT count(DISTINCT user_id) AS members FROM memberships WHERE tenant_id = ?1";
    let members: Option<u32> = find(connection, sql, &[&tenant_id.as_str()], |row| row.get("members"))?;
    Ok(members.map_or(0, |members| members as usize))
}

fn change(connection: &Connection, request: &ChangeRequest) -> Answer<Changed> {
    let ChangeRequest { tenant_id, by, member, change, .. } = request;
    let sql = "SELECT is_service_account, disabled_at IS NOT NULL AS is_disabled FROM users WHERE id = ?1";
    let found = find(connection, sql, &[&member.as_str()], |row| Ok((kind(row)?, row.get("is_disabled")?)))?;
    let state = MemberState {
        by: role(connection, by, tenant_id)?,
        is_self: by == member,
        member: role(connection, member, tenant_id)?.zip(found.map(|(kind, _)| kind)),
        is_disabled: found.is_some_and(|(_, is_disabled)| is_disabled),
    };
    let ruling = rule_on_member(state, change);
    if ruling == Changed::Done {
        match change {
            MemberChange::Role(role) => set_role(connection, member, tenant_id, *role)?,
            MemberChange::Remove => remove(connection, request)?,
            MemberChange::Transfer => {
                set_role(connection, by, tenant_id, Role::Admin)?;
                set_role(connection, member, tenant_id, Role::Owner)?;
            }
        }
    }
    Ok(ruling)
}

fn set_role(connection: &Connection, user_id: &UserId, tenant_id: &TenantId, role: Role) -> Answer<()> {
    let sql = "UPDATE memberships SET role = ?3 WHERE user_id = ?1 AND tenant_id = ?2";
    execute(connection, sql, &[&user_id.as_str(), &tenant_id.as_str(), &role.as_str()])?;
    Ok(())
}

fn remove(connection: &Connection, request: &ChangeRequest) -> Answer<()> {
    let ChangeRequest { tenant_id, member, now, fresh_tenant, .. } = request;
    let sql = "DELETE FROM memberships WHERE user_id = ?1 AND tenant_id = ?2";
    execute(connection, sql, &[&member.as_str(), &tenant_id.as_str()])?;
    keys::revoke_all(connection, tenant_id, member, *now)?;
    if users::tenant_of(connection, member)?.is_none() {
        settle(connection, member, fresh_tenant, *now)?;
    }
    // A service account has no sign-ins, and nowhere to go on.
    let Some(home) = users::tenant_of(connection, member)? else { return Ok(()) };
    let sql = "UPDATE sign_ins SET tenant_id = ?3 WHERE user_id = ?1 AND tenant_id = ?2";
    execute(connection, sql, &[&member.as_str(), &tenant_id.as_str(), &home.as_str()])?;
    Ok(())
}

/// A person who has no tenant left gets one of their own; a service account has ended.
fn settle(connection: &Connection, user_id: &UserId, fresh: &Tenant, now: Timestamp) -> Answer<()> {
    let sql = "UPDATE users SET disabled_at = coalesce(disabled_at, ?2) WHERE id = ?1 AND is_service_account = 1";
    if execute(connection, sql, &[&user_id.as_str(), &now.as_millis()])? > 0 {
        return Ok(());
    }
    execute(
        connection,
        "INSERT INTO tenants (id, name, created_at) SELECT ?2, name, ?3 FROM users WHERE id = ?1",
        &[&user_id.as_str(), &fresh.tenant_id.as_str(), &fresh.created_at.as_millis()],
    )?;
    join(connection, user_id, &fresh.tenant_id, Role::Owner)
}

fn join(connection: &Connection, user_id: &UserId, tenant_id: &TenantId, role: Role) -> Answer<()> {
    let sql = "INSERT INTO memberships (user_id, tenant_id, role) VALUES (?1, ?2, ?3)";
    execute(connection, sql, &[&user_id.as_str(), &tenant_id.as_str(), &role.as_str()])?;
    Ok(())
}

fn add_service_account(connection: &Connection, user: &User, tenant_id: &TenantId) -> Answer<bool> {
    if is_full(connection, tenant_id)? {
        return Ok(false);
    }
    let sql = "INSERT INTO users (id, email, email_key, name, password_hash, created_at, is_service_account)
               VALUES (?1, '', ?1, ?2, '', ?3, 1)";
    execute(connection, sql, &[&user.user_id.as_str(), &user.name, &user.created_at.as_millis()])?;
    join(connection, &user.user_id, tenant_id, Role::Agent)?;
    Ok(true)
}

fn invite(connection: &Connection, new: &NewInvitation) -> Answer<Invited> {
    let NewInvitation { invitation, role: invited_as, email_key, token } = new;
    let tenant_id = &invitation.tenant_id;
    if let Some(user) = users::by_email(connection, email_key)?
        && role(connection, &user.user_id, tenant_id)?.is_some()
    {
        return Ok(Invited::AlreadyAMember);
    }
    let now = invitation.created_at;
    let sql = "DELETE FROM invitations WHERE tenant_id = ?1 AND (email_key = ?2 OR expires_at <= ?3)";
    execute(connection, sql, &[&tenant_id.as_str(), email_key, &now.as_millis()])?;
    if open_invitations(connection, tenant_id, now)?.len() >= MAX_INVITATIONS {
        return Ok(Invited::TooMany);
    }
    execute(
        connection,
        "INSERT INTO invitations (id, token, tenant_id, email, email_key, role, invited_by, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &[
            &invitation.invitation_id.as_str(),
            &token.0,
            &tenant_id.as_str(),
            &invitation.email,
            email_key,
            &invited_as.as_str(),
            &invitation.invited_by.as_str(),
            &now.as_millis(),
            &invitation.expires_at.as_millis(),
        ],
    )?;
    Ok(Invited::Done)
}

fn open_invitations(connection: &Connection, tenant_id: &TenantId, now: Timestamp) -> Answer<Vec<Invitation>> {
    let sql = "SELECT * FROM invitations WHERE tenant_id = ?1 AND expires_at > ?2 ORDER BY id DESC LIMIT ?3";
    list(connection, sql, &[&tenant_id.as_str(), &now.as_millis(), &count(MAX_INVITATIONS)], invitation_row)
}

fn invitation_row(row: &Row<'_>) -> rusqlite::Result<Invitation> {
    let role: Role = word(row, "role")?;
    Ok(Invitation {
        invitation_id: word(row, "id")?,
        email: row.get("email")?,
        role: role.to_string(),
        tenant_id: word(row, "tenant_id")?,
        invited_by: word(row, "invited_by")?,
        created_at: instant(row, "created_at")?,
        expires_at: instant(row, "expires_at")?,
    })
}

fn accept(connection: &Connection, token: TokenHash, user_id: &UserId, now: Timestamp) -> Answer<Accepted> {
    let Some(invited) = open_invitation(connection, token, now)? else { return Ok(Accepted::Unknown) };
    let user = users::by_email(connection, &invited.email_key)?;
    if user.is_none_or(|user| user.user_id != *user_id) {
        return Ok(Accepted::Unknown);
    }
    let tenant_id = &invited.tenant.tenant_id;
    let present = role(connection, user_id, tenant_id)?;
    if present.is_none() && is_full(connection, tenant_id)? {
        return Ok(Accepted::Full);
    }
    use_invitation(connection, user_id, &invited, now)?;
    Ok(Accepted::Done { role: present.unwrap_or(invited.role), tenant: invited.tenant })
}

/// What a token of an invitation opens.
pub(super) struct Invitee {
    id: InvitationId,
    pub(super) email_key: String,
    pub(super) tenant: Tenant,
    pub(super) role: Role,
    /// The token went out in a letter.
    by_mail: bool,
}

/// The invitation that a token is for, whether it was shown once or went out in a letter.
pub(super) fn open_invitation(connection: &Connection, token: TokenHash, now: Timestamp) -> Answer<Option<Invitee>> {
    let sql = "SELECT invitations.id AS invitation_id, invitations.email_key, invitations.role,
                   invitations.token <> ?1 AS by_mail, tenants.id, tenants.name, tenants.created_at
               FROM invitations JOIN tenants ON tenants.id = invitations.tenant_id
               WHERE invitations.expires_at > ?2
                   AND (invitations.token = ?1 OR invitations.id IN
                       (SELECT subject FROM mail_tokens WHERE hash = ?1 AND purpose = ?3 AND expires_at > ?2))";
    let values: [&dyn rusqlite::ToSql; 3] = [&token.0, &now.as_millis(), &MailPurpose::Invitation.as_str()];
    find(connection, sql, &values, |row| {
        Ok(Invitee {
            id: word(row, "invitation_id")?,
            email_key: row.get("email_key")?,
            role: word(row, "role")?,
            by_mail: row.get("by_mail")?,
            tenant: tenant(row)?,
        })
    })
}

/// The invitation is gone, and the user is a member, as whatever they were or as what they are invited as.
pub(super) fn use_invitation(
    connection: &Connection,
    user_id: &UserId,
    invited: &Invitee,
    now: Timestamp,
) -> Answer<()> {
    execute(connection, "DELETE FROM invitations WHERE id = ?1", &[&invited.id.as_str()])?;
    if invited.by_mail {
        mailbox::verify(connection, user_id, now)?;
    }
    if role(connection, user_id, &invited.tenant.tenant_id)?.is_none() {
        join(connection, user_id, &invited.tenant.tenant_id, invited.role)?;
    }
    Ok(())
}

pub(super) fn is_full(connection: &Connection, tenant_id: &TenantId) -> Answer<bool> {
    Ok(size(connection, tenant_id)? >= MAX_MEMBERS)
}

/// Forgets invitations whose time is over.
pub(super) fn forget_expired(connection: &Connection, now: Timestamp, limit: usize) -> Answer<()> {
    let sql = "DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE expires_at <= ?1 LIMIT ?2)";
    execute(connection, sql, &[&now.as_millis(), &count(limit)])?;
    Ok(())
}
