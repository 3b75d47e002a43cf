//! Registration and sign-in, through the guard.

use futures_util::future::join_all;

use super::*;
use crate::{NewUser, Role};

#[tokio::test]
async fn a_registration_signs_in_with_a_tenant_of_ones_own() {
    let house = House::new().await;
    let ada = house.register("Ada@Example.org").await;
    let bob = house.register("bob@example.org").await;
    assert_ne!(ada.caller.tenant_id(), bob.caller.tenant_id());
    assert_eq!(ada.caller.roles(), [Role::Owner]);
    assert_eq!(ada.session.user_id.as_ref(), Some(ada.caller.user_id()));

    let response = ada.response("Welcome.");
    assert_eq!(response.user.email, "Ada@Example.org");
    assert_eq!((response.expires_in, response.token_type.as_str()), (600, "Bearer"));
    assert_eq!(response.permissions, response.user.permissions);

    let caller = house.guard.authenticate(&ada.access_token.0).await.unwrap();
    assert_eq!(caller, ada.caller);
    let me = caller.me().unwrap();
    assert_eq!((me.tenant.id, me.session.session_id), (response.tenant_id, response.session_id));
}

#[tokio::test]
async fn a_taken_address_is_refused_however_it_is_typed() {
    let house = House::new().await;
    house.register("ada@example.org").await;
    for email in ["ada@example.org", " ADA@example.ORG "] {
        let answer = house.guard.register(registration(email, PASSWORD), &home()).await;
        assert!(matches!(answer, Err(GuardError::EmailTaken)), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_registrations_of_one_address_have_one_winner() {
    let house = House::new().await;
    let home = home();
    let tries = (0..50).map(|_| house.guard.register(registration("ada@example.org", PASSWORD), &home));
    let answers = join_all(tries).await;
    let winners = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(winners, 1);
    for answer in answers {
        assert!(matches!(answer, Ok(_) | Err(GuardError::EmailTaken)), "{answer:?}");
    }
    assert!(house.login("ada@example.org", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn everything_that_does_not_fit_is_said_at_once() {
    let house = House::new().await;
    let long = "x".repeat(101);
    for (name, email, password, fields) in [
        ("Ada", "ada@example.org", "short", &["password"][..]),
        ("", "ada@example.org", PASSWORD, &["name"]),
        (&long, "ada", "short", &["name", "email"]),
        ("A\nda", "ada@example.org", "ada@example.org", &["name", "password"]),
        ("Ada Lovelace", "ada@example.org", "ada lovelace", &["password"]),
    ] {
        let mut request = registration(email, password);
        request.name = name.to_owned();
        let error = house.guard.register(request, &home()).await.unwrap_err();
        let found: Vec<&str> = error.field_errors().iter().map(|error| error.field.as_str()).collect();
        assert_eq!(found, fields, "{error}");
        assert_eq!(error.code().status(), 422);
    }
    assert_eq!(house.guard.list_users(None, 10).await.unwrap().users, []);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_the_same() {
    let house = House::new().await;
    house.register("ada@example.org").await;
    let wrong = house.login("ada@example.org", "wrong wrong wrong").await.unwrap_err();
    let unknown = house.login("bob@example.org", "wrong wrong wrong").await.unwrap_err();
    assert_eq!((wrong.code(), wrong.to_string()), (unknown.code(), unknown.to_string()));
    assert_eq!(wrong.code(), contract::Code::AuthenticationFailed);
}

#[tokio::test]
async fn each_try_computes_one_hash() {
    let house = House::new().await;
    house.register("ada@example.org").await;
    for (email, password) in [
        ("ada@example.org", PASSWORD),
        ("ada@example.org", "wrong wrong wrong"),
        ("nobody@example.org", "wrong wrong wrong"),
    ] {
        let before = house.guard.hashes_computed();
        let _ = house.login(email, password).await;
        assert_eq!(house.guard.hashes_computed() - before, 1, "{email}");
    }
    let before = house.guard.hashes_computed();
    assert!(house.login("nobody@example.org", &"x".repeat(1_025)).await.is_err());
    assert_eq!(house.guard.hashes_computed(), before, "a text that is no password costs nothing");
}

#[tokio::test]
async fn a_hash_is_raised_at_sign_in() {
    let old = House::new().await;
    old.register("ada@example.org").await;
    let mut config = GuardConfig::default();
    config.auth.password.memory_kib = 20 * 1_024;
    config.auth.password.passes = 2;
    let new = House::over(config, old.clock.clone(), old.accounts.clone()).await;
    for hashes in [2, 1] {
        let before = new.guard.hashes_computed();
        assert!(new.login("ada@example.org", PASSWORD).await.is_ok());
        assert_eq!(new.guard.hashes_computed() - before, hashes, "once more for the new parameters, and only once");
    }
    let raised = new.accounts.hash_of("ada@example.org").unwrap();
    assert!(raised.0.starts_with("$argon2id$v=19$m=20480,t=2,p=1$"), "{raised:?}");
}

#[tokio::test]
async fn a_restart_keeps_the_keys() {
    let before = House::new().await;
    let ada = before.register("ada@example.org").await;
    let after = House::over(GuardConfig::default(), before.clock.clone(), before.accounts.clone()).await;
    assert_eq!(after.guard.jwks(), before.guard.jwks());
    assert!(after.guard.authenticate(&ada.access_token.0).await.is_ok());
    assert_eq!(
        after.guard.refresh(&ada.refresh_token.0, &home()).await.unwrap().refresh_token,
        before.guard.refresh(&ada.refresh_token.0, &home()).await.unwrap().refresh_token,
    );
}

#[tokio::test]
async fn operators_create_list_and_reset() {
    let house = House::new().await;
    for number in 0..3 {
        let new = NewUser {
            name: format!("Person {number}"),
            email: format!("person{number}@example.org"),
            password: Secret(PASSWORD.to_owned()),
        };
        house.guard.create_user(new).await.unwrap();
    }
    let page = house.guard.list_users(None, 2).await.unwrap();
    assert_eq!(page.users.len(), 2);
    let rest = house.guard.list_users(page.next.as_ref(), 2).await.unwrap();
    assert_eq!((rest.users.len(), rest.next), (1, None));

    let signed_in = house.login("person0@example.org", PASSWORD).await.unwrap();
    assert!(house.guard.reset_password("person0@example.org", Secret("short".to_owned())).await.is_err());
    house.guard.reset_password("Person0@example.org", Secret("another good one".to_owned())).await.unwrap();
    assert!(house.guard.authenticate(&signed_in.access_token.0).await.is_err());
    assert!(house.guard.refresh(&signed_in.refresh_token.0, &home()).await.is_err());
    assert!(house.login("person0@example.org", PASSWORD).await.is_err());
    assert!(house.login("person0@example.org", "another good one").await.is_ok());
}
