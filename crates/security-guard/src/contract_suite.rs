//! The tests that every plug of [`Accounts`] has to pass. They go through the port alone and bring their own clock:
//! instants are handed in. A failed expectation panics, as tests do.

mod audit;
mod factors;
mod identities;
mod keys;
mod mailbox;
mod tenants;

use std::{sync::Arc, time::Duration};

use contract::{Owner, SessionId, SignInId, TenantId, Timestamp, UserId, session::Session};
use serde_json::{Map, json};

use crate::{
    Accounts, Device, Role,
    accounts::{
        Claim, ClaimRequest, FreshSession, NewAccount, NewSignIn, PasswordHash, Registered, RotateRequest, Rotated,
        ServerSecrets, SignInOutcome, SignInRequest, SignedInAs, SigningKey, Tenant, TokenHash, User,
    },
};

const WINDOW: Duration = Duration::from_secs(10);
const TTL: Duration = Duration::from_secs(3_600);
const SESSION_TTL: Duration = Duration::from_secs(7_200);

/// A plug that is being tested.
type Plug = Arc<dyn Accounts>;

/// Runs every case, each on a plug of its own that `open` makes empty.
pub async fn run<F: Future<Output = Plug>>(open: impl Fn() -> F) {
    secrets_are_made_once(open().await).await;
    registration_is_all_or_nothing(open().await).await;
    parallel_registrations_have_one_winner(open().await).await;
    a_sign_in_needs_the_hash_that_was_verified(open().await).await;
    a_sign_in_takes_a_session_along(open().await).await;
    a_token_rotates_once(open().await).await;
    parallel_rotations_get_the_same_successor(open().await).await;
    a_replay_ends_its_family_only(open().await).await;
    a_deleted_session_is_replaced_at_rotation(open().await).await;
    sign_ins_end(open().await).await;
    a_session_is_claimed_once(open().await).await;
    parallel_claims_have_one_winner(open().await).await;
    sessions_end(open().await).await;
    failures_are_counted_in_a_window(open().await).await;
    users_are_listed_in_pages(open().await).await;
    operators_end_sign_ins(open().await).await;
    what_has_ended_is_forgotten(open().await).await;
    sign_ins_are_listed_and_ended(open().await).await;
    a_password_is_changed_against_the_one_that_was_verified(open().await).await;
    audit::the_audit_is_one_chain(open().await).await;
    factors::a_factor_is_offered_confirmed_and_used(open().await).await;
    factors::a_step_is_used_once_by_whoever_is_first(open().await).await;
    audit::a_tenant_sees_its_own_records(open().await).await;
    audit::the_audit_is_trimmed_from_its_beginning(open().await).await;
    mailbox::a_letter_waits_until_it_is_out(open().await).await;
    mailbox::the_outbox_has_a_bound(open().await).await;
    mailbox::a_registration_posts_its_letter_whoever_it_is(open().await).await;
    mailbox::a_token_of_a_letter_is_good_once(open().await).await;
    keys::run(&open).await;
    tenants::run(&open).await;
    identities::run(&open).await;
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_795_339_800_000 + seconds * 1_000)
}

fn hash(number: u8) -> TokenHash {
    TokenHash([number; 32])
}

fn password(text: &str) -> PasswordHash {
    PasswordHash(text.to_owned())
}

fn session_id(number: u8) -> SessionId {
    SessionId::from_random([number; 16])
}

fn sign_in_id(number: u8) -> SignInId {
    SignInId::from_parts(at(0), [number; 10])
}

fn user_id(number: u8) -> UserId {
    UserId::from_parts(at(0), [number; 10])
}

fn tenant_id(number: u8) -> TenantId {
    TenantId::from_parts(at(0), [number; 10])
}

fn owner(number: u8) -> Owner {
    Owner::User { tenant_id: tenant_id(number), user_id: user_id(number) }
}

fn anonymous(number: u8) -> Session {
    Session {
        session_id: session_id(number),
        tenant_id: None,
        user_id: None,
        is_anonymous: true,
        created_at: at(0),
        updated_at: at(0),
        expires_at: at(0).after(SESSION_TTL),
        metadata: json!({"from": "anonymous", "kept": 1}).as_object().expect("it is an object").clone(),
        state: Map::new(),
    }
}

fn device(number: u8) -> Device {
    Device { address: Some([192, 0, 2, number].into()), agent: Some(format!("browser {number}")) }
}

fn fresh(number: u8, now: Timestamp) -> FreshSession {
    FreshSession { session_id: session_id(number), expires_at: now.after(SESSION_TTL) }
}

