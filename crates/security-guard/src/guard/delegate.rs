//! Somebody acts for somebody: a token that names both, the person and the service account that acts (`act`, RFC 8693). It does what
//! both may, and ends with either.

use contract::{UserId, auth::Secret, tenant::Delegated};

use super::SecurityGuard;
use crate::{Caller, GuardError, access_token::Subject};

impl SecurityGuard {
    /// A token for a service account of the caller's tenant to act for the caller.
    ///
    /// # Errors
    /// `Forbidden` for whoever is not there in person, `NotFound` for whatever is no service account of the tenant.
    pub async fn delegate(&self, caller: &Caller, actor: UserId) -> Result<Delegated, GuardError> {
        let guard = &self.0;
        let only_in_person =
            GuardError::Forbidden("Only a person who has signed in here lets others act for them, not one who acts.");
        let sign_in_id = caller.sign_in_id().ok_or(only_in_person)?.clone();
        if !guard.accounts.is_service_account(caller.tenant_id(), &actor).await? {
            return Err(GuardError::NotFound("service account"));
        }
        let subject = Subject {
            user_id: caller.user_id().clone(),
            tenant_id: caller.tenant_id().clone(),
            sign_in_id,
            session_id: caller.session_id().clone(),
            actor: Some(actor.clone()),
        };
        let (access_token, _) = guard.tokens().issue(subject, &*guard.clock)?;
        Ok(Delegated {
            access_token: Secret(access_token),
            token_type: "Bearer".to_owned(),
            expires_in: guard.tokens().ttl_seconds(),
            actor,
        })
    }

    /// The caller through whoever acts for them, who has to stand too.
    pub(super) async fn through(&self, caller: Caller, actor: Option<UserId>) -> Result<Caller, GuardError> {
        match actor {
            None => Ok(caller),
            Some(actor) if self.0.accounts.is_service_account(caller.tenant_id(), &actor).await? => {
                Ok(caller.through(actor))
            }
            Some(_) => Err(GuardError::TokenInvalid),
        }
    }
}
