//! Users, tenants, memberships and the server's secrets in SQLite.

use contract::{TenantId, Timestamp, UserId};
use rusqlite::{Connection, Row, Transaction};
use security_guard::{
    Role,
    accounts::{
        Credentials, NewAccount, PasswordHash, Registered, ServerSecrets, SignIn, SigningKey, Standing, Tenant, User,
        UserRows,
    },
};

use super::{
    Answer, MoveSpace, mailbox,
    rows::{self, count, execute, find, instant, list, optional_instant, word},
    sign_ins, tenants,
};

pub(super) fn secrets(connection: &Connection, candidate: &ServerSecrets) -> Answer<ServerSecrets> {
    let kept = find(connection, "SELECT refresh_secret FROM server_secrets", &[], |row| row.get("refresh_secret"))?;
    let Some(refresh_secret) = kept else {
        execute(
            connection,
            "INSERT INTO server_secrets (only, refresh_secret) VALUES (1, ?1)",
            &[&candidate.refresh_secret],
        )?;
        for key in &candidate.signing_keys {
            add_signing_key(connection, key)?;
        }
        return Ok(candidate.clone());
    };
    Ok(ServerSecrets { signing_keys: signing_keys(connection)?, refresh_secret })
}

fn add_signing_key(connection: &Connection, key: &SigningKey) -> Answer<()> {
    let sql = "INSERT INTO signing_keys (key_id, pkcs8, created_at) VALUES (?1, ?2, ?3)";
    execute(connection, sql, &[&key.key_id, &key.pkcs8, &key.created_at.as_millis()])?;
    Ok(())
}

fn signing_keys(connection: &Connection) -> Answer<Vec<SigningKey>> {
    list(connection, "SELECT * FROM signing_keys ORDER BY number", &[], |row| {
        Ok(SigningKey { key_id: row.get("key_id")?, pkcs8: row.get("pkcs8")?, created_at: instant(row, "created_at")? })
    })
}

pub(super) fn rotate_signing_key(
    connection: &Connection,
    new: &SigningKey,
    forget: &[String],
) -> Answer<Vec<SigningKey>> {
    // The new one first: numbers go on from the largest, so that it is the last in any case.
    add_signing_key(connection, new)?;
    for key_id in forget {
        execute(connection, "DELETE FROM signing_keys WHERE key_id = ?1", &[key_id])?;
    }
    signing_keys(connection)
}

pub(super) fn register(
    transaction: &Transaction<'_>,
    account: &NewAccount,
    move_space: MoveSpace,
) -> Answer<Registered> {
    if let Some(letter) = &account.letter
        && !mailbox::post(transaction, letter)?
    {
        return Ok(Registered::OutboxFull);
    }
    if by_email(transaction, &account.email_key)?.is_some() {
        return Ok(Registered::EmailTaken);
    }
    let invited = match account.invitation {
        None => None,
        Some(token) => match tenants::open_invitation(transaction, token, account.user.created_at)? {
            Some(found) if found.email_key == account.email_key => Some(found),
            Some(_) | None => return Ok(Registered::NotInvited),
        },
    };
    if let Some(invited) = &invited
        && tenants::is_full(transaction, &invited.tenant.tenant_id)?
    {
        return Ok(Registered::TenantFull);
    }
    insert(transaction, account)?;
    let (user_id, now) = (&account.user.user_id, account.user.created_at);
    let (tenant, role) = match invited {
        Some(invited) => {
            tenants::use_invitation(transaction, user_id, &invited, now)?;
            (invited.tenant, invited.role)
        }
        None => {
            found_tenant(transaction, account)?;
            (account.tenant.clone(), account.role)
        }
    };
    let Some(sign_in) = &account.sign_in else {
        let standing = Standing { user: account.user.clone(), tenant, roles: vec![role], sign_in: None };
        return Ok(Registered::Created(Box::new(standing)));
    };
    let found = sign_ins::insert(transaction, user_id, &tenant.tenant_id, sign_in, move_space)?;
    Ok(Registered::SignedIn(Box::new(found)))
}

fn insert(connection: &Connection, account: &NewAccount) -> Answer<()> {
    let NewAccount { user, email_key, password_hash, .. } = account;
    execute(
        connection,
        "INSERT INTO users (id, email, email_key, name, password_hash, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[&user.user_id.as_str(), &user.email, email_key, &user.name, &password_hash.0, &user.created_at.as_millis()],
    )?;
    Ok(())
}

/// The tenant of their own.
fn found_tenant(connection: &Connection, account: &NewAccount) -> Answer<()> {
    let NewAccount { user, tenant, role, .. } = account;
    execute(
        connection,
        "INSERT INTO tenants (id, name, created_at) VALUES (?1, ?2, ?3)",
        &[&tenant.tenant_id.as_str(), &tenant.name, &tenant.created_at.as_millis()],
    )?;
    execute(
        connection,
        "INSERT INTO memberships (user_id, tenant_id, role) VALUES (?1, ?2, ?3)",
        &[&user.user_id.as_str(), &tenant.tenant_id.as_str(), &role.as_str()],
    )?;
    Ok(())
}

