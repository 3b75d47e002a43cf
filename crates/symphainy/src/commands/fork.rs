//! `symphainy fork`: a new conversation that begins with what was said in an old one.

use contract::{
    ConversationId,
    conversation::{Conversation, Forked},
};
use serde_json::json;

use crate::{
    cli::ForkArguments,
    client::sign_in,
    exit::{Complaint, Exit},
    output::show_line,
};

pub(crate) async fn fork(arguments: ForkArguments) -> Result<Exit, Complaint> {
    let id: ConversationId = arguments
        .conversation
        .parse()
        .map_err(|_| Complaint::usage(format!("{:?} is no id of a conversation.", arguments.conversation)))?;
    let mut api = sign_in(&arguments.sign_in).await?;
    let at = match arguments.at {
        Some(at) => at,
        None => api.get::<Conversation>(&format!("/api/conversations/{id}?limit=1")).await?.summary.cursor,
    };
    let forked: Forked = api.post(&format!("/api/conversations/{id}/fork"), &json!({ "at": at })).await?;
    show_line(&if arguments.json {
        json!(forked).to_string()
    } else {
        let Forked { conversation_id, messages, .. } = forked;
        format!("{conversation_id} begins with {messages} messages. Go on: symphainy chat --resume {conversation_id}")
    });
    Ok(Exit::Success)
}
