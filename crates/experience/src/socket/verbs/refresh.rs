//! Going on with a fresh access token of the same user, before the old one ends.

use contract::Code;
use security_guard::Asker;
use serde_json::json;

use super::{About, Outcome};
use crate::{
    Refusal,
    socket::{
        Close, Outbox,
        connection::Connection,
        frames::{self, Dialect},
    },
};

/// `auth.refresh`, answered with an `auth.refreshed` that says until when.
pub(super) async fn refresh(
    connection: &mut Connection,
    access_token: &str,
    outbox: &mut Outbox,
) -> Result<Outcome, Close> {
    let outcome = try_refresh(connection, access_token).await;
    if outcome.is_ok() {
        let data = json!({ "expires_at": connection.standing.token_ends_at() });
        outbox.push_text(frames::own_event("auth.refreshed", connection.plane.clock.now(), &data))?;
    }
    Ok((outcome, About::new(Dialect::Platform)))
}

async fn try_refresh(connection: &mut Connection, access_token: &str) -> Result<(), Refusal> {
    let caller = connection.plane.guard.authenticate(access_token).await?;
    let asker = Asker::User(caller);
    if asker.owner() != connection.standing.asker.owner() {
        return Err(Refusal::new(Code::TokenInvalid, "This token is another user's. Open another socket for them."));
    }
    connection.is_now(asker);
    Ok(())
}
