//! Second factors in SQLite.

use async_trait::async_trait;
use contract::UserId;
use rusqlite::{Connection, Row};
use security_guard::{
    accounts::{StoreError, TokenHash},
    factors::{Factor, FactorSecret, SecondFactors},
};

use super::{
    Answer, SqliteAccounts,
    rows::{execute, find},
};

fn factor_row(row: &Row<'_>) -> rusqlite::Result<Factor> {
    Ok(Factor {
        secret: FactorSecret(row.get("secret")?),
        is_confirmed: row.get("is_confirmed")?,
        recovery_codes: row.get("recovery_codes")?,
    })
}

fn confirm(connection: &Connection, user_id: &UserId, step: i64, recovery_codes: &[TokenHash]) -> Answer<bool> {
    let sql = "UPDATE second_factors SET is_confirmed = 1, last_step = ?2 WHERE user_id = ?1 AND is_confirmed = 0";
    if execute(connection, sql, &[&user_id.as_str(), &step])? == 0 {
        return Ok(false);
    }
    for code in recovery_codes {
        let sql = "INSERT INTO recovery_codes (user_id, hash) VALUES (?1, ?2)";
        execute(connection, sql, &[&user_id.as_str(), &code.0])?;
    }
    Ok(true)
}

fn signed(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

#[async_trait]
impl SecondFactors for SqliteAccounts {
    async fn factor(&self, user_id: &UserId) -> Result<Option<Factor>, StoreError> {
        let user_id = user_id.clone();
        let sql = "SELECT secret, is_confirmed,
                       (SELECT count(*) FROM recovery_codes WHERE user_id = ?1) AS recovery_codes
                   FROM second_factors WHERE user_id = ?1";
        self.read(move |connection| find(connection, sql, &[&user_id.as_str()], factor_row)).await
    }

    async fn offer_factor(&self, user_id: &UserId, secret: FactorSecret) -> Result<bool, StoreError> {
        let user_id = user_id.clone();
        let sql = "INSERT INTO second_factors (user_id, secret) VALUES (?1, ?2)
                   ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret WHERE is_confirmed = 0";
        self.write(move |transaction| Ok(execute(transaction, sql, &[&user_id.as_str(), &secret.0])? > 0)).await
    }

    async fn confirm_factor(
        &self,
        user_id: &UserId,
        step: u64,
        recovery_codes: Vec<TokenHash>,
    ) -> Result<bool, StoreError> {
        let user_id = user_id.clone();
        self.write(move |transaction| confirm(transaction, &user_id, signed(step), &recovery_codes)).await
    }

    async fn use_step(&self, user_id: &UserId, step: u64) -> Result<bool, StoreError> {
        let user_id = user_id.clone();
        let sql = "UPDATE second_factors SET last_step = ?2 WHERE user_id = ?1 AND last_step < ?2";
        self.write(move |transaction| Ok(execute(transaction, sql, &[&user_id.as_str(), &signed(step)])? > 0)).await
    }

    async fn use_recovery_code(&self, user_id: &UserId, code: TokenHash) -> Result<bool, StoreError> {
        let user_id = user_id.clone();
        let sql = "DELETE FROM recovery_codes WHERE user_id = ?1 AND hash = ?2";
        self.write(move |transaction| Ok(execute(transaction, sql, &[&user_id.as_str(), &code.0])? > 0)).await
    }

    async fn remove_factor(&self, user_id: &UserId) -> Result<bool, StoreError> {
        let user_id = user_id.clone();
        let sql = "DELETE FROM second_factors WHERE user_id = ?1";
        self.write(move |transaction| Ok(execute(transaction, sql, &[&user_id.as_str()])? > 0)).await
    }
}
