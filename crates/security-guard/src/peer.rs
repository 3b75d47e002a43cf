//! Where a request came from, as far as the guard cares: for limits, for the list of one's own sign-ins, and for the
//! audit.

use std::net::{IpAddr, Ipv4Addr};

use crate::limits::address_key;

/// As much as is kept of what a client calls itself, in characters.
const MAX_AGENT_CHARACTERS: usize = 200;

/// What a sign-in was made with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// `None` where it was no client but an operator on this machine.
    pub address: Option<IpAddr>,
    /// What the client calls itself (`User-Agent`), cut to a bound and without control characters.
    pub agent: Option<String>,
}

/// The other end of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    pub device: Device,
    /// Under which the request stands in the log.
    pub request_id: Option<String>,
}

impl Peer {
    pub fn new(address: IpAddr, agent: Option<&str>, request_id: Option<&str>) -> Self {
        let device = Device { address: Some(address), agent: agent.and_then(shortened) };
        Self { device, request_id: request_id.map(str::to_owned) }
    }

    /// An operator, on the data folder itself.
    pub fn operator() -> Self {
        Self::default()
    }

    /// What counts as one address in a limit.
    pub(crate) fn limit_key(&self) -> IpAddr {
        address_key(self.device.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }
}

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        Self::new(address, None, None)
    }
}

fn shortened(agent: &str) -> Option<String> {
    let plain = agent.chars().filter(|character| !character.is_control());
    let agent: String = plain.take(MAX_AGENT_CHARACTERS).collect();
    Some(agent.trim().to_owned()).filter(|agent| !agent.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_calls_itself_is_bounded() {
        let agent = |text: &str| Peer::new(IpAddr::V4(Ipv4Addr::LOCALHOST), Some(text), None).device.agent;
        assert_eq!(agent("curl/8.5"), Some("curl/8.5".to_owned()));
        assert_eq!(agent("a\u{1b}[31mb\n"), Some("a[31mb".to_owned()));
        assert_eq!(agent(&"x".repeat(5_000)).map(|agent| agent.len()), Some(MAX_AGENT_CHARACTERS));
        assert_eq!(agent(" "), None);
    }
}
