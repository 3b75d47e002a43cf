//! The policy as it is written: read, laid over the default, and checked against the names that there are. A mistake is told with
//! its line.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use toml::Spanned;

use super::{DEFAULT, judge::ANONYMOUS};
use crate::Role;

/// Longer files are a mistake.
const MAX_BYTES: usize = 256 * 1024;

/// Why a policy cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct BadPolicy {
    /// Counted from 1.
    pub line: usize,
    pub problem: String,
}

/// Rules that can be judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(super) roles: BTreeMap<String, Rule>,
    pub(super) agents: BTreeMap<String, Rule>,
    pub(super) approvals: Vec<Approval>,
}

/// Which intents somebody may have executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) intents: Vec<Pattern>,
    pub(super) except: Vec<Pattern>,
}

/// What needs somebody's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Approval {
    pub(super) intents: Vec<Pattern>,
    /// Empty: of everybody.
    pub(super) roles: Vec<String>,
    /// Empty: whoever asks.
    pub(super) agents: Vec<String>,
    pub(super) reason: String,
}

/// One or many intents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    Every,
    Realm(String),
    Intent(String),
}

impl Pattern {
    fn parse(text: &str) -> Self {
        match text.strip_suffix("/*") {
            _ if text == "*" => Self::Every,
            Some(realm) => Self::Realm(realm.to_owned()),
            None => Self::Intent(text.to_owned()),
        }
    }

    pub(super) fn fits(&self, intent_type: &str, realm: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Realm(wanted) => wanted == realm,
            Self::Intent(wanted) => wanted == intent_type,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => formatter.write_str("*"),
            Self::Realm(realm) => write!(formatter, "{realm}/*"),
            Self::Intent(name) => formatter.write_str(name),
        }
    }
}

/// What a policy can speak of.
#[derive(Clone, Debug, Default)]
pub struct KnownNames {
    pub intents: Vec<String>,
    pub realms: Vec<String>,
    pub agents: Vec<String>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Written {
    roles: BTreeMap<Spanned<String>, WrittenRule>,
    agents: BTreeMap<Spanned<String>, WrittenRule>,
    approvals: Vec<WrittenApproval>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    intents: Vec<Spanned<String>>,
    #[serde(default)]
    except: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenApproval {
    intents: Vec<Spanned<String>>,
    #[serde(default)]
    roles: Vec<Spanned<String>>,
    #[serde(default)]
    agents: Vec<Spanned<String>>,
    reason: String,
}

impl Policy {
    /// The default alone.
    pub fn builtin() -> Self {
        let nothing = Self { roles: BTreeMap::new(), agents: BTreeMap::new(), approvals: Vec::new() };
        nothing.overlaid(DEFAULT, None).expect("a test reads the default policy")
    }

    /// The default with these rules over it. Names that nobody has are refused: a typing mistake in a rule would allow what it was
    /// meant to forbid.
    pub fn read(text: &str, known: &KnownNames) -> Result<Self, BadPolicy> {
        Self::builtin().overlaid(text, Some(known))
    }

    fn overlaid(mut self, text: &str, known: Option<&KnownNames>) -> Result<Self, BadPolicy> {
        let reader = Reader { text, known };
        if text.len() > MAX_BYTES {
            return Err(BadPolicy { line: 1, problem: "a policy has at most 256 KiB".to_owned() });
        }
        let written: Written = toml::from_str(text).map_err(|error| BadPolicy {
            line: reader.line(error.span().map_or(0, |span| span.start)),
            problem: error.message().to_owned(),
        })?;
        for (name, rule) in written.roles {
            let name = reader.role(name)?;
            self.roles.insert(name, reader.rule(rule)?);
        }
        for (name, rule) in written.agents {
            let name = reader.agent(name)?;
            self.agents.insert(name, reader.rule(rule)?);
        }
        for approval in written.approvals {
            self.approvals.push(Approval {
                intents: reader.patterns(approval.intents)?,
                roles: approval.roles.into_iter().map(|role| reader.role(role)).collect::<Result<_, _>>()?,
                agents: approval.agents.into_iter().map(|agent| reader.agent(agent)).collect::<Result<_, _>>()?,
                reason: approval.reason,
            });
        }
        Ok(self)
    }

    /// What another policy changes, a line each; empty where it changes nothing.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for (kind, before, after) in [("roles", &self.roles, &other.roles), ("agents", &self.agents, &other.agents)] {
            for (name, rule) in after {
                match before.get(name) {
                    Some(same) if same == rule => {}
                    Some(old) => found.push(format!("{kind}.{name}: {rule} (was {old})")),
                    None => found.push(format!("{kind}.{name}: {rule} (had no rule of its own)")),
                }
            }
        }
        for approval in other.approvals.iter().filter(|approval| !self.approvals.contains(approval)) {
            found.push(format!("approvals: {approval}"));
        }
        found
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |patterns: &[Pattern]| patterns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match (self.intents.as_slice(), self.except.as_slice()) {
            ([], _) => formatter.write_str("nothing"),
            (intents, []) => write!(formatter, "{}", list(intents)),
            (intents, except) => write!(formatter, "{} except {}", list(intents), list(except)),
        }
    }
}

