//! A process that writes is killed in the middle; what it had acknowledged is there. The process is this test binary
//! again, told by an environment variable where to write.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use runtime::{Store, port::store::StreamKey};

use crate::store::{open, submission, user};

const DIRECTORY: &str = "SYMPHAINY_TEST_KILLED_DIRECTORY";

/// How many write at the same time.
const WRITERS: i64 = 16;

/// How many processes are killed, one after the other, over the same data.
const KILLS: usize = 5;

/// How many acknowledgements are awaited before a kill.
const ACKNOWLEDGEMENTS: usize = 200;

/// Writes for ever and prints the number of what was acknowledged, where the variable says so; otherwise there is
/// nothing to test.
#[test]
#[expect(clippy::disallowed_methods, reason = "a process is told by its environment that it is the one to be killed")]
fn the_process_that_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (_database, store) = open(Path::new(&directory));
        let begin = i64::try_from(store.unfinished(None, 1_000).await.unwrap().len()).unwrap() * 1_000_000;
        let writers = (0..WRITERS).map(async |writer| {
            for number in 0.. {
                let number = begin + number * WRITERS + writer;
                let conversation = (number % 2 == 0).then_some("c1");
                store.submit(submission(&user(), conversation, number)).await.unwrap();
                // One write call a line, which a kill cannot tear.
                std::io::stdout().write_all(format!("acknowledged {number}\n").as_bytes()).unwrap();
            }
        });
        futures_util::future::join_all(writers).await;
    });
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<i64> = Vec::new();
    for _ in 0..KILLS {
        acknowledged.extend(write_and_kill(directory.path()));
        let (_database, store) = open(directory.path());
        for number in &acknowledged {
            let id = submission(&user(), None, *number).state.header.execution_id;
            assert!(store.execution(&id).await.unwrap().is_some(), "{number} was acknowledged and is lost");
        }
        let key = StreamKey::Conversation(user(), "c1".parse().unwrap());
        let position = store.stream(&key).await.unwrap().expect("some were in the conversation");
        let mut seq = 0;
        loop {
            let page = store.events(position.stream, seq, None, 1_000).await.unwrap();
            for event in &page {
                assert_eq!(event.seq, seq + 1, "the numbers have no hole");
                seq = event.seq;
            }
            if page.is_empty() {
                break;
            }
        }
        assert_eq!(seq, position.head);
    }
    assert!(acknowledged.len() >= KILLS * ACKNOWLEDGEMENTS);
}

/// Lets a process write until enough is acknowledged, kills it, and answers all that it had acknowledged.
fn write_and_kill(directory: &Path) -> Vec<i64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::the_process_that_is_killed", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let number = |line: std::io::Result<String>| {
        let line = line.unwrap();
        // The harness prints its own words before the first line, without a newline.
        line.split_once("acknowledged ").and_then(|(_, number)| number.parse().ok())
    };
    let mut acknowledged: Vec<i64> = lines.by_ref().filter_map(number).take(ACKNOWLEDGEMENTS).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.extend(lines.filter_map(number));
    acknowledged
}
