//! Which site a browser was on when it sent a request. Browsers say so by themselves and pages cannot change it, so that
//! it tells a person's own click from another site's forgery.

use http::{HeaderMap, header};

use crate::{Refusal, client::Client, config::ExperienceConfig};
use contract::Code;

/// What the `Origin` header says (RFC 6454).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// There is none: not a browser, or a request that browsers send without it.
    Absent,
    /// The server's own.
    Own,
    /// One of `experience.origins`.
    Allowed,
    Foreign,
}

impl Origin {
    pub fn of(headers: &HeaderMap, client: Client, config: &ExperienceConfig) -> Self {
        let mut values = headers.get_all(header::ORIGIN).iter();
        let Some(value) = values.next() else { return Self::Absent };
        let (Ok(origin), None) = (value.to_str(), values.next()) else { return Self::Foreign };
        if config.origins.iter().any(|allowed| allowed.as_str().eq_ignore_ascii_case(origin)) {
            return Self::Allowed;
        }
        if is_own(origin, headers, client) { Self::Own } else { Self::Foreign }
    }
}

/// Whether the origin's host is the one that the request was sent to. Where we know that TLS was spoken, the origin has to have
/// spoken it too.
fn is_own(origin: &str, headers: &HeaderMap, client: Client) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let (authority, default_port) = match (origin.strip_prefix("https://"), origin.strip_prefix("http://")) {
        (Some(authority), _) => (authority, ":443"),
        (None, Some(authority)) if !client.tls => (authority, ":80"),
        (None, Some(_) | None) => return false,
    };
    let without = |text: &str| text.strip_suffix(default_port).unwrap_or(text).to_ascii_lowercase();
    without(authority) == without(host)
}

/// Refuses what another site may have made a browser send: a cookie goes along with such a request by itself, so that a
/// cookie alone proves nothing about who wanted it. Asked for every unsafe method with a cookie and without a header.
pub fn refuse_forgery(headers: &HeaderMap, client: Client, config: &ExperienceConfig) -> Result<(), Refusal> {
    let fetch_site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    let same_site = match Origin::of(headers, client, config) {
        // Two witnesses that contradict each other vouch for nobody.
        Origin::Own => matches!(fetch_site, None | Some(b"same-origin")),
        Origin::Allowed => true,
        Origin::Foreign => false,
        Origin::Absent => fetch_site == Some(b"same-origin"),
    };
    if same_site { Ok(()) } else { Err(foreign()) }
}

/// The refusal of a request from another site.
pub fn foreign() -> Refusal {
    Refusal::new(
        Code::ForeignOrigin,
        "A request with a cookie has to come from this site, or from one that the server allows (experience.origins).",
    )
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn origin(host: &str, origin: Option<&str>, tls: bool) -> Origin {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        let config: ExperienceConfig = toml::from_str("origins = [\"https://app.example.com\"]").unwrap();
        Origin::of(&headers, Client { address: IpAddr::V4(Ipv4Addr::LOCALHOST), tls, loopback: false }, &config)
    }

    #[test]
    fn origins_are_told_apart() {
        for (host, sent, tls, expected) in [
            ("here.example", None, false, Origin::Absent),
            ("here.example", Some("http://here.example"), false, Origin::Own),
            ("here.example", Some("https://here.example"), false, Origin::Own),
            ("here.example", Some("https://HERE.example:443"), true, Origin::Own),
            ("here.example", Some("http://here.example"), true, Origin::Foreign),
            ("localhost:8000", Some("http://localhost:8000"), false, Origin::Own),
            ("localhost:8000", Some("http://localhost:3000"), false, Origin::Foreign),
            ("localhost:8000", Some("http://localhost"), false, Origin::Foreign),
            ("here.example", Some("https://app.example.com"), true, Origin::Allowed),
            ("here.example", Some("https://app.example.com.evil.example"), true, Origin::Foreign),
            ("here.example", Some("https://here.example.evil.example"), true, Origin::Foreign),
            ("here.example", Some("https://user@here.example"), true, Origin::Foreign),
            ("here.example", Some("null"), true, Origin::Foreign),
            ("here.example", Some(""), true, Origin::Foreign),
        ] {
            assert_eq!(origin(host, sent, tls), expected, "{host} {sent:?} {tls}");
        }
    }
}
