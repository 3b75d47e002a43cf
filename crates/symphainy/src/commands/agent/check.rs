//! `symphainy agent check`: what is wrong in definitions, with the line of it. It goes on after a mistake, so that one run tells all.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use agents::{AgentDefinition, Directory, Models};
use contract::AgentId;
use serde_json::{Value, json};

use crate::{
    agent_files,
    cli::AgentCheck,
    commands::load_config,
    config::Config,
    exit::{Complaint, Exit},
    output::show_line,
    servers::Guests,
    wiring::{self, Voices},
};

/// The largest definition that is read, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;
/// How alike a word and a known one have to be to be offered, from 0 to 1.
const ALIKE: f64 = 0.8;

/// Something that is wrong.
struct Mistake {
    file: PathBuf,
    /// Counted from 1.
    line: usize,
    /// What is wrong, and what to do.
    message: String,
}

pub(super) fn check(arguments: &AgentCheck) -> Result<Exit, Complaint> {
    let config = load_config(&arguments.house.flags())?;
    let folder = match config.agents_folder() {
        Some(folder) => agent_files::paths(&folder)?,
        None => Vec::new(),
    };
    let files = if arguments.files.is_empty() { &folder } else { &arguments.files };
    let known = Known::of(&config)?;
    let mut mistakes = Vec::new();
    let mut ids = ids_of_others(&folder, files);
    for file in files {
        let text = read(file)?;
        match AgentDefinition::from_toml(&file.display().to_string(), &text) {
            Ok(definition) => {
                known.judge(file, &text, &definition, &mut mistakes);
                if let Some(other) = ids.insert(definition.agent_id.clone(), file.clone()) {
                    let message = format!(
                        "{} is named {} too; give one of them another agent_id",
                        other.display(),
                        definition.agent_id
                    );
                    mistakes.push(Mistake { file: file.clone(), line: line_of(&text, "agent_id", None), message });
                }
            }
            Err(error) => mistakes.push(Mistake { file: file.clone(), line: error.line, message: error.message }),
        }
    }
    tell(files.len(), &mistakes, arguments.json);
    Ok(if mistakes.is_empty() { Exit::Success } else { Exit::Config })
}

/// What a definition can name.
struct Known {
    intents: BTreeSet<String>,
    /// What the intents of servers of tools begin with. Nothing is started here, so that no more is known of them.
    servers: Vec<String>,
    models: Models,
}

impl Known {
    fn of(config: &Config) -> Result<Self, Complaint> {
        let models = wiring::models(config, Vec::new())?;
        let voices =
            Voices { directory: Directory::builtin().into(), models: models.clone(), guests: Guests::default() };
        let catalogue = wiring::catalogue(voices, Vec::new())?;
        let intents = catalogue.descriptors().map(|intent| intent.intent_type.clone()).collect();
        Ok(Self { intents, servers: config.mcp.keys().map(|server| format!("{server}_")).collect(), models })
    }

    fn judge(&self, file: &Path, text: &str, definition: &AgentDefinition, mistakes: &mut Vec<Mistake>) {
        let mut mistake = |line, message| mistakes.push(Mistake { file: file.to_owned(), line, message });
        let is_a_servers = |intent: &str| self.servers.iter().any(|server| intent.starts_with(server));
        let unknown = |intent: &&String| !self.intents.contains(*intent) && !is_a_servers(intent);
        for intent in definition.intents.iter().filter(unknown) {
            let line = line_of(text, "intents", Some(intent));
            mistake(line, format!("there is no intent `{intent}`{}", self.meant(intent)));
        }
        let model = self.models.name_for(definition);
        if self.models.get(model).is_none() {
            let line = line_of(text, "model", None);
            mistake(line, format!("there is no model `{model}`: write \"builtin\", or add a section [models.{model}]"));
        }
    }

    fn meant(&self, word: &str) -> String {
        let likeness = |known: &&String| strsim::jaro_winkler(word, known);
        let nearest = self.intents.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
        match nearest.filter(|nearest| likeness(nearest) >= ALIKE) {
            Some(nearest) => format!("; did you mean `{nearest}`?"),
            None => "; GET /api/intents lists them".to_owned(),
        }
    }
}

/// The ids in those files of the folder that are not checked now; one that cannot be read has none.
fn ids_of_others(folder: &[PathBuf], checked: &[PathBuf]) -> BTreeMap<AgentId, PathBuf> {
    let same: BTreeSet<PathBuf> = checked.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let others = folder.iter().filter(|path| path.canonicalize().is_ok_and(|path| !same.contains(&path)));
    let id = |path: &PathBuf| {
        let definition = AgentDefinition::from_toml("", &fs::read_to_string(path).ok()?).ok()?;
        Some((definition.agent_id, path.clone()))
    };
    others.filter_map(id).collect()
}

fn read(file: &Path) -> Result<String, Complaint> {
    let unreadable = |problem: &dyn std::fmt::Display| {
        Complaint::new(Exit::Data, format!("{} cannot be read ({problem}).", file.display()))
    };
    let size = fs::metadata(file).map_err(|error| unreadable(&error))?.len();
    if size > MAX_BYTES {
        return Err(unreadable(&format_args!("it has {size} bytes, and a definition at most {MAX_BYTES}")));
    }
    fs::read_to_string(file).map_err(|error| unreadable(&error))
}

/// The line on which `key` is set, or the first after it that has `word` in quotes; 1 where there is none.
fn line_of(text: &str, key: &str, word: Option<&str>) -> usize {
    let sets = |line: &str| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
    let Some(begin) = text.lines().position(sets) else { return 1 };
    let names = |line: &str| {
        word.is_none_or(|word| line.contains(&format!("\"{word}\"")) || line.contains(&format!("'{word}'")))
    };
    begin + 1 + text.lines().skip(begin).position(names).unwrap_or(0)
}

fn tell(files: usize, mistakes: &[Mistake], as_json: bool) {
    if as_json {
        let rows: Vec<Value> = mistakes
            .iter()
            .map(|mistake| json!({ "file": mistake.file, "line": mistake.line, "message": mistake.message }))
            .collect();
        show_line(&json!({ "valid": rows.is_empty(), "files": files, "mistakes": rows }).to_string());
        return;
    }
    for mistake in mistakes {
        show_line(&format!("{}, line {}: {}", mistake.file.display(), mistake.line, mistake.message));
    }
    if mistakes.is_empty() {
        let files = if files == 1 { "1 definition".to_owned() } else { format!("{files} definitions") };
        show_line(&format!("{files} checked: nothing is wrong."));
    }
}
