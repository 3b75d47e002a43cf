//! Rotation of signing keys: nobody notices, unless it is meant.

use super::*;
use crate::{
    Rotation,
    signing::{KeyState, PUBLISHED_AHEAD},
};

fn published(house: &House) -> usize {
    house.guard.jwks()["keys"].as_array().unwrap().len()
}

/// What the header of a token says of its key.
fn key_of(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

#[tokio::test]
async fn old_tokens_live_to_their_end() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let keys = house.guard.rotate_keys(Rotation::Overlapping, &Peer::operator()).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.state).collect::<Vec<_>>(), [KeyState::Signing, KeyState::Next]);
    assert_eq!(published(&house), 2, "both are there before the new one signs");
    let second = house.guard.refresh(&ada.refresh_token.0, &home()).await.unwrap();
    assert_eq!(key_of(&second.access_token.0), key_of(&ada.access_token.0));
    house.clock.advance(PUBLISHED_AHEAD);
    let third = house.guard.refresh(&second.refresh_token.0, &home()).await.unwrap();
    assert_eq!(key_of(&third.access_token.0), keys[1].key_id);
    for signed_in in [&ada, &second, &third] {
        assert!(house.guard.authenticate(&signed_in.access_token.0).await.is_ok());
    }
    // The last token of the old key was made just before the new one began to sign.
    house.clock.advance(Duration::from_millis(599_999));
    assert_eq!(published(&house), 2);
    house.clock.advance(Duration::from_millis(1));
    assert_eq!(published(&house), 1);
    let keys = house.guard.rotate_keys(Rotation::Overlapping, &Peer::operator()).await.unwrap();
    assert_eq!(keys.len(), 2, "the retired one is forgotten");

    // A later start reads the same keys.
    let later = House::over(GuardConfig::default(), house.clock.clone(), house.accounts.clone()).await;
    assert_eq!(later.guard.signing_keys(), house.guard.signing_keys());
}

#[tokio::test]
async fn a_key_that_others_may_know_is_gone_at_once() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    house.guard.authenticate(&ada.access_token.0).await.unwrap();
    house.guard.rotate_keys(Rotation::AtOnce, &Peer::operator()).await.unwrap();
    assert_eq!(published(&house), 1);
    assert!(matches!(house.guard.authenticate(&ada.access_token.0).await, Err(GuardError::TokenInvalid)));
    let next = house.guard.refresh(&ada.refresh_token.0, &home()).await.unwrap();
    assert!(house.guard.authenticate(&next.access_token.0).await.is_ok(), "a refresh is enough");
}
