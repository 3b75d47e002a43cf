//! What the product costs when nobody talks to it: memory, and the time from the start of the process until it is ready.

use std::time::Duration;

use crate::bench::{
    server::{Server, product_binary},
    system::resident_kib,
};

/// What it may cost (docs/performance.md).
const MAX_RESIDENT_KIB: u64 = 40 * 1_024;
const MAX_READY: Duration = Duration::from_millis(300);

pub(crate) async fn run() -> anyhow::Result<()> {
    println!("{}", crate::machine::line());
    let server = Server::product(&product_binary()?, "", &[]).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let resident = resident_kib(server.process_id());
    println!("memory at idle: {:.1} MiB (at most {} MiB)", resident as f64 / 1_024.0, MAX_RESIDENT_KIB / 1_024);
    println!("start to ready: {:?} (at most {MAX_READY:?})", server.ready_after);
    anyhow::ensure!(resident <= MAX_RESIDENT_KIB && server.ready_after <= MAX_READY, "that is too much");
    Ok(())
}
