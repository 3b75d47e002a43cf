//! Tokens that look like ours and are not.

use std::time::Duration;

use aws_lc_rs::{hmac, signature::Ed25519KeyPair};
use serde_json::{Value, json};

use super::*;
use crate::{accounts::ServerSecrets, install_crypto_provider, secrets, tests::TestClock};

struct Mint {
    clock: TestClock,
    secrets: ServerSecrets,
    tokens: AccessTokens,
}

impl Mint {
    fn new(seed: u64) -> Self {
        install_crypto_provider();
        let clock = TestClock::new(seed);
        let secrets = secrets::make(&clock).unwrap();
        let tokens = AccessTokens::new(&AuthConfig::default(), &secrets.signing_keys).unwrap();
        Self { clock, secrets, tokens }
    }

    fn token(&self) -> String {
        let subject = Subject {
            user_id: "user_1".parse().unwrap(),
            tenant_id: "tenant_1".parse().unwrap(),
            sign_in_id: "signin_1".parse().unwrap(),
            session_id: "sess_1".parse().unwrap(),
            actor: None,
        };
        self.tokens.issue(subject, &self.clock).unwrap().0
    }

    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "EdDSA", "kid": self.tokens.keys[0].key_id})
    }

    fn claims(&self) -> Value {
        let now = self.clock.now().as_millis() / 1_000;
        json!({
            "iss": "symphainy", "aud": "symphainy", "sub": "user_1", "tid": "tenant_1", "sid": "signin_1",
            "ses": "sess_1", "iat": now, "exp": now + 600, "jti": "1",
        })
    }

    /// A token with a good signature of our own key over whatever it says.
    fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    fn sign_text(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
        let pair = Ed25519KeyPair::from_pkcs8(&self.secrets.signing_keys[0].pkcs8).unwrap();
        format!("{message}.{}", base64url(pair.sign(message.as_bytes()).as_ref()))
    }

    fn is_refused(&self, token: &str, why: &str) {
        let answer = self.tokens.verify(token, self.clock.now());
        assert!(matches!(answer, Err(GuardError::TokenInvalid)), "{why}: {answer:?}");
    }
}

fn with(mut value: Value, name: &str, member: Value) -> Value {
    value[name] = member;
    value
}

fn without(mut value: Value, name: &str) -> Value {
    value.as_object_mut().unwrap().remove(name);
    value
}

#[test]
fn our_own_are_accepted_until_they_end() {
    let mint = Mint::new(1);
    let token = mint.token();
    let claims = mint.tokens.verify(&token, mint.clock.now()).unwrap();
    assert_eq!((claims.sub.as_str(), claims.ses.as_str()), ("user_1", "sess_1"));
    assert!(mint.tokens.verify(&mint.sign(&mint.header(), &mint.claims()), mint.clock.now()).is_ok());
    mint.clock.advance(Duration::from_millis(599_999));
    assert!(mint.tokens.verify(&token, mint.clock.now()).is_ok());
    mint.clock.advance(Duration::from_millis(1));
    assert!(matches!(mint.tokens.verify(&token, mint.clock.now()), Err(GuardError::TokenExpired)));
}

