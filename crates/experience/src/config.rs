//! What an operator can set about the face, with defaults that are right for one machine. Nothing here reads a file or
//! the environment.

use std::{net::IpAddr, str::FromStr, time::Duration};

use security_guard::RateLimit;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The section `experience`, and its part of the section `limits`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExperienceConfig {
    /// Origins of other sites that may call: `https://app.example.com`.
    pub origins: Vec<AllowedOrigin>,
    /// Opens the doors that the front end of today needs.
    pub legacy_client: bool,
    /// The proxies whose forwarding headers are believed: addresses or networks.
    pub trusted_proxies: Vec<Network>,
    /// Whether a request that changes something has to bring the CSRF token where a cookie is its only credential.
    pub csrf_token: CsrfToken,
    pub limits: ExperienceLimits,
}

/// The second wall against forged requests; the first is where a browser says that they come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CsrfToken {
    /// It is checked where it is sent.
    #[default]
    Offered,
    Required,
}

/// The face's part of the section `limits`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExperienceLimits {
    /// The largest body of a request, in bytes.
    pub body_bytes: usize,
    /// The largest body below `/api/auth/`, in bytes.
    pub auth_body_bytes: usize,
    /// The largest upload, all files of a request together, in bytes.
    pub upload_bytes: usize,
    /// What an anonymous session may upload in all, in bytes.
    pub anonymous_upload_bytes: u64,
    /// How many intents an anonymous session may submit in all.
    pub anonymous_intents: u32,
    /// Connections at a time; more wait to be accepted.
    pub connections: usize,
    /// How long a client may take over its headers.
    #[serde(with = "security_guard::duration")]
    pub header_timeout: Duration,
    /// The largest head of a request, in bytes.
    pub header_bytes: usize,
    /// The largest message on a socket, in bytes.
    pub socket_message_bytes: usize,
    pub sockets: usize,
    pub sockets_per_user: usize,
    pub sockets_per_address: usize,
    /// Streams of Server-Sent Events that somebody may have open at a time.
    pub streams_per_user: usize,
    /// Messages on one socket.
    pub messages: RateLimit,
    /// Frames on one socket that cannot be understood, before it is closed with 1008.
    pub bad_frames: u32,
    /// Messages that may wait for a slow socket, before it is closed with 1013.
    pub unsent_messages: usize,
    /// The same in bytes.
    pub unsent_bytes: usize,
    /// How often a socket is asked whether somebody is still there.
    #[serde(with = "security_guard::duration")]
    pub ping_interval: Duration,
    /// How long a socket has for its answer.
    #[serde(with = "security_guard::duration")]
    pub pong_timeout: Duration,
}

impl Default for ExperienceLimits {
    fn default() -> Self {
        Self {
            body_bytes: MIB,
            auth_body_bytes: 16 * KIB,
            upload_bytes: 64 * MIB,
            anonymous_upload_bytes: 10 * MIB as u64,
            anonymous_intents: 50,
            connections: 20_000,
            header_timeout: Duration::from_secs(10),
            header_bytes: 64 * KIB,
            socket_message_bytes: 64 * KIB,
            sockets: 10_000,
            sockets_per_user: 10,
            sockets_per_address: 50,
            streams_per_user: 50,
            messages: RateLimit::with_burst(20, Duration::from_secs(1), 60),
            bad_frames: 20,
            unsent_messages: 256,
            unsent_bytes: MIB,
            ping_interval: Duration::from_secs(20),
            pong_timeout: Duration::from_secs(10),
        }
    }
}

/// The origin of a site (RFC 6454) in the form in which browsers send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigin(String);

impl AllowedOrigin {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is not an origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an origin: write a scheme and a host, such as \"https://app.example.com\" or \"http://localhost:3000\""
)]
pub struct NotAnOrigin(String);

impl FromStr for AllowedOrigin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = |host: &str| !host.is_empty() && !host.contains(['/', '?', '#', '@', '*', ' ']);
        match host {
            Some(host) if plain(host) => Ok(Self(text.to_ascii_lowercase())),
            Some(_) | None => Err(NotAnOrigin(text.to_owned())),
        }
    }
}

/// An address, or a network in CIDR notation (RFC 4632): `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

/// The text is not a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address or a network: write \"127.0.0.1\", \"10.0.0.0/8\" or \"fd00::/8\"")]
pub struct NotANetwork(String);

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        let (network, address) = (self.address.to_canonical(), address.to_canonical());
        match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.prefix_bits.min(32));
                network.to_bits().checked_shr(shift).unwrap_or(0) == address.to_bits().checked_shr(shift).unwrap_or(0)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.prefix_bits.min(128));
                network.to_bits().checked_shr(shift).unwrap_or(0) == address.to_bits().checked_shr(shift).unwrap_or(0)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let refuse = || NotANetwork(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| refuse())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = prefix.map_or(Ok(most), |prefix| prefix.parse().map_err(|_| refuse()))?;
        if prefix_bits <= most { Ok(Self { address, prefix_bits }) } else { Err(refuse()) }
    }
}

macro_rules! as_text {
    ($($name:ident, $self:ident => $text:expr;)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&$self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&$text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

as_text! {
    AllowedOrigin, self => self.0;
    Network, self => format_args!("{}/{}", self.address, self.prefix_bits);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_contracts() {
        let config: ExperienceConfig = toml::from_str("").unwrap();
        assert_eq!(config, ExperienceConfig::default());
        assert_eq!(config.limits.body_bytes, 1_048_576);
        assert_eq!(config.limits.messages.to_string(), "20/1s burst 60");
        assert!(!config.legacy_client);
    }

    #[test]
    fn wrong_settings_are_refused() {
        for text in [
            "orgins = []",
            "origins = [\"*\"]",
            "origins = [\"https://a.example/path\"]",
            "trusted_proxies = [\"10.0.0.0/33\"]",
            "trusted_proxies = [\"proxy\"]",
            "[limits]\nheader_timeout = 10",
        ] {
            assert!(toml::from_str::<ExperienceConfig>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn networks_contain_their_addresses() {
        for (network, address, inside) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe80::1", false),
            ("::/0", "127.0.0.1", false),
        ] {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), inside, "{address} in {network:?}");
        }
    }
}
