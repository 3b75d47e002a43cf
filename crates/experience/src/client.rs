//! Where a request came from: the client's address and whether it travelled over TLS. Forwarding headers are believed
//! from trusted proxies only, and read from right to left, because whatever stands further left a client can write.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::{Extensions, HeaderMap, header, request::Parts};

use crate::{Plane, config::Network};

/// A request's other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    pub address: IpAddr,
    /// Whether the client speaks TLS, with us or with a trusted proxy.
    pub tls: bool,
    /// Whether the client calls us by a name of its own machine (`localhost`, `127.0.0.1`, `[::1]`).
    pub loopback: bool,
}

impl Client {
    pub fn of(headers: &HeaderMap, extensions: &Extensions, trusted: &[Network]) -> Self {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip().to_canonical());
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
        let loopback = headers.get(header::HOST).and_then(|host| host.to_str().ok()).is_some_and(is_loopback_host);
        if !is_trusted(peer) {
            return Self { address: peer, tls: false, loopback };
        }
        Self { address: forwarded_for(headers, peer, is_trusted), tls: forwarded_over_tls(headers), loopback }
    }
}

fn forwarded_for(headers: &HeaderMap, peer: IpAddr, is_trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let mut address = peer;
    for value in headers.get_all("x-forwarded-for").iter().rev() {
        for hop in value.to_str().unwrap_or_default().rsplit(',') {
            match parse_hop(hop.trim()) {
                Some(hop) if is_trusted(address) => address = hop,
                Some(_) | None => return address,
            }
        }
    }
    address
}

/// An address, with or without a port.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let address = hop.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

fn forwarded_over_tls(headers: &HeaderMap) -> bool {
    let last = headers.get_all("x-forwarded-proto").iter().next_back();
    let protocol = last.and_then(|value| value.to_str().ok()).and_then(|value| value.rsplit(',').next());
    protocol.is_some_and(|protocol| protocol.trim().eq_ignore_ascii_case("https"))
}

fn is_loopback_host(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let name = name.to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl FromRequestParts<Arc<Plane>> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, plane: &Arc<Plane>) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers, &parts.extensions, &plane.config.trusted_proxies))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, headers: &[(&'static str, &str)]) -> Client {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4711)));
        Client::of(&map, &extensions, &["10.0.0.0/8".parse().unwrap()])
    }

    #[test]
    fn forwarding_is_believed_from_right_to_left() {
        const FORWARDED: &str = "x-forwarded-for";
        for (peer, headers, expected) in [
            ("203.0.113.9", vec![(FORWARDED, "1.2.3.4")], "203.0.113.9"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec![(FORWARDED, "1.2.3.4")], "1.2.3.4"),
            ("10.0.0.1", vec![(FORWARDED, "6.6.6.6, 1.2.3.4")], "1.2.3.4"),
            ("10.0.0.1", vec![(FORWARDED, "6.6.6.6, 1.2.3.4, 10.0.0.2")], "1.2.3.4"),
            ("10.0.0.1", vec![(FORWARDED, "6.6.6.6"), (FORWARDED, "1.2.3.4:80")], "1.2.3.4"),
            ("10.0.0.1", vec![(FORWARDED, "1.2.3.4, nonsense")], "10.0.0.1"),
            ("::ffff:10.0.0.1", vec![(FORWARDED, "2001:db8::7")], "2001:db8::7"),
        ] {
            assert_eq!(client(peer, &headers).address, expected.parse::<IpAddr>().unwrap(), "{peer} {headers:?}");
        }
    }

    #[test]
    fn tls_is_what_a_trusted_proxy_says() {
        let header = ("x-forwarded-proto", "https");
        assert!(client("10.0.0.1", &[header]).tls);
        assert!(!client("10.0.0.1", &[("x-forwarded-proto", "https, http")]).tls);
        assert!(!client("203.0.113.9", &[header]).tls);
    }

    #[test]
    fn names_of_the_own_machine() {
        for (host, own) in [
            ("localhost:8000", true),
            ("127.0.0.1", true),
            ("[::1]:8000", true),
            ("app.localhost", true),
            ("localhost.example.com", false),
            ("10.0.0.1:8000", false),
        ] {
            assert_eq!(client("127.0.0.1", &[("host", host)]).loopback, own, "{host}");
        }
    }
}
