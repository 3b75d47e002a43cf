//! What letters say: plain text that carries nothing a stranger typed, so that nobody can have us send their words to others.

use crate::{
    mail::Letter,
    mailbox::{LetterKind, MailPurpose},
};

/// What stands in a link for the purpose of its token, and for the token.
const PURPOSE_MARK: &str = "{purpose}";
const TOKEN_MARK: &str = "{token}";

/// Whether a setting can make links.
pub(crate) fn is_link(template: &str) -> bool {
    let starts = template.starts_with("https://") || template.starts_with("http://");
    starts && template.contains(TOKEN_MARK) && !template.contains(char::is_whitespace)
}

/// A letter that carries a token.
pub(super) fn with_token(to: &str, what: TokenLetter<'_>, token: &str, link: Option<&str>) -> Letter {
    let (purpose, subject, opening, route, closing) = match what {
        TokenLetter::Reset => (
            MailPurpose::Reset,
            "Set a new password",
            "Somebody, most likely you, wants a new password for your account.".to_owned(),
            "POST /api/auth/password/reset",
            "It works once and for half an hour. If it was not you, do nothing: your password stays what it is.",
        ),
        TokenLetter::Verify => (
            MailPurpose::Verify,
            "Confirm your e-mail address",
            "Somebody, most likely you, has registered with this address.".to_owned(),
            "POST /api/auth/email/confirm",
            "It works once and for a day. If it was not you, do nothing: the account stays closed.",
        ),
        TokenLetter::Invitation { by } => (
            MailPurpose::Invitation,
            "You are invited",
            format!("{by} invites you into their tenant. Register with this address, or sign in, and accept."),
            "POST /api/auth/register (invitation) or POST /api/tenants/join",
            "It works once and for a week. If you do not know who that is, do nothing.",
        ),
    };
    let way = match link {
        Some(template) => {
            let link = template.replace(PURPOSE_MARK, purpose.as_str()).replace(TOKEN_MARK, token);
            format!("Follow this link:\n\n{link}")
        }
        None => format!("Enter this where you were asked for it ({route}):\n\n{token}"),
    };
    letter(to, subject, &format!("{opening}\n\n{way}\n\n{closing}"))
}

/// What a letter with a token is for.
#[derive(Clone, Copy)]
pub(super) enum TokenLetter<'a> {
    Reset,
    Verify,
    /// By whoever has this address.
    Invitation {
        by: &'a str,
    },
}

/// A letter that says what has happened; `None` for the kinds that carry a token.
pub(super) fn notice(to: &str, kind: LetterKind) -> Option<Letter> {
    let (subject, what) = match kind {
        LetterKind::Registered => (
            "You have an account already",
            "Somebody, perhaps you, wanted to register with this address, which has an account already. Sign in, or ask for a new \
             password if you have forgotten yours. If it was not you, there is nothing to do.",
        ),
        LetterKind::PasswordChanged => ("Your password was changed", "The password of your account was changed."),
        LetterKind::FactorAdded => {
            ("A second factor was added", "Signing in to your account needs a code of your authenticator from now on.")
        }
        LetterKind::FactorRemoved => {
            ("The second factor was removed", "Signing in to your account needs no code any more.")
        }
        LetterKind::Reset | LetterKind::Verification | LetterKind::Invitation => return None,
    };
    let advice = match kind {
        LetterKind::Registered => "",
        _ => "\n\nIf it was not you, set a new password at once, and end all other sign-ins.",
    };
    Some(letter(to, subject, &format!("{what}{advice}")))
}

fn letter(to: &str, subject: &str, text: &str) -> Letter {
    Letter { to: to.to_owned(), subject: subject.to_owned(), text: format!("{text}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_letter() {
        for kind in LetterKind::ALL {
            let carries_a_token = matches!(kind, LetterKind::Reset | LetterKind::Verification | LetterKind::Invitation);
            assert_eq!(notice("ada@example.org", kind).is_none(), carries_a_token, "{kind}");
        }
    }

    #[test]
    fn a_link_carries_purpose_and_token() {
        let link = Some("https://app.example.com/mail/{purpose}#{token}");
        let letter = with_token("ada@example.org", TokenLetter::Reset, "symm_x", link);
        assert!(letter.text.contains("\nhttps://app.example.com/mail/reset#symm_x\n"), "{}", letter.text);
        let bare = with_token("ada@example.org", TokenLetter::Invitation { by: "bob@example.org" }, "symm_x", None);
        assert!(bare.text.starts_with("bob@example.org invites you") && bare.text.contains("\nsymm_x\n"));
        for (template, good) in [
            ("https://a.example/{token}", true),
            ("https://a.example/", false),
            ("javascript:{token}", false),
            ("https://a.example/ {token}", false),
        ] {
            assert_eq!(is_link(template), good, "{template}");
        }
    }
}
