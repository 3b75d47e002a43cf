//! Password hashes: argon2id (RFC 9106) in a bounded pool. A hash takes tens of MiB and a core for some 200 ms, so
//! that only so many run at a time, only so many wait, and the rest are told to come back.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread::available_parallelism,
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHash as PhcHash, Version,
    password_hash::phc::{Ident, Output, ParamsString, Salt},
};
use contract::auth::Secret;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    Clock, GuardError,
    accounts::PasswordHash,
    clock::random,
    config::{BadSetting, PasswordConfig},
    secrets::same,
};

/// What somebody is told to wait when the queue is full.
const BUSY_RETRY_AFTER: Duration = Duration::from_secs(2);
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// What a verified password means for its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verified {
    Wrong,
    Right,
    /// Right, and the hash has other parameters than today's.
    RightButOutdated,
}

/// The pool.
pub(crate) struct Hashing {
    params: Params,
    workers: usize,
    /// Running hashes.
    running: Arc<Semaphore>,
    /// Running and waiting ones.
    places: Arc<Semaphore>,
    places_in_all: usize,
    /// Memory that the next hash can use. It is kept while somebody waits for it, because asking the system for it
    /// costs a tenth of the hash, and given back when nobody does, because an idle server should be small.
    spare: Mutex<Vec<Vec<Block>>>,
    computed: AtomicU64,
    /// Compared with where there is no account, so that the answer takes as long as where there is one.
    nobodys: PasswordHash,
}

impl Hashing {
    /// A pool of `config.workers` workers. Nothing is computed yet.
    pub(crate) fn start(config: &PasswordConfig, clock: &dyn Clock) -> Result<Arc<Self>, GuardError> {
        let params = Params::new(config.memory_kib, config.passes, config.lanes, Some(HASH_BYTES))
            .map_err(|error| BadSetting { setting: "auth.password", problem: error.to_string() })?;
        let workers = config.workers.or_else(|| available_parallelism().ok()).map_or(1, std::num::NonZeroUsize::get);
        let places_in_all = workers + config.waiting;
        let nobodys = encode(&params, &random::<SALT_BYTES>(clock), &random::<HASH_BYTES>(clock))?;
        Ok(Arc::new(Self {
            params,
            workers,
            running: Arc::new(Semaphore::new(workers)),
            places: Arc::new(Semaphore::new(places_in_all)),
            places_in_all,
            spare: Mutex::default(),
            computed: AtomicU64::new(0),
            nobodys,
        }))
    }

    /// A hash with today's parameters and a new salt.
    pub(crate) async fn hash(
        self: &Arc<Self>,
        password: Secret,
        clock: &dyn Clock,
    ) -> Result<PasswordHash, GuardError> {
        let salt = random::<SALT_BYTES>(clock);
        self.run(move |pool| {
            let output = pool.compute(&password, &salt, &pool.params)?;
            encode(&pool.params, &salt, &output)
        })
        .await
    }

    /// Compares a password with a hash, or with nobody's: the time is the same, and the answer is then always no.
    pub(crate) async fn verify(
        self: &Arc<Self>,
        password: Secret,
        hash: Option<PasswordHash>,
    ) -> Result<Verified, GuardError> {
        self.run(move |pool| {
            let expected = hash.as_ref().unwrap_or(&pool.nobodys);
            let (params, salt, output) = decode(expected)?;
            let computed = pool.compute(&password, &salt, &params)?;
            Ok(match same(&computed, &output) && hash.is_some() {
                false => Verified::Wrong,
                true if params == pool.params => Verified::Right,
                true => Verified::RightButOutdated,
            })
        })
        .await
    }

    /// How many hashes have been computed since the start.
    pub(crate) fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        job: impl FnOnce(&Self) -> Result<T, GuardError> + Send + 'static,
    ) -> Result<T, GuardError> {
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| GuardError::Busy { retry_after: BUSY_RETRY_AFTER })?;
        let turn = self.running.clone().acquire_owned().await.map_err(GuardError::internal)?;
        let pool = self.clone();
        // The permits travel with the work: a caller that goes away does not make room for one hash too many.
        tokio::task::spawn_blocking(move || {
            let result = job(&pool);
            pool.finish(place, turn);
            result
        })
        .await
        .map_err(GuardError::internal)?
    }

    fn finish(&self, place: OwnedSemaphorePermit, turn: OwnedSemaphorePermit) {
        drop(turn);
        drop(place);
        let running = self.workers.saturating_sub(self.running.available_permits());
        let here = self.places_in_all.saturating_sub(self.places.available_permits());
        if here <= running {
            self.spare.lock().expect("no holder of this lock can panic").clear();
        }
    }

    fn compute(&self, password: &Secret, salt: &[u8], params: &Params) -> Result<[u8; HASH_BYTES], GuardError> {
        self.computed.fetch_add(1, Ordering::Relaxed);
        let spare = self.spare.lock().expect("no holder of this lock can panic").pop();
        let mut memory = spare.unwrap_or_default();
        memory.resize(params.block_count(), Block::default());
        let mut output = [0; HASH_BYTES];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        argon2
            .hash_password_into_with_memory(password.0.as_bytes(), salt, &mut output, &mut memory[..])
            .map_err(GuardError::internal)?;
        self.spare.lock().expect("no holder of this lock can panic").push(memory);
        Ok(output)
    }
}

/// The PHC string: `$argon2id$v=19$m=65536,t=3,p=1$<salt>$<hash>`.
fn encode(params: &Params, salt: &[u8], output: &[u8]) -> Result<PasswordHash, GuardError> {
    let phc = PhcHash {
        algorithm: Ident::new("argon2id").map_err(GuardError::internal)?,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(GuardError::internal)?,
        salt: Some(Salt::new(salt).map_err(GuardError::internal)?),
        hash: Some(Output::new(output).map_err(GuardError::internal)?),
    };
    Ok(PasswordHash(phc.to_string()))
}

fn decode(hash: &PasswordHash) -> Result<(Params, Vec<u8>, Vec<u8>), GuardError> {
    let unreadable = || GuardError::internal("a stored password hash is not an argon2id hash of 32 bytes");
    let phc = PhcHash::new(&hash.0).map_err(GuardError::internal)?;
    let params = Params::try_from(&phc).map_err(GuardError::internal)?;
    let (salt, output) = phc.salt.zip(phc.hash).ok_or_else(unreadable)?;
    let known = phc.algorithm.as_str() == "argon2id"
        && phc.version == Some(Version::V0x13.into())
        && output.as_bytes().len() == HASH_BYTES;
    if known { Ok((params, salt.to_vec(), output.as_bytes().to_vec())) } else { Err(unreadable()) }
}
