//! Signing in at an identity provider: a provider in memory that does what the standard says, and what goes wrong around it.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{identities::Key, *};
use crate::{
    Plugs,
    memory::MemoryMail,
    oidc::{OidcCallback, OidcStart},
    providers::{KeySource, TokenRequest, Unfetched},
    secrets::{base64url, sha256},
};

const ISSUER: &str = "https://login.example";
const REDIRECT: &str = "https://app.example/api/auth/oidc/callback";

/// Answers one code with an id token, whose claims the test can change.
struct Provider {
    clock: Arc<TestClock>,
    key: Key,
    /// What the browser brought: challenge and nonce.
    asked: Mutex<(String, String)>,
    claims: Mutex<Value>,
    metadata: Mutex<Value>,
    is_down: Mutex<bool>,
    fetches: Mutex<Vec<String>>,
}

#[async_trait]
impl KeySource for Provider {
    async fn fetch(&self, address: &str) -> Result<Vec<u8>, Unfetched> {
        self.fetches.lock().unwrap().push(address.to_owned());
        if *self.is_down.lock().unwrap() {
            return Err(Unfetched("down".into()));
        }
        let answer = match address {
            "https://login.example/.well-known/openid-configuration" => self.metadata.lock().unwrap().clone(),
            "https://login.example/jwks" => json!({ "keys": [self.key.jwk()] }),
            _ => panic!("{address} is called"),
        };
        Ok(answer.to_string().into_bytes())
    }

    async fn exchange(&self, request: TokenRequest) -> Result<Vec<u8>, Unfetched> {
        assert_eq!(request.address, "https://login.example/token");
        let form: HashMap<&str, Secret> = request.form.into_iter().collect();
        let field = |name: &str| form[name].0.clone();
        assert_eq!(
            (field("grant_type"), field("redirect_uri")),
            ("authorization_code".to_owned(), REDIRECT.to_owned())
        );
        assert_eq!(request.basic.unwrap(), ("us".to_owned(), Secret("our secret".to_owned())));
        let (challenge, nonce) = self.asked.lock().unwrap().clone();
        if field("code") != "good" || base64url(&sha256(&[field("code_verifier").as_bytes()])) != challenge {
            return Err(Unfetched("invalid_grant".into()));
        }
        let now = self.clock.now().as_millis() / 1_000;
        let mut claims = json!({
            "iss": ISSUER, "aud": "us", "sub": "248289761001", "iat": now, "exp": now + 60, "nonce": nonce,
            "email": "ada@example.org", "name": "Ada Lovelace",
        });
        for (name, value) in self.claims.lock().unwrap().as_object().unwrap() {
            claims[name] = value.clone();
        }
        Ok(json!({ "access_token": "x", "token_type": "Bearer", "id_token": self.key.sign(&claims) })
            .to_string()
            .into())
    }
}

struct Scene {
    guard: SecurityGuard,
    clock: Arc<TestClock>,
    provider: Arc<Provider>,
}

impl Scene {
    async fn new() -> Self {
        let config: GuardConfig = toml::from_str(&format!(
            "auth.registration = \"closed\"\nlimits.login = \"1000/1s\"\n[auth.oidc]\nissuer = {ISSUER:?}\nclient_id = \"us\"\n\
             client_secret = \"our secret\"\nredirect = {REDIRECT:?}"
        ))
        .unwrap();
        let clock = Arc::new(TestClock::new(42));
        let metadata = json!({
            "issuer": ISSUER, "authorization_endpoint": "https://login.example/auth?tenant=1",
            "token_endpoint": "https://login.example/token", "jwks_uri": "https://login.example/jwks",
        });
        let provider = Arc::new(Provider {
            clock: clock.clone(),
            key: Key::new("k1", 1),
            asked: Mutex::default(),
            claims: Mutex::new(json!({})),
            metadata: Mutex::new(metadata),
            is_down: Mutex::new(false),
            fetches: Mutex::default(),
        });
        let plugs = Plugs {
            accounts: Arc::new(MemoryAccounts::new()),
            clock: clock.clone(),
            keys: provider.clone(),
            mail: Arc::new(MemoryMail::default()),
        };
        Self { guard: SecurityGuard::open_with(config, plugs).await.unwrap(), clock, provider }
    }

    /// Sends a browser to the provider; what it has, and what the provider was asked.
    async fn start(&self) -> (OidcStart, HashMap<String, String>) {
        let start = self.guard.oidc_start(&home()).await.unwrap();
        let query = start.location.strip_prefix("https://login.example/auth?tenant=1&").unwrap();
        let asked: HashMap<String, String> = query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        *self.provider.asked.lock().unwrap() = (asked["code_challenge"].clone(), asked["nonce"].clone());
        (start, asked)
    }

    async fn finish(&self, cookie: Option<&str>, callback: OidcCallback) -> Result<SignedIn, GuardError> {
        self.guard.oidc_finish(cookie, &callback, &home()).await
    }

    /// The whole way, with these claims in the id token.
    async fn sign_in(&self, claims: Value) -> Result<SignedIn, GuardError> {
        *self.provider.claims.lock().unwrap() = claims;
        let (start, asked) = self.start().await;
        self.finish(Some(&start.cookie.0), back(&asked)).await
    }
}

fn back(asked: &HashMap<String, String>) -> OidcCallback {
    OidcCallback {
        code: Some(Secret("good".to_owned())),
        state: Some(asked["state"].clone()),
        iss: Some(ISSUER.to_owned()),
    }
}

