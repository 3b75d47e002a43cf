//! The section `mail`.

use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// How letters leave the house. The password is no setting: it comes from the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// `"smtps://mail.example.com:465"` speaks TLS from the first byte, `"smtp://mail.example.com:587"` before anything is said
    /// (STARTTLS). Absent: letters are files in the data folder.
    pub smtp: Option<String>,
    /// The user of that server, where it asks for one.
    pub user: Option<String>,
    /// `"Symphainy <symphainy@example.com>"`.
    pub from: String,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self { smtp: None, user: None, from: "Symphainy <symphainy@localhost>".to_owned() }
    }
}

/// A setting of the section that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct BadMail {
    pub setting: &'static str,
    pub problem: &'static str,
}

/// A server of mail.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    Tls,
    StartTls,
    /// On this machine only.
    None,
}

impl MailConfig {
    /// Whether it can be used.
    pub fn check(&self) -> Result<(), BadMail> {
        self.server()?;
        self.sender()?;
        Ok(())
    }

    pub(super) fn server(&self) -> Result<Option<Server>, BadMail> {
        let Some(address) = &self.smtp else { return Ok(None) };
        server(address).map(Some).ok_or(BadMail {
            setting: "mail.smtp",
            problem: "must be like \"smtps://mail.example.com:465\" or \"smtp://mail.example.com:587\"",
        })
    }

    pub(super) fn sender(&self) -> Result<Mailbox, BadMail> {
        let problem = "must be an address such as \"Symphainy <symphainy@example.com>\"";
        self.from.parse().map_err(|_| BadMail { setting: "mail.from", problem })
    }
}

fn server(address: &str) -> Option<Server> {
    let url: Url = address.parse().ok()?;
    let bare = url.username().is_empty()
        && url.password().is_none()
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none();
    let host = url.host_str().filter(|host| bare && !host.is_empty())?;
    let (security, port) = match url.scheme() {
        "smtps" => (Security::Tls, 465),
        "smtp" if is_this_machine(host) => (Security::None, 25),
        "smtp" => (Security::StartTls, 587),
        _ => return None,
    };
    Some(Server { host: host.to_owned(), port: url.port().unwrap_or(port), security })
}

fn is_this_machine(host: &str) -> bool {
    match Host::parse(host) {
        Ok(Host::Domain(name)) => name == "localhost",
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.is_loopback(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_this_machine_without_tls() {
        for (address, expected) in [
            ("smtps://mail.example.com", Some((Security::Tls, 465))),
            ("smtps://mail.example.com:2465/", Some((Security::Tls, 2465))),
            ("smtp://mail.example.com", Some((Security::StartTls, 587))),
            ("smtp://203.0.113.9:25", Some((Security::StartTls, 25))),
            ("smtp://127.0.0.1:2525", Some((Security::None, 2525))),
            ("smtp://[::1]:2525", Some((Security::None, 2525))),
            ("smtp://localhost", Some((Security::None, 25))),
            ("smtp://localhost.example.com", Some((Security::StartTls, 587))),
            ("https://mail.example.com", None),
            ("smtp://user:password@mail.example.com", None),
            ("smtp://mail.example.com/?tls=none", None),
            ("mail.example.com", None),
        ] {
            let found = server(address).map(|server| (server.security, server.port));
            assert_eq!(found, expected, "{address}");
        }
    }

    #[test]
    fn mistakes_name_the_setting() {
        let bad = MailConfig { smtp: Some("mail.example.com".to_owned()), ..MailConfig::default() };
        assert_eq!(bad.check().unwrap_err().setting, "mail.smtp");
        let bad = MailConfig { from: "nobody".to_owned(), ..MailConfig::default() };
        assert_eq!(bad.check().unwrap_err().setting, "mail.from");
        assert_eq!(MailConfig::default().check(), Ok(()));
    }
}
