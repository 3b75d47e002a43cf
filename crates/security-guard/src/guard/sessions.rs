//! Sessions of work: anonymous, owned, upgraded, deleted, forgotten. What is done in them is kept elsewhere.

use contract::{Owner, SessionId, Timestamp, audit::AuditAction, session::Session};
use serde_json::{Map, Value};

use super::{SecurityGuard, audit::Note};
use crate::{
    Asker, Caller, GuardError,
    accounts::{Claim, ClaimRequest},
    clock::random,
    config::AnonymousSessions,
    known_sessions::owner_of,
    peer::Peer,
};

/// The largest metadata of a session, in bytes of JSON.
const MAX_METADATA_BYTES: usize = 16 * 1024;
/// How many ended sessions one call of [`SecurityGuard::forget_expired`] clears away.
const FORGET_AT_A_TIME: usize = 500;

impl SecurityGuard {
    /// A session for somebody who has not signed in; its id is its credential.
    ///
    /// # Errors
    /// `Forbidden` where anonymous sessions are switched off; `TooMany`; `Invalid`.
    pub async fn create_anonymous_session(
        &self,
        metadata: Map<String, Value>,
        peer: &Peer,
    ) -> Result<Session, GuardError> {
        let guard = &self.0;
        if guard.config.session.anonymous == AnonymousSessions::Deny {
            return Err(GuardError::Forbidden("Anonymous sessions are switched off here. Register or sign in first."));
        }
        guard.anonymous_sessions.check(&peer.limit_key(), guard.clock.now()).map_err(GuardError::TooMany)?;
        let session = self.new_session(None, metadata)?;
        guard.accounts.create_session(session.clone()).await?;
        Ok(session)
    }

    /// A further session of the caller's.
    pub async fn create_session(&self, caller: &Caller, metadata: Map<String, Value>) -> Result<Session, GuardError> {
        let session = self.new_session(Some(caller), metadata)?;
        self.0.accounts.create_session(session.clone()).await?;
        Ok(session)
    }

    fn new_session(&self, caller: Option<&Caller>, metadata: Map<String, Value>) -> Result<Session, GuardError> {
        check_metadata(&metadata)?;
        let guard = &self.0;
        let now = guard.clock.now();
        let ttl = if caller.is_some() { guard.config.session.ttl } else { guard.config.session.anonymous_ttl };
        Ok(Session {
            session_id: SessionId::from_random(random(&*guard.clock)),
            tenant_id: caller.map(|caller| caller.tenant_id().clone()),
            user_id: caller.map(|caller| caller.user_id().clone()),
            is_anonymous: caller.is_none(),
            created_at: now,
            updated_at: now,
            expires_at: now.after(ttl),
            metadata,
            state: Map::new(),
        })
    }

    /// A session that the asker may see: an anonymous one for whoever knows its id, an owned one for its user.
    ///
    /// # Errors
    /// `NotSignedIn` where nobody asks and the id alone does not suffice, `NotFound` where somebody does.
    pub async fn session(&self, asker: Option<&Asker>, session_id: &SessionId) -> Result<Session, GuardError> {
        let now = self.0.clock.now();
        let session = self.0.accounts.session(session_id, now).await?;
        let session = session.filter(|session| self.may_see(asker, &owner_of(session)));
        session.ok_or_else(|| not_there(asker))
    }

