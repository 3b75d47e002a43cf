//! Layers of settings, the later ones over the earlier ones, each knowing where it comes from, so that a mistake is told with its
//! place.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_path_to_error::Segment;
use toml::{Table, Value};

use super::{place, sections::fields};

/// How alike two names have to be (Jaro-Winkler, 0 to 1) for one to be offered instead of the other.
const ALIKE: f64 = 0.8;

/// Stands among known settings for whatever name the person gives.
pub(super) const ANY_NAME: &str = "*";

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
    settings: Table,
}

impl Layer {
    /// One setting. `path` has dots between its names.
    pub(super) fn new(origin: String, path: &str, value: Value) -> Self {
        let (above, name) = path.rsplit_once('.').unwrap_or(("", path));
        let mut settings = Table::from_iter([(name.to_owned(), value)]);
        for section in above.rsplit('.').filter(|_| !above.is_empty()) {
            settings = Table::from_iter([(section.to_owned(), Value::Table(settings))]);
        }
        Self { origin, settings }
    }

    fn has(&self, path: &str) -> bool {
        let mut names = path.split('.');
        let first = names.next().and_then(|name| self.settings.get(name));
        names.fold(first, |value, name| value?.get(name)).is_some()
    }
}

/// All layers together. What none of them sets is left to the defaults of the types that are read.
#[derive(Default)]
pub(super) struct Layers {
    layers: Vec<Layer>,
    settings: Table,
    /// The file and its text.
    file: Option<(PathBuf, String)>,
}

impl Layers {
    pub(super) fn add(&mut self, layer: Layer) {
        merge(&mut self.settings, layer.settings.clone());
        self.layers.push(layer);
    }

    pub(super) fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let origin = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError {
            place: Some(origin.clone()),
            problem: format!("it cannot be read ({error})"),
        })?;
        let settings = place::parse(&text).map_err(|mistake| ConfigError {
            place: Some(format!("{origin}, line {}", mistake.line)),
            problem: mistake.message,
        })?;
        self.add(Layer { origin, settings });
        self.file = Some((path.to_owned(), text));
        Ok(())
    }

    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|(path, _)| path.as_path())
    }

    /// Refuses the first setting that `known` does not have.
    pub(super) fn refuse_unknown(&self, known: &serde_json::Map<String, serde_json::Value>) -> Result<(), ConfigError> {
        match first_unknown(&self.settings, known, "") {
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
        self.read(self.table(name)?, |path| format!("{name}.{path}"))
    }

    /// What a room calls its settings, out of the section `main` (the top, where it is empty) and those of `others` that it
    /// shares. It gets only those settings that it knows; that there are no unknown ones was seen before.
    pub(super) fn parts<T>(&self, main: &str, others: &[&str]) -> Result<T, ConfigError>
    where
        T: Default + Serialize + DeserializeOwned,
    {
        let mut settings = if main.is_empty() { Table::new() } else { self.table(main)? };
        for other in others {
            settings.insert((*other).to_owned(), self.table(other)?.into());
        }
        keep_known(&mut settings, &fields(&T::default()));
        self.read(settings, |path| {
            let is_shared = path.split('.').next().is_some_and(|first| others.contains(&first));
            if is_shared || main.is_empty() { path } else { format!("{main}.{path}") }
        })
    }

    /// An error about a setting whose value does not do.
    pub(super) fn complain(&self, path: &str, problem: String) -> ConfigError {
        ConfigError { place: self.place(path), problem: format!("{path}: {problem}") }
    }

    /// The settings as a type; `path_of` says where a setting of the type stands among all settings.
    fn read<T: DeserializeOwned>(
        &self,
        settings: Table,
        path_of: impl FnOnce(String) -> String,
    ) -> Result<T, ConfigError> {
        serde_path_to_error::deserialize(Value::Table(settings)).map_err(|error| {
            // The elements of a list have numbers; the list has the line.
            let names = error.path().iter().map_while(|segment| match segment {
                Segment::Map { key } => Some(key.as_str()),
                Segment::Seq { .. } | Segment::Enum { .. } | Segment::Unknown => None,
            });
            let path = path_of(names.collect::<Vec<_>>().join("."));
            self.complain(&path, error.inner().message().to_owned())
        })
    }

    fn table(&self, section: &str) -> Result<Table, ConfigError> {
        match self.settings.get(section) {
            None => Ok(Table::new()),
            Some(Value::Table(settings)) => Ok(settings.clone()),
            Some(other) => Err(self.complain(section, format!("expected a section, found {}", other.type_str()))),
        }
    }

    /// Where the setting was set, or else the section that it is missing in.
    fn place(&self, path: &str) -> Option<String> {
        let Some(Layer { origin, .. }) = self.layers.iter().rfind(|layer| layer.has(path)) else {
            let (section, _) = path.rsplit_once('.')?;
            return self.place(section);
        };
        match &self.file {
            Some((file, text)) if file.display().to_string() == *origin => {
                let line = place::line_of(text, path).unwrap_or(1);
                Some(format!("{origin}, line {line}"))
            }
            Some(_) | None => Some(origin.clone()),
        }
    }
}

/// Puts the settings `above` over those `below`, section by section.
fn merge(below: &mut Table, above: Table) {
    for (name, value) in above {
        match (below.get_mut(&name), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                below.insert(name, value);
            }
        }
    }
}

/// The path of the first unknown setting, and the paths of those that are known beside it.
fn first_unknown(
    settings: &Table,
    known: &serde_json::Map<String, serde_json::Value>,
    above: &str,
) -> Option<(String, Vec<String>)> {
    let path = |name: &str| if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
    settings.iter().find_map(|(name, value)| match (known.get(name).or_else(|| known.get(ANY_NAME)), value) {
        (None, _) => Some((path(name), known.keys().map(|name| path(name)).collect())),
        (Some(serde_json::Value::Object(known)), Value::Table(settings)) => first_unknown(settings, known, &path(name)),
        (Some(_), _) => None,
    })
}

fn keep_known(settings: &mut Table, known: &serde_json::Map<String, serde_json::Value>) {
    settings.retain(|name, _| known.contains_key(name));
    for (name, value) in settings {
        if let (Value::Table(below), Some(serde_json::Value::Object(known))) = (value, known.get(name)) {
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
