//! The keys of identity providers, by the one way out.

use std::time::Duration;

use async_trait::async_trait;
use security_guard::providers::{KeySource, Unfetched};

use super::Outbound;

/// The largest set of keys that is read; those of large providers have some ten kilobytes.
const MAX_BYTES: usize = 256 * 1024;
/// Somebody waits for it with a request.
const PATIENCE: Duration = Duration::from_secs(5);

#[async_trait]
impl KeySource for Outbound {
    async fn fetch(&self, address: &str) -> Result<Vec<u8>, Unfetched> {
        self.get(address, MAX_BYTES, PATIENCE).await.map_err(|error| Unfetched(Box::new(error)))
    }
}