/// A sign-in whose token, session and id carry `number`.
fn new_sign_in(number: u8, brought: Option<SessionId>, now: Timestamp) -> NewSignIn {
    NewSignIn {
        sign_in_id: sign_in_id(number),
        refresh_token: hash(number),
        session_id: brought,
        fresh_session: fresh(number, now),
        device: device(number),
        now,
        expires_at: now.after(TTL),
    }
}

fn account(number: u8, email: &str, sign_in: Option<NewSignIn>) -> NewAccount {
    NewAccount {
        user: User {
            user_id: user_id(number),
            email: email.to_owned(),
            name: format!("Person {number}"),
            created_at: at(0),
            disabled_at: None,
        },
        email_key: email.to_lowercase(),
        password_hash: password("first"),
        tenant: Tenant { tenant_id: tenant_id(number), name: format!("Person {number}"), created_at: at(0) },
        role: Role::Owner,
        sign_in,
        letter: None,
        invitation: None,
    }
}

/// Registers a user whose ids carry `number`, with a sign-in of the same number.
async fn registered(plug: &Plug, number: u8) -> SignedInAs {
    let sign_in = new_sign_in(number, None, at(0));
    match plug.register(account(number, &format!("person{number}@example.org"), Some(sign_in))).await {
        Ok(Registered::SignedIn(found)) => *found,
        other => panic!("registration: {other:?}"),
    }
}

fn rotation(presented: u8, successor: u8, now: Timestamp) -> RotateRequest {
    RotateRequest {
        presented: hash(presented),
        successor: hash(successor),
        device: device(successor),
        now,
        successor_expires_at: now.after(TTL),
        reuse_window: WINDOW,
        fresh_session: fresh(200 + successor % 50, now),
    }
}

async fn rotate(plug: &Plug, presented: u8, successor: u8, now: Timestamp) -> Rotated {
    plug.rotate(rotation(presented, successor, now)).await.expect("rotation answers")
}

fn claim_of(session: u8, user: u8, now: Timestamp) -> ClaimRequest {
    ClaimRequest {
        session_id: session_id(session),
        tenant_id: tenant_id(user),
        user_id: user_id(user),
        metadata: json!({"from": "upgrade"}).as_object().expect("it is an object").clone(),
        now,
        expires_at: now.after(SESSION_TTL),
    }
}

async fn secrets_are_made_once(plug: Plug) {
    let candidate = |number: u8| ServerSecrets {
        signing_keys: vec![SigningKey { key_id: format!("key{number}"), pkcs8: vec![number; 48], created_at: at(0) }],
        refresh_secret: [number; 32],
    };
    let first = plug.secrets(candidate(1)).await.expect("secrets");
    assert_eq!(first, candidate(1));
    assert_eq!(plug.secrets(candidate(2)).await.expect("secrets"), first, "a later start gets the same");
    let key = |number: u8| candidate(number).signing_keys.remove(0);
    assert_eq!(plug.rotate_signing_key(key(2), Vec::new()).await.expect("keys"), [key(1), key(2)]);
    assert_eq!(plug.rotate_signing_key(key(3), vec!["key1".to_owned()]).await.expect("keys"), [key(2), key(3)]);
    let later = plug.secrets(candidate(4)).await.expect("secrets");
    assert_eq!((later.signing_keys, later.refresh_secret), (vec![key(2), key(3)], [1; 32]));
}

async fn registration_is_all_or_nothing(plug: Plug) {
    plug.create_session(anonymous(9)).await.expect("session");
    let SignedInAs { standing, session } = registered(&plug, 1).await;
    assert_eq!((&standing.user.user_id, &standing.tenant.tenant_id), (&user_id(1), &tenant_id(1)));
    assert_eq!(standing.roles, [Role::Owner]);
    assert_eq!((session.user_id, session.tenant_id), (Some(user_id(1)), Some(tenant_id(1))));
    assert!(!session.is_anonymous);

    let again = account(2, "PERSON1@example.org", Some(new_sign_in(2, Some(session_id(9)), at(0))));
    assert_eq!(plug.register(again).await.expect("an answer"), Registered::EmailTaken);
    assert!(plug.standing(&sign_in_id(2), at(0)).await.expect("standing").is_none(), "no sign-in without a user");
    assert!(plug.standing_of(&user_id(2)).await.expect("standing").is_none());
    let untouched = plug.session(&session_id(9), at(0)).await.expect("session").expect("it is there");
    assert!(untouched.is_anonymous, "a registration that did not happen claims nothing");
}

