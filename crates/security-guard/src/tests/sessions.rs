//! Sessions of work: whose they are and who may see them.

use contract::session::Session;
use futures_util::future::join_all;
use serde_json::{Map, json};

use super::*;
use crate::{Asker, Credential, Permission};

impl House {
    async fn anonymous(&self) -> Session {
        self.guard.create_anonymous_session(Map::new(), &home()).await.unwrap()
    }
}

#[tokio::test]
async fn an_anonymous_id_opens_its_session_until_it_is_claimed() {
    let house = House::new().await;
    let session = house.anonymous().await;
    assert!(session.is_anonymous && session.user_id.is_none() && session.tenant_id.is_none());
    let credential = Credential::AnonymousSession(session.session_id.clone());
    let asker = house.guard.verify(&credential).await.unwrap();
    assert_eq!(asker.owner().space(), format!("anonymous/{}", session.session_id));
    assert!(asker.may(Permission::SubmitIntents) && !asker.may(Permission::DecideApprovals));
    assert_eq!(house.guard.session(None, &session.session_id).await.unwrap(), session);

    let ticket = house.guard.issue_ticket(&asker).unwrap();
    let ada = house.register("ada@example.org").await;
    let metadata = json!({"plan": "claimed"}).as_object().unwrap().clone();
    let claimed =
        house.guard.upgrade_session(&ada.caller, &session.session_id, metadata.clone(), &home()).await.unwrap();
    assert_eq!((claimed.user_id.as_ref(), &claimed.metadata), (Some(ada.caller.user_id()), &metadata));

    assert!(matches!(house.guard.verify(&credential).await, Err(GuardError::NotSignedIn)));
    assert!(matches!(house.guard.verify(&Credential::Ticket(ticket.ticket)).await, Err(GuardError::NotSignedIn)));
    assert!(matches!(house.guard.session(None, &session.session_id).await, Err(GuardError::NotSignedIn)));
    let again = house.guard.upgrade_session(&ada.caller, &session.session_id, Map::new(), &home()).await.unwrap();
    assert_eq!(again, claimed, "a second time is a no-op");
}

#[tokio::test]
async fn nobody_sees_or_takes_another_users_session() {
    let house = House::new().await;
    let (ada, bob) = (house.register("ada@example.org").await, house.register("bob@example.org").await);
    let session = house.guard.create_session(&ada.caller, Map::new()).await.unwrap();
    let bobs = Asker::User(bob.caller.clone());
    let id = &session.session_id;
    assert!(matches!(house.guard.session(Some(&bobs), id).await, Err(GuardError::NotFound(_))));
    assert!(matches!(house.guard.delete_session(Some(&bobs), id).await, Err(GuardError::NotFound(_))));
    assert!(matches!(
        house.guard.upgrade_session(&bob.caller, id, Map::new(), &home()).await,
        Err(GuardError::NotFound(_))
    ));
    assert!(matches!(house.guard.session(None, id).await, Err(GuardError::NotSignedIn)));
    assert!(matches!(house.guard.delete_session(None, id).await, Err(GuardError::NotSignedIn)));
    let legacy = Credential::LegacySession(id.clone());
    assert!(matches!(house.guard.verify(&legacy).await, Err(GuardError::NotSignedIn)));
    let adas = Asker::User(ada.caller);
    assert_eq!(house.guard.session(Some(&adas), id).await.unwrap(), session);
    house.guard.check_session(&adas, id).await.unwrap();
    assert!(matches!(house.guard.check_session(&bobs, id).await, Err(GuardError::NotFound(_))));
    house.guard.delete_session(Some(&adas), id).await.unwrap();
    assert!(matches!(house.guard.session(Some(&adas), id).await, Err(GuardError::NotFound(_))));
    assert!(matches!(house.guard.check_session(&adas, id).await, Err(GuardError::NotFound(_))));
}

