//! The port for second factors: the secret of an authenticator and the hashes of recovery codes, each good once.

use std::fmt;

use async_trait::async_trait;
use contract::UserId;

use crate::accounts::{StoreError, TokenHash};

/// An authenticator's secret. It has to be known to check a code, so that it is kept as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct FactorSecret(pub [u8; 20]);

impl fmt::Debug for FactorSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[factor secret]")
    }
}

/// A user's second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    pub secret: FactorSecret,
    /// Whether a code of it has been shown once; until then it is only offered, and nobody is asked for it.
    pub is_confirmed: bool,
    /// Recovery codes that have not been used.
    pub recovery_codes: u32,
}

/// Where second factors are kept.
#[async_trait]
pub trait SecondFactors: Send + Sync {
    async fn factor(&self, user_id: &UserId) -> Result<Option<Factor>, StoreError>;

    /// Offers a secret, in place of one that was offered before; `false` where one is confirmed already.
    async fn offer_factor(&self, user_id: &UserId, secret: FactorSecret) -> Result<bool, StoreError>;

    /// Confirms what is offered, uses this step up and writes the recovery codes; `false` where nothing is offered.
    async fn confirm_factor(
        &self,
        user_id: &UserId,
        step: u64,
        recovery_codes: Vec<TokenHash>,
    ) -> Result<bool, StoreError>;

    /// Uses a step of time up: `true` once for each, and for none that is earlier than one that was used.
    async fn use_step(&self, user_id: &UserId, step: u64) -> Result<bool, StoreError>;

    /// Uses a recovery code up: `true` once.
    async fn use_recovery_code(&self, user_id: &UserId, code: TokenHash) -> Result<bool, StoreError>;

    /// Removes the factor with its recovery codes; `false` where there is none.
    async fn remove_factor(&self, user_id: &UserId) -> Result<bool, StoreError>;
}
