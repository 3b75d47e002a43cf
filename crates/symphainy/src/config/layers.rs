//! Layers of settings, the later ones over the earlier ones, each knowing where it comes from, so that a mistake is told with its
//! place.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use figment::{
    Figment, Metadata, Profile, Provider,
    providers::{Format, Serialized, Toml},
    util::nest,
    value::{Dict, Map, Value},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{place, sections::fields};

/// How alike two names have to be (Jaro-Winkler, 0 to 1) for one to be offered instead of the other.
const ALIKE: f64 = 0.8;

/// A mistake in the configuration: where, and what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// A file with a line, a variable, or a flag; nothing where no layer is to blame.
    pub place: Option<String>,
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(formatter, "{place}: {}", self.problem),
            None => formatter.write_str(&self.problem),
        }
    }
}

/// Settings from one place.
pub(super) struct Layer {
    origin: String,
    settings: Dict,
}

impl Layer {
    /// One setting. `path` has dots between its names.
    pub(super) fn new(origin: String, path: &str, value: Value) -> Self {
        Self { origin, settings: nest(path, value).into_dict().unwrap_or_default() }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.settings.clone())]))
    }
}

/// All layers together.
pub(super) struct Layers {
    figment: Figment,
    /// The file and its text.
    file: Option<(PathBuf, String)>,
}

impl Layers {
    pub(super) fn of_defaults(defaults: &serde_json::Map<String, serde_json::Value>) -> Self {
        Self { figment: Figment::from(Serialized::defaults(defaults)), file: None }
    }

    pub(super) fn add(&mut self, layer: Layer) {
        let below = std::mem::take(&mut self.figment);
        self.figment = below.merge(layer);
    }

    pub(super) fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError {
            place: Some(name.clone()),
            problem: format!("it cannot be read ({error})"),
        })?;
        place::check(&text).map_err(|mistake| ConfigError {
            place: Some(format!("{name}, line {}", mistake.line)),
            problem: mistake.message,
        })?;
        let tables = Toml::string(&text)
            .data()
            .map_err(|error| ConfigError { place: Some(name.clone()), problem: error.to_string() })?;
        let settings = tables.into_values().flatten().collect();
        self.add(Layer { origin: name, settings });
        self.file = Some((path.to_owned(), text));
        Ok(())
    }

    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|(path, _)| path.as_path())
    }

    /// Refuses the first setting that `known` does not have.
    pub(super) fn refuse_unknown(&self, known: &serde_json::Map<String, serde_json::Value>) -> Result<(), ConfigError> {
        let settings = self.all()?;
        match first_unknown(&settings, known, "") {
            None => Ok(()),
            Some((path, beside)) => {
                let problem = match nearest(&path, &beside) {
                    Some(alike) => format!("there is no setting {path}; did you mean {alike}?"),
                    None => format!("there is no setting {path}; there are {}", beside.join(", ")),
                };
                Err(ConfigError { place: self.place(&path), problem })
            }
        }
    }

    /// A section that belongs to one room alone.
    pub(super) fn section<T: DeserializeOwned>(&self, name: &str) -> Result<T, ConfigError> {
        self.figment.extract_inner(name).map_err(|error| self.explain(&error, &error.path.join(".")))
    }

    /// What a room calls its settings, out of the section `main` (the top, where it is empty) and those of `others` that it
    /// shares. It gets only those settings that it knows; that there are no unknown ones was seen before.
    pub(super) fn parts<T>(&self, main: &str, others: &[&str]) -> Result<T, ConfigError>
    where
        T: Default + Serialize + DeserializeOwned,
    {
        let mut settings = if main.is_empty() { Dict::new() } else { self.dict(main)? };
        for other in others {
            settings.insert((*other).to_owned(), self.dict(other)?.into());
        }
        let known = fields(&T::default());
        keep_known(&mut settings, &known);
        Value::from(settings).deserialize().map_err(|error| {
            let is_shared = error.path.first().is_some_and(|first| others.contains(&first.as_str()));
            let path = error.path.join(".");
            let path = if is_shared || main.is_empty() { path } else { format!("{main}.{path}") };
            self.explain(&error, &path)
        })
    }

    /// An error about a setting whose value does not do.
    pub(super) fn complain(&self, path: &str, problem: String) -> ConfigError {
        ConfigError { place: self.place(path), problem: format!("{path}: {problem}") }
    }

    fn explain(&self, error: &figment::Error, path: &str) -> ConfigError {
        // The elements of a list have numbers; the list has the line.
        let setting = path.trim_end_matches(|last: char| last.is_ascii_digit() || last == '.');
        self.complain(setting, error.kind.to_string())
    }

    fn all(&self) -> Result<Dict, ConfigError> {
        self.figment.extract().map_err(|error: figment::Error| self.explain(&error, &error.path.join(".")))
    }

    fn dict(&self, section: &str) -> Result<Dict, ConfigError> {
        let value = self.figment.find_value(section).map_err(|error| self.explain(&error, section))?;
        let found = value.to_actual();
        value.into_dict().ok_or_else(|| self.complain(section, format!("found {found}, expected a section")))
    }

    /// Where the setting was set.
    fn place(&self, path: &str) -> Option<String> {
        let tag = self.figment.find_value(path).ok()?.tag();
        let origin = self.figment.get_metadata(tag)?.name.to_string();
        match &self.file {
            Some((file, text)) if file.display().to_string() == origin => {
                let line = place::line_of(text, path).unwrap_or(1);
                Some(format!("{origin}, line {line}"))
            }
            Some(_) | None => Some(origin),
        }
    }
}

/// The path of the first unknown setting, and the paths of those that are known beside it.
fn first_unknown(
    settings: &Dict,
    known: &serde_json::Map<String, serde_json::Value>,
    above: &str,
) -> Option<(String, Vec<String>)> {
    let path = |name: &str| if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
    settings.iter().find_map(|(name, value)| match (known.get(name), value) {
        (None, _) => Some((path(name), known.keys().map(|name| path(name)).collect())),
        (Some(serde_json::Value::Object(known)), Value::Dict(_, settings)) => {
            first_unknown(settings, known, &path(name))
        }
        (Some(_), _) => None,
    })
}

fn keep_known(settings: &mut Dict, known: &serde_json::Map<String, serde_json::Value>) {
    settings.retain(|name, _| known.contains_key(name));
    for (name, value) in settings {
        if let (Value::Dict(_, below), Some(serde_json::Value::Object(known))) = (value, known.get(name)) {
            keep_known(below, known);
        }
    }
}

fn nearest<'a>(path: &str, others: &'a [String]) -> Option<&'a String> {
    let alike = |other: &String| strsim::jaro_winkler(path, other);
    let nearest = others.iter().max_by(|one, other| alike(one).total_cmp(&alike(other)))?;
    // Long common beginnings make everything alike, so the names themselves are looked at.
    let name = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    (strsim::jaro_winkler(&name(path), &name(nearest)) >= ALIKE).then_some(nearest)
}
