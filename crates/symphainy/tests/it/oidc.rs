//! Signing in at a real identity provider (`oidc-provider` of npm) on loopback. It needs node and `npm ci --prefix
//! crates/symphainy/tests/oidc`; where they are missing, the test says so and shows nothing.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use reqwest::{Client, Response, Url, redirect::Policy};
use serde_json::Value;

use crate::process::{PATIENCE, Place};

/// Redirects of one sign-in; more are a circle.
const MAX_STEPS: usize = 12;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc")
}

/// The provider as a process.
struct Provider {
    child: Child,
    issuer: String,
}

impl Provider {
    fn start(redirect: &str) -> Option<Self> {
        if !folder().join("node_modules/oidc-provider").exists() {
            return None;
        }
        let mut command = Command::new("node");
        command.arg("provider.mjs").current_dir(folder()).env("REDIRECT", redirect);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let issuer = lines.map_while(Result::ok).find(|line| line.starts_with("http://")).unwrap();
        Some(Self { child, issuer })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// As much of a browser as is needed: it keeps cookies by port and does not follow by itself.
struct Browser {
    http: Client,
    cookies: BTreeMap<(u16, String), String>,
}

impl Browser {
    fn new() -> Self {
        let http = Client::builder().no_proxy().redirect(Policy::none()).timeout(PATIENCE).build().unwrap();
        Self { http, cookies: BTreeMap::new() }
    }

    async fn get(&mut self, url: &Url) -> Response {
        let port = url.port().unwrap();
        let mine = self.cookies.iter().filter(|((of, _), _)| *of == port);
        let cookies: Vec<String> = mine.map(|((_, name), value)| format!("{name}={value}")).collect();
        let answer = self.http.get(url.clone()).header("cookie", cookies.join("; ")).send().await.unwrap();
        for set in answer.headers().get_all("set-cookie") {
            let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert((port, name.to_owned()), value.to_owned());
        }
        answer
    }

    /// Follows from here to the first address that begins with this, which is not asked for.
    async fn follow(&mut self, from: Url, until: &str) -> Url {
        let mut url = from;
        for _ in 0..MAX_STEPS {
            let answer = self.get(&url).await;
            let status = answer.status();
            let Some(location) = answer.headers().get("location") else {
                panic!("{url} answers with {status}: {}", answer.text().await.unwrap());
            };
            url = url.join(location.to_str().unwrap()).unwrap();
            if url.as_str().starts_with(until) {
                return url;
            }
        }
        panic!("a circle, now at {url}")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_signs_in_at_a_real_provider() {
    let place = Place::new();
    // The port has to be known to the provider before the server has it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let redirect = format!("http://127.0.0.1:{port}/api/auth/oidc/callback");
    let Some(provider) = Provider::start(&redirect) else {
        println!("skipped: node or oidc-provider is missing; npm ci --prefix crates/symphainy/tests/oidc");
        return;
    };
    let settings = |allow: &str| {
        format!(
            "[auth.oidc]\nissuer = {:?}\nclient_id = \"symphainy\"\nclient_secret = \"a secret between us\"\nredirect = {redirect:?}\n\
             [outbound]\nallow = [{allow}]\n",
            provider.issuer
        )
    };
    let listen = format!("127.0.0.1:{port}");
    let start: Url = format!("http://{listen}/api/auth/oidc/start").parse().unwrap();

    // What lies inside is called only where the operator says so.
    place.set(&settings(""));
    let server = place.serve(&["--listen", &listen]);
    assert_eq!(Browser::new().get(&start).await.status(), 403);
    server.kill();

    place.set(&settings("\"127.0.0.1\""));
    let server = place.serve(&["--listen", &listen]);
    let mut user_ids = Vec::new();
    for _ in 0..2 {
        let mut browser = Browser::new();
        let callback = browser.follow(start.clone(), &redirect).await;
        let mut other = Browser::new();
        assert_eq!(other.get(&callback).await.status(), 403, "the code is of no use in another browser");
        let home = browser.follow(callback.clone(), &format!("http://{listen}/")).await;
        assert_eq!(home.path(), "/");
        let me: Url = format!("http://{listen}/api/auth/me").parse().unwrap();
        let me: Value = browser.get(&me).await.json().await.unwrap();
        assert_eq!((&me["user"]["name"], &me["user"]["email"]), (&"Ada Lovelace".into(), &"ada@example.org".into()));
        user_ids.push(me["user"]["id"].clone());
        assert_eq!(browser.get(&callback).await.status(), 403, "once");
    }
    assert_eq!(user_ids[0], user_ids[1], "the same person at the second time");
    drop(server);
}
