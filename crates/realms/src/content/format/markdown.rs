//! Markdown: the text as it was written, and its headings.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::{ParsedDocument, ReadError, add_heading, text};

pub(super) fn read(bytes: &[u8]) -> Result<ParsedDocument, ReadError> {
    let mut document = text::read(bytes)?;
    let mut open: Option<(u8, String)> = None;
    for event in Parser::new(&document.text) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => open = Some((level as u8, String::new())),
            Event::End(TagEnd::Heading(_)) => {
                if let Some((level, heading)) = open.take() {
                    add_heading(&mut document.headings, level, &heading);
                }
            }
            Event::Text(piece) | Event::Code(piece) => {
                if let Some((_, heading)) = &mut open {
                    heading.push_str(&piece);
                }
            }
            _ => {}
        }
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::{super::Heading, *};

    #[test]
    fn headings_are_found_and_the_text_stays() {
        let source = "# The *first*\n\nSome `words`.\n\nSecond\n------\n\n```\n# not one\n```\n";
        let document = read(source.as_bytes()).unwrap();
        assert_eq!(document.text, source);
        let heading = |level, text: &str| Heading { level, text: text.to_owned() };
        assert_eq!(document.headings, [heading(1, "The first"), heading(2, "Second")]);
        assert_eq!(document.word_count(), 7);
    }
}
