//! The first readings of the rows "submit" and "turn": the limit program and the product in turn, in the same run, so that
//! the ratio of a round counts and not what the machine can do today.

mod limit;
mod load;
pub(crate) mod server;

use std::time::Duration;

use serde_json::json;

pub(crate) use limit::serve as serve_limit;
use load::{Cell, Job, Kind};
use server::Server;

/// Settings of the product under load: limits out of the way, each piece of an answer an event.
const SETTINGS: &str = r#"
[limits]
messages = "1000000/1s"
sockets_per_user = 10000
sockets_per_address = 10000

[agents]
coalesce = "0ms"
"#;

/// How a bench runs.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
}

/// What is asked of the guide in a turn.
const QUESTION: &str = "what can I do here?";

pub(crate) async fn run(plan: Plan) -> anyhow::Result<()> {
    println!("{}", crate::machine::line());
    println!(
        "rounds {}, {:?} each after {:?} of warm-up; median [min–max]\n",
        plan.rounds, plan.duration, plan.warm_up
    );
    submit(plan).await?;
    turn(plan).await
}

async fn submit(plan: Plan) -> anyhow::Result<()> {
    println!("submit, acknowledged durably");
    println!("{:>8} {:>26} {:>26} {:>22} {:>22}", "callers", "limit /s", "ours /s", "p50 ours / limit", "ours / limit");
    for callers in [1, 16, 64] {
        let mut rounds = Vec::new();
        for _ in 0..plan.rounds {
            let limit = Server::limit(1).await?;
            let least =
                load::run(&job(plan, &limit, callers, post("/submit", None, &json!({"intent_type": "list_files"}))))
                    .await?;
            drop(limit);
            let product = Server::product(SETTINGS).await?;
            let (token, session_id) = product.somebody().await?;
            let body = json!({"intent_type": "list_files", "session_id": session_id, "parameters": {}});
            let ours = load::run(&job(plan, &product, callers, post("/api/intent/submit", Some(token), &body))).await?;
            rounds.push((least, ours));
        }
        print_row(callers, &rounds, Cell::rate);
    }
    println!();
    Ok(())
}

async fn turn(plan: Plan) -> anyhow::Result<()> {
    let frames = frames_of_a_turn().await?;
    println!("a turn of {frames} events on the socket, builtin model, journaled (\"{QUESTION}\"); events a second");
    println!("{:>8} {:>26} {:>26} {:>22} {:>22}", "sockets", "limit /s", "ours /s", "p50 ours / limit", "ours / limit");
    for sockets in [1, 100] {
        let mut rounds = Vec::new();
        for _ in 0..plan.rounds {
            let limit = Server::limit(frames).await?;
            let least = load::run(&job(plan, &limit, sockets, turn_on("/turn", None, "agent.completed"))).await?;
            drop(limit);
            let product = Server::product(SETTINGS).await?;
            let (token, session_id) = product.somebody().await?;
            let path = format!("/api/runtime/agent?session_id={session_id}");
            let ours =
                load::run(&job(plan, &product, sockets, turn_on(&path, Some(token), "execution.completed"))).await?;
            rounds.push((least, ours));
        }
        print_row(sockets, &rounds, Cell::frame_rate);
        let firsts = spread(rounds.iter().map(|(_, ours)| ours.first.value_at_quantile(0.5) as f64 / 1_000.0));
        let wholes = spread(rounds.iter().map(|(_, ours)| ours.p50_ms()));
        println!("{:>8} first event p50 {firsts} ms, turn p50 {wholes} ms", "");
    }
    Ok(())
}

async fn frames_of_a_turn() -> anyhow::Result<usize> {
    let product = Server::product(SETTINGS).await?;
    let (token, session_id) = product.somebody().await?;
    let path = format!("/api/runtime/agent?session_id={session_id}");
    let one = Plan { rounds: 1, warm_up: Duration::ZERO, duration: Duration::from_millis(300) };
    let cell = load::run(&job(one, &product, 1, turn_on(&path, Some(token), "execution.completed"))).await?;
    Ok(usize::try_from(cell.frames / cell.whole.len().max(1))?)
}

fn job(plan: Plan, server: &Server, callers: usize, kind: Kind) -> Job {
    Job { address: server.address, kind, callers, warm_up: plan.warm_up, duration: plan.duration }
}

fn post(path: &str, authorization: Option<String>, body: &serde_json::Value) -> Kind {
    Kind::Post { path: path.to_owned(), authorization, body: body.to_string().into() }
}

fn turn_on(path: &str, authorization: Option<String>, ends: &'static str) -> Kind {
    Kind::Turn { path: path.to_owned(), authorization, ends, text: QUESTION }
}

fn print_row(callers: usize, rounds: &[(Cell, Cell)], rate: impl Fn(&Cell) -> f64) {
    let least = spread(rounds.iter().map(|(least, _)| rate(least)));
    let ours = spread(rounds.iter().map(|(_, ours)| rate(ours)));
    let latency = spread(rounds.iter().map(|(least, ours)| ours.p50_ms() / least.p50_ms().max(0.001)));
    let ratio = spread(rounds.iter().map(|(least, ours)| rate(ours) / rate(least)));
    println!("{callers:>8} {least:>26} {ours:>26} {latency:>22} {ratio:>22}");
}

/// `median [min–max]`.
fn spread(values: impl Iterator<Item = f64>) -> String {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first(), values.last()) else { return "–".to_owned() };
    let median = values[values.len() / 2];
    let digits = if median >= 100.0 { 0 } else { 2 };
    format!("{median:.digits$} [{least:.digits$}–{most:.digits$}]")
}
