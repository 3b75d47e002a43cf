//! Letters: what they are sent for, what their tokens open, and what becomes of those that nobody takes.

use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use contract::{
    auth::{ConfirmEmail, Login, RequestLetter, ResetPassword, Secret},
    tenant::Invite,
};

use super::{House, PASSWORD, home, registration, signed_in};
use crate::{
    GuardError, Welcome,
    mail::{Letter, Mail, NotDelivered},
};

const NEW_PASSWORD: &str = "another horse battery";

/// Does with letters as it is told.
#[derive(Default)]
pub(crate) struct Postman {
    letters: Mutex<Vec<Letter>>,
    refusal: Mutex<Option<fn() -> NotDelivered>>,
}

#[async_trait]
impl Mail for Postman {
    async fn deliver(&self, letter: &Letter) -> Result<(), NotDelivered> {
        self.letters.lock().unwrap().push(letter.clone());
        match *self.refusal.lock().unwrap() {
            Some(refusal) => Err(refusal()),
            None => Ok(()),
        }
    }
}

impl Postman {
    fn refuse(&self, refusal: Option<fn() -> NotDelivered>) {
        *self.refusal.lock().unwrap() = refusal;
    }

    fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut self.letters.lock().unwrap())
    }
}

async fn house(config: &str) -> House {
    House::with(&format!("limits.letters = \"1000/1s\"\nlimits.letters_to = \"1000/1s\"\n{config}")).await
}

/// The only letter that is out by now, and the token in it.
async fn token(house: &House) -> Secret {
    house.guard.deliver_letters().await.unwrap();
    let letters = house.postman.take();
    let [letter] = letters.as_slice() else { panic!("{} letters", letters.len()) };
    let token = letter.text.lines().find(|line| line.starts_with("symm_"));
    Secret(token.unwrap_or_else(|| panic!("no token in {:?}", letter.text)).to_owned())
}

fn to(email: &str) -> RequestLetter {
    RequestLetter { email: email.to_owned() }
}

async fn reset(house: &House, token: &Secret, new_password: &str) -> Result<(), GuardError> {
    let request = ResetPassword { token: token.clone(), new_password: Secret(new_password.to_owned()) };
    house.guard.recover_password(request, &home()).await
}

// ASVS 6.4.3: A forgotten password is set anew by a token that went to the address; a second factor stays as it is.
// ASVS 6.5.1: The token of a letter is good once.
// ASVS 6.3.7: Whose password is changed is told by a letter.
#[tokio::test]
async fn a_forgotten_password_is_set_anew_once() {
    let house = house("").await;
    let ada = house.register("Ada@example.org").await;
    house.guard.request_reset(&to(" ADA@example.org "), &home()).await.unwrap();
    let first = token(&house).await;
    house.guard.request_reset(&to("ada@example.org"), &home()).await.unwrap();
    let second = token(&house).await;

    let short = reset(&house, &first, "short").await.unwrap_err();
    assert!(matches!(short, GuardError::Invalid(_)), "{short}");
    reset(&house, &first, NEW_PASSWORD).await.unwrap();
    assert!(house.guard.refresh(&ada.refresh_token.0, &home()).await.is_err(), "sign-ins end");
    house.guard.deliver_letters().await.unwrap();
    let notice = house.postman.take().remove(0);
    assert_eq!((notice.to.as_str(), notice.subject.as_str()), ("Ada@example.org", "Your password was changed"));
    for used in [&first, &second, &Secret("symm_guess".to_owned()), &Secret(String::new())] {
        assert!(matches!(reset(&house, used, "one more horse battery").await, Err(GuardError::Forbidden(_))));
    }
    assert!(house.login("ada@example.org", PASSWORD).await.is_err());
    house.login("ada@example.org", NEW_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_token_ends_with_its_time() {
    let house = house("").await;
    house.register("ada@example.org").await;
    house.guard.request_reset(&to("ada@example.org"), &home()).await.unwrap();
    // However long it lay here: its time begins when it goes out.
    house.clock.advance(Duration::from_secs(3_600));
    let token = token(&house).await;
    house.clock.advance(Duration::from_secs(30 * 60));
    assert!(matches!(reset(&house, &token, NEW_PASSWORD).await, Err(GuardError::Forbidden(_))));
}

// ASVS 6.3.8: Whether an address is known is told neither by the answer to a forgotten password nor by what is written for it.
#[tokio::test]
async fn whether_an_address_is_known_is_not_told() {
    let house = house("").await;
    house.register("ada@example.org").await;
    for email in ["ada@example.org", "eve@example.org"] {
        house.guard.request_reset(&to(email), &home()).await.unwrap();
        house.guard.request_verification(&to(email), &home()).await.unwrap();
    }
    house.guard.deliver_letters().await.unwrap();
    let recipients: Vec<String> = house.postman.take().into_iter().map(|letter| letter.to).collect();
    assert_eq!(recipients, ["ada@example.org", "ada@example.org"]);
    let ask = house.guard.request_reset(&to("no address"), &home()).await;
    assert!(matches!(ask, Err(GuardError::Invalid(_))));
}

#[tokio::test]
async fn letters_have_limits_by_client_and_by_mailbox() {
    let house = House::with("limits.letters = \"5/10m\"\nlimits.letters_to = \"2/1h\"").await;
    house.register("ada@example.org").await;
    for _ in 0..5 {
        house.guard.request_reset(&to("ada@example.org"), &home()).await.unwrap();
    }
    let sixth = house.guard.request_reset(&to("ada@example.org"), &home()).await;
    assert!(matches!(sixth, Err(GuardError::TooMany(_))));
    let waiting = crate::Mailbox::due_letters(&*house.accounts, crate::Clock::now(&*house.clock), 10).await.unwrap();
    assert_eq!(waiting.len(), 2, "the mailbox has had enough, and nobody is told");
}

#[tokio::test]
async fn a_letter_is_tried_again_and_given_up_in_the_end() {
    let house = house("").await;
    house.register("ada@example.org").await;
    house.postman.refuse(Some(|| NotDelivered::Later("greylisted".into())));
    house.guard.request_reset(&to("ada@example.org"), &home()).await.unwrap();
    let mut waits = Vec::new();
    let mut tokens = Vec::new();
    while let Some(due) = house.guard.deliver_letters().await.unwrap() {
        let wait = due.since(crate::Clock::now(&*house.clock));
        waits.push(wait.as_secs() / 60);
        house.clock.advance(wait);
        tokens.extend(house.postman.take().into_iter().map(|letter| letter.text));
        assert!(waits.len() < 100, "it has to end");
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 240, 240, 240]);
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 11, "each goes out with a token of its own");

    house.postman.refuse(Some(|| NotDelivered::Never("no such mailbox".into())));
    house.guard.request_reset(&to("ada@example.org"), &home()).await.unwrap();
    assert_eq!(house.guard.deliver_letters().await.unwrap(), None, "nobody will ever take it");
    house.postman.refuse(None);
    house.guard.deliver_letters().await.unwrap();
    assert_eq!(house.postman.take().len(), 2, "the refused tries, and no more");
}

