//! Tokens of others' providers, through the guard: good ones, hostile ones, and providers that misbehave.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::*;
use crate::{
    Plugs, Role, SecurityGuard,
    memory::MemoryMail,
    providers::{KeySource, TokenRequest, Unfetched},
    secrets::base64url,
};

const ISSUER: &str = "https://one.example/auth/v1";

/// A provider with a key of its own, whose answers the test writes.
struct Provider {
    answers: Mutex<Result<Value, String>>,
    fetches: AtomicU32,
}

#[async_trait]
impl KeySource for Provider {
    async fn fetch(&self, address: &str) -> Result<Vec<u8>, Unfetched> {
        assert_eq!(address, "https://one.example/jwks");
        self.fetches.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        match &*self.answers.lock().unwrap() {
            Ok(keys) => Ok(keys.to_string().into_bytes()),
            Err(problem) => Err(Unfetched(problem.clone().into())),
        }
    }

    async fn exchange(&self, _request: TokenRequest) -> Result<Vec<u8>, Unfetched> {
        panic!("nobody comes with a code")
    }
}

pub(super) struct Key {
    id: &'static str,
    pkcs8: Vec<u8>,
    public: Vec<u8>,
}

impl Key {
    pub(super) fn new(id: &'static str, seed: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let pkcs8 = pair.to_pkcs8().unwrap().as_ref().to_vec();
        Self { id, pkcs8, public: pair.public_key().as_ref().to_vec() }
    }

    pub(super) fn jwk(&self) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&self.public), "kid": self.id, "use": "sig" })
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.id.to_owned());
        encode(&header, claims, &EncodingKey::from_ed_der(&self.pkcs8)).unwrap()
    }
}

struct Scene {
    guard: SecurityGuard,
    clock: Arc<TestClock>,
    provider: Arc<Provider>,
    key: Key,
}

impl Scene {
    async fn new() -> Self {
        let config = format!(
            "[[auth.providers]]\nissuer = {ISSUER:?}\naudience = \"authenticated\"\njwks = \"https://one.example/jwks\""
        );
        let config: GuardConfig = toml::from_str(&config).unwrap();
        let clock = Arc::new(TestClock::new(42));
        let key = Key::new("k1", 1);
        let keys = json!({ "keys": [key.jwk()] });
        let provider = Arc::new(Provider { answers: Mutex::new(Ok(keys)), fetches: AtomicU32::new(0) });
        let accounts = Arc::new(MemoryAccounts::new());
        let guard = SecurityGuard::open_with(
            config,
            Plugs { accounts, clock: clock.clone(), keys: provider.clone(), mail: Arc::new(MemoryMail::default()) },
        )
        .await
        .unwrap();
        Self { guard, clock, provider, key }
    }

    fn seconds(&self) -> i64 {
        self.clock.now().as_millis() / 1_000
    }

    fn claims(&self) -> Value {
        let now = self.seconds();
        json!({
            "iss": ISSUER, "aud": "authenticated", "sub": "ada", "iat": now, "exp": now + 3_600,
            "email": "ada@example.org", "role": "service_role", "name": "Ada",
        })
    }

    /// The good claims with these over them; null takes one away.
    fn token(&self, over: Value) -> String {
        let mut claims = self.claims();
        for (name, value) in over.as_object().unwrap() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(name),
                value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        self.key.sign(&claims)
    }

    fn fetches(&self) -> u32 {
        self.provider.fetches.load(Ordering::Relaxed)
    }

    fn publish(&self, answer: Result<Value, String>) {
        *self.provider.answers.lock().unwrap() = answer;
    }
}

// ASVS 6.8.1: Somebody is who they are by issuer and subject; the same address at another provider is somebody else.
// ASVS 10.3.3: The same: nothing but issuer and subject names a user.
#[tokio::test]
async fn a_token_of_a_provider_is_a_user() {
    let scene = Scene::new().await;
    let first = scene.guard.authenticate(&scene.token(json!({}))).await.unwrap();
    assert_eq!((first.name(), first.email(), first.roles()), ("Ada", "ada@example.org", &[Role::Owner][..]));
    assert!(first.me().is_ok() && first.sign_in_id().is_none());
    let asker = crate::Asker::User(first.clone());
    assert!(scene.guard.session(Some(&asker), first.session_id()).await.is_ok());
    scene.clock.advance(Duration::from_secs(60));
    let other = json!({ "email": "another@example.org", "name": "Ada Lovelace", "aud": ["x", "authenticated"] });
    let again = scene.guard.authenticate(&scene.token(other)).await.unwrap();
    assert_eq!(again.owner(), first.owner(), "issuer and subject count, and nothing else");
    let bob = scene.guard.authenticate(&scene.token(json!({ "sub": "bob" }))).await.unwrap();
    assert_ne!(bob.tenant_id(), first.tenant_id(), "the same address is not the same person");
    assert_eq!(scene.fetches(), 1);
    scene.guard.disable_user(first.user_id()).await.unwrap();
    assert!(matches!(scene.guard.recheck(&first).await, Err(GuardError::AccountDisabled)));
    assert!(scene.guard.authenticate(&scene.token(json!({}))).await.is_err());
}

