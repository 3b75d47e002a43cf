//! The published keys of one provider, as this process knows them. An unknown key is worth one fetch in half a minute, however many
//! ask for it; known ones go on while the provider is down.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use contract::Timestamp;
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey,
    jwk::{AlgorithmParameters, Jwk, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::KeySource;

/// Whatever is asked for meanwhile, the provider is not asked again so soon.
const FETCH_EVERY: Duration = Duration::from_secs(30);
/// Keys that are older are asked for again, so that one that was withdrawn does not count for ever.
const MAX_AGE: Duration = Duration::from_secs(600);
/// A set with more keys is a mistake or an attack.
const MAX_KEYS: usize = 100;

/// A key, and what it may be used with.
#[derive(Clone)]
struct PublishedKey {
    key: Arc<DecodingKey>,
    family: AlgorithmFamily,
    /// The only algorithm, where the provider names one.
    algorithm: Option<Algorithm>,
}

#[derive(Default)]
struct Known {
    keys: HashMap<String, PublishedKey>,
    fetched_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
}

impl Known {
    fn is_old(&self, now: Timestamp) -> bool {
        self.fetched_at.is_none_or(|at| now >= at.after(MAX_AGE))
    }

    fn may_try(&self, now: Timestamp) -> bool {
        self.tried_at.is_none_or(|at| now >= at.after(FETCH_EVERY))
    }
}

pub(super) struct PublishedKeys {
    address: String,
    source: Arc<dyn KeySource>,
    known: Mutex<Known>,
    /// One fetch at a time; who comes meanwhile waits for what it brings.
    fetching: Semaphore,
}

impl PublishedKeys {
    pub(super) fn new(address: String, source: Arc<dyn KeySource>) -> Self {
        Self { address, source, known: Mutex::default(), fetching: Semaphore::new(1) }
    }

    /// The key of this id, for this algorithm and no other.
    pub(super) async fn find(&self, key_id: &str, algorithm: Algorithm, now: Timestamp) -> Option<Arc<DecodingKey>> {
        if self.wants_fetch(key_id, now) {
            self.fetch(key_id, now).await;
        }
        let found = self.lock().keys.get(key_id).cloned()?;
        let fits = found.family == algorithm.family() && found.algorithm.is_none_or(|only| only == algorithm);
        fits.then_some(found.key)
    }

    fn wants_fetch(&self, key_id: &str, now: Timestamp) -> bool {
        let known = self.lock();
        (!known.keys.contains_key(key_id) || known.is_old(now)) && known.may_try(now)
    }

    async fn fetch(&self, key_id: &str, now: Timestamp) {
        let Ok(_turn) = self.fetching.acquire().await else { return };
        // Somebody else may have brought it while this one waited.
        if !self.wants_fetch(key_id, now) {
            return;
        }
        self.lock().tried_at = Some(now);
        let fetched = self.source.fetch(&self.address).await;
        let parsed = fetched.map_err(|error| error.to_string()).and_then(|body| parse(&body));
        match parsed {
            Ok(keys) => {
                let mut known = self.lock();
                known.keys = keys;
                known.fetched_at = Some(now);
            }
            Err(problem) => {
                tracing::warn!(
                    address = self.address,
                    problem,
                    "the keys of an identity provider could not be fetched"
                );
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no holder of this lock can panic")
    }
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

/// The keys of a set that can verify something here; others are passed over.
fn parse(body: &[u8]) -> Result<HashMap<String, PublishedKey>, String> {
    let set: KeySet = serde_json::from_slice(body).map_err(|_| "it is no set of keys (RFC 7517)".to_owned())?;
    if set.keys.len() > MAX_KEYS {
        return Err(format!("it has {} keys; at most {MAX_KEYS} are read", set.keys.len()));
    }
    Ok(set.keys.into_iter().filter_map(read).collect())
}

fn read(value: Value) -> Option<(String, PublishedKey)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let family = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => AlgorithmFamily::Rsa,
        AlgorithmParameters::EllipticCurve(_) => AlgorithmFamily::Ec,
        AlgorithmParameters::OctetKeyPair(_) => AlgorithmFamily::Ed,
        // A secret that is published is none.
        _ => return None,
    };
    if jwk.common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
        return None;
    }
    let algorithm = match jwk.common.key_algorithm {
        None => None,
        Some(named) => Some(named.to_string().parse().ok()?),
    };
    let key = Arc::new(DecodingKey::from_jwk(&jwk).ok()?);
    Some((jwk.common.key_id?, PublishedKey { key, family, algorithm }))
}
