//! The files of the agents' folder, and how they become definitions. What a definition means is the agents' own to know.

use std::{
    fs,
    path::{Path, PathBuf},
};

use agents::AgentDefinition;

use crate::exit::{Complaint, Exit};

/// How many files the agents' folder may have; more is a mistake, not a team.
const MAX_FILES: usize = 200;

/// The definitions in a folder, in the order of their names.
pub(crate) fn read(folder: &Path) -> Result<Vec<(PathBuf, AgentDefinition)>, Complaint> {
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).map_err(|error| unreadable(folder, &error))?;
        let definition = AgentDefinition::from_toml(&path.display().to_string(), &text)
            .map_err(|error| Complaint::new(Exit::Config, format!("{error}.")))?;
        Ok((path, definition))
    };
    paths(folder)?.into_iter().map(read).collect()
}

/// The files of a folder that are definitions, in the order of their names.
pub(crate) fn paths(folder: &Path) -> Result<Vec<PathBuf>, Complaint> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    if files.len() > MAX_FILES {
        let sentence = format!("The agents' folder has {} files; at most {MAX_FILES} are read.", files.len());
        return Err(Complaint::new(Exit::Config, sentence));
    }
    files.sort();
    Ok(files)
}

fn unreadable(folder: &Path, error: &std::io::Error) -> Complaint {
    let sentence = format!("The agents' folder {} cannot be read ({error}). Correct agents.folder.", folder.display());
    Complaint::new(Exit::Config, sentence)
}