#[expect(clippy::disallowed_methods, reason = "the suite waits for each of them")]
async fn parallel_registrations_have_one_winner(plug: Plug) {
    let tries = (1..=50).map(|number| {
        let plug = plug.clone();
        tokio::spawn(async move { plug.register(account(number, "one@example.org", None)).await })
    });
    let mut winners = 0;
    for answer in tries.collect::<Vec<_>>() {
        match answer.await.expect("no panic").expect("an answer") {
            Registered::Created(_) | Registered::SignedIn(_) => winners += 1,
            Registered::EmailTaken => {}
            other => panic!("nobody is invited: {other:?}"),
        }
    }
    assert_eq!(winners, 1);
    let rows = plug.users(None, 100).await.expect("users");
    assert_eq!(rows.users.len(), 1);
}

async fn sign_in(
    plug: &Plug,
    verified: &str,
    new: Option<&str>,
    number: u8,
    brought: Option<SessionId>,
) -> SignInOutcome {
    let request = SignInRequest {
        user_id: user_id(1),
        verified_hash: password(verified),
        new_hash: new.map(password),
        account_key: hash(250),
        sign_in: new_sign_in(number, brought, at(1)),
    };
    plug.sign_in(request).await.expect("an answer")
}

async fn a_sign_in_needs_the_hash_that_was_verified(plug: Plug) {
    registered(&plug, 1).await;
    plug.record_failure(hash(250), at(0), WINDOW).await.expect("a count");
    assert_eq!(sign_in(&plug, "another", None, 2, None).await, SignInOutcome::Changed);
    assert_eq!(plug.failures(hash(250), at(1), WINDOW).await.expect("a count"), 1);
    assert!(matches!(sign_in(&plug, "first", Some("raised"), 3, None).await, SignInOutcome::Done(_)));
    assert_eq!(plug.failures(hash(250), at(1), WINDOW).await.expect("a count"), 0, "a sign-in forgets failures");
    let credentials = plug.credentials("person1@example.org").await.expect("an answer").expect("a user");
    assert_eq!(credentials.password_hash, password("raised"));
    plug.set_disabled(&user_id(1), true, at(2)).await.expect("an answer");
    assert_eq!(sign_in(&plug, "raised", None, 4, None).await, SignInOutcome::Disabled);
    assert!(plug.credentials("nobody@example.org").await.expect("an answer").is_none());
}

async fn a_sign_in_takes_a_session_along(plug: Plug) {
    registered(&plug, 1).await;
    registered(&plug, 2).await;
    plug.create_session(anonymous(9)).await.expect("session");
    for (number, brought, expected, why) in [
        (3, Some(9), 9, "an anonymous one is claimed"),
        (4, Some(9), 9, "one's own is kept"),
        (5, Some(2), 5, "somebody else's is passed over"),
        (6, Some(99), 6, "an unknown one is passed over"),
        (7, None, 7, "none is a new one"),
    ] {
        let SignInOutcome::Done(found) = sign_in(&plug, "first", None, number, brought.map(session_id)).await else {
            panic!("{why}");
        };
        assert_eq!(found.session.session_id, session_id(expected), "{why}");
        assert_eq!(found.session.user_id, Some(user_id(1)), "{why}");
    }
    let other = plug.session(&session_id(2), at(1)).await.expect("session").expect("it is there");
    assert_eq!(other.user_id, Some(user_id(2)));
}

async fn a_token_rotates_once(plug: Plug) {
    let first = registered(&plug, 1).await;
    let Rotated::Done(found) = rotate(&plug, 1, 11, at(10)).await else { panic!("the first rotation") };
    assert_eq!(found.session.session_id, first.session.session_id);
    assert_eq!(found.standing.sign_in.expect("a sign-in").expires_at, at(10).after(TTL));
    // The reply was lost: however late, the parent of an unused successor gets the same one.
    assert!(matches!(rotate(&plug, 1, 11, at(1_000)).await, Rotated::Done(_)));
    // The successor is used. Within the window from the first rotation a replay would pass; it is over.
    assert!(matches!(rotate(&plug, 11, 12, at(1_001)).await, Rotated::Done(_)));
    assert_eq!(rotate(&plug, 99, 100, at(1_001)).await, Rotated::Unknown);
    assert_eq!(rotate(&plug, 12, 13, at(1_001).after(TTL)).await, Rotated::Expired);
}

