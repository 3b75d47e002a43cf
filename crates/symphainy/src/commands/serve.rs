//! `symphainy serve`: people and programs can come.

use std::{
    io::{self, Write},
    net::SocketAddr,
};

use super::load_config;
use crate::{
    banner::Banner,
    cli::ServeArguments,
    config::Config,
    exit::{Complaint, Exit},
    lifecycle, logs,
    paint::Paint,
    wiring::{self, Voices},
};

pub(crate) async fn serve(arguments: ServeArguments) -> Result<Exit, Complaint> {
    let config = load_config(&arguments.flags())?;
    logs::start(&config.log);
    let voices = wiring::voices(&config)?;
    let models = model_names(&voices);
    lifecycle::serve(&config, voices, |address| greet(&config, address, &models)).await
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
    let text = banner.text(Paint::of(&io::stdout()));
    // Nobody may be reading; that is no reason not to serve.
    let _ = io::stdout().write_all(text.as_bytes());
    let _ = io::stdout().flush();
}
