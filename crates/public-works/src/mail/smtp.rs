//! Letters by SMTP (RFC 5321), a connection each.

use std::time::Duration;

use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{Error, authentication::Credentials},
};
use security_guard::mail::{Letter, Mail, NotDelivered};

use super::{
    config::{BadMail, MailConfig, Security},
    message::message,
};
use crate::models::ApiKey;

/// How long the server of mail may take over each answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a whole letter may take.
const PATIENCE_IN_ALL: Duration = Duration::from_secs(60);

/// The plug.
pub struct SmtpMail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// It took too long.
#[derive(Debug, thiserror::Error)]
#[error("the server of mail did not answer in time")]
struct TooSlow;

impl SmtpMail {
    /// `None` where no server is named.
    ///
    /// # Errors
    /// For settings that cannot work, and where the TLS of this machine cannot be set up.
    pub fn new(config: &MailConfig, password: Option<&ApiKey>) -> Result<Option<Self>, BadMail> {
        let Some(server) = config.server()? else { return Ok(None) };
        let no_tls = |_: Error| BadMail { setting: "mail.smtp", problem: "TLS cannot be set up on this machine" };
        let builder = match server.security {
            Security::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&server.host).map_err(no_tls)?,
            Security::StartTls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&server.host).map_err(no_tls)?,
            Security::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host),
        };
        let builder = builder.port(server.port).timeout(Some(PATIENCE));
        let builder = match (&config.user, password) {
            (Some(user), Some(password)) => {
                builder.credentials(Credentials::new(user.clone(), password.reveal().to_owned()))
            }
            (Some(_), None) => {
                return Err(BadMail { setting: "mail.user", problem: "needs SMTP_PASSWORD in the environment" });
            }
            (None, _) => builder,
        };
        Ok(Some(Self { transport: builder.build(), from: config.sender()? }))
    }

    /// Whether the server answers, as far as saying who we are.
    ///
    /// # Errors
    /// What it said, or why it could not be reached.
    pub async fn greet(&self) -> Result<(), String> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("it hung up".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[async_trait]
impl Mail for SmtpMail {
    async fn deliver(&self, letter: &Letter) -> Result<(), NotDelivered> {
        let message = message(letter, &self.from)?;
        match tokio::time::timeout(PATIENCE_IN_ALL, self.transport.send(message)).await {
            Err(_) => Err(NotDelivered::Later(Box::new(TooSlow))),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if is_final(&error) => Err(NotDelivered::Never(Box::new(error))),
            Ok(Err(error)) => Err(NotDelivered::Later(Box::new(error))),
        }
    }
}

/// Whether nobody will ever take this letter. A refusal of our own sign-in is not: an operator corrects that.
fn is_final(error: &Error) -> bool {
    const OF_OUR_SIGN_IN: [u16; 4] = [530, 534, 535, 538];
    error.is_permanent() && error.status().is_none_or(|code| !OF_OUR_SIGN_IN.contains(&code.into()))
}