#[expect(clippy::disallowed_methods, reason = "the suite waits for each of them")]
async fn parallel_rotations_get_the_same_successor(plug: Plug) {
    registered(&plug, 1).await;
    let tries = (0..10).map(|_| {
        let plug = plug.clone();
        tokio::spawn(async move { rotate(&plug, 1, 11, at(10)).await })
    });
    for answer in tries.collect::<Vec<_>>() {
        assert!(matches!(answer.await.expect("no panic"), Rotated::Done(_)));
    }
    assert!(matches!(rotate(&plug, 11, 12, at(10)).await, Rotated::Done(_)));
    assert!(matches!(rotate(&plug, 1, 11, at(20)).await, Rotated::Done(_)), "a second tab, within the window");
}

async fn a_replay_ends_its_family_only(plug: Plug) {
    registered(&plug, 1).await;
    assert!(matches!(sign_in(&plug, "first", None, 2, None).await, SignInOutcome::Done(_)));
    rotate(&plug, 1, 11, at(10)).await;
    rotate(&plug, 11, 12, at(11)).await;
    let reused = Rotated::Reused { sign_in_id: sign_in_id(1), user_id: user_id(1), tenant_id: tenant_id(1) };
    assert_eq!(rotate(&plug, 1, 11, at(21)).await, reused);
    assert_eq!(rotate(&plug, 12, 13, at(22)).await, Rotated::Unknown, "the newest token is dead too");
    assert_eq!(rotate(&plug, 1, 11, at(22)).await, reused);
    assert!(plug.standing(&sign_in_id(1), at(22)).await.expect("standing").is_none());
    assert!(matches!(rotate(&plug, 2, 21, at(22)).await, Rotated::Done(_)), "the other family lives");
}

async fn a_deleted_session_is_replaced_at_rotation(plug: Plug) {
    let first = registered(&plug, 1).await;
    let deleted = plug.delete_session(&first.session.session_id, &owner(1), at(1)).await.expect("an answer");
    assert!(deleted);
    let Rotated::Done(found) = rotate(&plug, 1, 11, at(10)).await else { panic!("a rotation") };
    assert_eq!(found.session.session_id, session_id(211));
    let kept = plug.session(&session_id(211), at(10)).await.expect("an answer").expect("a session");
    assert_eq!(kept, found.session);
    let Rotated::Done(again) = rotate(&plug, 11, 12, at(11)).await else { panic!("a rotation") };
    assert_eq!(again.session.session_id, session_id(211), "the new one is kept");
}

async fn sign_ins_end(plug: Plug) {
    registered(&plug, 1).await;
    for number in [2, 3] {
        assert!(matches!(sign_in(&plug, "first", None, number, None).await, SignInOutcome::Done(_)));
    }
    assert!(plug.revoke_sign_in(&sign_in_id(1), at(2)).await.expect("an answer"));
    assert!(!plug.revoke_sign_in(&sign_in_id(1), at(2)).await.expect("an answer"));
    assert!(plug.standing(&sign_in_id(1), at(2)).await.expect("an answer").is_none());
    assert_eq!(rotate(&plug, 1, 11, at(2)).await, Rotated::Unknown);
    assert!(plug.standing(&sign_in_id(2), at(2)).await.expect("an answer").is_some());
    assert_eq!(plug.revoke_user(&user_id(1), at(3)).await.expect("an answer"), 2);
    for number in [1, 2, 3] {
        assert!(plug.standing(&sign_in_id(number), at(3)).await.expect("an answer").is_none());
    }
}

async fn sign_ins_are_listed_and_ended(plug: Plug) {
    registered(&plug, 1).await;
    registered(&plug, 9).await;
    for number in [2, 3, 4] {
        assert!(matches!(sign_in(&plug, "first", None, number, None).await, SignInOutcome::Done(_)));
    }
    assert!(matches!(rotate(&plug, 2, 21, at(30)).await, Rotated::Done(_)));
    let listed = plug.sign_ins(&user_id(1), at(31), 10).await.expect("an answer");
    let ids: Vec<&SignInId> = listed.iter().map(|sign_in| &sign_in.sign_in_id).collect();
    assert_eq!(ids, [&sign_in_id(4), &sign_in_id(3), &sign_in_id(2), &sign_in_id(1)], "newest first");
    assert_eq!((&listed[0].device, listed[0].used_at), (&device(4), at(1)));
    assert_eq!((&listed[2].device, listed[2].created_at, listed[2].used_at), (&device(21), at(1), at(30)));
    assert_eq!(plug.sign_ins(&user_id(1), at(31), 2).await.expect("an answer").len(), 2);
    assert!(plug.revoke_sign_in(&sign_in_id(3), at(31)).await.expect("an answer"));
    let mut ended = plug.revoke_others(&user_id(1), &sign_in_id(2), at(31)).await.expect("an answer");
    ended.sort();
    assert_eq!(ended, [sign_in_id(1), sign_in_id(4)], "one that had ended does not end again");
    assert_eq!(plug.sign_ins(&user_id(1), at(31), 10).await.expect("an answer").len(), 1);
    assert!(plug.sign_ins(&user_id(1), at(30).after(TTL), 10).await.expect("an answer").is_empty(), "all end");
    assert!(plug.standing(&sign_in_id(9), at(31)).await.expect("an answer").is_some(), "another user's stands");
}

