//! On which line of a TOML text a setting stands.

use toml::{
    Table,
    de::{DeTable, DeValue},
};

/// A text that is no TOML.
pub(super) struct Mistake {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) message: String,
}

/// Reads the text, or says where it is no TOML.
pub(super) fn parse(text: &str) -> Result<Table, Mistake> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        Mistake { line: line_at(text, offset), message: error.message().trim().replace('\n', ", ") }
    })
}

/// The line on which the setting at `path` (with dots) stands, counted from 1; the nearest section's where it is not there.
pub(super) fn line_of(text: &str, path: &str) -> Option<usize> {
    lines_on_the_way(text, path).last().copied()
}

/// The same, or nothing where it is not there.
#[cfg(test)]
pub(super) fn line_of_exactly(text: &str, path: &str) -> Option<usize> {
    lines_on_the_way(text, path).get(path.split('.').count() - 1).copied()
}

/// The lines of the names on the way to a setting, as far as they are there.
fn lines_on_the_way(text: &str, path: &str) -> Vec<usize> {
    let Ok(document) = DeTable::parse(text) else { return Vec::new() };
    let mut table = document.get_ref();
    let mut lines = Vec::new();
    for name in path.split('.') {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == name) else { break };
        lines.push(line_at(text, key.span().start));
        match value.get_ref() {
            DeValue::Table(below) => table = below,
            _ => break,
        }
    }
    lines
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_lines() {
        let text = "# first\n[auth]\nissuer = \"x\"\npassword.passes = 3\n\n[agents.builtin]\npace = \"1s\"\n";
        for (path, line) in [
            ("auth", Some(2)),
            ("auth.issuer", Some(3)),
            ("auth.password.passes", Some(4)),
            ("agents.builtin.pace", Some(7)),
            ("auth.nothing", Some(2)),
            ("nothing", None),
        ] {
            assert_eq!(line_of(text, path), line, "{path}");
        }
    }
}
