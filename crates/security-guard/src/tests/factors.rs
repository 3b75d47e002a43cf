//! The second factor, with an authenticator in the hand of the test.

use contract::auth::{ConfirmFactor, RemoveFactor, ShowPassword};

use super::*;
use crate::{SecondFactors, totp};

async fn secret(house: &House, signed_in: &SignedIn) -> [u8; 20] {
    house.accounts.factor(signed_in.caller.user_id()).await.unwrap().unwrap().secret.0
}

fn secret_text(text: &str) -> Secret {
    Secret(text.to_owned())
}

/// Enrols, and answers the authenticator's secret and the recovery codes.
pub(super) async fn enrol(house: &House, ada: &SignedIn) -> ([u8; 20], Vec<String>) {
    let show = ShowPassword { password: secret_text(PASSWORD) };
    let offer = house.guard.offer_factor(&ada.caller, show, &home()).await.outcome.unwrap();
    let secret = secret(house, ada).await;
    assert_eq!(offer.secret.0, totp::base32(&secret));
    let code = Secret(totp::code_at(&secret, house.clock.now()));
    let codes = house.guard.confirm_factor(&ada.caller, ConfirmFactor { code }, &home()).await.outcome.unwrap();
    (secret, codes.recovery_codes.into_iter().map(|code| code.0).collect())
}

async fn login_with(house: &House, code: Option<&str>) -> Result<SignedIn, GuardError> {
    let request = Login {
        email: "ada@example.org".to_owned(),
        password: secret_text(PASSWORD),
        session_id: None,
        code: code.map(secret_text),
    };
    house.guard.login(request, &home()).await.outcome
}

// ASVS 6.5.1: A code, and a recovery code, is good once.
// ASVS 6.5.2: Recovery codes have 120 random bits, so that a SHA-256 of them is enough.
#[tokio::test]
async fn a_sign_in_needs_a_code_once_there_is_a_factor() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let other = house.login("ada@example.org", PASSWORD).await.unwrap();
    let (secret, recovery_codes) = enrol(&house, &ada).await;
    assert!(
        recovery_codes.iter().all(|code| code.len() == "ABCD-EFGH-IJKL-MNOP-QRST-UVWX".len()),
        "five bits a character"
    );
    assert!(house.guard.authenticate(&other.access_token.0).await.is_err(), "what was made without a code ends");
    assert!(house.guard.authenticate(&ada.access_token.0).await.is_ok());
    let code = totp::code_at(&secret, house.clock.now());
    assert!(matches!(login_with(&house, None).await, Err(GuardError::SecondFactorRequired)));
    assert!(
        matches!(login_with(&house, Some(&code)).await, Err(GuardError::SecondFactorWrong)),
        "it was used to confirm"
    );
    house.clock.advance(Duration::from_secs(30));
    let code = totp::code_at(&secret, house.clock.now());
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    login_with(&house, Some(&spaced)).await.unwrap();
    assert!(matches!(login_with(&house, Some(&code)).await, Err(GuardError::SecondFactorWrong)), "once");
    for wrong in ["", "000000", "nonsense", &*"1".repeat(10_000)] {
        assert!(matches!(login_with(&house, Some(wrong)).await, Err(GuardError::SecondFactorWrong)), "{wrong:.10}");
    }
    login_with(&house, Some(&recovery_codes[0].to_lowercase())).await.unwrap();
    assert!(login_with(&house, Some(&recovery_codes[0])).await.is_err(), "once");
    let standing = house.guard.factor(&ada.caller).await.unwrap();
    assert_eq!((standing.enrolled, standing.recovery_codes_left), (true, 9));
    let wrong = house.try_login("ada@example.org", "wrong wrong wrong", None).await.outcome;
    assert!(matches!(wrong, Err(GuardError::WrongPassword)), "who does not know the password learns of no factor");
}

#[tokio::test]
async fn guesses_at_codes_wait_like_those_at_passwords() {
    let house = House::with("limits.login_account = \"2/15m\"").await;
    let ada = house.register("ada@example.org").await;
    enrol(&house, &ada).await;
    for _ in 0..3 {
        assert!(login_with(&house, Some("000000")).await.is_err());
    }
    assert_eq!(house.try_login("ada@example.org", PASSWORD, None).await.delay.as_secs(), 2);
}

#[tokio::test]
async fn a_factor_goes_with_password_and_code() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let wrong = ShowPassword { password: secret_text("wrong wrong wrong") };
    assert!(house.guard.offer_factor(&ada.caller, wrong, &home()).await.outcome.is_err());
    let confirm = ConfirmFactor { code: secret_text("000000") };
    assert!(house.guard.confirm_factor(&ada.caller, confirm, &home()).await.outcome.is_err(), "nothing is offered");
    let (_, recovery_codes) = enrol(&house, &ada).await;
    let again = ShowPassword { password: secret_text(PASSWORD) };
    assert!(house.guard.offer_factor(&ada.caller, again, &home()).await.outcome.is_err(), "one at a time");
    for (password, code, good) in [
        ("wrong wrong wrong", &*recovery_codes[0], false),
        (PASSWORD, "000000", false),
        (PASSWORD, &*recovery_codes[0], true),
    ] {
        let request = RemoveFactor { password: secret_text(password), code: secret_text(code) };
        let answer = house.guard.remove_factor(&ada.caller, request, &home()).await.outcome;
        assert_eq!(answer.is_ok(), good, "{password} {code}");
    }
    assert!(house.login("ada@example.org", PASSWORD).await.is_ok());
}
