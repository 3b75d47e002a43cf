//! HTML: what a reader sees of it, as text with its headings and lists. Scripts and styles are left out.

use html5gum::{DefaultEmitter, Token, Tokenizer};

use super::{ParsedDocument, ReadError, add_heading, check_text, text::decode};

/// Elements whose content nobody reads.
const HIDDEN: [&str; 5] = ["script", "style", "template", "noscript", "svg"];

/// Lists within lists are indented up to here, or a hostile page would be mostly blanks.
const DEEPEST_INDENT: usize = 8;

/// Elements that begin on a line of their own.
const BLOCKS: [&str; 31] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "hr",
    "html",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "details",
    "table",
    "tbody",
    "thead",
    "title",
    "tr",
    "ul",
];

pub(super) fn read(bytes: &[u8]) -> Result<ParsedDocument, ReadError> {
    let decoded = decode(bytes)?;
    let mut page = Page::default();
    // Without this, a `<` in a script would begin an element.
    let mut emitter: DefaultEmitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(decoded.text.as_str(), emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => page.open(&String::from_utf8_lossy(&tag.name), tag.self_closing),
            Token::EndTag(tag) => page.close(&String::from_utf8_lossy(&tag.name)),
            Token::String(text) => page.say(&String::from_utf8_lossy(&text)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    let reading = decoded.reading();
    let text = page.text.trim().to_owned();
    check_text(&text)?;
    Ok(ParsedDocument { text, headings: page.headings, reading, warnings: decoded.warnings })
}

#[derive(Default)]
struct Page {
    text: String,
    headings: Vec<super::Heading>,
    /// The hidden element that is open, and how often.
    hidden: Option<(String, usize)>,
    /// The level of the open heading, and where its text begins.
    heading: Option<(u8, usize)>,
    /// The open lists: the number of the last item, or `None` where items are not numbered.
    lists: Vec<Option<usize>>,
}

impl Page {
    fn open(&mut self, name: &str, self_closing: bool) {
        match &mut self.hidden {
            Some((hidden, depth)) => {
                if hidden == name && !self_closing {
                    *depth += 1;
                }
                return;
            }
            None if HIDDEN.contains(&name) && !self_closing => {
                self.hidden = Some((name.to_owned(), 1));
                return;
            }
            None => {}
        }
        match name {
            "br" => self.text.push('\n'),
            "td" | "th" => self.gap("\t"),
            "li" => self.item(),
            "ol" => self.lists.push(Some(0)),
            "ul" => self.lists.push(None),
            _ => {}
        }
        if let Some(level) = heading_level(name) {
            self.line();
            self.text.push_str(&"#".repeat(usize::from(level)));
            self.text.push(' ');
            self.heading = Some((level, self.text.len()));
        } else if BLOCKS.contains(&name) {
            self.line();
        }
    }

    fn close(&mut self, name: &str) {
        if let Some((hidden, depth)) = &mut self.hidden {
            if hidden == name {
                *depth -= 1;
                if *depth == 0 {
                    self.hidden = None;
                }
            }
            return;
        }
        if let Some((level, start)) = self.heading.take_if(|_| heading_level(name).is_some()) {
            add_heading(&mut self.headings, level, &self.text[start..]);
            self.text.push('\n');
        } else if BLOCKS.contains(&name) || name == "li" {
            self.line();
        }
        if matches!(name, "ol" | "ul") {
            self.lists.pop();
        }
    }

    fn say(&mut self, text: &str) {
        if self.hidden.is_some() {
            return;
        }
        if text.starts_with(char::is_whitespace) {
            self.gap(" ");
        }
        let mut words = text.split_whitespace();
        if let Some(first) = words.next() {
            self.text.push_str(first);
        }
        for word in words {
            self.text.push(' ');
            self.text.push_str(word);
        }
        if text.ends_with(char::is_whitespace) {
            self.gap(" ");
        }
    }

    fn item(&mut self) {
        self.line();
        let depth = self.lists.len().saturating_sub(1).min(DEEPEST_INDENT);
        self.text.push_str(&"  ".repeat(depth));
        match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                self.text.push_str(&format!("{number}. "));
            }
            Some(None) | None => self.text.push_str("- "),
        }
    }

    /// A space, unless there is one.
    fn gap(&mut self, gap: &str) {
        if !self.text.is_empty() && !self.text.ends_with(char::is_whitespace) {
            self.text.push_str(gap);
        }
    }

    /// A new line, unless one was begun.
    fn line(&mut self) {
        let kept = self.text.trim_end_matches([' ', '\t']).len();
        self.text.truncate(kept);
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }
}

fn heading_level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', level @ b'1'..=b'6'] => Some(level - b'0'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Heading, *};

    #[test]
    fn a_page_becomes_what_a_reader_sees() {
        let page = "<!doctype html><html><head><title>Returns</title><style>p{}</style></head><body>\
            <h1>How to <em>return</em></h1><p>Fish &amp; chips,\n   <b>twice</b>.</p><script>if (a<b) {}</script>\
            <ol><li>Check it<ul><li>well</li></ul></li><li>Send it</li></ol><table><tr><td>a</td><td>b</td></tr></table></body>";
        let document = read(page.as_bytes()).unwrap();
        assert_eq!(
            document.text,
            "Returns\n# How to return\nFish & chips, twice.\n1. Check it\n  - well\n2. Send it\na\tb"
        );
        assert_eq!(document.headings, [Heading { level: 1, text: "How to return".to_owned() }]);
    }

    #[test]
    fn broken_pages_are_read_as_far_as_they_go() {
        for (page, wanted) in [
            ("<p>open <b>ended", "open ended"),
            ("</ul></h1>x", "x"),
            ("<script>never closed", ""),
            ("a < b", "a < b"),
            ("<svg/>seen", "seen"),
        ] {
            assert_eq!(read(page.as_bytes()).unwrap().text, wanted, "{page:?}");
        }
        assert!(read("<ul><li>".repeat(10_000).as_bytes()).is_ok());
    }
}