// ASVS 10.5.2: Who comes back is known by issuer and subject, and by no address.
#[tokio::test]
async fn whoever_the_provider_vouches_for_is_signed_in() {
    let scene = Scene::new().await;
    let (_, asked) = scene.start().await;
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "us"),
        ("redirect_uri", "https%3A%2F%2Fapp.example%2Fapi%2Fauth%2Foidc%2Fcallback"),
        ("scope", "openid%20email%20profile"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked[name], value);
    }
    let ada = scene.sign_in(json!({})).await.unwrap();
    assert_eq!((ada.caller.name(), ada.caller.email()), ("Ada Lovelace", "ada@example.org"));
    assert!(scene.guard.authenticate(&ada.access_token.0).await.is_ok());
    scene.guard.refresh(&ada.refresh_token.0, &home()).await.expect("it is a sign-in like any other");
    let again = scene.sign_in(json!({ "email": "lovelace@example.org" })).await.unwrap();
    assert_eq!(again.caller.user_id(), ada.caller.user_id(), "the same subject, whatever their address is");
    let other = scene.sign_in(json!({ "sub": "another" })).await.unwrap();
    assert_ne!(other.caller.user_id(), ada.caller.user_id(), "another subject, although the address is the same");
    scene.guard.disable_user(ada.caller.user_id()).await.unwrap();
    assert!(matches!(scene.sign_in(json!({})).await, Err(GuardError::AccountDisabled)));
}

// ASVS 10.2.1: Code flow with PKCE; the state is bound to the browser by a cookie.
// ASVS 10.2.2: An answer of another provider is refused (RFC 9207).
#[tokio::test]
async fn a_sign_in_ends_in_the_browser_where_it_began() {
    let scene = Scene::new().await;
    let (theirs, _) = scene.start().await;
    let (mine, asked) = scene.start().await;
    let mine = mine.cookie.0;
    let late = format!("{}.1", mine.split('.').next().unwrap());
    for (cookie, callback, why) in [
        (None, back(&asked), "no cookie"),
        (Some(theirs.cookie.0.as_str()), back(&asked), "another browser's"),
        (Some(late.as_str()), back(&asked), "a changed time"),
        (Some("nonsense"), back(&asked), "nonsense"),
        (Some(&mine), OidcCallback { state: None, ..back(&asked) }, "no state"),
        (Some(&mine), OidcCallback { state: Some("x".to_owned()), ..back(&asked) }, "another state"),
        (
            Some(&mine),
            OidcCallback { iss: Some("https://evil.example".to_owned()), ..back(&asked) },
            "another provider",
        ),
        (Some(&mine), OidcCallback { code: None, ..back(&asked) }, "the provider refused"),
        (Some(&mine), OidcCallback { code: Some(Secret("bad".to_owned())), ..back(&asked) }, "another code"),
    ] {
        let outcome = scene.finish(cookie, callback).await;
        assert!(matches!(outcome, Err(GuardError::Forbidden(_))), "{why}: {outcome:?}");
    }
    scene.finish(Some(&mine), back(&asked)).await.unwrap();
    let (slow, asked) = scene.start().await;
    scene.clock.advance(Duration::from_secs(600));
    assert!(matches!(scene.finish(Some(&slow.cookie.0), back(&asked)).await, Err(GuardError::Forbidden(_))));
}

// ASVS 10.5.1: An id token has to carry the nonce of this very sign-in.
// ASVS 10.5.4: And to be for us, by issuer, audience and authorized party.
#[tokio::test]
async fn hostile_id_tokens_are_refused() {
    let scene = Scene::new().await;
    let now = scene.clock.now().as_millis() / 1_000;
    for claims in [
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "aud": "somebody else" }),
        json!({ "aud": ["us", "somebody else"], "azp": "somebody else" }),
        json!({ "iss": "https://evil.example" }),
        json!({ "exp": now }),
        json!({ "iat": now + 60 }),
        json!({ "sub": "" }),
    ] {
        let outcome = scene.sign_in(claims.clone()).await;
        assert!(matches!(outcome, Err(GuardError::Forbidden(_))), "{claims}: {outcome:?}");
    }
    scene.sign_in(json!({ "aud": ["us", "somebody else"], "azp": "us" })).await.unwrap();
}

// ASVS 10.5.3: A provider that calls itself otherwise than it is configured is not believed.
#[tokio::test]
async fn a_provider_is_asked_seldom_and_believed_with_care() {
    let scene = Scene::new().await;
    scene.sign_in(json!({})).await.unwrap();
    *scene.provider.is_down.lock().unwrap() = true;
    let fetched = scene.provider.fetches.lock().unwrap().len();
    scene.clock.advance(Duration::from_secs(3_600));
    for _ in 0..5 {
        scene.sign_in(json!({})).await.expect("what is known goes on while the provider is down");
    }
    let after = scene.provider.fetches.lock().unwrap().len();
    assert_eq!(after - fetched, 2, "one look at each document in half a minute");

    let fresh = Scene::new().await;
    fresh.provider.metadata.lock().unwrap()["issuer"] = json!("https://evil.example");
    assert!(matches!(fresh.guard.oidc_start(&home()).await, Err(GuardError::Forbidden(_))));
    assert!(matches!(fresh.guard.oidc_start(&home()).await, Err(GuardError::Forbidden(_))));
    assert_eq!(fresh.provider.fetches.lock().unwrap().len(), 1, "nor asked at once again");
    let without = House::new().await;
    assert!(matches!(without.guard.oidc_start(&home()).await, Err(GuardError::NotFound(_))));
}
