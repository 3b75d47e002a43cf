//! Registration: user, tenant, membership, sign-in and session, all of them or none.

use std::time::Duration;

use contract::{
    TenantId, UserId,
    audit::AuditAction,
    auth::{Register, Secret},
    problem::FieldError,
};

use super::{SecurityGuard, SignedIn, audit::Note};
use crate::{
    GuardError, Role,
    accounts::{NewAccount, Registered, Tenant, TokenHash, User},
    clock::random,
    config::{Registration, VerifyEmail},
    email::EmailAddress,
    mailbox::LetterKind,
    password,
    peer::Peer,
    refresh_token::RefreshToken,
    secrets::hash_token,
    tenants::OpenInvitation,
};

/// The longest name of a person, in characters.
const MAX_NAME_CHARACTERS: usize = 100;

const NOT_INVITED: GuardError = GuardError::Forbidden(
    "This is no open invitation for this address. Ask whoever invited you for a new one, and register with the address it is for.",
);
const TENANT_FULL: GuardError = GuardError::Conflict("The tenant has 1000 members already.");
const OUTBOX_FULL: GuardError = GuardError::Busy { retry_after: Duration::from_secs(60) };

/// What came of a registration.
#[derive(Clone, Debug)]
pub enum Welcome {
    SignedIn(Box<SignedIn>),
    /// A letter is on its way to the address; whether there was such an account is not said.
    ConfirmFirst,
}

impl SecurityGuard {
    /// Registers a person with a tenant of their own, or in the one that invited them, and signs them in, unless their address has to be
    /// confirmed first.
    ///
    /// # Errors
    /// `Invalid`, `EmailTaken`, `Forbidden` where registration is not open to them, `Conflict`, `TooMany`, `Busy`.
    pub async fn register(&self, request: Register, peer: &Peer) -> Result<Welcome, GuardError> {
        let outcome = self.try_register(request, peer).await;
        let note = Note::of(AuditAction::Register, peer);
        let note = match &outcome {
            Ok(Welcome::SignedIn(signed_in)) => note.by(&signed_in.caller).about(signed_in.caller.sign_in_id()),
            Ok(Welcome::ConfirmFirst) | Err(_) => note,
        };
        self.recorded(note, outcome).await
    }

    async fn try_register(&self, request: Register, peer: &Peer) -> Result<Welcome, GuardError> {
        let guard = &self.0;
        guard.registrations.check(&peer.limit_key(), guard.clock.now()).map_err(GuardError::TooMany)?;
        self.check_registration(&request)?;
        let invitation = self.invitation_of(&request).await?;
        let mut account = self.prepare_account(&request.name, &request.email, request.password).await?;
        account.invitation = invitation.map(|(token, _)| token);
        let has_mailbox = invitation.is_some_and(|(_, invitation)| invitation.by_mail);
        if guard.config.auth.verify_email == VerifyEmail::Required && !has_mailbox {
            return self.register_quietly(account).await;
        }
        let refresh_token = RefreshToken::first(&*guard.clock);
        let claimed = request.session_id.clone();
        account.sign_in = Some(guard.new_sign_in(&refresh_token, request.session_id, peer));
        match guard.accounts.register(account).await? {
            Registered::SignedIn(found) => {
                guard.claimed(claimed.as_ref());
                Ok(Welcome::SignedIn(Box::new(guard.signed_in(*found, refresh_token)?)))
            }
            Registered::Created(_) => Err(GuardError::internal("a registration came without its sign-in")),
            Registered::EmailTaken => Err(GuardError::EmailTaken),
            Registered::NotInvited => Err(NOT_INVITED),
            Registered::TenantFull => Err(TENANT_FULL),
            Registered::OutboxFull => Err(OUTBOX_FULL),
        }
    }

