//! E-mail addresses: kept as they were typed, compared trimmed and in lower case. Whether mail arrives there is
//! not for this file to know.

/// The longest address, in bytes (RFC 5321, path length less the brackets).
pub const MAX_EMAIL_BYTES: usize = 254;
/// The longest part before the `@`, in bytes (RFC 5321).
const MAX_LOCAL_BYTES: usize = 64;
/// The longest label of a host name, in bytes (RFC 1035).
const MAX_LABEL_BYTES: usize = 63;

/// An address that could be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress {
    shown: String,
    key: String,
}

/// The text cannot be an address, with a sentence that says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAnAddress(&'static str);

impl EmailAddress {
    /// As its owner typed it, without spaces around.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The same for every way of typing the same address: what is unique in the accounts.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The part after the `@`, in lower case.
    pub fn domain(&self) -> &str {
        self.key.split_once('@').map_or("", |(_, domain)| domain)
    }

    /// The part before the `@`, in lower case.
    pub fn local_part(&self) -> &str {
        self.key.split_once('@').map_or(self.key.as_str(), |(local, _)| local)
    }
}

impl std::str::FromStr for EmailAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let shown = text.trim();
        let key = shown.to_lowercase();
        if shown.len() > MAX_EMAIL_BYTES || key.len() > MAX_EMAIL_BYTES {
            return Err(NotAnAddress("Use an e-mail address of at most 254 characters."));
        }
        let shaped = shown.split_once('@').is_some_and(|(local, host)| is_local_part(local) && is_host(host));
        if !shaped {
            return Err(NotAnAddress("Enter an e-mail address such as ada@example.org."));
        }
        Ok(Self { shown: shown.to_owned(), key })
    }
}

/// What HTML takes for the part before the `@`, and letters of every alphabet (RFC 6531).
fn is_local_part(local: &str) -> bool {
    let allowed = |character: char| character.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(character);
    (1..=MAX_LOCAL_BYTES).contains(&local.len()) && local.chars().all(allowed)
}

fn is_host(host: &str) -> bool {
    host.split('.').all(|label| {
        (1..=MAX_LABEL_BYTES).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|character| character.is_alphanumeric() || character == '-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_key() {
        for text in ["ada@example.org", " Ada@Example.ORG ", "ADA@EXAMPLE.org\n"] {
            assert_eq!(text.parse::<EmailAddress>().unwrap().key(), "ada@example.org", "{text:?}");
        }
        let address: EmailAddress = "Ada.L+x@example.org".parse().unwrap();
        assert_eq!((address.shown(), address.local_part()), ("Ada.L+x@example.org", "ada.l+x"));
        assert!("root@localhost".parse::<EmailAddress>().is_ok());
        assert!("jürgen@exämple.de".parse::<EmailAddress>().is_ok());
    }

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        let long = format!("{}@{}.org", "a".repeat(64), "b".repeat(200));
        let past = format!("a@{}", ["b".repeat(63), "c".repeat(63), "d".repeat(63), "e".repeat(62)].join("."));
        for text in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.org",
            "a@b@c",
            "a b@example.org",
            "a@exa mple.org",
            "a@.org",
            "a@b..c",
            "a@-b.org",
            "a\0@b.org",
            "a\r\nbcc:x@b.org",
            "<a@b.org>",
            &long,
            &past,
        ] {
            assert!(text.parse::<EmailAddress>().is_err(), "{text:?}");
        }
        let just = format!("a@{}", ["b".repeat(63), "c".repeat(63), "d".repeat(63), "e".repeat(60)].join("."));
        assert_eq!(just.len(), MAX_EMAIL_BYTES);
        assert!(just.parse::<EmailAddress>().is_ok());
    }
}
