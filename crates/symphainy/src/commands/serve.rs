//! `symphainy serve`: people and programs can come.

use std::io;

use public_works::models::ModelConfig;

use super::load_config;
use crate::{
    banner::Banner,
    cli::ServeArguments,
    config::Config,
    exit::{Complaint, Exit},
    lifecycle::{self, Addresses},
    logs,
    output::show,
    paint::Paint,
    servers::{self, Guests},
    wiring::{self, Extras, Voices},
};

pub(crate) async fn serve(arguments: ServeArguments, extras: Extras) -> Result<Exit, Complaint> {
    let config = load_config(&arguments.flags())?;
    let _logs = logs::start(&config.log)
        .map_err(|error| Complaint::internal(format!("Logging cannot be started ({error}).")))?;
    let voices = wiring::voices(&config, extras.models, servers::open(&config).await)?;
    let models = model_lines(&config, &voices);
    let servers = server_lines(&voices.guests);
    lifecycle::serve(&config, voices, extras.handlers, |addresses| greet(&config, &addresses, &models, &servers)).await
}

/// The models that speak for the agents, with what the configuration knows of them.
fn model_lines(config: &Config, voices: &Voices) -> Vec<String> {
    let mut names: Vec<&str> = voices.directory.iter().map(|agent| voices.models.name_for(agent)).collect();
    names.sort_unstable();
    names.dedup();
    let line = |name: &str| match config.models.get(name) {
        Some(settings) => format!("{name} ({})", described(settings)),
        None if name == agents::DEFAULT_MODEL => {
            format!("{name} (deterministic, without network; it is no language model)")
        }
        None => name.to_owned(),
    };
    names.into_iter().map(line).collect()
}

/// The servers of tools, with what came of each.
fn server_lines(guests: &Guests) -> Vec<String> {
    let line = |finding: &servers::Finding| match &finding.came {
        Ok(1) => format!("{} (1 tool)", finding.server),
        Ok(count) => format!("{} ({count} tools)", finding.server),
        Err(_) => format!("{} (not there)", finding.server),
    };
    guests.findings.iter().map(line).collect()
}

fn described(settings: &ModelConfig) -> String {
    let model = settings.model_name().unwrap_or_default();
    match settings.base_url.as_deref().or(settings.provider.usual_base_url()) {
        Some(url) => format!("{model} at {url}"),
        None => model.to_owned(),
    }
}

fn greet(config: &Config, addresses: &Addresses, models: &[String], servers: &[String]) {
    let data_dir = std::path::absolute(&config.server.data_dir).unwrap_or_else(|_| config.server.data_dir.clone());
    let program = std::env::args().next().unwrap_or_else(|| "symphainy".to_owned());
    let banner = Banner {
        address: addresses.face,
        admin: addresses.admin,
        data_dir: &data_dir,
        models,
        servers,
        legacy_client: config.experience.legacy_client,
        program: &program,
    };
    show(&banner.text(Paint::of(&io::stdout())));
}
