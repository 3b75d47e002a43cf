//! The one way out: calls to addresses that come from a configuration, a person or a tool. A name is resolved first, and whatever
//! lies inside (loopback, private, link-local and reserved networks) is refused unless the operator allows the host by name.
//! Redirects are not followed, proxies of the environment are not used, and answers have a bound in time and size.

mod addresses;
mod key_source;

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use reqwest::{
    Client, ClientBuilder, RequestBuilder, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::CONTENT_TYPE,
    redirect::Policy,
};
use url::Host;

pub use addresses::is_public;

/// How long a connection may take to come about.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// Why a call was not made, or did not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    #[error("{0:?} is no http or https address")]
    NotAnAddress(String),
    /// The host lies inside, or speaks plain HTTP, and the operator has not allowed it.
    #[error("{host} {why}; an operator can allow it with outbound.allow")]
    NotAllowed { host: String, why: &'static str },
    #[error("{0} cannot be reached")]
    Unreachable(String),
    #[error("{host} answered with the status {status}")]
    Status { host: String, status: u16 },
    #[error("the answer of {host} has more than {max_bytes} bytes")]
    TooLarge { host: String, max_bytes: usize },
    #[error("{0} did not answer in time")]
    TooSlow(String),
}

/// Makes calls to the outside. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    client: Client,
    allowed: Allowed,
}

/// Hosts that may lie inside, as names or addresses, in lower case.
#[derive(Clone)]
struct Allowed(Arc<[String]>);

impl Allowed {
    fn contains(&self, host: &str) -> bool {
        self.0.iter().any(|allowed| *allowed == host.trim_end_matches('.').to_ascii_lowercase())
    }
}

impl Outbound {
    /// `allow` names hosts that may lie inside and may speak plain HTTP.
    ///
    /// # Errors
    /// Where the TLS of this machine cannot be set up.
    pub fn new(allow: &[String]) -> Result<Self, reqwest::Error> {
        let allowed = Allowed(allow.iter().map(|host| host.to_ascii_lowercase()).collect());
        let client = builder(&allowed).build()?;
        Ok(Self { client, allowed })
    }

    /// A client for those who stream or send bodies: the same resolver and no redirects. Whoever uses it calls [`Self::check`] for
    /// each address first, because an address that is a number is not resolved.
    pub fn client(&self) -> ClientBuilder {
        builder(&self.allowed)
    }

    /// Whether an address may be called, as far as can be told without resolving it.
    pub fn check(&self, address: &str) -> Result<Url, OutboundError> {
        let not_an_address = || OutboundError::NotAnAddress(address.to_owned());
        let url: Url = address.parse().map_err(|_| not_an_address())?;
        let host = url.host_str().ok_or_else(not_an_address)?.to_owned();
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let allowed = self.allowed.contains(name);
        let refused = |why| Err(OutboundError::NotAllowed { host: host.clone(), why });
        match (url.scheme(), url.host()) {
            ("http" | "https", _) if allowed => Ok(url),
            ("https", Some(Host::Ipv4(ip))) if !is_public(ip.into()) => refused("lies inside"),
            ("https", Some(Host::Ipv6(ip))) if !is_public(ip.into()) => refused("lies inside"),
            // Every resolver is to answer these with this machine (RFC 6761, section 6.3); not every one knows them.
            ("https", Some(Host::Domain(name))) if is_localhost(name) => refused("lies inside"),
            ("https", Some(_)) => Ok(url),
            ("http", _) => refused("would be called without TLS"),
            (_, _) => Err(not_an_address()),
        }
    }

    /// The body of an address, within these bounds.
    pub async fn get(&self, address: &str, max_bytes: usize, patience: Duration) -> Result<Vec<u8>, OutboundError> {
        let url = self.check(address)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        match tokio::time::timeout(patience, read(self.client.get(url), &host, max_bytes)).await {
            Ok(answer) => answer,
            Err(_) => Err(OutboundError::TooSlow(host)),
        }
    }

    /// What is answered to a form that is sent to an address, within these bounds.
    pub async fn post_form(
        &self,
        address: &str,
        form: String,
        basic: Option<(String, String)>,
        (max_bytes, patience): (usize, Duration),
    ) -> Result<Vec<u8>, OutboundError> {
        let url = self.check(address)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let request = self.client.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        let request = match basic {
            Some((name, password)) => request.basic_auth(name, Some(password)),
            None => request,
        };
        match tokio::time::timeout(patience, read(request, &host, max_bytes)).await {
            Ok(answer) => answer,
            Err(_) => Err(OutboundError::TooSlow(host)),
        }
    }
}

async fn read(request: RequestBuilder, host: &str, max_bytes: usize) -> Result<Vec<u8>, OutboundError> {
    let mut response = request.send().await.map_err(|error| failed(&error, host))?;
    if !response.status().is_success() {
        return Err(OutboundError::Status { host: host.to_owned(), status: response.status().as_u16() });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error, host))? {
        if body.len() + chunk.len() > max_bytes {
            return Err(OutboundError::TooLarge { host: host.to_owned(), max_bytes });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

fn builder(allowed: &Allowed) -> ClientBuilder {
    Client::builder()
        .dns_resolver(Arc::new(PublicOnly(allowed.clone())))
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_PATIENCE)
        .user_agent(concat!("symphainy/", env!("CARGO_PKG_VERSION")))
}

/// The error that the resolver gave, where it was the one that refused.
fn failed(error: &reqwest::Error, host: &str) -> OutboundError {
    let mut source: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = source {
        if let Some(refused) = inner.downcast_ref::<OutboundError>() {
            return refused.clone();
        }
        source = inner.source();
    }
    if error.is_timeout() {
        OutboundError::TooSlow(host.to_owned())
    } else {
        OutboundError::Unreachable(host.to_owned())
    }
}

/// Resolves names, and refuses those that lead inside. One address inside is enough: which one is called is not ours to choose.
struct PublicOnly(Allowed);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let allowed = self.0.contains(&host);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            if !allowed && found.iter().any(|address| !is_public(address.ip())) {
                return Err(OutboundError::NotAllowed { host, why: "leads inside" }.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