    /// Whether the asker may work in a session: the same as seeing it, without its contents, and so without a query where it was
    /// looked up within the last second.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn check_session(&self, asker: &Asker, session_id: &SessionId) -> Result<(), GuardError> {
        let guard = &self.0;
        let now = guard.clock.now();
        let (known, began) = guard.sessions.look(session_id, now);
        let owner = match known {
            Some(owner) => Some(owner),
            None => {
                let session = guard.accounts.session(session_id, now).await?;
                session.inspect(|session| guard.sessions.remember(session, now, began)).as_ref().map(owner_of)
            }
        };
        match owner {
            Some(owner) if self.may_see(Some(asker), &owner) => Ok(()),
            Some(_) | None => Err(not_there(Some(asker))),
        }
    }

    fn may_see(&self, asker: Option<&Asker>, owner: &Owner) -> bool {
        match owner {
            Owner::Anonymous { .. } => self.0.config.session.anonymous == AnonymousSessions::Allow,
            Owner::User { .. } => asker.and_then(Asker::caller).is_some_and(|caller| caller.owner() == *owner),
        }
    }

    /// Makes an anonymous session the caller's, with everything that was done in it. One that is the caller's
    /// already stays as it is.
    ///
    /// # Errors
    /// `NotFound` for anybody else's session, `Invalid` for too much metadata.
    pub async fn upgrade_session(
        &self,
        caller: &Caller,
        session_id: &SessionId,
        metadata: Map<String, Value>,
        peer: &Peer,
    ) -> Result<Session, GuardError> {
        check_metadata(&metadata)?;
        let outcome = self.claim(caller, session_id, metadata).await;
        // The id of a session that nobody has claimed is its credential and is not written down.
        let note = Note::of(AuditAction::ClaimSession, peer).by(caller);
        let note = if outcome.is_ok() { note.about(session_id) } else { note };
        self.recorded(note, outcome).await
    }

    async fn claim(
        &self,
        caller: &Caller,
        session_id: &SessionId,
        metadata: Map<String, Value>,
    ) -> Result<Session, GuardError> {
        let guard = &self.0;
        let now = guard.clock.now();
        let request = ClaimRequest {
            session_id: session_id.clone(),
            tenant_id: caller.tenant_id().clone(),
            user_id: caller.user_id().clone(),
            metadata,
            now,
            expires_at: now.after(guard.config.session.ttl),
        };
        let claim = guard.accounts.claim_session(request).await?;
        guard.sessions.forget(session_id);
        match claim {
            Claim::Claimed(session) => {
                guard.verified.session_ended(session_id);
                Ok(session)
            }
            Claim::AlreadyYours(session) => Ok(session),
            Claim::NotFound => Err(GuardError::NotFound("session")),
        }
    }

    /// Deletes a session that the asker may see.
    pub async fn delete_session(&self, asker: Option<&Asker>, session_id: &SessionId) -> Result<(), GuardError> {
        let session = self.session(asker, session_id).await?;
        let deleted = self.0.accounts.delete_session(session_id, &owner_of(&session), self.0.clock.now()).await?;
        self.0.sessions.forget(session_id);
        if !deleted {
            return Err(not_there(asker));
        }
        self.0.verified.session_ended(session_id);
        Ok(())
    }

    /// Forgets sessions, sign-ins and failures whose time is over, in pieces of a bounded size; how many sessions it were. To be called
    /// now and then: nothing that has ended is ever seen, whether it is forgotten or not.
    pub async fn forget_expired(&self) -> Result<usize, GuardError> {
        let now: Timestamp = self.0.clock.now();
        let mut forgotten = 0;
        loop {
            let piece = self.0.accounts.forget_expired(now, FORGET_AT_A_TIME).await?.len();
            forgotten += piece;
            if piece < FORGET_AT_A_TIME {
                return Ok(forgotten);
            }
        }
    }
}

fn not_there(asker: Option<&Asker>) -> GuardError {
    match asker {
        None => GuardError::NotSignedIn,
        Some(_) => GuardError::NotFound("session"),
    }
}

fn check_metadata(metadata: &Map<String, Value>) -> Result<(), GuardError> {
    let size_bytes = serde_json::to_vec(metadata).map_err(GuardError::internal)?.len();
    if size_bytes <= MAX_METADATA_BYTES {
        Ok(())
    } else {
        Err(GuardError::invalid("metadata", "Send at most 16 KiB of metadata with a session."))
    }
}
