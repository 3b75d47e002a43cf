//! Too often, too many, too long.

use serde_json::Map;

use super::*;

#[tokio::test]
async fn tries_to_sign_in_are_limited_by_address() {
    let house = House::with("limits.login = \"5/1m\"").await;
    for _ in 0..5 {
        assert!(matches!(house.login("ada@example.org", "wrong wrong").await, Err(GuardError::WrongPassword)));
    }
    let before = house.guard.hashes_computed();
    let error = house.login("ada@example.org", "wrong wrong").await.unwrap_err();
    let GuardError::TooMany(reached) = &error else { panic!("{error:?}") };
    assert_eq!((reached.limit.count(), reached.limit.window()), (5, Duration::from_secs(60)));
    assert_eq!(error.retry_after(), Some(12));
    assert_eq!(house.guard.hashes_computed(), before, "a refusal costs nothing");

    let elsewhere: IpAddr = "192.0.2.1".parse().unwrap();
    let request = Login {
        email: "ada@example.org".to_owned(),
        password: Secret("wrong".to_owned()),
        session_id: None,
        code: None,
    };
    assert!(matches!(house.guard.login(request, &elsewhere.into()).await.outcome, Err(GuardError::WrongPassword)));
    house.clock.advance(Duration::from_secs(12));
    assert!(matches!(house.login("ada@example.org", "wrong wrong").await, Err(GuardError::WrongPassword)));
}

// ASVS 6.3.1: After ten failures each try at an account waits, at most ten seconds, so that nobody is locked out.
#[tokio::test]
async fn failures_of_an_account_make_every_try_wait() {
    let house = House::with("limits.login_account = \"3/15m\"").await;
    house.register("ada@example.org").await;
    for email in ["ada@example.org", "nobody@example.org"] {
        let mut delays = Vec::new();
        for _ in 0..9 {
            delays.push(house.try_login(email, "wrong wrong wrong", None).await.delay.as_secs());
        }
        assert_eq!(delays, [0, 0, 0, 1, 2, 4, 8, 10, 10], "{email}");
    }
    let right = house.try_login("Ada@example.org", PASSWORD, None).await;
    assert_eq!(right.delay, Duration::from_secs(10), "the right password waits too");
    assert!(right.outcome.is_ok(), "but it is no lock-out");
    assert_eq!(house.try_login("ada@example.org", PASSWORD, None).await.delay, Duration::ZERO);
    house.clock.advance(Duration::from_secs(900));
    assert_eq!(house.try_login("nobody@example.org", "wrong wrong", None).await.delay, Duration::ZERO);
}

#[tokio::test]
async fn registrations_and_anonymous_sessions_are_limited_by_address() {
    let house = House::with("limits = { register = \"3/5m\", anonymous_sessions = \"2/1s\" }").await;
    for number in 0..3 {
        house.register(&format!("person{number}@example.org")).await;
    }
    let answer = house.guard.register(registration("more@example.org", PASSWORD), &home()).await;
    assert!(matches!(answer, Err(GuardError::TooMany(_))), "{answer:?}");
    for _ in 0..2 {
        house.guard.create_anonymous_session(Map::new(), &home()).await.unwrap();
    }
    let answer = house.guard.create_anonymous_session(Map::new(), &home()).await;
    assert!(matches!(answer, Err(GuardError::TooMany(_))), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_of_hashes_says_so() {
    let house = House::with("auth.password = { workers = 1, waiting = 1 }").await;
    let tries = (0..8).map(|_| house.login("nobody@example.org", "wrong wrong"));
    let answers = futures_util::future::join_all(tries).await;
    let busy = answers.iter().filter(|answer| matches!(answer, Err(GuardError::Busy { .. }))).count();
    assert!((1..=6).contains(&busy), "{busy} of 8");
    for answer in answers {
        assert!(matches!(answer, Err(GuardError::Busy { .. } | GuardError::WrongPassword)), "{answer:?}");
    }
    assert!(matches!(house.login("nobody@example.org", "wrong wrong").await, Err(GuardError::WrongPassword)));
}
