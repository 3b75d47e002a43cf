//! The section `budgets`: what calls of language models may cost, as people write it.

use agents::budget::{LONGEST_WINDOW, Limit, Scope, Unit};
use serde::{Deserialize, Deserializer, Serialize};

/// Millionths in a dollar.
const MICROS: f64 = 1_000_000.0;
/// The most of anything: more is no limit.
const MOST: f64 = 1e15;
/// How many limits each kind may have.
const MAX_LIMITS: usize = 8;

/// The section `budgets`: `"200000 tokens/1d"`, `"5.00 USD/30d"`, or several of them, for each one of the kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BudgetsConfig {
    #[serde(deserialize_with = "one_or_more")]
    pub tenant: Vec<String>,
    #[serde(deserialize_with = "one_or_more")]
    pub user: Vec<String>,
    #[serde(deserialize_with = "one_or_more")]
    pub agent: Vec<String>,
    /// One turn, with all that is handed over within it; it needs no time.
    #[serde(deserialize_with = "one_or_more")]
    pub run: Vec<String>,
}

impl BudgetsConfig {
    /// The limits as they are held; or the setting that is wrong, and what is wrong with it.
    pub fn limits(&self) -> Result<Vec<Limit>, (&'static str, String)> {
        let kinds = [
            ("budgets.tenant", Scope::Tenant, &self.tenant),
            ("budgets.user", Scope::User, &self.user),
            ("budgets.agent", Scope::Agent, &self.agent),
            ("budgets.run", Scope::Run, &self.run),
        ];
        let mut limits = Vec::new();
        for (setting, scope, texts) in kinds {
            if texts.len() > MAX_LIMITS {
                return Err((setting, format!("there are more than {MAX_LIMITS}")));
            }
            for text in texts {
                limits.push(read(scope, text).ok_or_else(|| (setting, not_a_limit(scope, text)))?);
            }
        }
        Ok(limits)
    }

    /// Whether any of them is in money, for which models need a price.
    pub fn is_in_money(&self) -> bool {
        self.limits().is_ok_and(|limits| limits.iter().any(|limit| limit.unit == Unit::Money))
    }
}

fn not_a_limit(scope: Scope, text: &str) -> String {
    let example = if scope == Scope::Run { "50000 tokens" } else { "200000 tokens/1d" };
    format!("{text:?} is no budget: write such as \"{example}\" or \"5.00 USD/30d\", with at most 31d")
}

fn read(scope: Scope, text: &str) -> Option<Limit> {
    let (amount, window) = match text.split_once('/') {
        Some((amount, window)) => (amount, security_guard::duration::parse(window.trim()).ok()?),
        None if scope == Scope::Run => (text, LONGEST_WINDOW),
        None => return None,
    };
    let (number, unit) = amount.trim().split_once(' ')?;
    let number: f64 = number.parse().ok()?;
    let (unit, most) = match unit.trim() {
        "tokens" if number.fract() == 0.0 => (Unit::Tokens, number),
        "USD" => (Unit::Money, (number * MICROS).round()),
        _ => return None,
    };
    let fits = (1.0..=MOST).contains(&most) && !window.is_zero() && window <= LONGEST_WINDOW;
    fits.then(|| Limit { scope, unit, most: most as u64, window, text: text.to_owned() })
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a text such as \"200000 tokens/1d\", or a list of them")]
    enum OneOrMore {
        One(String),
        More(Vec<String>),
    }
    Ok(match OneOrMore::deserialize(deserializer)? {
        OneOrMore::One(text) => vec![text],
        OneOrMore::More(texts) => texts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_read_as_people_write_them() {
        let day = std::time::Duration::from_secs(24 * 60 * 60);
        let cases = [
            (Scope::User, "200000 tokens/1d", Some((Unit::Tokens, 200_000, day))),
            (Scope::Tenant, "5.00 USD/30d", Some((Unit::Money, 5_000_000, 30 * day))),
            (Scope::Agent, "0.25 USD / 1d", Some((Unit::Money, 250_000, day))),
            (Scope::Run, "50000 tokens", Some((Unit::Tokens, 50_000, LONGEST_WINDOW))),
            (Scope::User, "50000 tokens", None),
            (Scope::User, "1.5 tokens/1d", None),
            (Scope::User, "0 tokens/1d", None),
            (Scope::User, "-1 USD/1d", None),
            (Scope::User, "nan USD/1d", None),
            (Scope::User, "5 EUR/1d", None),
            (Scope::User, "5 USD/32d", None),
            (Scope::User, "5 USD/0s", None),
            (Scope::User, "tokens/1d", None),
        ];
        for (scope, text, expected) in cases {
            let read = read(scope, text).map(|limit| (limit.unit, limit.most, limit.window));
            assert_eq!(read, expected, "{text}");
        }
    }
}
