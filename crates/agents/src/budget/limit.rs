//! A limit: so much of something for somebody within a time.

use std::time::Duration;

/// The longest window; what was spent before it is forgotten.
pub const LONGEST_WINDOW: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// So much, for each of a kind, within a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    pub scope: Scope,
    pub unit: Unit,
    /// Tokens, or millionths of a dollar.
    pub most: u64,
    pub window: Duration,
    /// As whoever set it wrote it; it is shown to people.
    pub text: String,
}

/// Each of whom may spend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Tenant,
    User,
    Agent,
    /// One turn, with all that is handed over within it.
    Run,
}

impl Scope {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::User => "user",
            Self::Agent => "agent",
            Self::Run => "run",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Tokens,
    Money,
}

/// What calls cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spend {
    /// In and out together.
    pub tokens: u64,
    /// Millionths of a dollar.
    pub micros: u64,
}

impl Spend {
    pub const fn of(self, unit: Unit) -> u64 {
        match unit {
            Unit::Tokens => self.tokens,
            Unit::Money => self.micros,
        }
    }
}
