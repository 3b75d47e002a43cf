//! What the guard writes down about its own decisions, and how that is read and checked. A decision is on record before
//! its answer goes out. What is not recorded: requests that are let in, refreshes that go on (the list of sign-ins shows
//! when each was used last), and texts that are no credential of ours at all.

use std::time::Duration;

use contract::{
    TenantId, UserId,
    audit::{AuditAction, AuditEntry, AuditOutcome, AuditPage, AuditRecord},
};

use super::SecurityGuard;
use crate::{
    Caller, GuardError, Permission, RateLimit,
    accounts::{Standing, StoreError},
    audit::{AuditBound, BrokenChain, ChainHash, ChainPlace, MAX_AUDIT_PAGE, check_row},
    peer::Peer,
};

/// Refusals that are recorded, by address: whoever is refused again and again is not to fill the disk. The log has all.
pub(super) const REFUSALS_RECORDED: RateLimit = RateLimit::new(60, Duration::from_secs(60));
/// How many records one call of [`SecurityGuard::trim_audit`] forgets.
const TRIM_AT_A_TIME: usize = 5_000;

/// What is to be recorded, but for how it ended.
pub(super) struct Note<'a> {
    action: AuditAction,
    peer: &'a Peer,
    who: Option<(UserId, TenantId)>,
    subject: Option<String>,
}

impl<'a> Note<'a> {
    pub(super) fn of(action: AuditAction, peer: &'a Peer) -> Self {
        Self { action, peer, who: None, subject: None }
    }

    pub(super) fn by(self, caller: &Caller) -> Self {
        self.standing(caller.standing())
    }

    pub(super) fn standing(self, standing: &Standing) -> Self {
        self.who(standing.user.user_id.clone(), standing.tenant.tenant_id.clone())
    }

    pub(super) fn who(mut self, user_id: UserId, tenant_id: TenantId) -> Self {
        self.who = Some((user_id, tenant_id));
        self
    }

    pub(super) fn about<'id, S: ToString + 'id>(mut self, subject: impl Into<Option<&'id S>>) -> Self {
        self.subject = subject.into().map(S::to_string);
        self
    }
}

/// A chain that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedChain {
    pub records: u64,
    pub first: u64,
    pub last: ChainPlace,
}

impl SecurityGuard {
    /// Records how it ended and hands it on. A decision that cannot be recorded is none.
    pub(super) async fn recorded<T>(&self, note: Note<'_>, outcome: Result<T, GuardError>) -> Result<T, GuardError> {
        match &outcome {
            Ok(_) => self.record(note, AuditOutcome::Allowed, None).await?,
            Err(error) if is_decision(error) => {
                let code = error.code().as_str();
                let guard = &self.0;
                match guard.refusals.check(&note.peer.limit_key(), guard.clock.now()) {
                    Ok(()) => self.record(note, AuditOutcome::Refused, Some(code)).await?,
                    Err(_) => {
                        tracing::warn!(action = %note.action, code, "refused, and too often to be recorded again")
                    }
                }
            }
            Err(_) => {}
        }
        outcome
    }

    async fn record(&self, note: Note<'_>, outcome: AuditOutcome, code: Option<&str>) -> Result<(), StoreError> {
        let Note { action, peer, who, subject } = note;
        let (user_id, tenant_id) = who.unzip();
        let entry = AuditEntry {
            at: self.0.clock.now(),
            action,
            outcome,
            code: code.map(str::to_owned),
            user_id,
            tenant_id,
            subject,
            address: peer.device.address,
            request_id: peer.request_id.clone(),
        };
        self.0.accounts.append(entry).await.map(|_| ())
    }

    /// What concerns the caller's tenant, newest first, before the record that an earlier page ended with.
    ///
    /// # Errors
    /// `Forbidden` for whoever does not govern the tenant.
    pub async fn audit_page(
        &self,
        caller: &Caller,
        before: Option<u64>,
        limit: usize,
    ) -> Result<AuditPage, GuardError> {
        if !caller.may(Permission::ReadAudit) {
            return Err(GuardError::Forbidden("Only owners and admins of a tenant may read its audit."));
        }
        let limit = limit.clamp(1, MAX_AUDIT_PAGE);
        let before = before.unwrap_or(u64::MAX);
        let rows = self.0.accounts.audit_of(caller.tenant_id(), before, limit + 1).await?;
        let more = rows.len() > limit;
        let records: Vec<AuditRecord> = rows.iter().take(limit).filter_map(|row| row.record()).collect();
        let next_cursor = records.last().filter(|_| more).map(|record| record.number.to_string());
        Ok(AuditPage { records, next_cursor })
    }

    /// Records after this number, oldest first: for an operator's export.
    pub async fn export_audit(&self, after: u64, limit: usize) -> Result<Vec<AuditRecord>, GuardError> {
        let rows = self.0.accounts.audit_after(after, limit.clamp(1, MAX_AUDIT_PAGE)).await?;
        Ok(rows.iter().filter_map(|row| row.record()).collect())
    }

    /// Reads the whole chain and checks every link, and that the record of `kept` has the hash that was kept elsewhere.
    pub async fn verify_audit(
        &self,
        kept: Option<(u64, ChainHash)>,
    ) -> Result<Result<CheckedChain, BrokenChain>, GuardError> {
        let ends = self.0.accounts.chain_ends().await?;
        let mut last = ends.before;
        loop {
            let rows = self.0.accounts.audit_after(last.number, MAX_AUDIT_PAGE).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                last = match check_row(last, row) {
                    Ok(place) => place,
                    Err(broken) => return Ok(Err(broken)),
                };
                if kept.is_some_and(|(number, hash)| number == last.number && hash != last.hash) {
                    return Ok(Err(BrokenChain::OtherHash(last.number)));
                }
            }
        }
        let expected = kept.map_or(ends.last.number, |(number, _)| number.max(ends.last.number));
        if last.number < expected {
            return Ok(Err(BrokenChain::Ends { found: last.number, expected }));
        }
        if last.number == ends.last.number && last.hash != ends.last.hash {
            return Ok(Err(BrokenChain::Changed(last.number)));
        }
        Ok(Ok(CheckedChain { records: last.number - ends.before.number, first: ends.before.number + 1, last }))
    }

    /// Forgets what is older than `auth.audit.retention`, and the oldest of more than `auth.audit.max_records`; a bounded
    /// number at a time. To be called now and then.
    pub async fn trim_audit(&self) -> Result<u64, GuardError> {
        let guard = &self.0;
        let config = &guard.config.auth.audit;
        let bound = AuditBound { since: guard.clock.now().before(config.retention), records: config.max_records };
        Ok(guard.accounts.trim_audit(bound, TRIM_AT_A_TIME).await?)
    }
}

/// Whether the guard decided something about somebody, rather than that it could not read or could not answer.
fn is_decision(error: &GuardError) -> bool {
    match error {
        GuardError::WrongPassword
        | GuardError::SecondFactorRequired
        | GuardError::SecondFactorWrong
        | GuardError::TokenReused
        | GuardError::AccountDisabled
        | GuardError::EmailNotVerified
        | GuardError::EmailTaken
        | GuardError::Forbidden(_)
        | GuardError::Conflict(_)
        | GuardError::NotFound(_)
        | GuardError::TooMany(_) => true,
        GuardError::Invalid(_)
        | GuardError::NotSignedIn
        | GuardError::TokenExpired
        | GuardError::TokenInvalid
        | GuardError::Busy { .. }
        | GuardError::Store(_)
        | GuardError::Config(_)
        | GuardError::Internal(_) => false,
    }
}
