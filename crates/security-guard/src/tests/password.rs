//! Changing one's own password, and who may register.

use contract::auth::ChangePassword;

use super::*;

const BETTER: &str = "staple battery horse";

fn change(current: &str, new: &str) -> ChangePassword {
    ChangePassword { current_password: Secret(current.to_owned()), new_password: Secret(new.to_owned()) }
}

// ASVS 6.2.2: A user changes their password.
// ASVS 6.2.3: The present password has to be shown.
// ASVS 7.4.3: All other sign-ins end with the old password.
#[tokio::test]
async fn a_new_password_ends_the_other_sign_ins() {
    let house = House::new().await;
    let ada = house.register("ada@example.org").await;
    let other = house.login("ada@example.org", PASSWORD).await.unwrap();
    house.guard.authenticate(&other.access_token.0).await.unwrap();
    for (current, new, field) in [
        ("wrong wrong wrong", BETTER, None),
        (&*"x".repeat(2_000), BETTER, None),
        (PASSWORD, PASSWORD, Some("new_password")),
        (PASSWORD, "short", Some("new_password")),
        (PASSWORD, "password123", Some("new_password")),
        (PASSWORD, "ada@example.org", Some("new_password")),
    ] {
        let answer = house.guard.change_password(&ada.caller, change(current, new), &home()).await.outcome;
        match (answer, field) {
            (Err(GuardError::Forbidden(_)), None) => {}
            (Err(GuardError::Invalid(errors)), Some(field)) => assert_eq!(errors[0].field, field, "{new}"),
            (other, _) => panic!("{current} {new}: {other:?}"),
        }
    }
    house.guard.change_password(&ada.caller, change(PASSWORD, BETTER), &home()).await.outcome.unwrap();
    assert!(house.guard.authenticate(&ada.access_token.0).await.is_ok(), "this one goes on");
    assert!(house.guard.authenticate(&other.access_token.0).await.is_err());
    assert!(house.guard.refresh(&other.refresh_token.0, &home()).await.is_err());
    assert!(house.login("ada@example.org", PASSWORD).await.is_err());
    assert!(house.login("ada@example.org", BETTER).await.is_ok());
}

// ASVS 6.3.4: A password can be guessed nowhere faster than at the sign-in.
#[tokio::test]
async fn guesses_at_the_present_password_wait_like_those_at_a_sign_in() {
    let house = House::with("limits.login_account = \"2/15m\"").await;
    let ada = house.register("ada@example.org").await;
    let mut delays = Vec::new();
    for _ in 0..4 {
        let answer = house.guard.change_password(&ada.caller, change("wrong wrong", BETTER), &home()).await;
        assert!(answer.outcome.is_err());
        delays.push(answer.delay.as_secs());
    }
    assert_eq!(delays, [0, 0, 1, 2]);
    assert_eq!(house.try_login("ada@example.org", PASSWORD, None).await.delay.as_secs(), 4, "one count for both");
}

#[tokio::test]
async fn who_may_register_is_the_operators_word() {
    for (config, email, open) in [
        ("auth.registration = \"open\"", "ada@example.org", true),
        ("auth.registration = \"closed\"", "ada@example.org", false),
        ("auth = { registration = \"domain\", registration_domains = [\"Example.org\"] }", "ada@EXAMPLE.org", true),
        (
            "auth = { registration = \"domain\", registration_domains = [\"example.org\"] }",
            "ada@sub.example.org",
            false,
        ),
        (
            "auth = { registration = \"domain\", registration_domains = [\"example.org\"] }",
            "ada@example.org.evil",
            false,
        ),
    ] {
        let house = House::with(config).await;
        let answer = house.guard.register(registration(email, PASSWORD), &home()).await;
        match (answer, open) {
            (Ok(_), true) | (Err(GuardError::Forbidden(_)), false) => {}
            (answer, _) => panic!("{config} {email}: {answer:?}"),
        }
    }
}
