//! The language models: the sections `models.NAME`, or, where there are none, what the providers' own variables say. Keys come from
//! the environment alone and stand in no file.

use std::collections::BTreeMap;

use public_works::models::{ApiKey, ModelConfig, Provider};

use super::{
    layers::{ConfigError, Layers},
    sections::AgentsConfig,
};

/// The providers that a key in the environment is enough for, the first one first.
const BY_KEY: [(Provider, &str, &str); 3] = [
    (Provider::Openai, "openai", "OPENAI_MODEL"),
    (Provider::Anthropic, "anthropic", "ANTHROPIC_MODEL"),
    (Provider::Gemini, "gemini", "GEMINI_MODEL"),
];

/// The address of a server that speaks OpenAI's form, as OpenAI's own libraries read it.
const BASE_URL: &str = "OPENAI_BASE_URL";

/// The most models that can be configured.
const MAX_MODELS: usize = 32;

/// All models, each checked. Where the agents' section names none, it is told here which one speaks.
pub(super) fn read(
    layers: &Layers,
    environment: &BTreeMap<String, String>,
    agents: &mut AgentsConfig,
) -> Result<BTreeMap<String, ModelConfig>, ConfigError> {
    let configured: BTreeMap<String, ModelConfig> = layers.section("models")?;
    if configured.is_empty() {
        let implied = of_environment(environment)?;
        if agents.model.is_none() {
            agents.model = implied.first().map(|(name, _)| name.clone());
        }
        return Ok(implied.into_iter().collect());
    }
    for (name, settings) in &configured {
        check(layers, name, settings, &configured)?;
    }
    if configured.len() > MAX_MODELS {
        return Err(layers.complain("models", format!("there are more than {MAX_MODELS}")));
    }
    if agents.model.is_none() {
        let mut names = configured.keys();
        match (names.next(), names.next()) {
            (Some(only), None) => agents.model = Some(only.clone()),
            (Some(first), Some(_)) => {
                let problem = format!(
                    "there are several: say which one speaks for agents that name none, such as agents.model = {first:?}"
                );
                return Err(layers.complain("models", problem));
            }
            (None, _) => {}
        }
    }
    Ok(configured)
}

/// The models' keys, each out of the variable that its model names.
pub(super) fn keys(
    layers: &Layers,
    environment: &BTreeMap<String, String>,
    models: &BTreeMap<String, ModelConfig>,
) -> Result<BTreeMap<String, ApiKey>, ConfigError> {
    let mut keys = BTreeMap::new();
    for (name, settings) in models {
        let Some(variable) = settings.key_variable() else { continue };
        match variable_of(environment, variable) {
            Some(key) => {
                keys.insert(name.clone(), ApiKey::new(key));
            }
            None => {
                let problem = format!("the environment variable {variable} is not set, and the key has to be in it");
                return Err(layers.complain(&format!("models.{name}.api_key_env"), problem));
            }
        }
    }
    Ok(keys)
}

fn check(
    layers: &Layers,
    name: &str,
    settings: &ModelConfig,
    all: &BTreeMap<String, ModelConfig>,
) -> Result<(), ConfigError> {
    let path = |setting: &str| format!("models.{name}.{setting}");
    if name == agents::DEFAULT_MODEL {
        return Err(layers.complain("models", format!("{name} is the built-in model's name; choose another")));
    }
    settings.check().map_err(|(setting, problem)| layers.complain(&path(setting), problem))?;
    match &settings.fallback {
        Some(other) if other == name => {
            Err(layers.complain(&path("fallback"), "a model cannot stand in for itself".to_owned()))
        }
        Some(other) if other != agents::DEFAULT_MODEL && !all.contains_key(other) => {
            Err(layers.complain(&path("fallback"), format!("there is no model {other}")))
        }
        Some(_) | None => Ok(()),
    }
}