async fn a_password_is_changed_against_the_one_that_was_verified(plug: Plug) {
    registered(&plug, 1).await;
    assert!(matches!(sign_in(&plug, "first", None, 2, None).await, SignInOutcome::Done(_)));
    let change = async |verified: &str| {
        let (user, keep) = (user_id(1), sign_in_id(2));
        plug.change_password(&user, password(verified), password("new"), &keep, at(3)).await.expect("an answer")
    };
    assert_eq!(change("another").await, None);
    assert_eq!(change("first").await, Some(vec![sign_in_id(1)]));
    assert_eq!(change("first").await, None, "exactly once");
    assert!(plug.standing(&sign_in_id(2), at(3)).await.expect("an answer").is_some());
    assert!(matches!(sign_in(&plug, "new", None, 3, None).await, SignInOutcome::Done(_)));
}

async fn a_session_is_claimed_once(plug: Plug) {
    registered(&plug, 1).await;
    registered(&plug, 2).await;
    plug.create_session(anonymous(9)).await.expect("session");
    let Claim::Claimed(session) = plug.claim_session(claim_of(9, 1, at(5))).await.expect("an answer") else {
        panic!("an anonymous session can be claimed");
    };
    assert_eq!((session.user_id.clone(), session.is_anonymous), (Some(user_id(1)), false));
    assert_eq!(session.metadata, *json!({"from": "upgrade", "kept": 1}).as_object().expect("it is an object"));
    assert_eq!((session.created_at, session.updated_at), (at(0), at(5)));
    assert_eq!(session.expires_at, at(5).after(SESSION_TTL));
    let again = plug.claim_session(claim_of(9, 1, at(6))).await.expect("an answer");
    assert_eq!(again, Claim::AlreadyYours(session.clone()), "a second time changes nothing");
    for (request, why) in [
        (claim_of(9, 2, at(6)), "somebody else's"),
        (claim_of(8, 2, at(6)), "unknown"),
        (ClaimRequest { tenant_id: tenant_id(2), ..claim_of(9, 1, at(6)) }, "the same user in another tenant"),
    ] {
        assert_eq!(plug.claim_session(request).await.expect("an answer"), Claim::NotFound, "{why}");
    }
    plug.create_session(anonymous(7)).await.expect("session");
    let late = at(0).after(SESSION_TTL);
    assert_eq!(plug.claim_session(claim_of(7, 1, late)).await.expect("an answer"), Claim::NotFound, "expired");
}

#[expect(clippy::disallowed_methods, reason = "the suite waits for each of them")]
async fn parallel_claims_have_one_winner(plug: Plug) {
    for user in 1..=8 {
        registered(&plug, user).await;
    }
    plug.create_session(anonymous(9)).await.expect("session");
    let tries = (1..=8).map(|user| {
        let plug = plug.clone();
        tokio::spawn(async move { plug.claim_session(claim_of(9, user, at(1))).await.expect("an answer") })
    });
    let mut winners = 0;
    for answer in tries.collect::<Vec<_>>() {
        match answer.await.expect("no panic") {
            Claim::Claimed(_) => winners += 1,
            Claim::NotFound => {}
            Claim::AlreadyYours(session) => panic!("nobody claimed it before: {session:?}"),
        }
    }
    assert_eq!(winners, 1);
}

