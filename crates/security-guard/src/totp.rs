//! One-time passwords by the time of day (RFC 6238 over RFC 4226: HMAC-SHA-1, 30 seconds, six digits), which is what every
//! authenticator knows. The HMAC is aws-lc's. That a code is good once only is for the store to see to.

use aws_lc_rs::hmac;
use contract::Timestamp;

use crate::secrets::same;

/// Twenty bytes, as RFC 4226 recommends.
pub(crate) const SECRET_BYTES: usize = 20;
const STEP_MILLIS: i64 = 30_000;
const DIGITS: usize = 6;
/// How many steps a clock may be off, either way.
const DRIFT_STEPS: i64 = 1;

/// The step of time whose code this is, near this instant.
pub(crate) fn matching_step(secret: &[u8], code: &str, now: Timestamp) -> Option<u64> {
    let present = now.as_millis().div_euclid(STEP_MILLIS);
    let near = (present - DRIFT_STEPS)..=(present + DRIFT_STEPS);
    near.filter_map(|step| u64::try_from(step).ok())
        .find(|step| same(code_of(secret, *step).as_bytes(), code.as_bytes()))
}

fn code_of(secret: &[u8], step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    // Dynamic truncation (RFC 4226, section 5.3).
    let offset = usize::from(bytes[bytes.len() - 1] & 15);
    let word = u32::from_be_bytes([bytes[offset] & 127, bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]]);
    format!("{:0DIGITS$}", word % 10_u32.pow(DIGITS as u32))
}

/// Base32 (RFC 4648, section 6) without padding.
pub(crate) fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    let (mut buffer, mut bits) = (0_u32, 0);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(LETTERS[(buffer >> bits) as usize & 31]));
        }
    }
    if bits > 0 {
        text.push(char::from(LETTERS[(buffer << (5 - bits)) as usize & 31]));
    }
    text
}

/// What an authenticator reads from a QR code.
pub(crate) fn uri(secret: &[u8], issuer: &str, account: &str) -> String {
    let (issuer, account, secret) = (escaped(issuer), escaped(account), base32(secret));
    format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}")
}

/// Percent-encoding of everything that is not unreserved (RFC 3986).
fn escaped(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

/// The code of an instant, for tests that hold an authenticator.
#[cfg(test)]
pub(crate) fn code_at(secret: &[u8], now: Timestamp) -> String {
    code_of(secret, u64::try_from(now.as_millis() / STEP_MILLIS).unwrap())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        // Appendix B, the last six of eight digits.
        let secret = b"12345678901234567890";
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let at = Timestamp::from_millis(seconds * 1_000);
            assert_eq!(code_at(secret, at), code);
            assert_eq!(matching_step(secret, code, at), Some(seconds as u64 / 30));
        }
    }

    #[test]
    fn a_clock_may_be_half_a_minute_off() {
        let secret = [7; SECRET_BYTES];
        let at = |seconds: i64| Timestamp::from_millis(1_795_339_800_000 + seconds * 1_000);
        let code = code_at(&secret, at(0));
        for (seconds, good) in [(-31, false), (-30, true), (0, true), (29, true), (59, true), (60, false)] {
            assert_eq!(matching_step(&secret, &code, at(seconds)).is_some(), good, "{seconds}");
        }
        for code in ["", "12345", "1234567", "abcdef"] {
            assert_eq!(matching_step(&secret, code, at(0)), None, "{code}");
        }
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (text, expected) in [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(base32(text.as_bytes()), expected);
        }
        assert_eq!(uri(b"f", "a b", "ada@b.c"), "otpauth://totp/a%20b:ada%40b.c?secret=MY&issuer=a%20b");
    }
}