/// What a person means who sets a provider's variable and configures nothing.
fn of_environment(environment: &BTreeMap<String, String>) -> Result<Vec<(String, ModelConfig)>, ConfigError> {
    let base_url = variable_of(environment, BASE_URL);
    let mut models = Vec::new();
    for (provider, name, model_variable) in BY_KEY {
        let key_variable = provider.usual_key().unwrap_or_default();
        let is_openai = provider == Provider::Openai;
        let has_key = variable_of(environment, key_variable).is_some();
        let mut settings = ModelConfig {
            provider,
            model: variable_of(environment, model_variable).map(str::to_owned),
            base_url: base_url.filter(|_| is_openai).map(str::to_owned),
            ..ModelConfig::default()
        };
        match (has_key, &settings.base_url) {
            (true, None) => {}
            (true, Some(_)) => {
                settings.provider = Provider::OpenaiCompatible;
                settings.api_key_env = Some(key_variable.to_owned());
            }
            (false, Some(_)) => settings.provider = Provider::OpenaiCompatible,
            (false, None) => continue,
        }
        settings.check().map_err(|(setting, problem)| {
            let variable = if setting == "model" { model_variable } else { BASE_URL };
            ConfigError { place: Some(format!("the environment variable {variable}")), problem }
        })?;
        models.push((name.to_owned(), settings));
    }
    Ok(models)
}

/// One variable; an empty one is as good as none.
fn variable_of<'a>(environment: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    environment.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Flags};
    use super::*;

    fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("symphainy.toml");
        std::fs::write(&path, file).unwrap();
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let loaded = Config::load(&Flags { file: Some(path.clone()), ..Flags::default() }, environment);
        loaded.map_err(|error| error.to_string().replace(&path.display().to_string(), "symphainy.toml"))
    }

    #[test]
    fn one_variable_is_enough() {
        for (variable, name) in
            [("OPENAI_API_KEY", "openai"), ("ANTHROPIC_API_KEY", "anthropic"), ("GEMINI_API_KEY", "gemini")]
        {
            let config = load("", &[(variable, "sk-4711")]).unwrap();
            assert_eq!(config.agents.model.as_deref(), Some(name));
            assert!(config.keys.contains_key(name));
            assert!(!format!("{config:?}").contains("sk-4711"));
        }
        let local = load("", &[("OPENAI_BASE_URL", "http://127.0.0.1:11434/v1"), ("OPENAI_MODEL", "qwen3")]).unwrap();
        assert_eq!(local.models["openai"].provider, Provider::OpenaiCompatible);
        assert!(local.keys.is_empty());
        let none = load("", &[("OPENAI_API_KEY", " ")]).unwrap();
        assert_eq!((none.agents.model, none.models.len()), (None, 0));
    }

    #[test]
    fn what_is_configured_goes_before_the_environment() {
        let file = "[models.mine]\nprovider = \"ollama\"\nmodel = \"qwen3\"\n";
        let config = load(file, &[("OPENAI_API_KEY", "sk-4711")]).unwrap();
        assert_eq!(config.agents.model.as_deref(), Some("mine"));
        assert_eq!(config.models.len(), 1);
        let off = load("[agents]\nmodel = \"builtin\"\n", &[("OPENAI_API_KEY", "sk-4711")]).unwrap();
        assert_eq!(off.agents.model.as_deref(), Some("builtin"));
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let cases = [
            (
                "[models.mine]\nmodle = \"x\"\n",
                "symphainy.toml, line 2: there is no setting models.mine.modle; did you mean",
            ),
            ("[models.mine]\nprovider = \"acme\"\n", "symphainy.toml, line 2: models.mine.provider: unknown variant"),
            ("[models.mine]\nprovider = \"ollama\"\n", "symphainy.toml, line 1: models.mine.model: this provider"),
            (
                "[models.mine]\napi_key_env = \"MY_KEY\"\n",
                "symphainy.toml, line 2: models.mine.api_key_env: the environment variable MY_KEY is not set",
            ),
            (
                "[models.a]\nprovider = \"ollama\"\nmodel = \"x\"\nfallback = \"b\"\n",
                "symphainy.toml, line 4: models.a.fallback: there is no model b",
            ),
            (
                "[models.a]\nprovider = \"ollama\"\nmodel = \"x\"\n[models.b]\nprovider = \"ollama\"\nmodel = \"x\"\n",
                "symphainy.toml, line 1: models: there are several",
            ),
            (
                "[models.builtin]\nmodel = \"x\"\n",
                "symphainy.toml, line 1: models: builtin is the built-in model's name",
            ),
        ];
        for (file, expected) in cases {
            let error = load(file, &[]).unwrap_err();
            assert!(error.starts_with(expected), "{file:?}\n  told:     {error}\n  expected: {expected}");
        }
        let error = load("", &[("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")]).unwrap_err();
        assert!(error.starts_with("the environment variable OPENAI_MODEL: "), "{error}");
    }
}