// ASVS 6.8.2: Tokens of providers are believed for their signature by a published key.
// ASVS 10.3.1: They have to be for our audience.
#[tokio::test]
async fn hostile_tokens_are_refused() {
    let scene = Scene::new().await;
    let now = scene.seconds();
    for (over, why) in [
        (json!({ "iss": "https://one.example/auth/v1/" }), "another issuer"),
        (json!({ "aud": "anon" }), "another audience"),
        (json!({ "aud": null }), "no audience"),
        (json!({ "sub": null }), "no subject"),
        (json!({ "sub": "" }), "an empty subject"),
        (json!({ "sub": "x".repeat(256) }), "a long subject"),
        (json!({ "exp": now }), "expired"),
        (json!({ "exp": null }), "no end"),
        (json!({ "exp": "9999999999" }), "an end that is a text"),
        (json!({ "exp": 9.9e9 }), "an end that is a fraction"),
        (json!({ "nbf": now + 6 }), "not yet"),
        (json!({ "iat": now + 6 }), "from the future"),
    ] {
        assert!(scene.guard.authenticate(&scene.token(over)).await.is_err(), "{why}");
    }
    let good = scene.token(json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let none = base64url(br#"{"alg":"none","kid":"k1"}"#);
    let symmetric = {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("k1".to_owned());
        encode(&header, &scene.claims(), &EncodingKey::from_secret(&scene.key.public)).unwrap()
    };
    let swapped = Key { id: "k1", ..Key::new("k2", 2) }.sign(&scene.claims());
    let without_id = {
        let key = EncodingKey::from_ed_der(&scene.key.pkcs8);
        encode(&Header::new(Algorithm::EdDSA), &scene.claims(), &key).unwrap()
    };
    for (token, why) in [
        (format!("{none}.{}.", parts[1]), "no signature"),
        (format!("{}.{}.", parts[0], parts[1]), "a stripped signature"),
        (symmetric, "signed with what everybody knows"),
        (swapped, "signed with another key of the same name"),
        (without_id, "which key?"),
        (format!("{good}x"), "a changed signature"),
    ] {
        assert!(matches!(scene.guard.authenticate(&token).await, Err(GuardError::TokenInvalid)), "{why}");
    }
    assert!(scene.guard.authenticate(&good).await.is_ok(), "the good one is good");
}

#[tokio::test]
async fn an_unknown_key_is_worth_one_fetch_in_half_a_minute() {
    let scene = Scene::new().await;
    scene.guard.authenticate(&scene.token(json!({}))).await.unwrap();
    scene.clock.advance(Duration::from_secs(30));
    let unknown = Key::new("k2", 2);
    let tokens: Vec<String> =
        (0..20).map(|number| unknown.sign(&json!({ "sub": number.to_string(), "iss": ISSUER }))).collect();
    let answers = futures_util::future::join_all(tokens.iter().map(|token| scene.guard.authenticate(token))).await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(scene.fetches(), 2, "one for all of them");
    scene.publish(Ok(json!({ "keys": [unknown.jwk()] })));
    let rotated = unknown.sign(&scene.claims());
    assert!(scene.guard.authenticate(&rotated).await.is_err(), "not so soon");
    assert_eq!(scene.fetches(), 2);
    scene.clock.advance(Duration::from_secs(30));
    assert!(scene.guard.authenticate(&unknown.sign(&scene.claims())).await.is_ok(), "the new key");
    assert!(scene.guard.authenticate(&scene.token(json!({ "jti": "2" }))).await.is_err(), "the old one was withdrawn");
}

#[tokio::test]
async fn known_keys_go_on_while_the_provider_is_down() {
    let scene = Scene::new().await;
    scene.guard.authenticate(&scene.token(json!({}))).await.unwrap();
    for answer in
        [Err("it is down".to_owned()), Ok(json!("nonsense")), Ok(json!({ "keys": vec![scene.key.jwk(); 101] }))]
    {
        scene.publish(answer);
        scene.clock.advance(Duration::from_secs(601));
        let token = scene.token(json!({ "jti": scene.seconds() }));
        assert!(scene.guard.authenticate(&token).await.is_ok());
    }
    assert_eq!(scene.fetches(), 4);
}

#[tokio::test]
async fn a_provider_that_was_never_there_lets_nobody_in() {
    let scene = Scene::new().await;
    scene.publish(Err("it is down".to_owned()));
    let token = scene.token(json!({}));
    for _ in 0..3 {
        assert!(matches!(scene.guard.authenticate(&token).await, Err(GuardError::TokenInvalid)));
    }
    assert_eq!(scene.fetches(), 1);
    let published = json!({ "kty": "oct", "k": base64url(b"everybody knows"), "kid": "k1", "alg": "HS256" });
    let for_encryption = {
        let mut jwk = scene.key.jwk();
        jwk["use"] = json!("enc");
        jwk
    };
    for jwk in [published, for_encryption] {
        scene.publish(Ok(json!({ "keys": [jwk, { "kty": "strange" }] })));
        scene.clock.advance(Duration::from_secs(30));
        assert!(scene.guard.authenticate(&scene.token(json!({ "jti": scene.seconds() }))).await.is_err());
    }
}

#[test]
fn providers_are_checked() {
    let provider = |issuer: &str, jwks: &str| {
        format!("[[auth.providers]]\nissuer = {issuer:?}\naudience = \"a\"\njwks = {jwks:?}\n")
    };
    for (config, problem) in [
        (provider("", "https://x"), "must not be empty"),
        (provider("symphainy", "https://x"), "our own"),
        (provider("a", "https://x") + &provider("a", "https://y"), "twice"),
    ] {
        let config: GuardConfig = toml::from_str(&config).unwrap();
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}
