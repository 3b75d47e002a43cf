//! `symphainy agent new`: a definition to begin with, which is whole and says what else can be said. It overwrites nothing.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::Path,
};

use agents::AgentDefinition;

use crate::{
    cli::{AgentNew, NewKind},
    commands::load_config,
    exit::{Complaint, Exit},
    output::show_line,
};

/// The longest name, in letters; with its kind it is a file's name.
const MAX_NAME: usize = 40;

const TEMPLATE: &str = include_str!("template.toml");

/// What a liaison has and a specialist has not.
const OF_A_LIAISON: &str = "# The realm it speaks for.
realm = \"{name}\"
# The screens on which it answers unasked: content_pillar, insights_pillar, journey_pillar, outcomes_pillar, general.
surfaces = []
";

pub(super) fn new(arguments: &AgentNew) -> Result<Exit, Complaint> {
    let (kind, name) = kind_and_name(arguments)?;
    let config = load_config(&arguments.house.flags())?;
    let folder = config.agents_folder_or_beside();
    fs::create_dir_all(&folder).map_err(|error| cannot_write(&folder, &error))?;
    let agent_id = format!("{kind}.{name}");
    let path = folder.join(format!("{agent_id}.toml"));
    let text = text(kind, name);
    AgentDefinition::from_toml(&path.display().to_string(), &text)
        .map_err(|error| Complaint::internal(format!("The template is wrong: {error}.")))?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            let sentence = format!("{} is there already. Choose another name, or change that file.", path.display());
            Complaint::new(Exit::Data, sentence)
        } else {
            cannot_write(&path, &error)
        }
    })?;
    file.write_all(text.as_bytes()).map_err(|error| cannot_write(&path, &error))?;
    show_line(&format!("Wrote {}. Change it, then run `symphainy agent check`.", path.display()));
    Ok(Exit::Success)
}

fn text(kind: &str, name: &str) -> String {
    let place = if kind == "liaison" { OF_A_LIAISON } else { "" };
    TEMPLATE
        .replace("{agent_id}", &format!("{kind}.{name}"))
        .replace("{kind}", kind)
        .replace("{place}", place)
        .replace("{name}", name)
}

fn kind_and_name(arguments: &AgentNew) -> Result<(&'static str, &str), Complaint> {
    let asked = arguments.kind.map(|kind| match kind {
        NewKind::Liaison => "liaison",
        NewKind::Specialist => "specialist",
    });
    let (said, name) = match arguments.name.split_once('.') {
        Some(("liaison", name)) => (Some("liaison"), name),
        Some(("specialist", name)) => (Some("specialist"), name),
        Some(_) | None => (None, arguments.name.as_str()),
    };
    if let (Some(asked), Some(said)) = (asked, said)
        && asked != said
    {
        return Err(Complaint::usage(format!("The name says {said} and --kind says {asked}. Leave --kind out.")));
    }
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) {
        let sentence = format!(
            "{name:?} is no name: up to {MAX_NAME} small letters, digits and _, such as claims or order_status."
        );
        return Err(Complaint::usage(sentence));
    }
    Ok((asked.or(said).unwrap_or("liaison"), name))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Complaint {
    let sentence =
        format!("{} cannot be written ({error}). Correct agents.folder, or the rights there.", path.display());
    Complaint::new(Exit::CannotCreate, sentence)
}