// ASVS 6.3.8: Nor is it told by a registration where addresses have to be confirmed: known or not, a letter goes there.
#[tokio::test]
async fn an_address_is_confirmed_before_it_opens_anything() {
    let house = house("auth.verify_email = \"required\"").await;
    for _ in 0..2 {
        let welcome = house.guard.register(registration("ada@example.org", PASSWORD), &home()).await.unwrap();
        assert!(matches!(welcome, Welcome::ConfirmFirst));
    }
    house.guard.deliver_letters().await.unwrap();
    assert_eq!(house.postman.take().len(), 2, "the second one is still unconfirmed");
    let wrong = house.login("ada@example.org", "wrong horse battery").await.unwrap_err();
    assert!(matches!(wrong, GuardError::WrongPassword), "who does not know the password learns nothing: {wrong}");
    let refused = house.login("ada@example.org", PASSWORD).await.unwrap_err();
    assert!(matches!(refused, GuardError::EmailNotVerified), "{refused}");

    let token = token(&house).await;
    let confirm = ConfirmEmail { token };
    house.guard.confirm_email(&confirm, &home()).await.unwrap();
    let again = house.guard.confirm_email(&confirm, &home()).await;
    assert!(matches!(again, Err(GuardError::Forbidden(_))), "once");
    house.login("ada@example.org", PASSWORD).await.unwrap();

    house.guard.register(registration("ada@example.org", "somebody else's words"), &home()).await.unwrap();
    house.guard.deliver_letters().await.unwrap();
    assert_eq!(house.postman.take().remove(0).subject, "You have an account already");
    house.login("ada@example.org", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn who_squats_on_an_address_loses_it_to_whoever_reads_its_mail() {
    let house = house("auth.verify_email = \"required\"").await;
    house.guard.register(registration("ada@example.org", "the squatter's words"), &home()).await.unwrap();
    house.guard.deliver_letters().await.unwrap();
    house.postman.take();
    house.guard.request_reset(&to("ada@example.org"), &home()).await.unwrap();
    let token = token(&house).await;
    reset(&house, &token, NEW_PASSWORD).await.unwrap();
    house.login("ada@example.org", NEW_PASSWORD).await.unwrap();
    assert!(house.login("ada@example.org", "the squatter's words").await.is_err());
}

#[tokio::test]
async fn who_is_invited_registers_into_the_tenant() {
    let house = house("auth.registration = \"invite\"\nauth.verify_email = \"required\"").await;
    let owner = crate::NewUser {
        name: "Owner".to_owned(),
        email: "owner@example.org".to_owned(),
        password: Secret(PASSWORD.to_owned()),
    };
    house.guard.create_user(owner).await.unwrap();
    let owner = house.login("owner@example.org", PASSWORD).await.unwrap();
    let invite = |email: &str| Invite { email: email.to_owned(), role: "member".to_owned() };
    let register = |email: &str, invitation: Option<Secret>| {
        let request = contract::auth::Register { invitation, ..registration(email, PASSWORD) };
        async { house.guard.register(request, &home()).await }
    };
    assert!(matches!(register("bob@example.org", None).await, Err(GuardError::Forbidden(_))));

    house.guard.invite(&owner.caller, &invite("bob@example.org")).await.unwrap();
    let by_mail = token(&house).await;
    let other = register("eve@example.org", Some(by_mail.clone())).await;
    assert!(matches!(other, Err(GuardError::Forbidden(_))), "it is for an address");
    let bob = signed_in(register("Bob@example.org", Some(by_mail.clone())).await.unwrap());
    assert_eq!(bob.caller.tenant_id(), owner.caller.tenant_id());
    assert_eq!(house.guard.memberships(&bob.caller).await.unwrap().len(), 1, "and in no other");
    house.login("bob@example.org", PASSWORD).await.expect("the letter has shown whose the address is");
    assert!(matches!(register("bob@example.org", Some(by_mail)).await, Err(GuardError::Forbidden(_))), "once");

    let shown = house.guard.invite(&owner.caller, &invite("cy@example.org")).await.unwrap().token;
    house.guard.deliver_letters().await.unwrap();
    house.postman.take();
    let cy = register("cy@example.org", Some(shown)).await.unwrap();
    assert!(matches!(cy, Welcome::ConfirmFirst), "what was shown to the inviter says nothing about the mailbox");
    let token = token(&house).await;
    house.guard.confirm_email(&ConfirmEmail { token }, &home()).await.unwrap();
    let cy = house.login("cy@example.org", PASSWORD).await.unwrap();
    assert_eq!(cy.caller.tenant_id(), owner.caller.tenant_id());
}

#[tokio::test]
async fn an_invitation_by_mail_is_accepted_by_whoever_has_an_account() {
    let house = house("").await;
    let (ada, bob) = (house.register("ada@example.org").await, house.register("bob@example.org").await);
    let invite = Invite { email: "bob@example.org".to_owned(), role: "viewer".to_owned() };
    house.guard.invite(&ada.caller, &invite).await.unwrap();
    let token = token(&house).await;
    assert!(house.guard.join_tenant(&ada.caller, &token.0).await.is_err(), "not hers");
    let joined = house.guard.join_tenant(&bob.caller, &token.0).await.unwrap();
    assert_eq!((&joined.tenant_id, joined.role.as_str()), (ada.caller.tenant_id(), "viewer"));
    assert!(house.guard.join_tenant(&bob.caller, &token.0).await.is_err(), "once");
}

// ASVS 6.2.1: And `auth.password.min_length_without_second_factor` for more where nothing else is shown.
#[tokio::test]
async fn a_password_that_stands_alone_is_longer() {
    let house = house("auth.password.min_length_without_second_factor = 15").await;
    let short = house.guard.register(registration("ada@example.org", "tr0ub4dö ört"), &home()).await;
    assert!(matches!(short, Err(GuardError::Invalid(_))));
    let ada = house.register("ada@example.org").await;
    let change = contract::auth::ChangePassword {
        current_password: Secret(PASSWORD.to_owned()),
        new_password: Secret("tr0ub4dö ört".to_owned()),
    };
    let refused = house.guard.change_password(&ada.caller, change.clone(), &home()).await.outcome;
    assert!(matches!(refused, Err(GuardError::Invalid(_))));
    let (secret, _) = super::factors::enrol(&house, &ada).await;
    house.guard.change_password(&ada.caller, change, &home()).await.outcome.unwrap();
    house.clock.advance(Duration::from_secs(60));
    let code = crate::totp::code_at(&secret, crate::Clock::now(&*house.clock));
    let login = Login {
        email: "ada@example.org".to_owned(),
        password: Secret("tr0ub4dö ört".to_owned()),
        session_id: None,
        code: Some(Secret(code)),
    };
    let ada = house.guard.login(login, &home()).await.outcome.unwrap();
    house.clock.advance(Duration::from_secs(60));
    let remove = contract::auth::RemoveFactor {
        password: Secret("tr0ub4dö ört".to_owned()),
        code: Secret(crate::totp::code_at(&secret, crate::Clock::now(&*house.clock))),
    };
    let refused = house.guard.remove_factor(&ada.caller, remove, &home()).await.outcome;
    assert!(matches!(refused, Err(GuardError::Forbidden(_))), "it would stand alone");
}
