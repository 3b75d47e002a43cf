//! Whether the time of an answer tells if an address has an account.

#![expect(clippy::disallowed_methods, reason = "it measures real time")]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::ensure;
use serde_json::json;

use super::{ask, register};
use crate::bench::server::Server;

/// Tries at each kind of address.
pub(super) const TRIES: usize = 100;
/// How far the medians may be apart.
const MOST_APART: Duration = Duration::from_millis(2);
/// Limits that do not stand in the way; the cost of a hash is the default's.
const SETTINGS: &str = "[limits]\nlogin = \"100000/1s\"\nlogin_account = \"1000000/15m\"\nregister = \"1000/1s\"\n[auth.password]\nworkers = 1\n";

pub(super) async fn run(binary: &Path, tries: usize) -> anyhow::Result<()> {
    let server = Server::product(binary, SETTINGS, &[]).await?;
    let client = reqwest::Client::new();
    register(&client, &server, "ada@example.com").await?;
    let (mut known, mut unknown) = (Vec::with_capacity(tries), Vec::with_capacity(tries));
    // One after the other in turn, so that whatever else the machine does falls upon both alike.
    for number in 0..tries {
        for (email, times) in
            [("ada@example.com".to_owned(), &mut known), (format!("nobody{number}@example.com"), &mut unknown)]
        {
            let body = json!({ "email": email, "password": "wrong horse battery" });
            let began = Instant::now();
            let (status, _) = ask(&client, &server, "/api/auth/login", &body).await?;
            times.push(began.elapsed());
            ensure!(status == 401, "a wrong password was answered with {status}");
        }
    }
    let (known, unknown) = (median(known), median(unknown));
    let apart = known.abs_diff(unknown);
    println!(
        "wrong sign-in, median of {tries}: known address {known:?}, unknown {unknown:?}; {apart:?} apart (at most {MOST_APART:?})"
    );
    ensure!(apart <= MOST_APART, "the time tells whether there is such an account");
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
