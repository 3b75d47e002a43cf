//! The text of a PDF, page by page. A scan has none, and that is said.

use lopdf::Document;
use serde_json::{Map, Value};

use super::{MAX_TEXT_BYTES, ParsedDocument, ReadError, check_text, warn};

const MAX_PAGES: usize = 2_000;

/// Of one page once it is unpacked.
const MAX_PAGE_BYTES: usize = 16 * 1024 * 1024;

pub(super) fn read(bytes: &[u8]) -> Result<ParsedDocument, ReadError> {
    let document = Document::load_mem(bytes)
        .map_err(|_| ReadError::unreadable("The PDF is damaged. Save it again from its program, then upload it."))?;
    if document.is_encrypted() {
        return Err(ReadError::unreadable("The PDF is protected by a password. Save it without one, then upload it."));
    }
    let pages: Vec<u32> = document.get_pages().into_keys().collect();
    if pages.len() > MAX_PAGES {
        return Err(ReadError::too_large(format!(
            "The PDF has more than {MAX_PAGES} pages. Split it into smaller files."
        )));
    }
    let mut warnings = Vec::new();
    let mut text = String::new();
    for &page in &pages {
        match document.extract_text_with_limit(&[page], MAX_PAGE_BYTES) {
            Ok(page_text) => push_page(&mut text, &page_text),
            Err(_) => warn(&mut warnings, format!("The text of page {page} cannot be read.")),
        }
        if text.len() > MAX_TEXT_BYTES {
            check_text(&text)?;
        }
    }
    if text.is_empty() {
        return Err(ReadError::unreadable(
            "The PDF has no text in it; it may be a scan. Run a text recognition over it, then upload it again.",
        ));
    }
    let reading = Map::from_iter([("page_count".to_owned(), Value::from(pages.len()))]);
    Ok(ParsedDocument { text, headings: Vec::new(), reading, warnings })
}

/// Adds a page with its lines cleaned of the blanks that come from the layout.
fn push_page(text: &mut String, page: &str) {
    let lines: Vec<&str> = page.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(&lines.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &[u8] = include_bytes!("../../../tests/fixtures/policy.pdf");

    #[test]
    fn the_text_of_every_page_is_read() {
        let document = read(POLICY).unwrap();
        assert!(document.text.starts_with("Travel policy\n1. Ask your manager before you book."), "{}", document.text);
        assert!(document.text.contains("\n\nPage two"), "{}", document.text);
        assert_eq!(document.reading["page_count"], 2);
    }

    #[test]
    fn damaged_and_empty_ones_are_refused() {
        for bytes in [&b"%PDF-1.7\n"[..], &POLICY[..POLICY.len() / 2], b"%PDF-1.4\ntrailer<<>>\n%%EOF"] {
            assert_eq!(read(bytes).unwrap_err().code, contract::Code::UnreadableFile);
        }
    }
}
