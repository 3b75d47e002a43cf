//! Roles and what each may do: the one table of permissions. Nobody else compares roles.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text).ok_or_else(|| UnknownWord(text.to_owned()))
            }
        }
    };
}

/// There is no such role or permission.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not known here")]
pub struct UnknownWord(pub String);

words! {
    /// What somebody is in a tenant.
    Role {
        /// Everything, and the tenant itself.
        Owner = "owner",
        /// Everything but the tenant itself.
        Admin = "admin",
        /// Works.
        Member = "member",
        /// Reads.
        Viewer = "viewer",
        /// A service account that acts for people.
        Agent = "agent",
    }
}

words! {
    /// One thing that a role may do.
    Permission {
        SubmitIntents = "intent:submit",
        ReadExecutions = "execution:read",
        CancelExecutions = "execution:cancel",
        TalkToAgents = "agent:invoke",
        ReadArtifacts = "artifact:read",
        WriteArtifacts = "artifact:write",
        UseSessions = "session:write",
        DecideApprovals = "approval:decide",
        ReadAudit = "audit:read",
        ManageMembers = "member:manage",
        ManageTenant = "tenant:manage",
    }
}

impl Role {
    /// The table.
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::*;
        match self {
            Self::Owner => Permission::ALL,
            Self::Admin => &[
                SubmitIntents,
                ReadExecutions,
                CancelExecutions,
                TalkToAgents,
                ReadArtifacts,
                WriteArtifacts,
                UseSessions,
                DecideApprovals,
                ReadAudit,
                ManageMembers,
            ],
            Self::Member => &[
                SubmitIntents,
                ReadExecutions,
                CancelExecutions,
                TalkToAgents,
                ReadArtifacts,
                WriteArtifacts,
                UseSessions,
                DecideApprovals,
            ],
            Self::Viewer => &[ReadExecutions, ReadArtifacts, UseSessions],
            // A machine never decides an approval: that is what approvals are for.
            Self::Agent => &[
                SubmitIntents,
                ReadExecutions,
                CancelExecutions,
                TalkToAgents,
                ReadArtifacts,
                WriteArtifacts,
                UseSessions,
            ],
        }
    }
}

/// What somebody with all of these roles may do, each permission once, in the order of [`Permission::ALL`].
pub fn permissions_of(roles: &[Role]) -> Vec<Permission> {
    let may = |permission: &Permission| roles.iter().any(|role| role.permissions().contains(permission));
    Permission::ALL.iter().copied().filter(may).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_is_contained_in_the_next() {
        for (lower, upper) in [(Role::Viewer, Role::Member), (Role::Member, Role::Admin), (Role::Admin, Role::Owner)] {
            for permission in lower.permissions() {
                assert!(upper.permissions().contains(permission), "{upper} lacks {permission} of {lower}");
            }
        }
        assert!(!Role::Agent.permissions().contains(&Permission::DecideApprovals));
        assert_eq!(permissions_of(&[Role::Viewer, Role::Owner]), Permission::ALL);
        assert!(permissions_of(&[]).is_empty());
    }

    #[test]
    fn words_survive_the_round_trip() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(*role));
        }
        assert!("root".parse::<Role>().is_err());
    }
}
