//! Second factors in memory.

use std::collections::HashSet;

use async_trait::async_trait;
use contract::UserId;

use super::MemoryAccounts;
use crate::{
    accounts::{StoreError, TokenHash},
    factors::{Factor, FactorSecret, SecondFactors},
};

pub(super) struct FactorRow {
    secret: FactorSecret,
    is_confirmed: bool,
    last_step: Option<u64>,
    recovery_codes: HashSet<TokenHash>,
}

#[async_trait]
impl SecondFactors for MemoryAccounts {
    async fn factor(&self, user_id: &UserId) -> Result<Option<Factor>, StoreError> {
        let state = self.lock();
        Ok(state.factors.get(user_id).map(|row| Factor {
            secret: row.secret.clone(),
            is_confirmed: row.is_confirmed,
            recovery_codes: u32::try_from(row.recovery_codes.len()).unwrap_or(u32::MAX),
        }))
    }

    async fn offer_factor(&self, user_id: &UserId, secret: FactorSecret) -> Result<bool, StoreError> {
        let factors = &mut self.lock().factors;
        if factors.get(user_id).is_some_and(|row| row.is_confirmed) {
            return Ok(false);
        }
        let row = FactorRow { secret, is_confirmed: false, last_step: None, recovery_codes: HashSet::new() };
        factors.insert(user_id.clone(), row);
        Ok(true)
    }

    async fn confirm_factor(
        &self,
        user_id: &UserId,
        step: u64,
        recovery_codes: Vec<TokenHash>,
    ) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let Some(row) = state.factors.get_mut(user_id).filter(|row| !row.is_confirmed) else { return Ok(false) };
        row.is_confirmed = true;
        row.last_step = Some(step);
        row.recovery_codes = recovery_codes.into_iter().collect();
        Ok(true)
    }

    async fn use_step(&self, user_id: &UserId, step: u64) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let Some(row) = state.factors.get_mut(user_id).filter(|row| row.last_step < Some(step)) else {
            return Ok(false);
        };
        row.last_step = Some(step);
        Ok(true)
    }

    async fn use_recovery_code(&self, user_id: &UserId, code: TokenHash) -> Result<bool, StoreError> {
        Ok(self.lock().factors.get_mut(user_id).is_some_and(|row| row.recovery_codes.remove(&code)))
    }

    async fn remove_factor(&self, user_id: &UserId) -> Result<bool, StoreError> {
        Ok(self.lock().factors.remove(user_id).is_some())
    }
}
