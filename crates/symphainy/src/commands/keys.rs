//! `symphainy keys`: the keys that sign access tokens, on the data folder itself.

use security_guard::{
    Peer, Rotation, SecurityGuard,
    signing::{KeyState, KeySummary},
};
use serde_json::json;

use super::operator::{Folder, with_guard};
use crate::{
    cli::{KeysArguments, KeysVerb},
    exit::{Complaint, Exit},
    output::show_line,
    wiring,
};

pub(crate) async fn keys(arguments: KeysArguments) -> Result<Exit, Complaint> {
    let (house, json) = match &arguments.verb {
        KeysVerb::List { house, json } | KeysVerb::Rotate { house, json, .. } => (house, *json),
    };
    let work = async |guard: &SecurityGuard| obey(guard, &arguments.verb).await;
    let keys = with_guard(house, "keys", Folder::HasToBeThere, work).await?;
    let text: Vec<String> = keys.iter().map(row).collect();
    show_line(&if json { json!({ "keys": keys }).to_string() } else { text.join("\n") });
    Ok(Exit::Success)
}

async fn obey(guard: &SecurityGuard, verb: &KeysVerb) -> Result<Vec<KeySummary>, Complaint> {
    let rotation = match verb {
        KeysVerb::List { .. } => return Ok(guard.signing_keys()),
        KeysVerb::Rotate { at_once: true, .. } => Rotation::AtOnce,
        KeysVerb::Rotate { at_once: false, .. } => Rotation::Overlapping,
    };
    guard.rotate_keys(rotation, &Peer::operator()).await.map_err(|error| wiring::guard_complaint(&error))
}

fn row(key: &KeySummary) -> String {
    let what = match (key.state, key.ends_at) {
        (KeyState::Next, _) => format!("signs from {} on", key.signs_from),
        (KeyState::Signing, Some(end)) => format!("signs, and verifies until {end}"),
        (KeyState::Signing, None) => "signs".to_owned(),
        (KeyState::Verifying | KeyState::Retired, Some(end)) => format!("verifies until {end}"),
        (KeyState::Verifying | KeyState::Retired, None) => "verifies".to_owned(),
    };
    format!("{}  made {}  {what}", key.key_id, key.created_at)
}
