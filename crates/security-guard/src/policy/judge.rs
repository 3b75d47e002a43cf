//! The decision: a pure function of the rules and of what is recorded of whoever asks.

use super::{
    Policy, Question, Ruling,
    document::{Approval, Rule},
};

/// The role of a session that nobody has signed in to.
pub const ANONYMOUS: &str = "anonymous";

impl Policy {
    /// Whether an intent may be executed for whoever asks. The person, their key and every agent on the way have to be allowed it.
    pub fn decide(&self, question: Question<'_>) -> Ruling {
        let refused = self
            .refused_to_the_person(question)
            .or_else(|| refused_to_the_key(question))
            .or_else(|| self.refused_to_an_agent(question));
        match (refused, self.approval(question)) {
            (Some(reason), _) => Ruling::Refused(reason),
            (None, Some(approval)) => Ruling::NeedsApproval(approval.reason.clone()),
            (None, None) => Ruling::Allowed,
        }
    }

    fn refused_to_the_person(&self, question: Question<'_>) -> Option<String> {
        let roles = &question.authority.roles;
        let allows = |role: &String| self.roles.get(role).is_some_and(|rule| rule.allows(question));
        if roles.iter().any(allows) {
            return None;
        }
        Some(match roles.as_slice() {
            [] => format!("Whoever asks has no role, so that {} is not for them.", question.intent_type),
            roles => format!(
                "The role {} may not submit {}; the rule is roles.{} of the policy.",
                roles.join(" or "),
                question.intent_type,
                roles[0]
            ),
        })
    }

    fn refused_to_an_agent(&self, question: Question<'_>) -> Option<String> {
        let agents = question.authority.agents.iter();
        let mut ruled = agents.filter_map(|agent| {
            let (name, rule) = match self.agents.get_key_value(agent.as_str()) {
                Some(own) => own,
                None => self.agents.get_key_value("*")?,
            };
            (!rule.allows(question)).then(|| {
                format!(
                    "The agent {agent} may not use {}; the rule is agents.{name:?} of the policy.",
                    question.intent_type
                )
            })
        });
        ruled.next()
    }

    fn approval(&self, question: Question<'_>) -> Option<&Approval> {
        self.approvals.iter().find(|approval| approval.is_for(question))
    }
}

fn refused_to_the_key(question: Question<'_>) -> Option<String> {
    let intents = question.authority.intents.as_ref()?;
    if intents.iter().any(|intent| intent == question.intent_type) {
        return None;
    }
    Some(format!("The API key is limited to other intents than {}.", question.intent_type))
}

impl Rule {
    fn allows(&self, question: Question<'_>) -> bool {
        let fits = |patterns: &[super::document::Pattern]| {
            patterns.iter().any(|pattern| pattern.fits(question.intent_type, question.realm))
        };
        fits(&self.intents) && !fits(&self.except)
    }
}

impl Approval {
    fn is_for(&self, question: Question<'_>) -> bool {
        let authority = question.authority;
        let names = |names: &[String], found: &str| names.iter().any(|name| name == "*" || name == found);
        self.intents.iter().any(|pattern| pattern.fits(question.intent_type, question.realm))
            && (self.roles.is_empty() || authority.roles.iter().any(|role| names(&self.roles, role)))
            && (self.agents.is_empty() || authority.agents.iter().any(|agent| names(&self.agents, agent.as_str())))
    }
}
