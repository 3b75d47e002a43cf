//! The port for what remembers spending, a plug in memory, and the contract that every plug passes.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use contract::Timestamp;

use super::limit::{Limit, Scope, Spend};

/// A call that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Names the call in `settle`.
    pub call: String,
    pub tenant: String,
    pub user: String,
    pub agent: String,
    pub run: String,
    pub expected: Spend,
    pub at: Timestamp,
}

impl Reservation {
    /// Who is held to a limit of this scope.
    pub fn key(&self, scope: Scope) -> &str {
        match scope {
            Scope::Tenant => &self.tenant,
            Scope::User => &self.user,
            Scope::Agent => &self.agent,
            Scope::Run => &self.run,
        }
    }
}

/// The limit that a call would go over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub limit: Limit,
    /// What is spent and set aside within its window, in its unit.
    pub spent: u64,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scope, text) = (self.limit.scope.as_str(), &self.limit.text);
        write!(
            formatter,
            "The budget of this {scope} ({text}) does not reach for another call of the model. Ask again later, or have it raised."
        )
    }
}

/// The ledger cannot be read or written just now.
#[derive(Debug, thiserror::Error)]
#[error("the ledger does not answer")]
pub struct LedgerError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Remembers what was spent. What is set aside and never settled, because the process died in between, counts as spent: nobody
/// knows whether the provider was paid.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Sets a call's expected cost aside, unless with it more would be spent than one of `limits` allows: then nothing is set aside
    /// and the first such limit is answered. Two calls at a time cannot both have the rest.
    async fn reserve(&self, reservation: &Reservation, limits: &[Limit]) -> Result<Option<Refusal>, LedgerError>;

    /// What the call cost in the end, in place of what was expected.
    async fn settle(&self, call: &str, spent: Spend) -> Result<(), LedgerError>;
}

/// A ledger that ends with the process.
#[derive(Debug, Default)]
pub struct MemoryLedger(Mutex<Vec<Reservation>>);

#[async_trait]
impl Ledger for MemoryLedger {
    async fn reserve(&self, reservation: &Reservation, limits: &[Limit]) -> Result<Option<Refusal>, LedgerError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for limit in limits {
            let begin = reservation.at.before(limit.window);
            let counts = |other: &&Reservation| {
                other.at > begin
                    && other.key(limit.scope) == reservation.key(limit.scope)
                    && other.call != reservation.call
            };
            let spent =
                kept.iter().filter(counts).map(|other| other.expected.of(limit.unit)).fold(0, u64::saturating_add);
            if spent.saturating_add(reservation.expected.of(limit.unit)) > limit.most {
                return Ok(Some(Refusal { limit: limit.clone(), spent }));
            }
        }
        kept.retain(|other| other.call != reservation.call);
        kept.push(reservation.clone());
        Ok(None)
    }

    async fn settle(&self, call: &str, spent: Spend) -> Result<(), LedgerError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reservation) = kept.iter_mut().find(|other| other.call == call) {
            reservation.expected = spent;
        }
        Ok(())
    }
}

/// What every ledger has to promise; a plug's tests run it over an empty one.
pub async fn contract(ledger: &dyn Ledger) {
    use std::time::Duration;

    use super::limit::Unit;

    let limit =
        |scope, unit, most| Limit { scope, unit, most, window: Duration::from_secs(10), text: "so much".to_owned() };
    let call = |call: &str, user: &str, tokens: u64, seconds: i64| Reservation {
        call: call.to_owned(),
        tenant: "tenant".to_owned(),
        user: user.to_owned(),
        agent: "guide".to_owned(),
        run: call.to_owned(),
        expected: Spend { tokens, micros: 2 * tokens },
        at: Timestamp::from_millis(1_000 * seconds),
    };
    let limits = [limit(Scope::User, Unit::Tokens, 100), limit(Scope::Tenant, Unit::Money, 300)];
    let reserve = async |reservation: Reservation| ledger.reserve(&reservation, &limits).await.expect("it answers");

    assert_eq!(reserve(call("a", "ada", 60, 100)).await, None);
    let refused = Some(Refusal { limit: limits[0].clone(), spent: 60 });
    assert_eq!(reserve(call("b", "ada", 41, 101)).await, refused, "what is set aside counts");
    assert_eq!(reserve(call("b", "ada", 40, 101)).await, None, "up to the limit, and a refusal sets nothing aside");
    let of_all = Some(Refusal { limit: limits[1].clone(), spent: 200 });
    assert_eq!(reserve(call("c", "bob", 51, 102)).await, of_all, "the tenant's counts over its users");
    ledger.settle("a", Spend { tokens: 10, micros: 20 }).await.expect("it answers");
    assert_eq!(reserve(call("c", "bob", 51, 102)).await, None, "what was not needed is free again");
    assert_eq!(reserve(call("d", "ada", 50, 109)).await, Some(Refusal { limit: limits[1].clone(), spent: 202 }));
    assert_eq!(reserve(call("d", "ada", 100, 120)).await, None, "a window passes");
    assert_eq!(reserve(call("d", "ada", 100, 120)).await, None, "a call does not stand in its own way");
    ledger.settle("nothing", Spend::default()).await.expect("what is not known is left alone");
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn memory_keeps_the_contract() {
        super::contract(&super::MemoryLedger::default()).await;
    }
}