async fn sessions_end(plug: Plug) {
    registered(&plug, 1).await;
    plug.create_session(anonymous(9)).await.expect("session");
    assert_eq!(plug.session(&session_id(9), at(1)).await.expect("an answer"), Some(anonymous(9)));
    assert!(plug.session(&session_id(8), at(1)).await.expect("an answer").is_none());
    let its_own = Owner::Anonymous { session_id: session_id(9) };
    for (session, who, deleted, why) in [
        (9, owner(1), false, "a user does not own an anonymous one"),
        (1, its_own.clone(), false, "an anonymous one does not own a user's"),
        (1, owner(2), false, "another user"),
        (9, its_own.clone(), true, "its own"),
        (9, its_own, false, "a second time"),
        (1, owner(1), true, "one's own"),
    ] {
        let answer = plug.delete_session(&session_id(session), &who, at(1)).await.expect("an answer");
        assert_eq!(answer, deleted, "{why}");
    }
    plug.create_session(anonymous(10)).await.expect("session");
    let end = at(0).after(SESSION_TTL);
    assert!(plug.session(&session_id(10), end).await.expect("an answer").is_none(), "it ends on the instant");
}

async fn failures_are_counted_in_a_window(plug: Plug) {
    for (second, expected) in [(0, 1), (4, 2), (9, 3), (10, 1), (12, 2)] {
        plug.record_failure(hash(1), at(second), WINDOW).await.expect("a count");
        assert_eq!(plug.failures(hash(1), at(second), WINDOW).await.expect("a count"), expected, "second {second}");
    }
    assert_eq!(plug.failures(hash(1), at(20), WINDOW).await.expect("a count"), 0);
    assert_eq!(plug.failures(hash(2), at(12), WINDOW).await.expect("a count"), 0, "another account");
}

async fn users_are_listed_in_pages(plug: Plug) {
    for number in 1..=5 {
        registered(&plug, number).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let rows = plug.users(after.as_ref(), 2).await.expect("users");
        after = rows.users.last().map(|user| user.user_id.clone());
        seen.extend(rows.users.into_iter().map(|user| user.user_id));
        if !rows.more {
            break;
        }
    }
    assert_eq!(seen, (1..=5).map(user_id).collect::<Vec<_>>());
    let found = plug.user_by_email("person3@example.org").await.expect("an answer").expect("a user");
    assert_eq!(found.user_id, user_id(3));
    assert!(plug.user_by_email("nobody@example.org").await.expect("an answer").is_none());
}

async fn operators_end_sign_ins(plug: Plug) {
    registered(&plug, 1).await;
    assert!(plug.set_disabled(&user_id(1), true, at(1)).await.expect("an answer"));
    assert!(plug.standing(&sign_in_id(1), at(1)).await.expect("an answer").is_none());
    let user = plug.user_by_email("person1@example.org").await.expect("an answer").expect("a user");
    assert_eq!(user.disabled_at, Some(at(1)));
    assert!(plug.set_disabled(&user_id(1), false, at(2)).await.expect("an answer"));
    assert!(plug.standing(&sign_in_id(1), at(2)).await.expect("an answer").is_none(), "enabled is not signed in");
    assert!(matches!(sign_in(&plug, "first", None, 2, None).await, SignInOutcome::Done(_)));
    assert!(plug.set_password(&user_id(1), password("reset"), at(3)).await.expect("an answer"));
    assert!(plug.standing(&sign_in_id(2), at(3)).await.expect("an answer").is_none());
    assert_eq!(sign_in(&plug, "first", None, 3, None).await, SignInOutcome::Changed);
    assert!(matches!(sign_in(&plug, "reset", None, 3, None).await, SignInOutcome::Done(_)));
    assert!(!plug.set_disabled(&user_id(9), true, at(1)).await.expect("an answer"));
    assert!(!plug.set_password(&user_id(9), password("reset"), at(1)).await.expect("an answer"));
}

async fn what_has_ended_is_forgotten(plug: Plug) {
    registered(&plug, 1).await;
    for number in [20, 21, 22] {
        plug.create_session(anonymous(number)).await.expect("session");
    }
    assert!(plug.forget_expired(at(1), 10).await.expect("an answer").is_empty());
    let end = at(0).after(SESSION_TTL);
    let first = plug.forget_expired(end, 2).await.expect("an answer");
    assert_eq!(first.len(), 2, "a bounded number at a time");
    let second = plug.forget_expired(end, 10).await.expect("an answer");
    assert_eq!(second.len(), 2);
    assert!(plug.forget_expired(end, 10).await.expect("an answer").is_empty());
    assert_eq!(rotate(&plug, 1, 11, end).await, Rotated::Unknown, "its token is forgotten with its sign-in");
    assert!(plug.user_by_email("person1@example.org").await.expect("an answer").is_some(), "users stay");
}