impl fmt::Display for Approval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let intents: Vec<String> = self.intents.iter().map(ToString::to_string).collect();
        write!(formatter, "{} needs a word", intents.join(", "))?;
        if !self.roles.is_empty() {
            write!(formatter, " for {}", self.roles.join(", "))?;
        }
        if !self.agents.is_empty() {
            write!(formatter, " where {} asks", self.agents.join(" or "))?;
        }
        Ok(())
    }
}

/// Turns what is written into rules, and knows where it stood.
struct Reader<'a> {
    text: &'a str,
    /// Absent: names are not looked at.
    known: Option<&'a KnownNames>,
}

impl Reader<'_> {
    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }

    fn complain(&self, at: &Spanned<String>, what: &str, choices: &[String]) -> BadPolicy {
        let problem = match choices {
            [] => format!("there is no {what} {:?}", at.get_ref()),
            choices => format!("there is no {what} {:?}; there are {}", at.get_ref(), choices.join(", ")),
        };
        BadPolicy { line: self.line(at.span().start), problem }
    }

    fn role(&self, name: Spanned<String>) -> Result<String, BadPolicy> {
        if name.get_ref() == ANONYMOUS || name.get_ref().parse::<Role>().is_ok() {
            return Ok(name.into_inner());
        }
        let roles = Role::ALL.iter().map(ToString::to_string).chain([ANONYMOUS.to_owned()]);
        Err(self.complain(&name, "role", &roles.collect::<Vec<_>>()))
    }

    fn agent(&self, name: Spanned<String>) -> Result<String, BadPolicy> {
        match self.known {
            Some(known) if name.get_ref() != "*" && !known.agents.contains(name.get_ref()) => {
                Err(self.complain(&name, "agent", &known.agents))
            }
            Some(_) | None => Ok(name.into_inner()),
        }
    }

    fn rule(&self, rule: WrittenRule) -> Result<Rule, BadPolicy> {
        Ok(Rule { intents: self.patterns(rule.intents)?, except: self.patterns(rule.except)? })
    }

    fn patterns(&self, texts: Vec<Spanned<String>>) -> Result<Vec<Pattern>, BadPolicy> {
        texts.into_iter().map(|text| self.pattern(text)).collect()
    }

    fn pattern(&self, text: Spanned<String>) -> Result<Pattern, BadPolicy> {
        let pattern = Pattern::parse(text.get_ref());
        let Some(known) = self.known else { return Ok(pattern) };
        match &pattern {
            Pattern::Realm(realm) if !known.realms.contains(realm) => Err(self.complain(&text, "realm", &known.realms)),
            Pattern::Intent(name) if !known.intents.contains(name) => {
                Err(self.complain(&text, "intent", &known.intents))
            }
            Pattern::Every | Pattern::Realm(_) | Pattern::Intent(_) => Ok(pattern),
        }
    }
}
