//! What API keys have to promise, whoever keeps them.

use contract::{ApiKeyId, key::ApiKey, session::Session};

use super::*;
use crate::keys::{KeyCreated, KeyLookup, MAX_KEYS, NewApiKey};

/// Runs every case about keys, each on a plug of its own.
pub(super) async fn run<F: Future<Output = Plug>>(open: &impl Fn() -> F) {
    a_key_stands_for_its_user(open().await).await;
    a_key_ends(open().await).await;
    keys_are_its_users_in_its_tenant(open().await).await;
    there_are_only_so_many(open().await).await;
}

fn key_id(number: u8) -> ApiKeyId {
    ApiKeyId::from_parts(at(0), [number; 10])
}

/// A key of the user and the tenant that carry `user`.
pub(super) fn new_key(number: u8, user: u8) -> NewApiKey {
    let api_key = ApiKey {
        key_id: key_id(number),
        name: format!("Key {number}"),
        hint: "symk_abcdef".to_owned(),
        user_id: user_id(user),
        tenant_id: tenant_id(user),
        scopes: Some(vec!["intent:submit".to_owned()]),
        intents: None,
        created_at: at(0),
        expires_at: at(100),
        last_used_at: None,
    };
    let session = Session {
        session_id: session_id(number),
        tenant_id: Some(tenant_id(user)),
        user_id: Some(user_id(user)),
        is_anonymous: false,
        expires_at: at(100),
        metadata: Map::new(),
        ..anonymous(number)
    };
    NewApiKey { api_key, hash: hash(number), session, for_service_account: false }
}

async fn a_key_stands_for_its_user(plug: Plug) {
    registered(&plug, 1).await;
    let new = new_key(9, 1);
    assert_eq!(plug.create_key(new.clone()).await.expect("an answer"), KeyCreated::Done);
    for lookup in [KeyLookup::Hash(hash(9)), KeyLookup::Id(key_id(9))] {
        let found = plug.standing_by_key(&lookup, at(1)).await.expect("an answer").expect("it works");
        assert_eq!((found.api_key, found.session_id), (new.api_key.clone(), session_id(9)));
        assert_eq!(found.standing.roles, [Role::Owner]);
        assert_eq!(found.standing.sign_in, None);
    }
    assert!(plug.session(&session_id(9), at(99)).await.expect("an answer").is_some(), "its session came with it");
    plug.key_used(&key_id(9), at(5)).await.expect("an answer");
    let found = plug.standing_by_key(&KeyLookup::Id(key_id(9)), at(6)).await.expect("an answer").expect("it works");
    assert_eq!(found.api_key.last_used_at, Some(at(5)));
    for unknown in [KeyLookup::Hash(hash(8)), KeyLookup::Id(key_id(8))] {
        assert_eq!(plug.standing_by_key(&unknown, at(1)).await.expect("an answer"), None);
    }
}

async fn a_key_ends(plug: Plug) {
    registered(&plug, 1).await;
    for number in [8, 9] {
        assert_eq!(plug.create_key(new_key(number, 1)).await.expect("an answer"), KeyCreated::Done);
    }
    assert!(plug.revoke_key(&tenant_id(1), &user_id(1), &key_id(8), at(1)).await.expect("an answer"));
    assert!(!plug.revoke_key(&tenant_id(1), &user_id(1), &key_id(8), at(1)).await.expect("an answer"), "once");
    assert_eq!(plug.standing_by_key(&KeyLookup::Hash(hash(8)), at(1)).await.expect("an answer"), None, "revoked");
    assert!(plug.standing_by_key(&KeyLookup::Hash(hash(9)), at(99)).await.expect("an answer").is_some());
    assert_eq!(plug.standing_by_key(&KeyLookup::Hash(hash(9)), at(100)).await.expect("an answer"), None, "expired");
    plug.revoke_user(&user_id(1), at(2)).await.expect("an answer");
    assert!(
        plug.standing_by_key(&KeyLookup::Hash(hash(9)), at(3)).await.expect("an answer").is_some(),
        "a sign-out everywhere is about sign-ins: programs go on"
    );
    plug.forget_expired(at(100), 10).await.expect("an answer");
    assert!(plug.keys(&tenant_id(1), &user_id(1), at(3)).await.expect("an answer").is_empty(), "it is forgotten");
}

async fn keys_are_its_users_in_its_tenant(plug: Plug) {
    registered(&plug, 1).await;
    registered(&plug, 2).await;
    for number in [7, 8] {
        assert_eq!(plug.create_key(new_key(number, 1)).await.expect("an answer"), KeyCreated::Done);
    }
    let mut foreign = new_key(9, 1);
    foreign.api_key.user_id = user_id(2);
    assert_eq!(plug.create_key(foreign).await.expect("an answer"), KeyCreated::NoSuchUser, "not in the tenant");
    let ids = async |tenant: u8, user: u8| -> Vec<ApiKeyId> {
        let keys = plug.keys(&tenant_id(tenant), &user_id(user), at(1)).await.expect("keys");
        keys.into_iter().map(|key| key.key_id).collect()
    };
    assert_eq!(ids(1, 1).await, [key_id(8), key_id(7)], "newest first");
    for (tenant, user) in [(1, 2), (2, 1), (2, 2)] {
        assert!(ids(tenant, user).await.is_empty());
        let answer = plug.revoke_key(&tenant_id(tenant), &user_id(user), &key_id(7), at(1)).await;
        assert!(!answer.expect("an answer"), "somebody else's");
    }
}

async fn there_are_only_so_many(plug: Plug) {
    registered(&plug, 1).await;
    for number in 0..MAX_KEYS {
        let number = 100 + u8::try_from(number).expect("it is a small bound");
        assert_eq!(plug.create_key(new_key(number, 1)).await.expect("an answer"), KeyCreated::Done);
    }
    assert_eq!(plug.create_key(new_key(2, 1)).await.expect("an answer"), KeyCreated::TooMany);
    plug.revoke_key(&tenant_id(1), &user_id(1), &key_id(100), at(1)).await.expect("an answer");
    assert_eq!(plug.create_key(new_key(2, 1)).await.expect("an answer"), KeyCreated::Done);
}
