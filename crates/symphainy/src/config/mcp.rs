//! The servers of tools: the sections `mcp.NAME`. Secrets stand in the environment; the file names them as `${NAME}`.

use std::collections::BTreeMap;

use public_works::mcp::{Hidden, McpConfig};

use super::layers::{ConfigError, Layers};

/// The most servers that can be configured.
const MAX_SERVERS: usize = 32;

/// The longest name of a server: it begins the names of its intents.
const MAX_NAME_BYTES: usize = 24;

/// Names that mean something else already.
const TAKEN: [&str; 7] = ["agents", "content", "guide", "insights", "journey", "outcomes", "sessions"];

/// What every program finds in its environment. Nothing else of ours is handed on: it has keys.
const HANDED_ON: [&str; 12] =
    ["HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TEMP", "TERM", "TMP", "TMPDIR", "TZ", "USER"];

/// All servers, each checked and with its secrets.
pub(super) fn read(
    layers: &Layers,
    environment: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, McpConfig>, ConfigError> {
    let mut servers: BTreeMap<String, McpConfig> = layers.section("mcp")?;
    if servers.len() > MAX_SERVERS {
        return Err(layers.complain("mcp", format!("there are more than {MAX_SERVERS}")));
    }
    for (name, settings) in &mut servers {
        check_name(name).map_err(|problem| layers.complain(&format!("mcp.{name}"), problem))?;
        let path = |setting: &str| format!("mcp.{name}.{setting}");
        for (setting, values) in [("env", &mut settings.env), ("headers", &mut settings.headers)] {
            fill_in(values, environment).map_err(|problem| layers.complain(&path(setting), problem))?;
        }
        settings.check().map_err(|(setting, problem)| layers.complain(&path(setting), problem))?;
        if settings.command.is_some() {
            for variable in HANDED_ON {
                if let Some(value) = environment.get(variable) {
                    settings.env.0.entry(variable.to_owned()).or_insert_with(|| value.clone());
                }
            }
        }
    }
    Ok(servers)
}

fn check_name(name: &str) -> Result<(), String> {
    let fits = name.len() <= MAX_NAME_BYTES
        && name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !fits {
        return Err(format!(
            "the name must have from 1 to {MAX_NAME_BYTES} characters of a-z, 0-9 and _, and begin with a letter"
        ));
    }
    if TAKEN.contains(&name) {
        return Err(format!("{name} is a name of this house; choose another"));
    }
    Ok(())
}

/// Puts the variables of the environment where they are named.
fn fill_in(values: &mut Hidden, environment: &BTreeMap<String, String>) -> Result<(), String> {
    for value in values.0.values_mut() {
        let mut filled = String::new();
        let mut rest = value.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or("a ${ has no }")?;
            let secret = environment.get(name).filter(|secret| !secret.is_empty());
            let secret = secret.ok_or_else(|| format!("the environment variable {name} is not set"))?;
            filled.push_str(before);
            filled.push_str(secret);
            rest = after;
        }
        filled.push_str(rest);
        *value = filled;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Flags};

    fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("symphainy.toml");
        std::fs::write(&path, file).unwrap();
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let loaded = Config::load(&Flags { file: Some(path.clone()), ..Flags::default() }, environment);
        loaded.map_err(|error| error.to_string().replace(&path.display().to_string(), "symphainy.toml"))
    }

    #[test]
    fn secrets_come_from_the_environment_and_no_others_are_handed_on() {
        let file = "[mcp.shop]\ncommand = \"shop\"\nenv = { KEY = \"${SHOP_KEY}\" }\n[mcp.wiki]\nurl = \"https://example.com/mcp\"\n\
                    headers = { Authorization = \"Bearer ${WIKI}!\" }\n";
        let environment = [("SHOP_KEY", "k1"), ("WIKI", "w1"), ("PATH", "/bin"), ("OPENAI_API_KEY", "sk")];
        let config = load(file, &environment).unwrap();
        let env: Vec<(&str, &str)> =
            config.mcp["shop"].env.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(env, [("KEY", "k1"), ("PATH", "/bin")]);
        assert_eq!(config.mcp["wiki"].headers.0["Authorization"], "Bearer w1!");
        assert!(!format!("{:?}", config.mcp).contains("w1"));
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        for (file, expected) in [
            (
                "[mcp.shop]\ncomand = \"x\"\n",
                "symphainy.toml, line 2: there is no setting mcp.shop.comand; did you mean",
            ),
            ("[mcp.shop]\ntimeout = \"1s\"\n", "symphainy.toml, line 1: mcp.shop.command: name a command or a url"),
            (
                "[mcp.content]\ncommand = \"x\"\n",
                "symphainy.toml, line 1: mcp.content: content is a name of this house",
            ),
            ("[mcp.Shop]\ncommand = \"x\"\n", "symphainy.toml, line 1: mcp.Shop: the name must have"),
            (
                "[mcp.shop]\ncommand = \"x\"\nenv = { KEY = \"${NO_SUCH}\" }\n",
                "symphainy.toml, line 3: mcp.shop.env: the environment variable NO_SUCH is not set",
            ),
            (
                "[mcp.shop]\ncommand = \"x\"\napproval = \"maybe\"\n",
                "symphainy.toml, line 3: mcp.shop.approval: unknown",
            ),
        ] {
            let error = load(file, &[]).unwrap_err();
            assert!(error.starts_with(expected), "{file:?}\n  told:     {error}\n  expected: {expected}");
        }
    }
}
