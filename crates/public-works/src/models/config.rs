//! How a model is reached: the settings of `[models.NAME]`, and the key, which shows itself to nobody.

use std::{fmt, time::Duration};

use reqwest::Url;
use serde::{Deserialize, Serialize};

/// A section `models.NAME`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    pub provider: Provider,
    /// Where the provider's API begins; absent: the provider's own address.
    pub base_url: Option<String>,
    /// The variable of the environment that has the key; absent: the provider's usual one.
    pub api_key_env: Option<String>,
    /// What the provider calls the model; absent: a usual one, where the provider is a company.
    pub model: Option<String>,
    /// The most tokens of one answer.
    pub max_output_tokens: u32,
    /// From 0 to 2; absent: the provider's own.
    pub temperature: Option<f64>,
    /// Dollars for a million tokens that it reads, for budgets in money.
    pub price_input: f64,
    /// Dollars for a million tokens that it says.
    pub price_output: f64,
    /// Another model that answers where this one does not.
    pub fallback: Option<String>,
    #[serde(with = "security_guard::duration")]
    pub connect_timeout: Duration,
    /// How long it may think before the first byte.
    #[serde(with = "security_guard::duration")]
    pub first_byte_timeout: Duration,
    /// How long it may be silent in the midst of an answer.
    #[serde(with = "security_guard::duration")]
    pub idle_timeout: Duration,
    /// How long one answer may take in all.
    #[serde(with = "security_guard::duration")]
    pub answer_timeout: Duration,
    /// How often a call is tried again that failed before anything was said.
    pub retries: u32,
    /// Calls at a time for one tenant; further ones wait.
    pub parallel_per_tenant: usize,
    /// Failures in a row after which it is left alone for `rest`.
    pub failures_until_rest: u32,
    #[serde(with = "security_guard::duration")]
    pub rest: Duration,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            provider: Provider::Openai,
            base_url: None,
            api_key_env: None,
            model: None,
            max_output_tokens: 4096,
            temperature: None,
            price_input: 0.0,
            price_output: 0.0,
            fallback: None,
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(120),
            idle_timeout: Duration::from_secs(60),
            answer_timeout: Duration::from_secs(600),
            retries: 2,
            parallel_per_tenant: 8,
            failures_until_rest: 5,
            rest: Duration::from_secs(30),
        }
    }
}

/// Whose form of requests and answers is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    Openai,
    Anthropic,
    Gemini,
    /// A server on this or another machine; it speaks OpenAI's form under `/v1`.
    Ollama,
    /// Whatever else speaks OpenAI's form: vLLM, llama.cpp, LM Studio, gateways.
    OpenaiCompatible,
}

impl Provider {
    pub const fn usual_base_url(self) -> Option<&'static str> {
        match self {
            Self::Openai => Some("https://api.openai.com/v1"),
            Self::Anthropic => Some("https://api.anthropic.com"),
            Self::Gemini => Some("https://generativelanguage.googleapis.com"),
            Self::Ollama => Some("http://127.0.0.1:11434/v1"),
            Self::OpenaiCompatible => None,
        }
    }

    pub const fn usual_key(self) -> Option<&'static str> {
        match self {
            Self::Openai => Some("OPENAI_API_KEY"),
            Self::Anthropic => Some("ANTHROPIC_API_KEY"),
            Self::Gemini => Some("GEMINI_API_KEY"),
            Self::Ollama | Self::OpenaiCompatible => None,
        }
    }

    pub const fn usual_model(self) -> Option<&'static str> {
        match self {
            Self::Openai => Some("gpt-5-mini"),
            Self::Anthropic => Some("claude-sonnet-4-5"),
            Self::Gemini => Some("gemini-2.5-flash"),
            Self::Ollama | Self::OpenaiCompatible => None,
        }
    }
}

impl ModelConfig {
    /// The setting that is wrong, and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if self.model_name().is_none() {
            return Err(("model", "this provider has no usual model; name one".to_owned()));
        }
        self.url().map_err(|problem| ("base_url", problem))?;
        let rules = [
            (self.max_output_tokens >= 1, "max_output_tokens", "must be at least 1"),
            (self.parallel_per_tenant >= 1, "parallel_per_tenant", "must be at least 1"),
            (self.failures_until_rest >= 1, "failures_until_rest", "must be at least 1"),
            (self.retries <= 10, "retries", "must be at most 10"),
            (self.temperature.is_none_or(|heat| (0.0..=2.0).contains(&heat)), "temperature", "must be from 0 to 2"),
        ];
        let rules = rules.into_iter().chain([
            (is_price(self.price_input), "price_input", "must be from 0 to 100000"),
            (is_price(self.price_output), "price_output", "must be from 0 to 100000"),
        ]);
        match rules.into_iter().find(|(holds, ..)| !holds) {
            Some((_, setting, problem)) => Err((setting, problem.to_owned())),
            None => Ok(()),
        }
    }

    /// The variable that has the key, where the provider or the configuration knows one.
    pub fn key_variable(&self) -> Option<&str> {
        self.api_key_env.as_deref().or(self.provider.usual_key())
    }

    pub fn model_name(&self) -> Option<&str> {
        self.model.as_deref().or(self.provider.usual_model())
    }

    /// Where the API begins, without a slash at its end.
    pub(super) fn url(&self) -> Result<String, String> {
        let Some(text) = self.base_url.as_deref().or(self.provider.usual_base_url()) else {
            return Err(
                "this provider has no usual address; write one, such as \"http://127.0.0.1:8080/v1\"".to_owned()
            );
        };
        let url: Url = text.parse().map_err(|error| format!("{text:?} is no address ({error})"))?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(format!("{text:?} must begin with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err("the address must have no user, password or query: the key comes from api_key_env".to_owned());
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }
}

/// In dollars for a million tokens.
fn is_price(price: f64) -> bool {
    (0.0..=100_000.0).contains(&price)
}

/// A provider's key. Whatever prints it prints dots.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_name_the_setting() {
        let base = |provider, base_url: Option<&str>| ModelConfig {
            provider,
            base_url: base_url.map(str::to_owned),
            model: Some("m".to_owned()),
            ..ModelConfig::default()
        };
        let cases = [
            (ModelConfig { model: None, ..base(Provider::Ollama, None) }, "model"),
            (base(Provider::OpenaiCompatible, None), "base_url"),
            (base(Provider::Openai, Some("ftp://example.com")), "base_url"),
            (base(Provider::Openai, Some("https://key@example.com/v1")), "base_url"),
            (base(Provider::Openai, Some("nonsense")), "base_url"),
            (ModelConfig { temperature: Some(3.0), ..base(Provider::Openai, None) }, "temperature"),
            (ModelConfig { parallel_per_tenant: 0, ..base(Provider::Openai, None) }, "parallel_per_tenant"),
        ];
        for (config, setting) in cases {
            assert_eq!(config.check().unwrap_err().0, setting, "{config:?}");
        }
        for provider in [Provider::Openai, Provider::Anthropic, Provider::Gemini] {
            let config = ModelConfig { provider, ..ModelConfig::default() };
            assert_eq!(config.check(), Ok(()));
        }
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", ApiKey::new("sk-secret")), "ApiKey(…)");
    }
}
