//! What identities of others' providers have to promise, whoever keeps them.

use super::*;
use crate::{
    identities::{IdentityStanding, NewIdentity},
    providers::IdentityKey,
};

/// Runs every case about identities, each on a plug of its own.
pub(super) async fn run<F: Future<Output = Plug>>(open: &impl Fn() -> F) {
    an_identity_is_one_user(open().await).await;
    all_who_come_first_at_once_are_one(open().await).await;
}

fn key(issuer: &str, subject: &str) -> IdentityKey {
    IdentityKey { issuer: issuer.to_owned(), subject: subject.to_owned() }
}

/// Somebody with this identity, whose ids carry `number` where they are new.
fn new(key: IdentityKey, number: u8, now: Timestamp) -> NewIdentity {
    NewIdentity {
        key,
        user: User {
            user_id: user_id(number),
            // The address of somebody who has a password here.
            email: "person1@example.org".to_owned(),
            name: format!("Person {number}"),
            created_at: now,
            disabled_at: None,
        },
        tenant: Tenant { tenant_id: tenant_id(number), name: format!("Person {number}"), created_at: now },
        fresh_session: fresh(number, now),
        now,
    }
}

async fn enter(plug: &Plug, new: NewIdentity) -> IdentityStanding {
    plug.enter_identity(new).await.expect("an answer")
}

async fn an_identity_is_one_user(plug: Plug) {
    registered(&plug, 1).await;
    let ada = key("https://one.example", "ada");
    assert_eq!(plug.standing_by_identity(&ada).await.expect("an answer"), None);
    let first = enter(&plug, new(ada.clone(), 2, at(0))).await;
    assert_eq!((&first.standing.user.user_id, first.standing.roles.as_slice()), (&user_id(2), &[Role::Owner][..]));
    assert_eq!(first.session_id, session_id(2));
    assert!(plug.session(&session_id(2), at(1)).await.expect("an answer").is_some());
    assert_eq!(enter(&plug, new(ada.clone(), 3, at(1))).await, first, "the same person again");
    assert_eq!(plug.standing_by_identity(&ada).await.expect("an answer"), Some(first.clone()));
    let later = enter(&plug, new(ada.clone(), 4, at(0).after(SESSION_TTL))).await;
    assert_eq!((&later.standing, later.session_id), (&first.standing, session_id(4)), "a session to go on with");
    for (number, other) in [(5, key("https://two.example", "ada")), (6, key("https://one.example", "bob"))] {
        let found = enter(&plug, new(other, number, at(0))).await;
        assert_eq!(found.standing.user.user_id, user_id(number), "the pair counts");
    }
    let by_address = plug.user_by_email("person1@example.org").await.expect("an answer").expect("a user");
    assert_eq!(by_address.user_id, user_id(1), "an address in a token takes nobody's place");
    assert!(plug.set_disabled(&user_id(2), true, at(2)).await.expect("an answer"));
    let disabled = plug.standing_by_identity(&ada).await.expect("an answer").expect("they are known");
    assert_eq!(disabled.standing.user.disabled_at, Some(at(2)));
}

#[expect(clippy::disallowed_methods, reason = "the suite waits for each of them")]
async fn all_who_come_first_at_once_are_one(plug: Plug) {
    let tries = (1..=20).map(|number| {
        let plug = plug.clone();
        tokio::spawn(async move { enter(&plug, new(key("https://one.example", "ada"), number, at(0))).await })
    });
    let mut found = Vec::new();
    for answer in tries.collect::<Vec<_>>() {
        found.push(answer.await.expect("no panic"));
    }
    assert!(found.iter().all(|one| *one == found[0]), "{found:?}");
    assert_eq!(plug.users(None, 100).await.expect("users").users.len(), 1);
}
