//! What a message leaves out and an earlier one said: the thing that is to be done again, the file that `it` is.

use contract::conversation::{Message, Role};

use super::{CONTINUED, MAX_LOOK_BACK, Reader, Reading, Wish};
use crate::builtin::{fill, message::Said};

impl Reader<'_> {
    /// `And returns.csv?`, `do it again`: the last thing that was wanted, with what is new.
    pub(super) fn continued(&self, history: &[Message], said: &Said) -> Option<Reading> {
        let last = self.last_wish(history)?;
        let descriptor = self.index.descriptor(&last.intent_type)?;
        let mut parameters = last.parameters;
        parameters.extend(fill::parameters(descriptor, said, None).into_iter().filter(|(name, _)| name != "question"));
        let wish = Wish { parameters, confidence: CONTINUED, alternatives: Vec::new(), ..last };
        Some(self.complete(vec![wish], history))
    }

    /// The file that was named last, where the message points at something.
    pub(super) fn referent(&self, history: &[Message], said: &Said, deep: bool) -> Option<String> {
        if !deep || !said.files.is_empty() || !fill::points_back(said) {
            return None;
        }
        let said_before = history.iter().rev().filter(|message| message.role == Role::User).take(MAX_LOOK_BACK);
        let mut files = said_before.map(|message| Said::read(&message.content, self.files).files);
        files.find_map(|mut files| files.pop())
    }

    pub(super) fn last_wish(&self, history: &[Message]) -> Option<Wish> {
        self.earlier_wishes(history).into_iter().next()
    }

    /// What the person wanted before, newest first. Read anew from their messages: nothing else needs to be remembered.
    fn earlier_wishes(&self, history: &[Message]) -> Vec<Wish> {
        let said = history.iter().enumerate().rev().filter(|(_, message)| message.role == Role::User);
        said.take(MAX_LOOK_BACK)
            .flat_map(|(at, message)| match self.read(&history[..at], &message.content, false) {
                Reading::Wishes(wishes) => wishes.into_iter().rev().collect(),
                Reading::Missing { wish, .. } => vec![wish],
                Reading::Greeting
                | Reading::Thanks
                | Reading::Help
                | Reading::Identity
                | Reading::Declined
                | Reading::Negated
                | Reading::Choice(_)
                | Reading::Nothing => Vec::new(),
            })
            .collect()
    }
}
