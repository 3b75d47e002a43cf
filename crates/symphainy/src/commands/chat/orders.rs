//! What a line says: a message for the agents, or an order to the chat itself.

use std::path::PathBuf;

pub(super) const HELP: &str = "\
  /help             this
  /files            your files
  /upload PATH      upload a file into this session
  /agent [ID]       ask for an agent with the next message; without an id, list them
  /new              begin a new conversation
  /resume [ID]      go on with a conversation; without an id, list them
  /cancel           stop the answer (Ctrl-C does, too)
  /quit             leave (Ctrl-D, or Ctrl-C twice)
Everything else is said to the agents. A line that has to begin with a slash is written with two.";

/// A line, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Nothing,
    Message(String),
    Help,
    Files,
    Upload(PathBuf),
    Agent(Option<String>),
    New,
    Resume(Option<String>),
    Cancel,
    Quit,
    /// An order that is not understood, and what to do.
    Unknown(String),
}

impl Line {
    pub(super) fn read(line: &str) -> Self {
        let line = line.trim();
        let Some(order) = line.strip_prefix('/') else {
            return if line.is_empty() { Self::Nothing } else { Self::Message(line.to_owned()) };
        };
        if order.starts_with('/') {
            return Self::Message(order.to_owned());
        }
        let (name, rest) = order.split_once(char::is_whitespace).unwrap_or((order, ""));
        let rest = Some(rest.trim().to_owned()).filter(|rest| !rest.is_empty());
        match (name, rest) {
            ("help" | "?", _) => Self::Help,
            ("files", _) => Self::Files,
            ("upload", Some(path)) => Self::Upload(PathBuf::from(unquoted(&path))),
            ("upload", None) => Self::Unknown("Say which file: /upload PATH".to_owned()),
            ("agent", agent) => Self::Agent(agent),
            ("new", _) => Self::New,
            ("resume", conversation) => Self::Resume(conversation),
            ("cancel", _) => Self::Cancel,
            ("quit" | "exit" | "q", _) => Self::Quit,
            (other, _) => Self::Unknown(format!("There is no /{other}; /help shows what there is.")),
        }
    }
}

/// A path as a file manager drops it into a terminal.
fn unquoted(path: &str) -> &str {
    let quoted = |quote: char| path.strip_prefix(quote).and_then(|path| path.strip_suffix(quote));
    quoted('\'').or_else(|| quoted('"')).unwrap_or(path)
}

/// Whether a word agrees; `None` where it says neither yes nor no.
pub(super) fn agrees(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "n" | "no" | "" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_messages_or_orders() {
        for (line, expected) in [
            ("", Line::Nothing),
            ("  \t", Line::Nothing),
            (" how good is this data? ", Line::Message("how good is this data?".into())),
            ("//etc is a folder", Line::Message("/etc is a folder".into())),
            ("/help", Line::Help),
            ("/files", Line::Files),
            ("/upload my orders.csv", Line::Upload("my orders.csv".into())),
            ("/upload 'my orders.csv'", Line::Upload("my orders.csv".into())),
            ("/upload", Line::Unknown("Say which file: /upload PATH".into())),
            ("/agent liaison.content", Line::Agent(Some("liaison.content".into()))),
            ("/agent", Line::Agent(None)),
            ("/resume conv_1", Line::Resume(Some("conv_1".into()))),
            ("/new", Line::New),
            ("/cancel", Line::Cancel),
            ("/quit", Line::Quit),
            ("/fiels", Line::Unknown("There is no /fiels; /help shows what there is.".into())),
        ] {
            assert_eq!(Line::read(line), expected, "{line:?}");
        }
    }

    #[test]
    fn only_a_clear_yes_agrees() {
        for (word, expected) in
            [("y", Some(true)), ("YES ", Some(true)), ("", Some(false)), ("no", Some(false)), ("maybe", None)]
        {
            assert_eq!(agrees(word), expected, "{word:?}");
        }
    }
}
