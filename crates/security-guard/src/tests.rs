//! What the tests of this crate share: a clock that stands still, and a guard over accounts in memory.

mod factors;
mod identities;
mod keys;
mod letters;
mod limits;
mod oidc;
mod password;
mod refresh;
mod sessions;
mod sign_in;
mod signing;
mod standing;
mod tenants;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
    time::Duration,
};

use contract::{
    SessionId, Timestamp,
    auth::{Login, Register, Secret},
};

use self::letters::Postman;
use crate::{
    Clock, GuardConfig, GuardError, LoginAnswer, Peer, Plugs, SecurityGuard, SignedIn, Welcome, memory::MemoryAccounts,
    providers::NoKeySource, secrets::keyed_hash,
};

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) fn home() -> Peer {
    Peer::new(IpAddr::V4(Ipv4Addr::LOCALHOST), Some("a browser"), Some("req_1"))
}

/// Stands still until it is advanced; its chance repeats for the same seed.
pub(crate) struct TestClock(Mutex<(Timestamp, u64, u64)>);

impl TestClock {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new((Timestamp::from_millis(1_795_339_800_000), seed, 0)))
    }

    pub(crate) fn advance(&self, duration: Duration) {
        let mut inner = self.0.lock().unwrap();
        inner.0 = inner.0.after(duration);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn fill(&self, bytes: &mut [u8]) {
        let mut inner = self.0.lock().unwrap();
        for chunk in bytes.chunks_mut(32) {
            inner.2 += 1;
            let mut key = [0; 32];
            key[..8].copy_from_slice(&inner.1.to_le_bytes());
            chunk.copy_from_slice(&keyed_hash(&key, &inner.2.to_le_bytes())[..chunk.len()]);
        }
    }
}

/// A guard with its clock and its accounts in reach.
pub(crate) struct House {
    pub(crate) guard: SecurityGuard,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) accounts: Arc<MemoryAccounts>,
    pub(crate) postman: Arc<Postman>,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// A house whose config is this TOML over limits that no test meets by chance and the cheapest hash.
    pub(crate) async fn with(config: &str) -> Self {
        let mut settings: toml::Table = toml::from_str(
            "auth.password = { memory_kib = 19456, passes = 2, lanes = 1 }\n\
             limits = { login = \"1000/1s\", register = \"1000/1s\" }",
        )
        .unwrap();
        merge(&mut settings, toml::from_str(config).unwrap());
        let config: GuardConfig = settings.try_into().unwrap();
        Self::over(config, Arc::new(TestClock::new(42)), Arc::new(MemoryAccounts::new())).await
    }

    pub(crate) async fn over(config: GuardConfig, clock: Arc<TestClock>, accounts: Arc<MemoryAccounts>) -> Self {
        let postman = Arc::new(Postman::default());
        let plugs = Plugs {
            accounts: accounts.clone(),
            clock: clock.clone(),
            keys: Arc::new(NoKeySource),
            mail: postman.clone(),
        };
        let guard = SecurityGuard::open_with(config, plugs).await.unwrap();
        Self { guard, clock, accounts, postman }
    }

    pub(crate) async fn register(&self, email: &str) -> SignedIn {
        signed_in(self.guard.register(registration(email, PASSWORD), &home()).await.unwrap())
    }

    pub(crate) async fn login(&self, email: &str, password: &str) -> Result<SignedIn, GuardError> {
        self.try_login(email, password, None).await.outcome
    }

    pub(crate) async fn try_login(&self, email: &str, password: &str, session_id: Option<SessionId>) -> LoginAnswer {
        let request = Login { email: email.to_owned(), password: Secret(password.to_owned()), session_id, code: None };
        self.guard.login(request, &home()).await
    }
}

fn merge(base: &mut toml::Table, over: toml::Table) {
    for (name, value) in over {
        match (base.get_mut(&name), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(over)) => merge(base, over),
            (_, value) => {
                base.insert(name, value);
            }
        }
    }
}

pub(crate) fn registration(email: &str, password: &str) -> Register {
    Register {
        name: "Ada".to_owned(),
        email: email.to_owned(),
        password: Secret(password.to_owned()),
        session_id: None,
        invitation: None,
    }
}

pub(crate) fn signed_in(welcome: Welcome) -> SignedIn {
    match welcome {
        Welcome::SignedIn(signed_in) => *signed_in,
        Welcome::ConfirmFirst => panic!("the address has to be confirmed first"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_in_memory_keep_the_contract() {
    crate::contract_suite::run(|| async { Arc::new(MemoryAccounts::new()) as Arc<dyn crate::Accounts> }).await;
}
