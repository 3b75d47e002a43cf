//! The outbox, the tokens of letters and verified addresses in SQLite.

use async_trait::async_trait;
use contract::{Timestamp, UserId};
use rusqlite::Connection;
use security_guard::{
    accounts::{StoreError, TokenHash},
    mailbox::{MAX_WAITING, MailPurpose, Mailbox, NewLetter, NewMailToken, RecoverRequest, WaitingLetter},
};

use super::{
    Answer, SqliteAccounts,
    rows::{count, execute, find, instant, list, word},
    users,
};

/// `false` where the outbox is full.
pub(super) fn post(connection: &Connection, letter: &NewLetter) -> Answer<bool> {
    let waiting: Option<i64> =
        find(connection, "SELECT count(*) AS waiting FROM outbox", &[], |row| row.get("waiting"))?;
    if waiting.unwrap_or_default() >= count(MAX_WAITING) {
        return Ok(false);
    }
    let sql = "INSERT INTO outbox (kind, subject, posted_at, due_at) VALUES (?1, ?2, ?3, ?3)";
    execute(connection, sql, &[&letter.kind.as_str(), &letter.subject, &letter.now.as_millis()])?;
    Ok(true)
}

fn due(connection: &Connection, now: Timestamp, limit: usize) -> Answer<Vec<WaitingLetter>> {
    let sql = "SELECT * FROM outbox WHERE due_at <= ?1 ORDER BY due_at, number LIMIT ?2";
    list(connection, sql, &[&now.as_millis(), &count(limit)], |row| {
        Ok(WaitingLetter {
            number: row.get("number")?,
            kind: word(row, "kind")?,
            subject: row.get("subject")?,
            posted_at: instant(row, "posted_at")?,
            attempts: row.get("attempts")?,
        })
    })
}

fn subject_of(
    connection: &Connection,
    token: TokenHash,
    purpose: MailPurpose,
    now: Timestamp,
) -> Answer<Option<String>> {
    let sql = "SELECT subject FROM mail_tokens WHERE hash = ?1 AND purpose = ?2 AND expires_at > ?3";
    find(connection, sql, &[&token.0, &purpose.as_str(), &now.as_millis()], |row| row.get("subject"))
}

/// The user whose token it is; every such token of theirs works no more.
fn use_up(connection: &Connection, token: TokenHash, purpose: MailPurpose, now: Timestamp) -> Answer<Option<UserId>> {
    let sql = "SELECT users.id FROM mail_tokens JOIN users ON users.id = mail_tokens.subject
               WHERE hash = ?1 AND purpose = ?2 AND expires_at > ?3";
    let found = find(connection, sql, &[&token.0, &purpose.as_str(), &now.as_millis()], |row| word(row, "id"))?;
    let Some(user_id): Option<UserId> = found else { return Ok(None) };
    let sql = "DELETE FROM mail_tokens WHERE subject = ?1 AND purpose = ?2";
    execute(connection, sql, &[&user_id.as_str(), &purpose.as_str()])?;
    Ok(Some(user_id))
}

fn recover(connection: &Connection, request: &RecoverRequest) -> Answer<bool> {
    let RecoverRequest { token, user_id, hash, now } = request;
    let subject = subject_of(connection, *token, MailPurpose::Reset, *now)?;
    if subject.as_deref() != Some(user_id.as_str()) {
        return Ok(false);
    }
    use_up(connection, *token, MailPurpose::Reset, *now)?;
    verify(connection, user_id, *now)?;
    users::set_password(connection, user_id, hash, *now)
}

pub(super) fn verify(connection: &Connection, user_id: &UserId, now: Timestamp) -> Answer<()> {
    let sql = "INSERT INTO verified_addresses (user_id, verified_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    execute(connection, sql, &[&user_id.as_str(), &now.as_millis()])?;
    Ok(())
}

/// Forgets tokens whose time is over.
pub(super) fn forget_expired(connection: &Connection, now: Timestamp, limit: usize) -> Answer<()> {
    let sql = "DELETE FROM mail_tokens WHERE hash IN (SELECT hash FROM mail_tokens WHERE expires_at <= ?1 LIMIT ?2)";
    execute(connection, sql, &[&now.as_millis(), &count(limit)])?;
    Ok(())
}

#[async_trait]
impl Mailbox for SqliteAccounts {
    async fn post(&self, letter: NewLetter) -> Result<bool, StoreError> {
        self.write(move |transaction| post(transaction, &letter)).await
    }

    async fn due_letters(&self, now: Timestamp, limit: usize) -> Result<Vec<WaitingLetter>, StoreError> {
        self.read(move |connection| due(connection, now, limit)).await
    }

    async fn next_letter(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT due_at FROM outbox ORDER BY due_at LIMIT 1";
        self.read(move |connection| find(connection, sql, &[], |row| instant(row, "due_at"))).await
    }

    async fn put_off(&self, number: i64, until: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET attempts = attempts + 1, due_at = ?2 WHERE number = ?1";
        self.write(move |transaction| execute(transaction, sql, &[&number, &until.as_millis()]).map(drop)).await
    }

    async fn take_out(&self, number: i64) -> Result<(), StoreError> {
        let sql = "DELETE FROM outbox WHERE number = ?1";
        self.write(move |transaction| execute(transaction, sql, &[&number]).map(drop)).await
    }

    async fn keep_mail_token(&self, token: NewMailToken) -> Result<(), StoreError> {
        let sql = "INSERT INTO mail_tokens (hash, purpose, subject, expires_at) VALUES (?1, ?2, ?3, ?4)";
        self.write(move |transaction| {
            let NewMailToken { hash, purpose, subject, expires_at } = &token;
            execute(transaction, sql, &[&hash.0, &purpose.as_str(), subject, &expires_at.as_millis()]).map(drop)
        })
        .await
    }

    async fn mail_token(
        &self,
        token: TokenHash,
        purpose: MailPurpose,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        self.read(move |connection| subject_of(connection, token, purpose, now)).await
    }

    async fn recover(&self, request: RecoverRequest) -> Result<bool, StoreError> {
        self.write(move |transaction| recover(transaction, &request)).await
    }

    async fn verify_address(&self, token: TokenHash, now: Timestamp) -> Result<Option<UserId>, StoreError> {
        self.write(move |transaction| {
            let found = use_up(transaction, token, MailPurpose::Verify, now)?;
            if let Some(user_id) = &found {
                verify(transaction, user_id, now)?;
            }
            Ok(found)
        })
        .await
    }

    async fn vouch_for_address(&self, user_id: &UserId, now: Timestamp) -> Result<(), StoreError> {
        let user_id = user_id.clone();
        self.write(move |transaction| verify(transaction, &user_id, now)).await
    }

    async fn has_verified_address(&self, user_id: &UserId) -> Result<bool, StoreError> {
        let user_id = user_id.clone();
        let sql = "SELECT 1 AS found FROM verified_addresses WHERE user_id = ?1";
        let found: Option<i64> =
            self.read(move |connection| find(connection, sql, &[&user_id.as_str()], |row| row.get("found"))).await?;
        Ok(found.is_some())
    }
}
