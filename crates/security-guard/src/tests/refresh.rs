//! Refresh: lost replies and second tabs go on, thieves do not.

use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn a_refresh_goes_on_with_the_same_sign_in_and_session() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    house.clock.advance(Duration::from_secs(700));
    let next = house.guard.refresh(&ada.refresh_token.0, &home()).await.unwrap();
    assert_ne!(next.refresh_token, ada.refresh_token);
    assert_eq!(next.caller.sign_in_id(), ada.caller.sign_in_id());
    assert_eq!(next.session.session_id, ada.session.session_id);
    assert!(house.guard.authenticate(&next.access_token.0).await.is_ok());
    for text in ["", "symr_", "symr_unknown", &ada.access_token.0] {
        assert!(matches!(house.guard.refresh(text, &home()).await, Err(GuardError::TokenInvalid)), "{text}");
    }
}

#[tokio::test]
async fn a_lost_reply_gets_the_same_successor() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let lost = house.guard.refresh(&ada.refresh_token.0, &home()).await.unwrap();
    house.clock.advance(Duration::from_secs(3_600));
    let again = house.guard.refresh(&ada.refresh_token.0, &home()).await.unwrap();
    assert_eq!(again.refresh_token, lost.refresh_token);
    assert!(house.guard.refresh(&again.refresh_token.0, &home()).await.is_ok());
}

#[tokio::test]
async fn a_replay_ends_this_family_and_no_other() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let other = house.login("ada@example.org", PASSWORD).await.unwrap();
    let second = house.guard.refresh(&ada.refresh_token.0, &home()).await.unwrap();
    let third = house.guard.refresh(&second.refresh_token.0, &home()).await.unwrap();
    house.guard.authenticate(&third.access_token.0).await.unwrap();
    house.clock.advance(Duration::from_millis(10_001));
    let replay = house.guard.refresh(&ada.refresh_token.0, &home()).await;
    assert!(matches!(replay, Err(GuardError::TokenReused)), "{replay:?}");
    assert!(house.guard.refresh(&third.refresh_token.0, &home()).await.is_err());
    assert!(house.guard.authenticate(&third.access_token.0).await.is_err(), "at the next request");
    assert!(house.guard.refresh(&other.refresh_token.0, &home()).await.is_ok());
    assert!(house.guard.authenticate(&other.access_token.0).await.is_ok());
}

#[tokio::test]
async fn a_refresh_token_ends() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    house.clock.advance(Duration::from_secs(30 * 24 * 3_600));
    assert!(matches!(house.guard.refresh(&ada.refresh_token.0, &home()).await, Err(GuardError::TokenExpired)));
}

/// Ten tabs share a token, refresh at once and again and again, and a fifth of the replies are lost: nobody is signed
/// out. What a tab got is shared with the others only some of the time, as in a browser.
#[tokio::test(flavor = "multi_thread")]
async fn ten_tabs_that_lose_replies_stay_signed_in() {
    const ROUNDS: u64 = 300;
    const TABS: usize = 10;
    let house = House::new().await;
    let mut shared = house.register("ada@example.org").await.refresh_token;
    let chance = TestClock::new(7);
    for round in 0..ROUNDS {
        let home = home();
        let answers = join_all((0..TABS).map(|_| house.guard.refresh(&shared.0, &home))).await;
        let mut arrived = Vec::new();
        for answer in answers {
            let answer = answer.unwrap_or_else(|error| panic!("seed 7, round {round}: {error}"));
            let mut lot = [0];
            chance.fill(&mut lot);
            if lot[0] >= 51 {
                arrived.push(answer.refresh_token);
            }
        }
        arrived.dedup();
        assert!(arrived.len() <= 1, "seed 7, round {round}: two successors");
        // A tab that is late replays the token of this round after another has gone on already.
        if let Some(next) = arrived.pop() {
            assert!(house.guard.refresh(&next.0, &home).await.is_ok());
            assert!(house.guard.refresh(&shared.0, &home).await.is_ok(), "seed 7, round {round}: a second tab");
            shared = next;
        }
        house.clock.advance(Duration::from_secs(9));
    }
}
