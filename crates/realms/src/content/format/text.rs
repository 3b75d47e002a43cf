//! Plain text, and how bytes become text: UTF-8, UTF-16 with or without a byte order mark, Windows-1252.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use serde_json::{Map, Value};

use super::{ParsedDocument, ReadError, check_text};

/// How many bytes are looked at to recognise UTF-16 without a byte order mark.
const SAMPLE_BYTES: usize = 1024;

pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) encoding: &'static Encoding,
    pub(super) warnings: Vec<String>,
}

impl Decoded {
    pub(super) fn reading(&self) -> Map<String, Value> {
        Map::from_iter([("encoding".to_owned(), Value::from(self.encoding.name()))])
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<ParsedDocument, ReadError> {
    let decoded = decode(bytes)?;
    check_text(&decoded.text)?;
    let reading = decoded.reading();
    Ok(ParsedDocument { text: decoded.text, headings: Vec::new(), reading, warnings: decoded.warnings })
}

/// Makes text of bytes. A byte order mark decides; then UTF-8 where it fits; Windows-1252 fits always, so it comes last and
/// only where the bytes are not mostly good UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, ReadError> {
    let (encoding, body) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => (encoding, &bytes[length..]),
        None => (guess(bytes)?, bytes),
    };
    let text = encoding.decode_without_bom_handling_and_without_replacement(body);
    let Some(text) = text else { return Err(broken(encoding, body)) };
    if let Some(place) = text.find('\0') {
        let (line, column) = place_of(&text, place);
        return Err(ReadError::unreadable(format!(
            "The file has a zero byte in line {line}, so it is no text. Save it as text, then upload it again."
        ))
        .at(line, column));
    }
    let mut warnings = Vec::new();
    if encoding == WINDOWS_1252 {
        warnings
            .push("The file is not UTF-8; it was read as Windows-1252. Look at the letters with accents.".to_owned());
    }
    Ok(Decoded { text: text.into_owned(), encoding, warnings })
}

/// The line and the column, both from 1, of a byte's place in a text. Columns count characters.
pub(super) fn place_of(text: &str, place: usize) -> (u64, u64) {
    let before = &text[..place];
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    (line as u64, column as u64)
}

fn guess(bytes: &[u8]) -> Result<&'static Encoding, ReadError> {
    if let Some(utf_16) = guess_utf_16(bytes) {
        return Ok(utf_16);
    }
    let Err(error) = std::str::from_utf8(bytes) else { return Ok(UTF_8) };
    let (good, bad) = multibyte_sequences(bytes);
    if good > bad {
        let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("it is valid up to there");
        return Err(not_utf_8(valid));
    }
    Ok(WINDOWS_1252)
}

/// Western text in UTF-16 has a zero in nearly every second byte.
fn guess_utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    let zeros = |start: usize| sample.iter().skip(start).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), sample.len() / 2);
    if pairs < 2 || !bytes.len().is_multiple_of(2) {
        None
    } else if odd * 10 >= pairs * 7 && even == 0 {
        Some(UTF_16LE)
    } else if even * 10 >= pairs * 7 && odd == 0 {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// How many characters beyond ASCII are good UTF-8, and at how many places the bytes are none.
fn multibyte_sequences(bytes: &[u8]) -> (usize, usize) {
    bytes.utf8_chunks().fold((0, 0), |(good, bad), chunk| {
        let beyond_ascii = chunk.valid().chars().filter(|sign| !sign.is_ascii()).count();
        (good + beyond_ascii, bad + usize::from(!chunk.invalid().is_empty()))
    })
}

fn broken(encoding: &'static Encoding, body: &[u8]) -> ReadError {
    if encoding == UTF_8 {
        let valid = body.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        return not_utf_8(valid);
    }
    ReadError::unreadable(format!(
        "The file says that it is {}, but it is broken. Save it as UTF-8, then upload it again.",
        encoding.name()
    ))
}

fn not_utf_8(valid: &str) -> ReadError {
    let (line, column) = place_of(valid, valid.len());
    ReadError::unreadable(format!(
        "The file is UTF-8 up to line {line}, column {column}, and broken there. Save it as UTF-8, then upload it again."
    ))
    .at(line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf_16(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    #[test]
    fn text_is_found_in_its_encoding() {
        let with_mark = |mark: &[u8], body: Vec<u8>| [mark.to_vec(), body].concat();
        for (bytes, wanted, encoding) in [
            ("Grüße".as_bytes().to_vec(), "Grüße", UTF_8),
            (with_mark(b"\xef\xbb\xbf", b"a,b".to_vec()), "a,b", UTF_8),
            (with_mark(b"\xff\xfe", utf_16("Grüße", true)), "Grüße", UTF_16LE),
            (with_mark(b"\xfe\xff", utf_16("Grüße", false)), "Grüße", UTF_16BE),
            (utf_16("name,price\n", true), "name,price\n", UTF_16LE),
            (utf_16("name,price\n", false), "name,price\n", UTF_16BE),
            (b"Stra\xdfe \x80 5".to_vec(), "Straße € 5", WINDOWS_1252),
        ] {
            let decoded = decode(&bytes).unwrap_or_else(|error| panic!("{wanted}: {error:?}"));
            assert_eq!((decoded.text.as_str(), decoded.encoding), (wanted, encoding));
        }
    }

    #[test]
    fn broken_text_is_refused_with_its_place() {
        for (bytes, place) in [
            (b"\xef\xbb\xbfab\nc\xff".to_vec(), Some((2, 2))),
            ("Grüße aus Köln\nMü".bytes().chain(*b"\xc3\n").collect(), Some((2, 3))),
            (b"a\nb\0c".to_vec(), Some((2, 2))),
            (b"\xff\xfea\0b".to_vec(), None),
        ] {
            let error = decode(&bytes).err().unwrap_or_else(|| panic!("{bytes:?} was read"));
            assert_eq!(error.place, place, "{bytes:?}");
        }
    }
}