#[tokio::test]
async fn a_claimed_session_is_closed_to_others_at_once() {
    let house = House::new().await;
    let bobs = Asker::User(house.register("bob@example.org").await.caller);
    for by_upgrade in [true, false] {
        let id = house.anonymous().await.session_id;
        house.guard.check_session(&bobs, &id).await.unwrap();
        let adas = if by_upgrade {
            let ada = house.register("ada@example.org").await;
            house.guard.upgrade_session(&ada.caller, &id, Map::new(), &home()).await.unwrap();
            Asker::User(ada.caller)
        } else {
            let answer = house.try_login("ada@example.org", PASSWORD, Some(id.clone())).await;
            Asker::User(answer.outcome.unwrap().caller)
        };
        assert!(matches!(house.guard.check_session(&bobs, &id).await, Err(GuardError::NotFound(_))), "{by_upgrade}");
        house.guard.check_session(&adas, &id).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_is_claimed_by_one_user() {
    let house = House::new().await;
    let session = house.anonymous().await;
    let emails: Vec<String> = (0..8).map(|number| format!("person{number}@example.org")).collect();
    let people = join_all(emails.iter().map(|email| house.register(email))).await;
    let home = home();
    let (guard, id) = (&house.guard, &session.session_id);
    let claims = people.iter().map(|one| guard.upgrade_session(&one.caller, id, Map::new(), &home));
    let answers = join_all(claims).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for answer in answers {
        assert!(matches!(answer, Ok(_) | Err(GuardError::NotFound(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn signing_in_takes_the_anonymous_session_along() {
    let house = House::new().await;
    let (first, second) = (house.anonymous().await, house.anonymous().await);
    let mut request = registration("ada@example.org", PASSWORD);
    request.session_id = Some(first.session_id.clone());
    let registered = signed_in(house.guard.register(request, &home()).await.unwrap());
    assert_eq!(registered.session.session_id, first.session_id);
    let login = house.try_login("ada@example.org", PASSWORD, Some(second.session_id.clone())).await.outcome.unwrap();
    assert_eq!(login.session.session_id, second.session_id);

    let bob = house.register("bob@example.org").await;
    let stranger = house.try_login("ada@example.org", PASSWORD, Some(bob.session.session_id.clone())).await;
    let stranger = stranger.outcome.unwrap();
    assert_ne!(stranger.session.session_id, bob.session.session_id, "somebody else's is passed over");
    assert_eq!(stranger.session.user_id.as_ref(), Some(registered.caller.user_id()));
}

#[tokio::test]
async fn sessions_expire_and_are_forgotten() {
    let house = House::new().await;
    let session = house.anonymous().await;
    let ada = house.register("ada@example.org").await;
    house.clock.advance(Duration::from_secs(24 * 3_600));
    let answer = house.guard.verify(&Credential::AnonymousSession(session.session_id.clone())).await;
    assert!(matches!(answer, Err(GuardError::NotSignedIn)));
    assert!(house.guard.upgrade_session(&ada.caller, &session.session_id, Map::new(), &home()).await.is_err());
    assert_eq!(house.guard.forget_expired().await.unwrap(), 1);
    assert_eq!(house.guard.forget_expired().await.unwrap(), 0);
}

#[tokio::test]
async fn anonymous_work_can_be_switched_off() {
    let house = House::with("session.anonymous = \"deny\"").await;
    let answer = house.guard.create_anonymous_session(Map::new(), &home()).await;
    assert!(matches!(answer, Err(GuardError::Forbidden(_))), "{answer:?}");
}

#[tokio::test]
async fn todays_front_end_may_come_with_a_session_id() {
    let house = House::with("legacy_client = true").await;
    let ada = house.register("ada@example.org").await;
    let credential = Credential::LegacySession(ada.session.session_id.clone());
    let Asker::User(caller) = house.guard.verify(&credential).await.unwrap() else { panic!("it is ada's") };
    assert_eq!((caller.owner(), caller.sign_in_id()), (ada.caller.owner(), None));
    assert!(house.guard.logout(&caller, &home()).await.is_err(), "there is no sign-in to end");
    let anonymous = Credential::LegacySession(house.anonymous().await.session_id);
    assert!(matches!(house.guard.verify(&anonymous).await.unwrap(), Asker::Anonymous { .. }));
    house.guard.disable_user(ada.caller.user_id()).await.unwrap();
    assert!(matches!(house.guard.verify(&credential).await, Err(GuardError::AccountDisabled)));
}

#[tokio::test]
async fn metadata_has_a_bound() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let large = json!({"text": "x".repeat(16 * 1_024)}).as_object().unwrap().clone();
    for answer in [
        house.guard.create_anonymous_session(large.clone(), &home()).await,
        house.guard.create_session(&ada.caller, large.clone()).await,
        house.guard.upgrade_session(&ada.caller, &ada.session.session_id, large, &home()).await,
    ] {
        assert!(matches!(answer, Err(GuardError::Invalid(_))), "{answer:?}");
    }
}
