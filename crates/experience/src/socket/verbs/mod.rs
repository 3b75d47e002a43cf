//! What a client can say on the socket, a file a verb. Whatever is refused is told in the dialect in which it was asked, and the
//! socket stays open.

mod approve;
mod cancel;
mod refresh;
mod resume;
mod say;

use contract::{ConversationId, ExecutionId, HookId, MessageId, Timestamp, frame::ClientFrame};
use security_guard::Permission;
use tracing::error;

use super::{
    Close, Outbox,
    connection::Connection,
    frames::{self, BadFrame, Dialect},
    legacy,
};
use crate::{Refusal, call};

/// Does what the client says.
pub(super) async fn obey(connection: &mut Connection, frame: ClientFrame, outbox: &mut Outbox) -> Result<(), Close> {
    let (outcome, about) = match frame {
        ClientFrame::Message(message) => say::message(connection, message).await,
        ClientFrame::LegacyIntent(intent) => say::legacy_intent(connection, intent).await,
        ClientFrame::Cancel { execution_id } => cancel::cancel(connection, execution_id).await,
        ClientFrame::Resume { conversation_id, after } => resume::resume(connection, conversation_id, after).await,
        ClientFrame::Approval { hook_id, decision } => {
            approve::decide(connection, hook_id, decision, Dialect::Platform).await
        }
        ClientFrame::LegacySafetyResponse { hook_id, decision } => {
            approve::decide(connection, hook_id, decision, Dialect::Legacy).await
        }
        ClientFrame::AuthRefresh { access_token } => refresh::refresh(connection, &access_token, outbox).await?,
        ClientFrame::Ping => return outbox.push_text(frames::pong()),
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(refusal) => outbox.push_text(refused(&refusal, &about, connection.plane.clock.now())),
    }
}

/// What a refusal is about, and in which dialect it is told.
pub(super) struct About {
    dialect: Dialect,
    reply_to: Option<MessageId>,
    conversation_id: Option<ConversationId>,
    execution_id: Option<ExecutionId>,
    hook_id: Option<HookId>,
}

impl About {
    fn new(dialect: Dialect) -> Self {
        Self { dialect, reply_to: None, conversation_id: None, execution_id: None, hook_id: None }
    }
}

/// What became of a verb, and what it was about.
type Outcome = (Result<(), Refusal>, About);

/// The frame that tells of a refusal.
fn refused(refusal: &Refusal, about: &About, now: Timestamp) -> String {
    let reason = refusal.reason();
    if reason.code.status() >= 500 {
        let cause = reason.source.as_ref().map(ToString::to_string).unwrap_or_default();
        error!(code = reason.code.as_str(), cause, "what a socket asked for failed");
    }
    match about.dialect {
        Dialect::Platform => frames::error(reason.code, &reason.detail, about.reply_to.clone(), now),
        Dialect::Legacy => {
            let failed = legacy::Failed {
                sentence: &reason.detail,
                code: reason.code.as_str(),
                conversation_id: about.conversation_id.as_ref(),
                execution_id: about.execution_id.as_ref(),
                hook_id: about.hook_id.as_ref(),
            };
            legacy::failure(&failed, now)
        }
    }
}

/// Tells a client that its frame was not understood.
pub(super) fn tell_bad_frame(bad: &BadFrame, now: Timestamp, outbox: &mut Outbox) -> Result<(), Close> {
    let refusal = Refusal::new(contract::Code::BadFrame, bad.sentence.clone());
    let about = About {
        reply_to: bad.reply_to.clone(),
        conversation_id: bad.conversation_id.clone(),
        ..About::new(bad.dialect)
    };
    outbox.push_text(refused(&refusal, &about, now))
}

impl Connection {
    fn require(&self, permission: Permission) -> Result<(), Refusal> {
        call::require(&self.standing.asker, permission)
    }
}