// ASVS 9.1.2: EdDSA and no other algorithm, `none` included.
#[test]
fn other_algorithms_are_refused() {
    let mint = Mint::new(2);
    let claims = base64url(mint.claims().to_string().as_bytes());
    for algorithm in ["none", "None", "HS256", "HS512", "RS256", "ES256", "eddsa", ""] {
        let header = with(mint.header(), "alg", json!(algorithm));
        mint.is_refused(&mint.sign(&header, &mint.claims()), algorithm);
        let unsigned = format!("{}.{claims}.", base64url(header.to_string().as_bytes()));
        mint.is_refused(&unsigned, algorithm);
    }
    // The public key as the secret of an HMAC: what is public must not be able to sign.
    let header = with(mint.header(), "alg", json!("HS256"));
    let message = format!("{}.{claims}", base64url(header.to_string().as_bytes()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &mint.tokens.keys[0].public_key);
    let signature = base64url(hmac::sign(&key, message.as_bytes()).as_ref());
    mint.is_refused(&format!("{message}.{signature}"), "HS256 with the public key");
}

// ASVS 9.1.1: A token is believed for its signature and nothing else.
// ASVS 9.1.3: Keys come from the server alone; a token cannot bring its own.
#[test]
fn foreign_and_broken_signatures_are_refused() {
    let (mint, foreign) = (Mint::new(3), Mint::new(4));
    mint.is_refused(&foreign.token(), "another server's");
    mint.is_refused(&foreign.sign(&mint.header(), &mint.claims()), "another key under our key's name");
    let token = mint.token();
    let (message, signature) = token.rsplit_once('.').unwrap();
    for (text, why) in [
        (format!("{message}."), "stripped"),
        (message.to_owned(), "two parts"),
        (format!("{token}.x"), "four parts"),
        (format!("{message}.{}", signature.chars().rev().collect::<String>()), "turned around"),
        (format!("{message}.{signature}="), "padded"),
        (format!(" {token}"), "with a space"),
        (String::new(), "nothing"),
        ("..".to_owned(), "dots"),
        ("\u{1F980}".repeat(100), "crabs"),
        ("a".repeat(1_000_000), "long"),
    ] {
        mint.is_refused(&text, why);
    }
    let mut parts = token.split('.');
    let header = parts.next().unwrap();
    let other = base64url(with(mint.claims(), "sub", json!("user_2")).to_string().as_bytes());
    mint.is_refused(&format!("{header}.{other}.{signature}"), "claims of somebody else");
}

// ASVS 9.2.1: Within its time, which is whole seconds.
// ASVS 9.2.3: For this audience and from this issuer.
#[test]
fn claims_have_to_be_what_they_are() {
    let mint = Mint::new(5);
    let now = mint.clock.now().as_millis() / 1_000;
    for (name, value) in [
        ("iss", json!("elsewhere")),
        ("iss", json!(["symphainy", "elsewhere"])),
        ("aud", json!("elsewhere")),
        ("aud", json!(["symphainy"])),
        ("exp", json!((now + 600).to_string())),
        ("exp", json!(now as f64 + 600.5)),
        ("exp", json!(true)),
        ("exp", Value::Null),
        ("exp", json!(1e300)),
        ("iat", json!(now + 1)),
        ("iat", json!("now")),
        ("sub", json!(7)),
        ("sub", json!("")),
        ("sub", json!("user_1/..")),
        ("tid", json!(["tenant_1"])),
        ("sid", json!({})),
        ("ses", Value::Null),
    ] {
        let token = mint.sign(&mint.header(), &with(mint.claims(), name, value.clone()));
        mint.is_refused(&token, &format!("{name} = {value}"));
    }
    for name in ["iss", "aud", "sub", "tid", "sid", "ses", "iat", "exp", "jti"] {
        mint.is_refused(&mint.sign(&mint.header(), &without(mint.claims(), name)), &format!("without {name}"));
    }
    let twice = mint.claims().to_string().replacen('{', r#"{"sub":"user_2","#, 1);
    mint.is_refused(&mint.sign_text(&mint.header().to_string(), &twice), "sub twice");
    for exp in [now, 0, -1, i64::MIN] {
        let token = mint.sign(&mint.header(), &with(mint.claims(), "exp", json!(exp)));
        assert!(mint.tokens.verify(&token, mint.clock.now()).is_err(), "exp = {exp}");
    }
}

// ASVS 9.2.2: Of the type `at+jwt`, so that no other token passes for one.
#[test]
fn headers_have_to_be_what_they_are() {
    let mint = Mint::new(6);
    for (header, why) in [
        (with(mint.header(), "typ", json!("JWT")), "another type of token"),
        (without(mint.header(), "typ"), "no type"),
        (with(mint.header(), "kid", json!("other")), "an unknown key"),
        (without(mint.header(), "kid"), "no key"),
        (with(mint.header(), "crit", json!(["b64"])), "an extension that has to be understood"),
    ] {
        mint.is_refused(&mint.sign(&header, &mint.claims()), why);
    }
}

#[test]
fn leeway_is_for_clocks_that_differ() {
    let mint = Mint::new(7);
    let config = AuthConfig { leeway: Duration::from_secs(5), ..AuthConfig::default() };
    let tokens = AccessTokens::new(&config, &mint.secrets.signing_keys).unwrap();
    let token = mint.token();
    mint.clock.advance(Duration::from_secs(604));
    assert!(tokens.verify(&token, mint.clock.now()).is_ok());
    mint.clock.advance(Duration::from_secs(1));
    assert!(tokens.verify(&token, mint.clock.now()).is_err());
}

#[test]
fn the_public_keys_hold_nothing_private() {
    let mint = Mint::new(8);
    let jwks = mint.tokens.jwks(mint.clock.now());
    let key = jwks["keys"][0].as_object().unwrap();
    let names: Vec<&str> = key.keys().map(String::as_str).collect();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"]);
    let verifying = DecodingKey::from_ed_components(key["x"].as_str().unwrap()).unwrap();
    assert!(decode::<Claims>(mint.token(), &verifying, &mint.tokens.validation()).is_ok());
}
