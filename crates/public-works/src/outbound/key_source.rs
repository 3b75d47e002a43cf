//! The keys of identity providers, by the one way out.

use std::time::Duration;

use async_trait::async_trait;
use security_guard::providers::{KeySource, TokenRequest, Unfetched};
use url::form_urlencoded::{Serializer, byte_serialize};

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

    async fn exchange(&self, request: TokenRequest) -> Result<Vec<u8>, Unfetched> {
        let pairs = request.form.iter().map(|(name, value)| (name, &value.0));
        let form = Serializer::new(String::new()).extend_pairs(pairs).finish();
        // Both are encoded first (RFC 6749, section 2.3.1).
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let basic = request.basic.map(|(name, password)| (encoded(&name), encoded(&password.0)));
        let answer = self.post_form(&request.address, form, basic, (MAX_BYTES, PATIENCE)).await;
        answer.map_err(|error| Unfetched(Box::new(error)))
    }
}
