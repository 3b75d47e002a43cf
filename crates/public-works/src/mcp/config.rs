//! How a server is reached and how far it is trusted: the settings of `[mcp.NAME]`.

use std::{collections::BTreeMap, fmt, time::Duration};

use reqwest::Url;
use serde::{Deserialize, Serialize};

/// The most calls at a time that can be allowed.
const MOST_PARALLEL: usize = 64;

/// A section `mcp.NAME`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct McpConfig {
    /// A program that speaks on its standard input and output. Either this or `url`.
    pub command: Option<String>,
    pub args: Vec<String>,
    /// What the program finds in its environment, beside what every program needs (`PATH`, `HOME` and the like).
    pub env: Hidden,
    /// Where a server is that speaks streamable HTTP.
    pub url: Option<String>,
    /// What every request to it carries.
    pub headers: Hidden,
    /// What its liaison is for, in one sentence; absent: a sentence that names its tools.
    pub description: Option<String>,
    /// Those of its tools that are offered; empty: all.
    pub tools: Vec<String>,
    pub approval: Approval,
    /// How long a call may take, with the wait for a place and the start of the program.
    #[serde(with = "security_guard::duration")]
    pub timeout: Duration,
    /// How long the start of the house waits for it.
    #[serde(with = "security_guard::duration")]
    pub start_timeout: Duration,
    /// Calls at a time; further ones wait. Each has a program of its own.
    pub parallel: usize,
}

/// Which of the tools need somebody's word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    Always,
    /// Those that do not say of themselves that they only read.
    #[default]
    UnlessReadOnly,
    Never,
}

/// Values by names. They may be secret, so that only the names show themselves.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(pub BTreeMap<String, String>);

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl Default for McpConfig {
    fn default() -> Self {
        Self {
            command: None,
            args: Vec::new(),
            env: Hidden::default(),
            url: None,
            headers: Hidden::default(),
            description: None,
            tools: Vec::new(),
            approval: Approval::default(),
            timeout: Duration::from_secs(60),
            start_timeout: Duration::from_secs(10),
            parallel: 4,
        }
    }
}

impl McpConfig {
    /// The setting that is wrong, and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        match (&self.command, &self.url) {
            (None, None) => return Err(("command", "name a command or a url".to_owned())),
            (Some(_), Some(_)) => return Err(("url", "a server has a command or a url, not both".to_owned())),
            (Some(command), None) if command.trim().is_empty() => {
                return Err(("command", "must name a program".to_owned()));
            }
            (Some(_), None) => {}
            (None, Some(_)) => {
                self.address().map_err(|problem| ("url", problem))?;
                super::http::headers(&self.headers).map_err(|problem| ("headers", problem))?;
            }
        }
        let rules = [
            (self.url.is_none() || (self.args.is_empty() && self.env.0.is_empty()), "url", "has no args and no env"),
            (self.command.is_none() || self.headers.0.is_empty(), "headers", "a command has none; use env"),
            ((1..=MOST_PARALLEL).contains(&self.parallel), "parallel", "must be from 1 to 64"),
            (!self.timeout.is_zero(), "timeout", "must be longer than \"0s\""),
            (!self.start_timeout.is_zero(), "start_timeout", "must be longer than \"0s\""),
        ];
        match rules.into_iter().find(|(holds, ..)| !holds) {
            Some((_, setting, problem)) => Err((setting, problem.to_owned())),
            None => Ok(()),
        }
    }

    pub(super) fn address(&self) -> Result<Url, String> {
        let text = self.url.as_deref().unwrap_or_default();
        let url: Url = text.parse().map_err(|error| format!("{text:?} is no address ({error})"))?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(format!("{text:?} must begin with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the address must have no user and no password; use headers".to_owned());
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_name_the_setting() {
        let command = || McpConfig { command: Some("server".to_owned()), ..McpConfig::default() };
        let url = |url: &str| McpConfig { url: Some(url.to_owned()), ..McpConfig::default() };
        let some = || Hidden(BTreeMap::from([("A b".to_owned(), "secret".to_owned())]));
        for (config, setting) in [
            (McpConfig::default(), "command"),
            (McpConfig { command: Some(" ".to_owned()), ..McpConfig::default() }, "command"),
            (McpConfig { url: Some("http://127.0.0.1".to_owned()), ..command() }, "url"),
            (url("nonsense"), "url"),
            (url("ftp://example.com"), "url"),
            (url("https://me:secret@example.com"), "url"),
            (McpConfig { args: vec!["x".to_owned()], ..url("https://example.com/mcp") }, "url"),
            (McpConfig { headers: some(), ..url("https://example.com/mcp") }, "headers"),
            (McpConfig { headers: some(), ..command() }, "headers"),
            (McpConfig { parallel: 0, ..command() }, "parallel"),
            (McpConfig { timeout: Duration::ZERO, ..command() }, "timeout"),
        ] {
            assert_eq!(config.check().unwrap_err().0, setting, "{config:?}");
        }
        assert_eq!(command().check(), Ok(()));
        assert_eq!(url("http://127.0.0.1:1/mcp").check(), Ok(()));
        assert!(!format!("{:?}", McpConfig { env: some(), ..command() }).contains("secret"));
    }
}
