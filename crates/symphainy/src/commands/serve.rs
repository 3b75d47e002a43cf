//! `symphainy serve`: people and programs can come.

use std::{io, net::SocketAddr};

use super::load_config;
use crate::{
    banner::Banner,
    cli::ServeArguments,
    config::Config,
    exit::{Complaint, Exit},
    lifecycle, logs,
    output::show,
    paint::Paint,
    wiring::{self, Extras, Voices},
};

pub(crate) async fn serve(arguments: ServeArguments, extras: Extras) -> Result<Exit, Complaint> {
    let config = load_config(&arguments.flags())?;
    let _logs = logs::start(&config.log)
        .map_err(|error| Complaint::internal(format!("Logging cannot be started ({error}).")))?;
    let voices = wiring::voices(&config, extras.models)?;
    let models = model_names(&voices);
    lifecycle::serve(&config, voices, extras.handlers, |address| greet(&config, address, &models)).await
}

fn model_names(voices: &Voices) -> Vec<String> {
    let mut names: Vec<String> = voices.directory.iter().map(|agent| agent.model.clone()).collect();
    names.sort();
    names.dedup();
    names
}

fn greet(config: &Config, address: SocketAddr, models: &[String]) {
    let data_dir = std::path::absolute(&config.server.data_dir).unwrap_or_else(|_| config.server.data_dir.clone());
    let program = std::env::args().next().unwrap_or_else(|| "symphainy".to_owned());
    let banner = Banner {
        address,
        data_dir: &data_dir,
        models,
        legacy_client: config.experience.legacy_client,
        program: &program,
    };
    show(&banner.text(Paint::of(&io::stdout())));
}
