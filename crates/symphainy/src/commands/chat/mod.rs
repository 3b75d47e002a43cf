//! `symphainy chat`: a conversation with the agents from a terminal or a script. It is a client like any other: what it shows is
//! what the server tells every viewer.

mod converse;
mod input;
mod orders;
mod render;

use std::io::IsTerminal;

use contract::{AgentId, ConversationId};

use crate::{
    cli::ChatArguments,
    client::{Api, sign_in},
    exit::{Complaint, Exit},
    output::show_line,
};

use converse::{Chat, Manner};

pub(crate) async fn chat(arguments: ChatArguments) -> Result<Exit, Complaint> {
    let conversation_id =
        arguments.resume.as_deref().map(|id| parse::<ConversationId>(id, "conversation")).transpose()?;
    let agent = arguments.agent.as_deref().map(|id| parse::<AgentId>(id, "agent")).transpose()?;
    let mut api = if arguments.anonymous {
        let mut api = Api::new(&arguments.sign_in.server)?;
        api.begin_anonymous().await?;
        api
    } else {
        sign_in(&arguments.sign_in).await?
    };
    for path in &arguments.upload {
        let file = api.upload(path).await?;
        show_line(&render::uploaded(&file));
    }
    let manner = match arguments.message {
        Some(message) => Manner::OneMessage(message),
        None if std::io::stdin().is_terminal() => Manner::Conversation,
        None => Manner::Lines,
    };
    Chat::open(api, manner, agent).await?.run(conversation_id).await
}

fn parse<T: std::str::FromStr>(id: &str, what: &str) -> Result<T, Complaint> {
    id.parse().map_err(|_| {
        Complaint::usage(format!("{id:?} cannot be the id of a {what}: ids have letters, digits and . _ : ~ -"))
    })
}
