//! API keys as texts: `symk_`, 256 random bits, and a checksum over both. The prefix lets scanners and people tell what they have
//! found; the checksum lets a mistyped key be refused without a look-up. Of a key only the SHA-256 is kept.

use crate::{
    Clock,
    accounts::TokenHash,
    clock::random,
    secrets::{hash_token, hexadecimal},
};

/// What API keys begin with.
const PREFIX: &str = "symk_";
const SECRET_CHARACTERS: usize = 64;
const CHECKSUM_CHARACTERS: usize = 8;
/// So much of a key is shown again: the prefix and 24 of its 256 bits.
const HINT_CHARACTERS: usize = PREFIX.len() + 6;

/// A key, and what is kept of it.
pub(crate) struct ApiKeyText {
    pub(crate) text: String,
    pub(crate) hash: TokenHash,
}

impl ApiKeyText {
    pub(crate) fn new(clock: &dyn Clock) -> Self {
        let mut text = format!("{PREFIX}{}", hexadecimal(&random::<32>(clock)));
        text.push_str(&checksum(&text));
        Self { hash: hash_token(&text), text }
    }

    /// How it begins.
    pub(crate) fn hint(&self) -> String {
        self.text.chars().take(HINT_CHARACTERS).collect()
    }
}

/// Whether somebody meant this text to be an API key.
pub(crate) fn is_one(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// What a key is looked up by; `None` where it cannot be a key.
pub(crate) fn hash(text: &str) -> Option<TokenHash> {
    let length = PREFIX.len() + SECRET_CHARACTERS + CHECKSUM_CHARACTERS;
    if text.len() != length || !text.is_ascii() || !is_one(text) {
        return None;
    }
    let (key, sum) = text.split_at(length - CHECKSUM_CHARACTERS);
    (checksum(key) == sum).then(|| hash_token(text))
}

fn checksum(text: &str) -> String {
    hexadecimal(&hash_token(text).0[..CHECKSUM_CHARACTERS / 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::TestClock;

    #[test]
    fn a_mistyped_key_is_no_key() {
        let key = ApiKeyText::new(&TestClock::new(7));
        assert_eq!(hash(&key.text), Some(key.hash));
        assert_eq!(key.text.len(), 77);
        assert!(key.text.starts_with(&key.hint()) && key.hint().len() == 11);
        for position in 0..key.text.len() {
            let mut typed = key.text.clone().into_bytes();
            typed[position] = if typed[position] == b'0' { b'1' } else { b'0' };
            let typed = String::from_utf8(typed).unwrap();
            assert_eq!(hash(&typed), None, "{position}");
        }
        for text in ["", "symk_", &key.text[..76], &format!("{}0", key.text), &key.text.to_uppercase()] {
            assert_eq!(hash(text), None, "{text}");
        }
    }
}
