//! What is measured once and beside nobody: memory, the time to start, and whether costs grow with what there is already.

use std::{path::Path, time::Duration};

use anyhow::ensure;

use super::{
    load::{self, Job, Kind, Request, Stream},
    report::Fact,
    rows::{AGENTS, SETTINGS, agent_socket, intent},
    server::Server,
    streams,
    system::{processor_time, resident_kib},
};

/// What an idle server is given to settle.
const SETTLING: Duration = Duration::from_secs(2);

/// Sockets that do nothing.
const SOCKETS: usize = 10_000;

/// Executions that have not ended when the process is killed.
const UNFINISHED: u64 = 100_000;

/// How often a start is measured.
const STARTS: usize = 5;

/// Executions and turns after which costs are looked at again.
const MANY_EXECUTIONS: u64 = 100_000;
const MANY_TURNS: u64 = 1_000;

/// Operations over which a cost is measured.
const SAMPLE_TURNS: u64 = 200;
const SAMPLE: Duration = Duration::from_secs(3);

/// Callers of a load that only has to get something done.
const CALLERS: usize = 64;

/// A measurement's title, and how it is made.
pub(super) const ALL: [&str; 3] = ["memory", "start", "costs do not grow with history"];

pub(super) async fn measure(title: &str, product: &Path) -> anyhow::Result<Vec<Fact>> {
    match title {
        "memory" => memory(product).await,
        "start" => start(product).await,
        _ => growth(product).await,
    }
}

async fn memory(product: &Path) -> anyhow::Result<Vec<Fact>> {
    let server = Server::product(product, SETTINGS, &AGENTS).await?;
    tokio::time::sleep(SETTLING).await;
    let idle = resident_kib(server.process_id());
    let (token, session_id) = server.somebody().await?;
    tokio::time::sleep(SETTLING).await;
    let before = resident_kib(server.process_id());
    let stream = Stream { path: agent_socket(&session_id), token: Some(token), first: "" };
    let sockets = streams::open(server.address, &stream, SOCKETS).await?;
    tokio::time::sleep(SETTLING).await;
    let with_sockets = resident_kib(server.process_id());
    drop(sockets);
    let mib = |kib: u64| format!("{:.1} MiB", kib as f64 / 1_024.0);
    let each = with_sockets.saturating_sub(before) as f64 / SOCKETS as f64;
    Ok(vec![
        Fact { what: "idle".to_owned(), found: mib(idle), wanted: "at most 40 MiB" },
        Fact { what: "one idle socket more".to_owned(), found: format!("{each:.1} KiB"), wanted: "at most 10 KiB" },
        Fact { what: format!("{SOCKETS} idle sockets"), found: mib(with_sockets), wanted: "at most 150 MiB" },
    ])
}

async fn start(product: &Path) -> anyhow::Result<Vec<Fact>> {
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(Server::product(product, SETTINGS, &AGENTS).await?.ready_after);
    }
    starts.sort();
    let server = Server::product(product, SETTINGS, &AGENTS).await?;
    let (token, session_id) = server.somebody().await?;
    let submit = Request::post("/api/intent/submit", Some(&token), &intent("bench_wait", &session_id));
    let begun = do_many(&server, &Kind::Ask(submit), UNFINISHED).await?;
    let recovered = server.kill_and_start(product).await?;
    let seconds = |duration: Duration| format!("{:.2} s", duration.as_secs_f64());
    Ok(vec![
        Fact {
            what: format!("from the start of the process until it is ready (median of {STARTS})"),
            found: seconds(starts[STARTS / 2]),
            wanted: "at most 0.3 s",
        },
        Fact {
            what: format!("the same after it was killed with {begun} unfinished executions"),
            found: seconds(recovered.ready_after),
            wanted: "at most 5 s",
        },
    ])
}

async fn growth(product: &Path) -> anyhow::Result<Vec<Fact>> {
    let server = Server::product(product, SETTINGS, &AGENTS).await?;
    let (token, session_id) = server.somebody().await?;
    let submit = Request::post("/api/intent/submit", Some(&token), &intent("bench_nothing", &session_id));
    let execute = Kind::Execute { submit: submit.clone(), token: token.clone() };
    // What only the first ones cost is none of their cost.
    do_many(&server, &execute, 1_000).await?;
    let first = execution_micros(&server, &execute).await?;
    let executions = do_many(&server, &Kind::Ask(submit), MANY_EXECUTIONS).await?;
    let later = execution_micros(&server, &execute).await?;

    let mut talk = load::Talk::open(server.address, &agent_socket(&session_id), &token).await?;
    talk.turns("warm-up", SAMPLE_TURNS).await?;
    let first_turn = turn_micros(&server, &mut talk).await?;
    talk.turns("long", MANY_TURNS - SAMPLE_TURNS).await?;
    let later_turn = turn_micros(&server, &mut talk).await?;
    let compared =
        |first: f64, later: f64| format!("{:.2} of the first ({later:.0} µs after {first:.0} µs)", later / first);
    Ok(vec![
        Fact {
            what: format!("the server's processor time for an execution after {executions} others"),
            found: compared(first, later),
            wanted: "at most 1.2",
        },
        Fact {
            what: format!("the server's processor time for a turn of a conversation after {MANY_TURNS} others"),
            found: compared(first_turn, later_turn),
            wanted: "at most 1.2",
        },
    ])
}

async fn execution_micros(server: &Server, execute: &Kind) -> anyhow::Result<f64> {
    let before = processor_time(server.process_id());
    let done = run(server, execute, SAMPLE).await?;
    let used = processor_time(server.process_id()).saturating_sub(before);
    Ok(used.as_micros() as f64 / done as f64)
}

async fn turn_micros(server: &Server, talk: &mut load::Talk) -> anyhow::Result<f64> {
    let before = processor_time(server.process_id());
    talk.turns("long", SAMPLE_TURNS).await?;
    let used = processor_time(server.process_id()).saturating_sub(before);
    Ok(used.as_micros() as f64 / SAMPLE_TURNS as f64)
}

/// Does something at least so often; answers how often it was.
async fn do_many(server: &Server, kind: &Kind, wanted: u64) -> anyhow::Result<u64> {
    let mut done = 0;
    while done < wanted {
        let more = run(server, kind, Duration::from_secs(1)).await?;
        ensure!(more > 0, "nothing was done within a second");
        done += more;
    }
    Ok(done)
}

async fn run(server: &Server, kind: &Kind, duration: Duration) -> anyhow::Result<u64> {
    let job = Job { address: server.address, kind: kind.clone(), callers: CALLERS, duration };
    Ok(load::run(&job).await?.whole.len())
}
