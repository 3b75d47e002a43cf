//! Names of things. Our own ids are a prefix for people and then a UUIDv7 (RFC 9562), or 128 random bits where the
//! id is a secret too. Conversation and message ids may be a client's own words.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::Timestamp;

/// The longest id that is accepted, in bytes.
pub const MAX_ID_BYTES: usize = 128;

/// The text cannot be an id of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 128 characters out of letters, digits and . _ : ~ -")]
pub struct NotAnId;

fn check(text: &str) -> Result<&str, NotAnId> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:~-".contains(&byte);
    if (1..=MAX_ID_BYTES).contains(&text.len()) && text.bytes().all(allowed) { Ok(text) } else { Err(NotAnId) }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// What ids of this kind that we make ourselves begin with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id from an instant and 10 random bytes (UUIDv7): sorts by time, 74 bits are chance.
            pub fn from_parts(now: Timestamp, random: [u8; 10]) -> Self {
                let millis = u64::try_from(now.as_millis()).unwrap_or(0);
                let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
                Self(prefixed($prefix, uuid))
            }

            /// A new id that is a secret too: all of its 128 bits are chance.
            pub fn from_random(random: [u8; 16]) -> Self {
                Self(prefixed($prefix, Uuid::from_bytes(random)))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                check(text).map(|text| Self(Arc::from(text)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .max_length(Some(MAX_ID_BYTES))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

fn prefixed(prefix: &str, uuid: Uuid) -> Arc<str> {
    let mut buffer = Uuid::encode_buffer();
    let simple = uuid.simple().encode_lower(&mut buffer);
    Arc::from(format!("{prefix}_{simple}"))
}

id!(
    /// A tenant: the wall between organisations.
    TenantId, "tenant"
);
id!(
    /// An invitation into a tenant; it names the invitation and does not open anything.
    InvitationId, "invite"
);
id!(
    /// A person or a service account.
    UserId, "user"
);
id!(
    /// A session of work. While it is anonymous its id is its credential, so it is made with `from_random`.
    SessionId, "sess"
);
id!(
    /// One sign-in and the family of refresh tokens that descends from it.
    SignInId, "signin"
);
id!(
    /// An API key; it names the key and does not open anything.
    ApiKeyId, "key"
);
id!(
    /// One execution of an intent.
    ExecutionId, "exec"
);
id!(
    /// One submission of an intent; a client may choose it, and then it makes a retry safe.
    IntentId, "intent"
);
id!(
    /// A conversation, unique to its owner; a client may choose it.
    ConversationId, "conv"
);
id!(
    /// A message of a conversation; a client may choose it.
    MessageId, "msg"
);
id!(
    /// Something that an execution made or kept.
    ArtifactId, "art"
);
id!(
    /// Stored bytes. Made with `from_random`: who can name it may read it, and no client is ever shown one.
    ObjectId, "obj"
);
id!(
    /// An approval that somebody has to decide.
    HookId, "hook"
);
id!(
    /// Something that is done again and again.
    ScheduleId, "sched"
);
id!(
    /// An agent, such as `guide` or `liaison.insights`.
    AgentId, "agent"
);

/// For fields in which the old client writes `""` for none.
pub(crate) fn blank_is_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| text.parse().map_err(de::Error::custom)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_carry_their_prefix() {
        let early = ExecutionId::from_parts(Timestamp::from_millis(1_000), [255; 10]);
        let late = ExecutionId::from_parts(Timestamp::from_millis(1_001), [0; 10]);
        assert!(early < late);
        assert!(early.as_str().starts_with("exec_"));
        assert_eq!(early.as_str().len(), "exec_".len() + 32);
    }

    #[test]
    fn what_cannot_be_an_id_is_refused() {
        for text in ["", "a b", "ä", "a/b", "a\n", &"x".repeat(129)] {
            assert_eq!(text.parse::<ConversationId>(), Err(NotAnId), "{text:?}");
        }
        assert_eq!(serde_json::from_str::<MessageId>("\"m-1\"").unwrap().as_str(), "m-1");
    }
}
