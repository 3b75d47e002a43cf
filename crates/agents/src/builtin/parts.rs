//! Where one message may ask for several things. It knows the words that join sentences and nothing of what they say.

/// What may stand between two wishes. Longer ones come first, so that they are not found in parts.
const JOINTS: [&str; 22] = [
    " and after that ",
    " and afterwards ",
    ", and then ",
    " and then ",
    " after that ",
    " afterwards ",
    " as well as ",
    " and finally ",
    " and also ",
    ", finally ",
    ", then ",
    " then ",
    ", and ",
    " and ",
    " plus ",
    "; ",
    ". ",
    "? ",
    "! ",
    ", ",
    " & ",
    "\n",
];

/// The most parts of one message that are looked at.
const MAX_ATOMS: usize = 12;

/// The smallest pieces that may be wishes of their own, as ranges of bytes. Nothing after `limit` is divided.
pub(super) fn atoms(text: &str, limit: usize) -> Vec<std::ops::Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut start = 0;
    let mut quote = None;
    let mut skip_to = 0;
    for (index, letter) in text.char_indices().take_while(|(index, _)| *index < limit) {
        if index < skip_to {
            continue;
        }
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '`') => quote = Some(letter),
            _ => {}
        }
        if quote.is_some() || found.len() + 1 >= MAX_ATOMS {
            continue;
        }
        if let Some(joint) = JOINTS.iter().find(|joint| lower[index..].starts_with(**joint)) {
            found.push(start..index);
            start = index + joint.len();
            skip_to = start;
        }
    }
    found.push(start..text.len());
    found.retain(|range| !text[range.clone()].trim().is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joints_divide_but_not_inside_of_quotations() {
        let pieces =
            |text: &'static str| atoms(text, text.len()).into_iter().map(|range| &text[range]).collect::<Vec<_>>();
        assert_eq!(pieces("parse a.csv and then tell me how good it is"), ["parse a.csv", "tell me how good it is"]);
        assert_eq!(pieces("parse \"this and that.csv\", please"), ["parse \"this and that.csv\"", "please"]);
        assert_eq!(pieces("Hi! List my files; archive a.csv"), ["Hi", "List my files", "archive a.csv"]);
    }
}
