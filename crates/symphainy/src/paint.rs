//! Colours, on a terminal only, and text from elsewhere made safe to show on one.

use std::io::IsTerminal;

use owo_colors::OwoColorize;

use crate::environment;

/// Takes the present line of a terminal back.
pub(crate) const TAKE_BACK: &str = "\r\u{1b}[K";

/// Whether to paint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Colours,
    Plain,
}

impl Paint {
    /// Colours where the stream is a terminal and nobody has asked for none (<https://no-color.org>).
    pub(crate) fn of(stream: &impl IsTerminal) -> Self {
        let wanted = environment::get("NO_COLOR").is_none();
        if stream.is_terminal() && wanted { Self::Colours } else { Self::Plain }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        match self {
            Self::Colours => text.bold().to_string(),
            Self::Plain => text.to_owned(),
        }
    }

    pub(crate) fn dim(self, text: &str) -> String {
        match self {
            Self::Colours => text.dimmed().to_string(),
            Self::Plain => text.to_owned(),
        }
    }

    /// A name: of an agent, of a command.
    pub(crate) fn name(self, text: &str) -> String {
        match self {
            Self::Colours => text.cyan().bold().to_string(),
            Self::Plain => text.to_owned(),
        }
    }

    pub(crate) fn good(self, text: &str) -> String {
        match self {
            Self::Colours => text.green().to_string(),
            Self::Plain => text.to_owned(),
        }
    }

    pub(crate) fn doubtful(self, text: &str) -> String {
        match self {
            Self::Colours => text.yellow().to_string(),
            Self::Plain => text.to_owned(),
        }
    }

    pub(crate) fn bad(self, text: &str) -> String {
        match self {
            Self::Colours => text.red().to_string(),
            Self::Plain => text.to_owned(),
        }
    }
}

/// Text from a server, without the characters that would command a terminal. Lines and tabs stay.
pub(crate) fn tame(text: &str) -> String {
    text.chars().filter(|character| !character.is_control() || matches!(character, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_elsewhere_commands_no_terminal() {
        assert_eq!(tame("a\u{1b}[31mb\u{7}\r\n\tc\u{9b}2J"), "a[31mb\n\tc2J");
    }

    #[test]
    fn plain_is_plain() {
        assert_eq!(Paint::Plain.bad("no"), "no");
        assert_ne!(Paint::Colours.bad("no"), "no");
    }
}
