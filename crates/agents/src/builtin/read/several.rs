//! Several wishes in one message, and which of its pieces belong to which.

use contract::conversation::Message;
use serde_json::Value;

use super::{PART_SURE, Reader, Wish, is_only_file};
use crate::builtin::{fill, message::Said, parts};

impl Reader<'_> {
    /// Several wishes in one message, in order; `None` where it is one.
    pub(super) fn parts(&self, history: &[Message], text: &str, deep: bool) -> Option<Vec<Wish>> {
        let whole = Said::read(text, self.files);
        if whole.body.is_some() {
            return None;
        }
        let limit = whole.sql.as_ref().and_then(|sql| text.find(sql.as_str())).unwrap_or(text.len());
        let atoms = parts::atoms(text, limit);
        if atoms.len() < 2 {
            return None;
        }
        let mut groups: Vec<(std::ops::Range<usize>, Option<String>)> = Vec::new();
        for atom in atoms {
            let said = Said::read(&text[atom.clone()], self.files);
            let own = self.own_wish(&said);
            match (groups.last_mut(), own) {
                (Some((range, subject)), None) if !(is_only_file(&said) && subject.is_some()) => {
                    range.end = atom.end;
                    *subject = self.own_wish(&Said::read(&text[range.clone()], self.files)).or(subject.take());
                }
                (Some((_, Some(subject))), None) => {
                    let again = subject.clone();
                    groups.push((atom, Some(again)));
                }
                (Some((range, Some(subject))), Some(same))
                    if *subject == same && (said.files.is_empty() || self.names_no_file(&text[range.clone()])) =>
                {
                    range.end = atom.end;
                }
                (_, own) => groups.push((atom, own)),
            }
        }
        groups.retain(|(_, subject)| subject.as_ref().is_none_or(|subject| !subject.starts_with('(')));
        if groups.len() < 2 || groups.iter().any(|(_, subject)| subject.is_none()) {
            return self.only_part(history, text, groups, deep);
        }
        let mut wishes: Vec<Wish> = Vec::new();
        for (range, subject) in groups {
            let said = Said::read(&text[range], self.files);
            let before = wishes.iter().rev().find_map(|wish| fill::file_of(&wish.parameters).map(str::to_owned));
            let implied = said.files.is_empty() && before.is_some();
            let referent = before.or_else(|| self.referent(history, &said, deep));
            let mut wish = self.wish(&subject?, &said, PART_SURE, referent.as_deref())?;
            // What comes after work on a file is about that file, unless it is about all of them.
            if implied && fill::file_of(&wish.parameters).is_none() {
                wish = self.about(wish, referent.as_deref());
            }
            wishes.push(wish);
        }
        Some(wishes)
    }

    fn names_no_file(&self, text: &str) -> bool {
        Said::read(text, self.files).files.is_empty()
    }

    /// The one wish beside greetings and thanks: then these do not count.
    fn only_part(
        &self,
        history: &[Message],
        text: &str,
        groups: Vec<(std::ops::Range<usize>, Option<String>)>,
        deep: bool,
    ) -> Option<Vec<Wish>> {
        let [(range, Some(subject))] = groups.as_slice() else {
            return None;
        };
        if range.len() == text.len() {
            return None;
        }
        let said = Said::read(&text[range.clone()], self.files);
        let referent = self.referent(history, &said, deep);
        self.wish(subject, &said, PART_SURE, referent.as_deref()).map(|wish| vec![wish])
    }

    fn about(&self, mut wish: Wish, file: Option<&str>) -> Wish {
        let takes_file = self
            .index
            .descriptor(&wish.intent_type)
            .is_some_and(|descriptor| descriptor.parameters["properties"].get("file").is_some());
        if let Some(file) = file.filter(|_| takes_file && !wish.parameters.contains_key("text")) {
            wish.parameters.insert("file".to_owned(), Value::String(file.to_owned()));
        }
        wish
    }
}
