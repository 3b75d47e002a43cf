//! What of a request may stand in the log. The id of an anonymous session is a credential, so that of a session's id the log has
//! the beginning alone: enough to tell two apart, too little to open anything.

use contract::SessionId;

/// Characters of an id, its prefix among them.
const SHOWN: usize = 11;

/// A path, or an id alone, with the ids of sessions cut short.
pub(crate) fn path(path: &str) -> String {
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// An escape may hide how an id begins, so that what has one is cut short as well.
fn segment(segment: &str) -> String {
    let is_cut = segment.starts_with(SessionId::PREFIX) || segment.contains('%');
    match segment.char_indices().nth(SHOWN) {
        Some((end, _)) if is_cut => format!("{}…", &segment[..end]),
        Some(_) | None => segment.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_sessions_are_cut_short() {
        for (path_, logged) in [
            ("/api/session/sess_f44f636c880ead7fe60c7769eba2bb21", "/api/session/sess_f44f63…"),
            ("/api/session/sess_f44f636c880ead7fe60c7769eba2bb21/upgrade", "/api/session/sess_f44f63…/upgrade"),
            ("/api/session/sess%5Ff44f636c880ead7fe60c7769eba2bb21", "/api/session/sess%5Ff44f…"),
            ("/api/session/%73ess_f44f636c880ead7fe60c7769eba2bb21", "/api/session/%73ess_f44f…"),
            ("sess_f44f636c880ead7fe60c7769eba2bb21", "sess_f44f63…"),
            ("/api/session/create", "/api/session/create"),
            ("/api/artifacts/art_1", "/api/artifacts/art_1"),
            ("/", "/"),
        ] {
            assert_eq!(path(path_), logged);
        }
    }
}
