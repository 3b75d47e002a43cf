//! From a letter to a message (RFC 5322).

use lettre::{
    Message,
    message::{
        Body, Mailbox,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};
use security_guard::mail::{Letter, NotDelivered};

/// So that nobody's absence notice comes back (RFC 3834).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// The longest line of a message, in bytes (RFC 5322, section 2.1.1).
const MAX_LINE_BYTES: usize = 998;

/// As it is, so that whoever opens a file can copy a link out of it; encoded where it cannot be.
fn body(text: &str) -> Body {
    let plain = |line: &str| line.len() <= MAX_LINE_BYTES && line.bytes().all(|byte| (b' '..0x7f).contains(&byte));
    if text.lines().all(plain) {
        let lines: String = text.lines().map(|line| format!("{line}\r\n")).collect();
        return Body::dangerous_pre_encoded(lines.into_bytes(), ContentTransferEncoding::SevenBit);
    }
    Body::new(text.to_owned())
}

pub(super) fn message(letter: &Letter, from: &Mailbox) -> Result<Message, NotDelivered> {
    let to: Mailbox = letter.to.parse().map_err(|error| NotDelivered::Never(Box::new(error)))?;
    let built = Message::builder()
        .from(from.clone())
        .to(to)
        .subject(letter.subject.clone())
        .header(ContentType::TEXT_PLAIN)
        .body(body(&letter.text));
    let mut message = built.map_err(|error| NotDelivered::Never(Box::new(error)))?;
    message.headers_mut().insert_raw(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()));
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> String {
        let (to, subject) = ("ada@example.org".to_owned(), "Hello".to_owned());
        let letter = Letter { to, subject, text: text.to_owned() };
        let message = message(&letter, &"House <house@example.org>".parse().unwrap()).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    #[test]
    fn a_link_stays_in_one_piece() {
        let link = format!("https://app.example.org/mail/reset#{}", "x".repeat(200));
        assert!(formatted(&format!("Here:\n{link}\n")).contains(&format!("\r\n{link}\r\n")));
        let endless = "x".repeat(2_000);
        for text in ["ü\n", &endless] {
            let message = formatted(text);
            assert!(message.contains("quoted-printable") || message.contains("base64"), "{message}");
        }
    }

    #[test]
    fn an_address_that_is_none_is_nobodys() {
        let letter =
            Letter { to: "ada@example.org\r\nBcc: eve@example.org".to_owned(), subject: "x".into(), text: "x".into() };
        let refused = message(&letter, &"house@example.org".parse().unwrap());
        assert!(matches!(refused, Err(NotDelivered::Never(_))));
    }
}
