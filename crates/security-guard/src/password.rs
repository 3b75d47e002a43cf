//! Which passwords are good enough (NIST SP 800-63B-4): long enough, not one of those that everybody tries, not the
//! address or the name; no rules of composition. It knows nothing of hashes.

use crate::email::EmailAddress;

/// The longest password, in characters. Longer ones are refused before they are hashed.
pub(crate) const MAX_CHARACTERS: usize = 1_024;

/// The most common passwords of at least eight characters, in lower case, one a line: ours first, then those of the list of
/// 30,000 that comes with zxcvbn 4.5.0 (Dropbox, MIT licence), in its order, as far as 98,000 bytes go.
const COMMON: &str = include_str!("common_passwords.txt");

/// What everybody who looks at the page thinks of first.
const PRODUCT: &str = "symphainy";

/// Whether a new password will do, and if not, what to do.
pub(crate) fn check_new(password: &str, min_length: usize, email: &EmailAddress, name: &str) -> Result<(), String> {
    let length = password.chars().count();
    if length < min_length {
        return Err(format!("Use a password of at least {min_length} characters; a few words are fine."));
    }
    if length > MAX_CHARACTERS {
        return Err(format!("Use a password of at most {MAX_CHARACTERS} characters."));
    }
    let lower = password.trim().to_lowercase();
    if COMMON.lines().any(|common| common == lower) || is_one_character(&lower) {
        return Err("Many people use this password, so that it is tried first. Use another one.".to_owned());
    }
    // `ada.lovelace1!` is `ada.lovelace` to whoever guesses.
    let bare = lower.trim_matches(|character: char| !character.is_alphabetic());
    let own = [email.key(), email.local_part(), &name.trim().to_lowercase(), PRODUCT];
    if own.iter().any(|own| lower == *own || (bare == *own && !own.is_empty())) {
        return Err("Use a password that is neither your e-mail address nor your name.".to_owned());
    }
    Ok(())
}

fn is_one_character(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next();
    characters.all(|character| Some(character) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str) -> Result<(), String> {
        check_new(password, 8, &"Ada.Lovelace@example.org".parse().unwrap(), "Augusta Ada King")
    }

    // ASVS 6.2.1: Eight characters at least, and `auth.password.min_length` for more (NIST asks for 15 without a second factor).
    // ASVS 6.2.5: There are no rules of composition.
    // ASVS 6.2.9: Up to 1,024 characters.
    #[test]
    fn long_enough_is_good_enough() {
        for password in ["tr0ub4dö", "correct horse battery staple", &"ab".repeat(512), "ಠ_ಠ ಠ_ಠ ಠ"] {
            assert_eq!(check(password), Ok(()), "{password}");
        }
    }

    // ASVS 6.2.4: Some 10,000 common passwords of eight characters and more are refused.
    // ASVS 6.2.11: So are the address, the name and the name of the product, with or without digits around them.
    // ASVS 6.2.12: The list comes from breaches (zxcvbn); it is local and no service is asked.
    #[test]
    fn what_is_tried_first_is_refused() {
        for password in [
            "",
            "1234567",
            "ääääääa",
            "password",
            "Password",
            "12345678",
            "qwertyuiop",
            "zzzzzzzzz",
            "ada.lovelace",
            "ADA.LOVELACE@example.org",
            "augusta ada king",
            "ada.lovelace1815!",
            "Symphainy2026",
            "iloveyou1",
            &"ab".repeat(513),
        ] {
            let sentence = check(password).unwrap_err();
            assert!(sentence.starts_with("Use a password") || sentence.ends_with("Use another one."), "{sentence}");
        }
    }

    #[test]
    fn the_list_is_in_the_form_that_is_compared() {
        for line in COMMON.lines() {
            assert_eq!(line, line.trim().to_lowercase());
            assert!(line.chars().count() >= 8, "{line} is refused by its length already");
        }
    }
}
