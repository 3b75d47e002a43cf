//! The section `limits`, which is one for people and two for the rooms that hold them.

use experience::ExperienceLimits;
use security_guard::config::GuardLimits;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use toml::{Table, Value};

/// All limits: those of the guard and those of the face.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    pub guard: GuardLimits,
    pub experience: ExperienceLimits,
}

impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let guards = keys(&GuardLimits::default());
        let (guard, experience): (Table, Table) =
            Table::deserialize(deserializer)?.into_iter().partition(|(key, _)| guards.contains(key));
        Ok(Self {
            guard: guard.try_into().map_err(de::Error::custom)?,
            experience: experience.try_into().map_err(de::Error::custom)?,
        })
    }
}

impl Serialize for Limits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in table(&self.guard).into_iter().chain(table(&self.experience)) {
            map.serialize_entry(&key, &value)?;
        }
        map.end()
    }
}

fn keys(limits: &impl Serialize) -> Vec<String> {
    table(limits).into_iter().map(|(key, _)| key).collect()
}

fn table(limits: &impl Serialize) -> Table {
    match Value::try_from(limits) {
        Ok(Value::Table(table)) => table,
        Ok(_) | Err(_) => unreachable!("limits are a table of numbers and texts"),
    }
}
