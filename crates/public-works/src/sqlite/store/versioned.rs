//! States as they are stored: with the version of their form in front. A state of a newer form is not guessed at, because a
//! version that knows half of it would write the other half away.

use runtime::machine::{STATE_VERSION, State};
use rusqlite::{Row, types::Type};

use super::rows::to_json;

/// What the text begins with. States from before there were versions do not, and have the first one.
const PREFIX: &str = r#"{"version":"#;

#[derive(Debug, thiserror::Error)]
#[error("the state has version {found}, and this program knows those up to {STATE_VERSION}")]
struct NewerState {
    found: u32,
}

/// A state with its version.
pub(super) fn state_json(state: &State) -> String {
    let json = to_json(state);
    let fields = json.strip_prefix('{').expect("a state is an object");
    format!("{PREFIX}{STATE_VERSION},{fields}")
}

/// The state in a column.
pub(super) fn read_state(row: &Row<'_>, column: usize) -> rusqlite::Result<State> {
    let text = row.get_ref(column)?.as_str()?;
    let unreadable = |error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error);
    let found = version(text);
    if found > STATE_VERSION {
        return Err(unreadable(Box::new(NewerState { found })));
    }
    serde_json::from_str(text).map_err(|error| unreadable(Box::new(error)))
}

fn version(text: &str) -> u32 {
    let Some(rest) = text.strip_prefix(PREFIX) else { return 1 };
    let digits = rest.split(|character: char| !character.is_ascii_digit()).next().unwrap_or_default();
    // A number that is too large is of a version that is too new.
    digits.parse().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_stands_in_front() {
        for (text, expected) in [
            (r#"{"header":{}}"#, 1),
            (r#"{"version":1,"header":{}}"#, 1),
            (r#"{"version":23,"header":{}}"#, 23),
            (r#"{"version":99999999999}"#, u32::MAX),
            (r#"{"version":"two"}"#, u32::MAX),
        ] {
            assert_eq!(version(text), expected, "{text}");
        }
    }
}
