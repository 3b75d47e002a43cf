//! An error at every sync and every write: one client does a little of everything while the n-th call of a kind fails, for each n,
//! and then everything that was acknowledged is looked for.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};

use super::{
    client::Client,
    effects::Effects,
    server::{Came, Disk, Place, Server, Suffering},
    world::{Found, Stand, World},
};

/// How long one run may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The kinds of failing calls.
#[derive(Clone, Copy, Debug)]
enum Fault {
    SyncFails,
    WriteFails,
    NoSpace,
    HalfAWrite,
}

impl Fault {
    const ALL: [Self; 4] = [Self::SyncFails, Self::WriteFails, Self::NoSpace, Self::HalfAWrite];

    fn at(self, call: u64) -> String {
        match self {
            Self::SyncFails => format!("sync@{call}:EIO"),
            Self::WriteFails => format!("write@{call}:EIO"),
            Self::NoSpace => format!("write@{call}:ENOSPC"),
            Self::HalfAWrite => format!("write@{call}:SHORT"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::SyncFails => "a sync that fails",
            Self::WriteFails => "a write that fails",
            Self::NoSpace => "a write without space",
            Self::HalfAWrite => "half a write, then no space",
        })
    }
}

/// What all runs came to.
#[derive(Debug, Default)]
pub(super) struct Swept {
    pub(super) runs: u64,
    /// Of the runs, those whose process ended and was started again.
    pub(super) ended: u64,
    /// Answers that said that there is no space.
    pub(super) full: u64,
    pub(super) acknowledged: u64,
    pub(super) checked: u64,
}

/// Sweeps over every `stride`-th call.
pub(super) async fn sweep(binary: &Path, library: &Path, seed: u64, stride: u64) -> anyhow::Result<Swept> {
    let mut swept = Swept::default();
    let whole = run(binary, library, seed, None).await?;
    let (syncs, writes) = whole.calls;
    println!("without a fault: {syncs} syncs, {writes} writes, {} acknowledgements", whole.acknowledged);
    whole.must_be_good("no fault")?;
    for fault in Fault::ALL {
        let calls = if matches!(fault, Fault::SyncFails) { syncs } else { writes };
        let (ran, ended) = (swept.runs, swept.ended);
        for call in (1..=calls).step_by(usize::try_from(stride)?) {
            let fault = fault.at(call);
            let one = run(binary, library, seed, Some(fault.clone())).await?;
            one.must_be_good(&fault)?;
            swept.runs += 1;
            swept.ended += u64::from(one.has_ended);
            swept.full += one.full;
            swept.acknowledged += one.acknowledged;
            swept.checked += one.checked;
        }
        println!("{fault}: {} runs, {} times the process ended", swept.runs - ran, swept.ended - ended);
    }
    Ok(swept)
}

/// What one run came to.
struct Ran {
    seed: u64,
    calls: (u64, u64),
    has_ended: bool,
    full: u64,
    acknowledged: u64,
    checked: u64,
    found: Vec<Found>,
    kept: Option<PathBuf>,
}

impl Ran {
    fn must_be_good(&self, fault: &str) -> anyhow::Result<()> {
        for found in &self.found {
            println!("  FOUND by \"{}\": {}", found.check, found.said);
        }
        if let Some(kept) = &self.kept {
            bail!(
                "{fault} with seed {}: something is not as promised; the folder is kept: {}",
                self.seed,
                kept.display()
            );
        }
        Ok(())
    }
}

async fn run(binary: &Path, library: &Path, seed: u64, fault: Option<String>) -> anyhow::Result<Ran> {
    let effects = Effects::serve().await?;
    let place = Place::new(binary, effects.address)?;
    let world = Arc::new(World::new(place.address, effects, true));
    let mut sweeping =
        Sweeping { place, world: Arc::clone(&world), library: library.to_owned(), fault, has_ended: false };
    let outcome = tokio::time::timeout(PATIENCE, sweeping.all(seed)).await;
    if let Err(error) = outcome.context("it takes too long").flatten() {
        world.find("the run goes to its end", format!("{error:#}\n{}", sweeping.place.log()));
    }
    world.set(Stand::Over);
    let found = world.found();
    let calls = sweeping.place.counts();
    let Sweeping { place, has_ended, .. } = sweeping;
    let kept = (!found.is_empty()).then(|| place.keep());
    Ok(Ran {
        seed,
        calls,
        has_ended,
        full: world.full(),
        acknowledged: world.acknowledged(),
        checked: world.checked(),
        found,
        kept,
    })
}

struct Sweeping {
    place: Place,
    world: Arc<World>,
    library: PathBuf,
    fault: Option<String>,
    has_ended: bool,
}

impl Sweeping {
    async fn all(&mut self, seed: u64) -> anyhow::Result<()> {
        let world = Arc::clone(&self.world);
        let mut client = Client::new(Arc::clone(&world), seed, 0);
        let mut server = self.first().await?;
        {
            let mut working = std::pin::pin!(async {
                client.do_a_little().await;
                client.settle().await;
            });
            loop {
                tokio::select! {
                    () = &mut working => break,
                    () = world.over() => return Ok(()),
                    ended = server.ended() => {
                        ended?;
                        world.set(Stand::Down);
                        self.has_ended = true;
                        server = self.whole().await?;
                    }
                }
            }
        }
        world.set(Stand::Down);
        // The fault may come here; whatever the process makes of it, the next one has everything.
        self.has_ended |= !server.stop().await?.success();
        let mut server = self.whole().await?;
        client.look_again().await;
        world.set(Stand::Down);
        server.stop().await.map(|_| ())
    }

    /// Starts the server whose disk will fail; where it fails in the start, the next one.
    async fn first(&mut self) -> anyhow::Result<Server> {
        let disk = Disk::Failing(self.library.clone(), self.fault.clone());
        let mut server = self.place.start(&Suffering { disk, ..Suffering::default() })?;
        match server.ready().await? {
            Came::Ready => {
                self.world.set(Stand::Up);
                Ok(server)
            }
            Came::Ended(_) => {
                self.has_ended = true;
                self.whole().await
            }
        }
    }

    /// Starts a server with a good disk.
    async fn whole(&self) -> anyhow::Result<Server> {
        let mut server = self.place.start(&Suffering::default())?;
        if let Came::Ended(status) = server.ready().await? {
            bail!("it does not start again: {status}");
        }
        self.world.set(Stand::Up);
        Ok(server)
    }
}
