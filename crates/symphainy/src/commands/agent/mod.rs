//! `symphainy agent`: writes, checks and lists the definitions of agents. It starts nothing and opens no data.

mod check;
mod list;
mod new;

use crate::{
    cli::{AgentArguments, AgentVerb},
    exit::{Complaint, Exit},
    output::show_line,
};

pub(crate) fn agent(arguments: AgentArguments) -> Result<Exit, Complaint> {
    match arguments.verb {
        AgentVerb::New(new) => new::new(&new),
        AgentVerb::Check(check) => check::check(&check),
        AgentVerb::List { house, json } => list::list(&house, json),
        AgentVerb::Schema => {
            show_line(&format!("{:#}", agents::definition_schema()));
            Ok(Exit::Success)
        }
    }
}
