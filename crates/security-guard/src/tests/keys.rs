//! API keys, through the guard.

use contract::key::{CreateApiKey, CreatedApiKey};

use super::*;
use crate::{Caller, Ended, Permission};

fn named(name: &str) -> CreateApiKey {
    CreateApiKey { name: name.to_owned(), ..CreateApiKey::default() }
}

async fn key_of(house: &House, caller: &Caller, request: CreateApiKey) -> CreatedApiKey {
    house.guard.create_key(caller, request).await.unwrap()
}

#[tokio::test]
async fn a_key_is_its_user() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let made = key_of(&house, &ada.caller, named("nightly import")).await;
    assert!(made.key.0.starts_with(&made.api_key.hint));
    let caller = house.guard.authenticate(&made.key.0).await.unwrap();
    assert_eq!((caller.owner(), caller.roles()), (ada.caller.owner(), ada.caller.roles()));
    assert_eq!(caller.permissions(), ada.caller.permissions());
    assert_ne!(caller.session_id(), ada.caller.session_id(), "it works in a session of its own");
    assert_eq!(caller.me().unwrap().api_key.unwrap().name, "nightly import");
    assert!(house.guard.session(Some(&crate::Asker::User(caller.clone())), caller.session_id()).await.is_ok());
}

#[tokio::test]
async fn scopes_take_away_and_never_give() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let scopes = vec!["artifact:read".to_owned(), "tenant:manage".to_owned()];
    let intents = vec!["profile_data".to_owned()];
    let request = CreateApiKey { scopes: Some(scopes), intents: Some(intents), ..named("reader") };
    let made = key_of(&house, &ada.caller, request).await;
    let caller = house.guard.authenticate(&made.key.0).await.unwrap();
    assert_eq!(caller.permissions(), [Permission::ReadArtifacts, Permission::ManageTenant]);
    let authority = crate::Asker::User(caller).authority();
    assert_eq!((authority.roles, authority.intents), (vec!["owner".to_owned()], Some(vec!["profile_data".to_owned()])));
    let nothing = CreateApiKey { scopes: Some(Vec::new()), ..named("nothing") };
    let caller = house.guard.authenticate(&key_of(&house, &ada.caller, nothing).await.key.0).await.unwrap();
    assert_eq!(caller.permissions(), []);
}

#[tokio::test]
async fn a_key_makes_no_keys() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let made = key_of(&house, &ada.caller, named("leaked")).await;
    let caller = house.guard.authenticate(&made.key.0).await.unwrap();
    assert!(matches!(house.guard.create_key(&caller, named("more")).await, Err(GuardError::Forbidden(_))));
    assert!(matches!(house.guard.list_keys(&caller, None).await, Err(GuardError::Forbidden(_))));
    let answer = house.guard.revoke_key(&caller, None, &made.api_key.key_id).await;
    assert!(matches!(answer, Err(GuardError::Forbidden(_))));
    assert!(matches!(house.guard.logout(&caller, &home()).await, Err(GuardError::NotSignedIn)));
}

#[tokio::test]
async fn a_revoked_key_is_out_at_once() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let eve = house.register("eve@example.org").await;
    let made = key_of(&house, &ada.caller, named("to be revoked")).await;
    let caller = house.guard.authenticate(&made.key.0).await.unwrap();
    let key_id = &made.api_key.key_id;
    assert!(matches!(house.guard.revoke_key(&eve.caller, None, key_id).await, Err(GuardError::NotFound(_))));
    let mut endings = house.guard.endings();
    house.guard.revoke_key(&ada.caller, None, key_id).await.unwrap();
    assert_eq!(endings.try_recv(), Ok(Ended::Key(key_id.clone())));
    assert!(matches!(house.guard.authenticate(&made.key.0).await, Err(GuardError::TokenInvalid)));
    assert!(matches!(house.guard.recheck(&caller).await, Err(GuardError::TokenInvalid)));
    assert!(matches!(house.guard.revoke_key(&ada.caller, None, key_id).await, Err(GuardError::NotFound(_))));
    assert_eq!(house.guard.list_keys(&ada.caller, None).await.unwrap(), []);
}

#[tokio::test]
async fn a_key_ends_in_time_and_with_its_user() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let soon = house.clock.now().after(Duration::from_secs(60));
    let request = CreateApiKey { expires_at: Some(soon), ..named("short") };
    let short = key_of(&house, &ada.caller, request).await;
    let long = key_of(&house, &ada.caller, named("long")).await;
    assert!(house.guard.authenticate(&short.key.0).await.is_ok());
    house.clock.advance(Duration::from_secs(60));
    assert!(house.guard.authenticate(&short.key.0).await.is_err());
    assert!(house.guard.authenticate(&long.key.0).await.is_ok());
    house.guard.logout_everywhere(&ada.caller, &home()).await.unwrap();
    assert!(house.guard.authenticate(&long.key.0).await.is_ok(), "signing out is about sign-ins");
    house.guard.disable_user(ada.caller.user_id()).await.unwrap();
    assert!(matches!(house.guard.authenticate(&long.key.0).await, Err(GuardError::AccountDisabled)));
}

#[tokio::test]
async fn a_use_is_written_down_now_and_then() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let made = key_of(&house, &ada.caller, named("used")).await;
    let last_used = async || house.guard.list_keys(&ada.caller, None).await.unwrap()[0].last_used_at;
    assert_eq!(last_used().await, None);
    let first = house.clock.now();
    for (seconds, expected) in [(0, first), (300, first), (300, first.after(Duration::from_secs(600)))] {
        house.clock.advance(Duration::from_secs(seconds));
        house.guard.authenticate(&made.key.0).await.unwrap();
        assert_eq!(last_used().await, Some(expected));
    }
}

#[tokio::test]
async fn what_does_not_fit_is_said() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let now = house.clock.now();
    let far = now.after(Duration::from_secs(367 * 24 * 3_600));
    for (request, field) in [
        (named(" "), "name"),
        (named("a\nb"), "name"),
        (CreateApiKey { expires_at: Some(now), ..named("x") }, "expires_at"),
        (CreateApiKey { expires_at: Some(far), ..named("x") }, "expires_at"),
        (CreateApiKey { scopes: Some(vec!["root".to_owned()]), ..named("x") }, "scopes"),
        (CreateApiKey { intents: Some(vec!["a b".to_owned()]), ..named("x") }, "intents"),
    ] {
        let error = house.guard.create_key(&ada.caller, request).await.unwrap_err();
        assert_eq!(error.field_errors()[0].field, field);
    }
    for text in ["symk_", "symk_1234", &format!("symk_{}", "0".repeat(72))] {
        assert!(matches!(house.guard.authenticate(text).await, Err(GuardError::TokenInvalid)));
    }
}