    /// Writes the account, or nothing where the address is known; either way a letter goes there, and the answer is the same.
    async fn register_quietly(&self, mut account: NewAccount) -> Result<Welcome, GuardError> {
        let guard = &self.0;
        let now = guard.clock.now();
        if guard.letters_to.check(&hash_token(&account.email_key), now).is_ok() {
            account.letter = Some(self.new_letter(LetterKind::Registered, &account.email_key));
        }
        match guard.accounts.register(account).await? {
            Registered::SignedIn(_) | Registered::Created(_) | Registered::EmailTaken => {
                guard.posted.notify_one();
                Ok(Welcome::ConfirmFirst)
            }
            Registered::NotInvited => Err(NOT_INVITED),
            Registered::TenantFull => Err(TENANT_FULL),
            Registered::OutboxFull => Err(OUTBOX_FULL),
        }
    }

    /// The invitation that came along, which has to be for this address.
    async fn invitation_of(&self, request: &Register) -> Result<Option<(TokenHash, OpenInvitation)>, GuardError> {
        let Some(token) = &request.invitation else { return Ok(None) };
        let email = parse_email(&request.email)?;
        let token = hash_token(&token.0);
        let found = self.0.accounts.open_invitation(token, email.key(), self.0.clock.now()).await?;
        Ok(Some((token, found.ok_or(NOT_INVITED)?)))
    }

    /// Whether somebody with this address may register here by themselves.
    fn check_registration(&self, request: &Register) -> Result<(), GuardError> {
        let auth = &self.0.config.auth;
        match auth.registration {
            Registration::Open => Ok(()),
            Registration::Invite if request.invitation.is_some() => Ok(()),
            Registration::Invite => Err(GuardError::Forbidden(
                "Only who is invited can register here. Send the token of the invitation as `invitation`.",
            )),
            Registration::Closed => {
                Err(GuardError::Forbidden("Nobody can register here. Ask an administrator for an account."))
            }
            Registration::Domain => {
                let email: EmailAddress = parse_email(&request.email)?;
                let listed = |domain: &String| domain.eq_ignore_ascii_case(email.domain());
                if auth.registration_domains.iter().any(listed) {
                    return Ok(());
                }
                Err(GuardError::Forbidden("This address cannot be registered here. Use the one of your organisation."))
            }
        }
    }

    /// Checks what was typed and hashes the password. Everything that is wrong is said at once.
    pub(super) async fn prepare_account(
        &self,
        name: &str,
        email: &str,
        password: Secret,
    ) -> Result<NewAccount, GuardError> {
        let guard = &self.0;
        let (name, email) = check_fields(name, email, &password, self.min_length(false))?;
        let password_hash = guard.hashing.hash(password, &*guard.clock).await?;
        let now = guard.clock.now();
        Ok(NewAccount {
            user: User {
                user_id: UserId::from_parts(now, random(&*guard.clock)),
                email: email.shown().to_owned(),
                name: name.clone(),
                created_at: now,
                disabled_at: None,
            },
            email_key: email.key().to_owned(),
            password_hash,
            tenant: Tenant { tenant_id: TenantId::from_parts(now, random(&*guard.clock)), name, created_at: now },
            role: Role::Owner,
            sign_in: None,
            letter: None,
            invitation: None,
        })
    }
}

/// The name of a person or a thing, as it is kept.
pub(super) fn check_name(name: &str) -> Result<String, FieldError> {
    let name = name.trim();
    let fits = (1..=MAX_NAME_CHARACTERS).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits {
        Ok(name.to_owned())
    } else {
        Err(FieldError::new("name", "Enter a name of 1 to 100 characters, on one line."))
    }
}

fn parse_email(email: &str) -> Result<EmailAddress, GuardError> {
    email.parse().map_err(|error| GuardError::invalid("email", format!("{error}")))
}

fn check_fields(
    name: &str,
    email: &str,
    password: &Secret,
    min_length: usize,
) -> Result<(String, EmailAddress), GuardError> {
    let mut errors = Vec::new();
    let name = check_name(name).map_err(|error| errors.push(error)).unwrap_or_default();
    let email: Option<EmailAddress> =
        email.parse().map_err(|error| errors.push(FieldError::new("email", format!("{error}")))).ok();
    match email {
        Some(email) => {
            if let Err(sentence) = password::check_new(&password.0, min_length, &email, &name) {
                errors.push(FieldError::new("password", sentence));
            }
            if errors.is_empty() { Ok((name, email)) } else { Err(GuardError::Invalid(errors)) }
        }
        None => Err(GuardError::Invalid(errors)),
    }
}
