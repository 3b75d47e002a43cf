//! What `serve` prints when it is ready: one screen.

use std::{fmt::Write, net::SocketAddr, path::Path};

use crate::paint::Paint;

/// The address that clients use where nobody names another one.
pub(crate) const DEFAULT_SERVER: &str = "http://127.0.0.1:8000";

/// What there is to say.
pub(crate) struct Banner<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) data_dir: &'a Path,
    /// The models that answer, each with what it is.
    pub(crate) models: &'a [String],
    /// The servers of tools, each with what came of it.
    pub(crate) servers: &'a [String],
    /// Where `/metrics` is, if anywhere.
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) legacy_client: bool,
    /// How this program was called.
    pub(crate) program: &'a str,
}

impl Banner<'_> {
    pub(crate) fn text(&self, paint: Paint) -> String {
        let url = format!("http://{}", self.reachable());
        let mut text = format!("\n  {} {}\n\n", paint.bold("Symphainy"), env!("CARGO_PKG_VERSION"));
        let mut row = |label: &str, value: &str| {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "  {} {value}", paint.dim(&format!("{label:<12}")));
        };
        row("listens on", &paint.name(&url));
        row("data in", &self.data_dir.display().to_string());
        row("answered by", &self.models.join(", "));
        if !self.servers.is_empty() {
            row("tools of", &self.servers.join(", "));
        }
        row("docs", &format!("{url}/docs"));
        if let Some(admin) = self.admin {
            row("metrics", &format!("http://{admin}/metrics"));
        }
        if self.legacy_client {
            row("", &paint.doubtful("the doors of --legacy-client are open: session ids are credentials"));
        }
        let server = if url == DEFAULT_SERVER { String::new() } else { format!(" --server {url}") };
        let _ = write!(
            text,
            "\n  Open it in a browser, or talk to it from another terminal:\n\n    {}\n\n  or register with curl:\n\n    {}\n\n  {}\n\n",
            paint.name(&format!("{} chat{server}", self.program)),
            paint.name(&curl_line(&url)),
            paint.dim("Ctrl-C stops it; what was said and done is kept."),
        );
        text
    }

    /// The address by which this machine reaches it: everywhere is nowhere to connect to.
    fn reachable(&self) -> SocketAddr {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            let loopback = match address {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            };
            address.set_ip(loopback);
        }
        address
    }
}

fn curl_line(url: &str) -> String {
    format!(
        "curl {url}/api/auth/register -H 'content-type: application/json' -d '{{\"name\":\"Ada\",\"email\":\"ada@example.com\",\
         \"password\":\"a long pass phrase\"}}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(address: &str, legacy_client: bool) -> String {
        let banner = Banner {
            address: address.parse().unwrap(),
            data_dir: Path::new("/srv/data"),
            models: &["builtin".to_owned()],
            servers: &[],
            admin: None,
            legacy_client,
            program: "symphainy",
        };
        banner.text(Paint::Plain)
    }

    #[test]
    fn it_is_one_screen_that_says_what_to_do() {
        let said = text("127.0.0.1:8000", false);
        for part in [
            "http://127.0.0.1:8000\n",
            "/srv/data",
            "builtin",
            "127.0.0.1:8000/docs",
            "    symphainy chat\n",
            "curl http://",
        ] {
            assert!(said.contains(part), "{part:?} is missing in:\n{said}");
        }
        assert!(said.lines().count() <= 24, "{said}");
        assert!(!said.contains("legacy"));
    }

    #[test]
    fn what_differs_is_said() {
        assert!(text("127.0.0.1:9000", false).contains("symphainy chat --server http://127.0.0.1:9000"));
        assert!(text("0.0.0.0:8000", false).contains("http://127.0.0.1:8000"));
        assert!(text("[::]:8000", false).contains("http://[::1]:8000"));
        assert!(text("127.0.0.1:8000", true).contains("--legacy-client"));
    }
}
