//! The section `retention`: how long what has ended is kept. It decides nothing by itself; the default is for ever.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr, time::Duration};

use contract::{TenantId, Timestamp};
use public_works::sqlite::KeptFrom;
use security_guard::duration;
use serde::{Deserialize, Serialize};

/// Shorter than a key of a submission counts, and a retry would find nothing and begin anew.
const SHORTEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

const FOREVER: &str = "forever";

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSection {
    /// How long executions, their events and messages are kept after their end.
    pub history: Keeping,
    /// Tenants with a rule of their own.
    pub tenants: Vec<TenantRule>,
    /// The folder of the files into which everything is written before it is taken away; absent: it is not kept.
    pub archive: Option<PathBuf>,
}

/// `"90d"`, or `"forever"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Keeping(Option<Duration>);

/// `"tenant_… 30d"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantRule {
    pub tenant: TenantId,
    pub history: Keeping,
}

impl FromStr for Keeping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == FOREVER {
            return Ok(Self(None));
        }
        let length = duration::parse(text).map_err(|error| format!("{error}, or \"{FOREVER}\""))?;
        if length < SHORTEST {
            return Err(format!("{text:?} is too short: a retry may come for 7 days; write \"7d\" or more"));
        }
        Ok(Self(Some(length)))
    }
}

impl TryFrom<String> for Keeping {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Keeping> for String {
    fn from(keeping: Keeping) -> Self {
        keeping.0.map_or_else(|| FOREVER.to_owned(), duration::format)
    }
}

impl TryFrom<String> for TenantRule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (tenant, history) = text.split_once(' ').ok_or_else(|| {
            format!("{text:?} is no rule: write a tenant's id and a length of time, such as \"tenant_… 30d\"")
        })?;
        let tenant = tenant.parse().map_err(|error| format!("{tenant:?} is no tenant: {error}"))?;
        Ok(Self { tenant, history: history.trim().parse()? })
    }
}

impl From<TenantRule> for String {
    fn from(rule: TenantRule) -> Self {
        format!("{} {}", rule.tenant, Self::from(rule.history))
    }
}

impl Keeping {
    /// From when on what has ended is kept.
    pub fn from(self, now: Timestamp) -> Option<Timestamp> {
        let length = i64::try_from(self.0?.as_millis()).unwrap_or(i64::MAX);
        Some(Timestamp::from_millis(now.as_millis().saturating_sub(length)))
    }
}

impl RetentionSection {
    /// Whether nothing ever goes.
    pub fn is_forever(&self) -> bool {
        self.history.0.is_none() && self.tenants.iter().all(|rule| rule.history.0.is_none())
    }

    /// What is kept as of now.
    pub fn kept_from(&self, now: Timestamp) -> KeptFrom {
        let tenants: BTreeMap<_, _> =
            self.tenants.iter().map(|rule| (rule.tenant.clone(), rule.history.from(now))).collect();
        KeptFrom { default: self.history.from(now), tenants }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_and_written() {
        let text = r#"{"history":"90d","tenants":["tenant_1 30d","tenant_2 forever"],"archive":null}"#;
        let section: RetentionSection = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&section).unwrap(), text);
        let now = Timestamp::from_millis(100 * 86_400_000);
        let kept = section.kept_from(now);
        assert_eq!(kept.default, Some(Timestamp::from_millis(10 * 86_400_000)));
        assert_eq!(kept.tenants[&"tenant_2".parse::<TenantId>().unwrap()], None);
        assert!(!section.is_forever() && RetentionSection::default().is_forever());
    }

    #[test]
    fn what_is_no_rule_is_told() {
        for (text, said) in [("soon", "or \"forever\""), ("1d", "too short"), ("", "not a length of time")] {
            let error = text.parse::<Keeping>().unwrap_err();
            assert!(error.contains(said), "{text:?}: {error}");
        }
        assert!(TenantRule::try_from("tenant_1".to_owned()).unwrap_err().contains("is no rule"));
    }
}