pub(super) fn credentials(connection: &Connection, email_key: &str) -> Answer<Option<Credentials>> {
    let sql = "SELECT id, password_hash, disabled_at FROM users
               WHERE email_key = ?1 AND password_hash <> ''";
    find(connection, sql, &[&email_key], credentials_row)
}

/// The same by the user's id.
pub(super) fn credentials_of(connection: &Connection, user_id: &UserId) -> Answer<Option<Credentials>> {
    let sql = "SELECT id, password_hash, disabled_at FROM users WHERE id = ?1";
    find(connection, sql, &[&user_id.as_str()], credentials_row)
}

fn credentials_row(row: &Row<'_>) -> rusqlite::Result<Credentials> {
    Ok(Credentials {
        user_id: word(row, "id")?,
        password_hash: PasswordHash(row.get("password_hash")?),
        disabled_at: optional_instant(row, "disabled_at")?,
    })
}

/// The tenant that a user joined first, in which their sign-ins begin.
pub(super) fn tenant_of(connection: &Connection, user_id: &UserId) -> Answer<Option<TenantId>> {
    let sql = "SELECT tenant_id FROM memberships WHERE user_id = ?1 ORDER BY number LIMIT 1";
    find(connection, sql, &[&user_id.as_str()], |row| word(row, "tenant_id"))
}

pub(super) fn standing_of(connection: &Connection, user_id: &UserId) -> Answer<Option<Standing>> {
    match tenant_of(connection, user_id)? {
        None => Ok(None),
        Some(tenant_id) => standing(connection, user_id, &tenant_id, None),
    }
}

/// A user in a tenant, with a row for each of their roles there.
pub(super) fn standing(
    connection: &Connection,
    user_id: &UserId,
    tenant_id: &TenantId,
    sign_in: Option<SignIn>,
) -> Answer<Option<Standing>> {
    let sql = "SELECT users.id, users.email, users.name, users.created_at, users.disabled_at, memberships.role,
                   tenants.id AS tenant_id, tenants.name AS tenant_name, tenants.created_at AS tenant_created_at
               FROM memberships
               JOIN users ON users.id = memberships.user_id
               JOIN tenants ON tenants.id = memberships.tenant_id
               WHERE memberships.user_id = ?1 AND memberships.tenant_id = ?2
               ORDER BY memberships.number";
    let found: Vec<(User, Tenant, Role)> = list(connection, sql, &[&user_id.as_str(), &tenant_id.as_str()], |row| {
        let tenant = Tenant {
            tenant_id: word(row, "tenant_id")?,
            name: row.get("tenant_name")?,
            created_at: instant(row, "tenant_created_at")?,
        };
        Ok((rows::user(row)?, tenant, word(row, "role")?))
    })?;
    let roles = found.iter().map(|(_, _, role)| *role).collect();
    let first = found.into_iter().next();
    Ok(first.map(|(user, tenant, _)| Standing { user, tenant, roles, sign_in }))
}

pub(super) fn page(connection: &Connection, after: Option<&UserId>, limit: usize) -> Answer<UserRows> {
    let sql = "SELECT * FROM users WHERE id > ?1 ORDER BY id LIMIT ?2";
    let mut users = list(connection, sql, &[&after.map_or("", UserId::as_str), &count(limit + 1)], rows::user)?;
    let more = users.len() > limit;
    users.truncate(limit);
    Ok(UserRows { users, more })
}

pub(super) fn by_email(connection: &Connection, email_key: &str) -> Answer<Option<User>> {
    find(connection, "SELECT * FROM users WHERE email_key = ?1", &[&email_key], rows::user)
}

pub(super) fn set_disabled(connection: &Connection, user_id: &UserId, disabled: bool, now: Timestamp) -> Answer<bool> {
    let (sql, instant) = match disabled {
        true => ("UPDATE users SET disabled_at = coalesce(disabled_at, ?2) WHERE id = ?1", Some(now.as_millis())),
        false => ("UPDATE users SET disabled_at = ?2 WHERE id = ?1", None),
    };
    let found = execute(connection, sql, &[&user_id.as_str(), &instant])? > 0;
    if found && disabled {
        sign_ins::revoke_user(connection, user_id, now)?;
    }
    Ok(found)
}

pub(super) fn set_password(
    connection: &Connection,
    user_id: &UserId,
    hash: &PasswordHash,
    now: Timestamp,
) -> Answer<bool> {
    let found = replace_hash(connection, user_id, hash)?;
    if found {
        sign_ins::revoke_user(connection, user_id, now)?;
    }
    Ok(found)
}

/// Writes a hash and ends nothing.
pub(super) fn replace_hash(connection: &Connection, user_id: &UserId, hash: &PasswordHash) -> Answer<bool> {
    let sql = "UPDATE users SET password_hash = ?2 WHERE id = ?1";
    Ok(execute(connection, sql, &[&user_id.as_str(), &hash.0])? > 0)
}
