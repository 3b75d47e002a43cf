//! Callers who stood and stand no longer: signed out, disabled, expired.

use super::*;
use crate::{Accounts, Asker, Credential, Ended};

// ASVS 7.4.1: What was signed out opens nothing from the next request on.
#[tokio::test]
async fn a_sign_out_counts_at_the_next_request() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let again = house.login("ada@example.org", PASSWORD).await.unwrap();
    let caller = house.guard.authenticate(&ada.access_token.0).await.unwrap();
    house.guard.logout(&caller, &home()).await.unwrap();
    assert!(matches!(house.guard.authenticate(&ada.access_token.0).await, Err(GuardError::TokenInvalid)));
    assert!(matches!(house.guard.refresh(&ada.refresh_token.0, &home()).await, Err(GuardError::TokenInvalid)));
    assert!(matches!(house.guard.recheck(&caller).await, Err(GuardError::TokenInvalid)));
    assert!(house.guard.authenticate(&again.access_token.0).await.is_ok(), "the other sign-in stands");
    house.guard.logout(&caller, &home()).await.unwrap();
}

#[tokio::test]
async fn everywhere_is_everywhere() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let again = house.login("ada@example.org", PASSWORD).await.unwrap();
    let bob = house.register("bob@example.org").await;
    for signed_in in [&ada, &again, &bob] {
        house.guard.authenticate(&signed_in.access_token.0).await.unwrap();
    }
    house.guard.logout_everywhere(&ada.caller, &home()).await.unwrap();
    for signed_in in [&ada, &again] {
        assert!(house.guard.authenticate(&signed_in.access_token.0).await.is_err());
        assert!(house.guard.refresh(&signed_in.refresh_token.0, &home()).await.is_err());
    }
    assert!(house.guard.authenticate(&bob.access_token.0).await.is_ok());
}

// ASVS 7.4.2: Disabling an account ends its sign-ins.
// ASVS 7.4.5: An operator ends all sign-ins of a user.
#[tokio::test]
async fn a_disabled_user_is_out_and_stays_out() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    house.guard.authenticate(&ada.access_token.0).await.unwrap();
    let ticket = house.guard.issue_ticket(&Asker::User(ada.caller.clone())).unwrap();
    house.guard.disable_user(ada.caller.user_id()).await.unwrap();
    assert!(house.guard.authenticate(&ada.access_token.0).await.is_err());
    assert!(house.guard.refresh(&ada.refresh_token.0, &home()).await.is_err());
    assert!(house.guard.verify(&Credential::Ticket(ticket.ticket)).await.is_err());
    let answer = house.login("ada@example.org", PASSWORD).await;
    assert!(matches!(answer, Err(GuardError::AccountDisabled)), "{answer:?}");
    let wrong = house.login("ada@example.org", "wrong wrong wrong").await;
    assert!(matches!(wrong, Err(GuardError::WrongPassword)), "only who knows the password learns it: {wrong:?}");
    house.guard.enable_user(ada.caller.user_id()).await.unwrap();
    assert!(house.guard.authenticate(&ada.access_token.0).await.is_err(), "what was ended stays ended");
    assert!(house.login("ada@example.org", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn an_access_token_ends_while_it_is_remembered() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    house.clock.advance(Duration::from_millis(599_500));
    house.guard.authenticate(&ada.access_token.0).await.unwrap();
    house.clock.advance(Duration::from_millis(500));
    for _ in 0..2 {
        let answer = house.guard.authenticate(&ada.access_token.0).await;
        assert!(matches!(answer, Err(GuardError::TokenExpired)), "{answer:?}");
    }
}

#[tokio::test]
async fn what_ends_in_another_process_is_noticed_within_a_second() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    house.guard.authenticate(&ada.access_token.0).await.unwrap();
    house.accounts.revoke_sign_in(ada.caller.sign_in_id().unwrap(), house.clock.now()).await.unwrap();
    house.clock.advance(Duration::from_secs(1));
    assert!(house.guard.authenticate(&ada.access_token.0).await.is_err());
}

#[tokio::test]
async fn a_ticket_stands_for_its_asker_once() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let asker = Asker::User(ada.caller.clone());
    let ticket = house.guard.issue_ticket(&asker).unwrap();
    assert_eq!(ticket.expires_in, 30);
    let credential = Credential::Ticket(ticket.ticket);
    assert_eq!(house.guard.verify(&credential).await.unwrap(), asker);
    assert!(matches!(house.guard.verify(&credential).await, Err(GuardError::TokenInvalid)));

    let signed_out = Credential::Ticket(house.guard.issue_ticket(&asker).unwrap().ticket);
    house.guard.logout(&ada.caller, &home()).await.unwrap();
    assert!(house.guard.verify(&signed_out).await.is_err());
}

#[tokio::test]
async fn endings_are_told_to_who_listens() {
    let house = House::new().await;
    let (ada, bob) = (house.register("ada@example.org").await, house.register("bob@example.org").await);
    let mut endings = house.guard.endings();
    house.guard.logout(&ada.caller, &home()).await.unwrap();
    let second = house.guard.refresh(&bob.refresh_token.0, &home()).await.unwrap();
    house.guard.refresh(&second.refresh_token.0, &home()).await.unwrap();
    house.clock.advance(Duration::from_secs(11));
    assert!(matches!(house.guard.refresh(&bob.refresh_token.0, &home()).await, Err(GuardError::TokenReused)));
    house.guard.disable_user(bob.caller.user_id()).await.unwrap();
    house.guard.enable_user(bob.caller.user_id()).await.unwrap();
    for expected in [
        Ended::SignIn(ada.caller.sign_in_id().unwrap().clone()),
        Ended::SignIn(bob.caller.sign_in_id().unwrap().clone()),
        Ended::User(bob.caller.user_id().clone()),
    ] {
        assert_eq!(endings.try_recv(), Ok(expected));
    }
    assert!(endings.try_recv().is_err(), "enabling ends nothing");
}
