//! Kills: clients work on a server that dies again and again, at any instant and at named places, and in the end everything that
//! was acknowledged is looked for.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use rusqlite::{Connection, OpenFlags};
use rustix::process::Signal;
use tokio::task::JoinSet;

use super::{
    client::{Client, Issued},
    effects::Effects,
    power,
    server::{Came, Disk, Place, Server, Suffering, Words},
    world::{Found, Stand, World},
};

/// How long clients may take to come to an end once nothing is killed any more.
const SETTLING: Duration = Duration::from_secs(240);

/// How much a server acknowledges at most before it is killed.
const MOST_ACKNOWLEDGED: u64 = 1_200;

/// How long after it is ready a server lives at most, however little it has acknowledged, in milliseconds.
const LIFE_MS: u64 = 1_500;

/// How many kills there are before it is seen to that everybody is registered.
const EARLY_KILLS: u64 = 4;

/// How long into its start a server is killed at most, in milliseconds.
const START_MS: u64 = 60;

/// How long a stopped process stands still at most, in milliseconds.
const STANDSTILL_MS: u64 = 1_500;

/// Where migrations can be interrupted.
const IN_MIGRATIONS: [&str; 2] = ["migration_uncommitted", "migration_committed"];

/// One data folder's worth of kills.
#[derive(Clone, Debug)]
pub(super) struct Round {
    pub(super) seed: u64,
    pub(super) kills: u64,
    pub(super) clients: u64,
    pub(super) bug: Option<String>,
    /// The library with which each kill is a power cut.
    pub(super) power: Option<PathBuf>,
}

/// What it came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) kills: u64,
    /// Of the kills, those at named places, during a start, and after a standstill.
    pub(super) at_points: HashMap<String, u64>,
    pub(super) in_start: u64,
    pub(super) after_standstill: u64,
    pub(super) acknowledged: u64,
    pub(super) checked: u64,
    pub(super) executions: u64,
    /// Writes and names that power cuts took back.
    pub(super) taken_back: u64,
    pub(super) found: Vec<Found>,
    /// Where the folder lies, if something was found.
    pub(super) kept: Option<PathBuf>,
}

/// When a server is killed: after so many more acknowledgements, and at the latest after so long.
#[derive(Clone, Copy)]
struct Life {
    acknowledgements: u64,
    at_latest: Duration,
}

impl Outcome {
    /// Counts another round in.
    pub(super) fn add(&mut self, other: Self) {
        self.kills += other.kills;
        for (point, kills) in other.at_points {
            *self.at_points.entry(point).or_default() += kills;
        }
        self.in_start += other.in_start;
        self.after_standstill += other.after_standstill;
        self.acknowledged += other.acknowledged;
        self.checked += other.checked;
        self.executions += other.executions;
        self.taken_back += other.taken_back;
    }
}

/// How a server dies.
enum Death {
    Sudden(Life),
    /// So long after its process began.
    InStart(Duration),
    /// At a named place, or suddenly where it does not come by there.
    AtPoint {
        point: String,
        arrival: u64,
        otherwise: Life,
    },
    /// It stands still for a while, goes on, and is killed.
    AfterStandstill {
        before: Life,
        still: Duration,
        after: Life,
    },
}

pub(super) async fn run(binary: &Path, words: &Words, round: &Round) -> anyhow::Result<Outcome> {
    let effects = Effects::serve().await?;
    let place = Place::new(binary, effects.address)?;
    let world = Arc::new(World::new(place.address, effects, false));
    let mut torture = Torture {
        place,
        world: Arc::clone(&world),
        words,
        round,
        chance: StdRng::seed_from_u64(round.seed),
        outcome: Outcome::default(),
    };
    let finished = torture.all().await;
    world.set(Stand::Over);
    if let Err(error) = finished {
        world.find("the torture goes to its end", format!("{error:#}\n{}", torture.place.log()));
    }
    let Torture { place, mut outcome, .. } = torture;
    outcome.acknowledged = world.acknowledged();
    outcome.checked = world.checked();
    outcome.found = world.found();
    if !outcome.found.is_empty() && round.bug.is_none() {
        outcome.kept = Some(place.keep());
    }
    Ok(outcome)
}

struct Torture<'a> {
    place: Place,
    world: Arc<World>,
    words: &'a Words,
    round: &'a Round,
    chance: StdRng,
    outcome: Outcome,
}

impl Torture<'_> {
    async fn all(&mut self) -> anyhow::Result<()> {
        self.kill_migrations().await?;
        let mut clients = JoinSet::new();
        for number in 0..self.round.clients {
            clients.spawn(Client::new(Arc::clone(&self.world), self.round.seed, number).live());
        }
        while self.outcome.kills < self.round.kills && !self.world.has_found() {
            if self.outcome.kills == EARLY_KILLS {
                self.register_all().await?;
            }
            let death = self.death();
            self.live_and_die(death).await?;
        }
        if self.world.has_found() {
            return Ok(());
        }
        let mut server = self.start_whole(Stand::Settling).await?;
        let mut clients = tokio::select! {
            settled = settle(clients) => settled?,
            () = self.world.over() => return Ok(()),
            () = tokio::time::sleep(SETTLING) => {
                self.world.find("what was acknowledged ends", format!("not after {SETTLING:?}"));
                return Ok(());
            }
        };
        self.world.set(Stand::Down);
        server.stop().await?;
        self.look_for_phantoms(&clients)?;
        let mut server = self.start_whole(Stand::Settling).await?;
        for client in &mut clients {
            client.look_again().await;
        }
        self.world.set(Stand::Down);
        server.stop().await?;
        Ok(())
    }

    fn suffering(&self, crash: Option<String>) -> Suffering {
        let disk = self.round.power.clone().map_or(Disk::Good, Disk::Cut);
        Suffering { crash, bug: self.round.bug.clone(), disk }
    }

    /// The process is dead: so is what it had not synced, where its death is a power cut.
    async fn buried(&mut self) -> anyhow::Result<()> {
        self.world.set(Stand::Down);
        self.outcome.kills += 1;
        self.world.effects.drained().await?;
        if self.round.power.is_some() {
            self.outcome.taken_back += power::cut(&self.place.journal(), &mut self.chance)? as u64;
        }
        Ok(())
    }

    /// Interrupts the making of the schema, before anybody comes.
    async fn kill_migrations(&mut self) -> anyhow::Result<()> {
        for point in IN_MIGRATIONS {
            let arrival = self.chance.random_range(1..=2);
            let mut server = self.place.start(&self.suffering(Some(format!("{point}@{arrival}"))))?;
            match server.ready().await? {
                Came::Ended(_) => *self.outcome.at_points.entry(point.to_owned()).or_default() += 1,
                Came::Ready => server.kill().await?,
            }
            self.buried().await?;
        }
        Ok(())
    }

    /// Lets a server live until all clients are registered, which costs a hash each, and then kills it.
    async fn register_all(&mut self) -> anyhow::Result<()> {
        let mut server = self.start_whole(Stand::Up).await?;
        let registered = self.world.registered(self.round.clients);
        tokio::time::timeout(SETTLING, registered).await.context("nobody can register")?;
        server.kill().await?;
        self.buried().await
    }

    fn life(&mut self) -> Life {
        Life {
            acknowledgements: self.chance.random_range(1..=MOST_ACKNOWLEDGED),
            at_latest: Duration::from_millis(self.chance.random_range(1..=LIFE_MS)),
        }
    }

    fn death(&mut self) -> Death {
        let life = self.life();
        match self.chance.random_range(0..100) {
            0..40 => Death::Sudden(life),
            40..55 => Death::InStart(Duration::from_millis(self.chance.random_range(1..=START_MS))),
            55..98 => {
                let points: Vec<_> =
                    self.words.crash_points.iter().filter(|point| !IN_MIGRATIONS.contains(&point.as_str())).collect();
                let point = points.choose(&mut self.chance).map_or_else(String::new, |point| (*point).clone());
                // Some places are passed a thousand times a second and some once in a while.
                let most = [2, 2, 20, 200][self.chance.random_range(0..4)];
                let arrival = self.chance.random_range(1..=most);
                Death::AtPoint { point, arrival, otherwise: life }
            }
            _ => Death::AfterStandstill {
                before: life,
                still: Duration::from_millis(self.chance.random_range(50..=STANDSTILL_MS)),
                after: self.life(),
            },
        }
    }

    async fn live_and_die(&mut self, death: Death) -> anyhow::Result<()> {
        let crash = match &death {
            Death::AtPoint { point, arrival, .. } => Some(format!("{point}@{arrival}")),
            Death::Sudden(_) | Death::InStart(_) | Death::AfterStandstill { .. } => None,
        };
        let mut server = self.place.start(&self.suffering(crash))?;
        let ended = match &death {
            Death::InStart(after) => {
                tokio::time::sleep(*after).await;
                self.outcome.in_start += 1;
                None
            }
            Death::Sudden(life) => self.live(&mut server, *life).await?,
            Death::AtPoint { otherwise, .. } => self.live(&mut server, *otherwise).await?,
            Death::AfterStandstill { before, still, after } => match self.live(&mut server, *before).await? {
                Some(ended) => Some(ended),
                None => {
                    server.signal(Signal::STOP);
                    tokio::time::sleep(*still).await;
                    server.signal(Signal::CONT);
                    self.outcome.after_standstill += 1;
                    self.work(&mut server, *after).await?
                }
            },
        };
        match (ended, death) {
            (None, _) => server.kill().await?,
            (Some(_), Death::AtPoint { point, .. }) => *self.outcome.at_points.entry(point).or_default() += 1,
            (Some(status), _) => {
                let said = format!("it ended by itself, {status}: {}", self.place.log());
                self.world.find("the process lives until it is killed", said);
            }
        }
        self.buried().await
    }

    /// Starts it and lets it serve. Answers how it ended, if it did before its time.
    async fn live(&self, server: &mut Server, life: Life) -> anyhow::Result<Option<ExitStatus>> {
        if let Came::Ended(status) = server.ready().await? {
            return Ok(Some(status));
        }
        self.world.set(Stand::Up);
        self.work(server, life).await
    }

    async fn work(&self, server: &mut Server, life: Life) -> anyhow::Result<Option<ExitStatus>> {
        let enough = self.world.acknowledged() + life.acknowledgements;
        tokio::select! {
            ended = server.ended() => ended.map(Some),
            () = self.world.until_acknowledged(enough) => Ok(None),
            () = tokio::time::sleep(life.at_latest) => Ok(None),
        }
    }

    /// Starts a server that nobody will kill.
    async fn start_whole(&self, stand: Stand) -> anyhow::Result<Server> {
        let mut server = self.place.start(&self.suffering(None))?;
        if let Came::Ended(status) = server.ready().await? {
            bail!("the last start failed with {status}");
        }
        self.world.set(stand);
        Ok(server)
    }

    /// What is stored and what was done outside is what was asked for: all of it, and nothing besides.
    fn look_for_phantoms(&mut self, clients: &[Client]) -> anyhow::Result<()> {
        let issued: HashMap<u64, Issued> =
            clients.iter().flat_map(|client| client.issued.iter().map(|(ticket, issued)| (*ticket, *issued))).collect();
        let mut executions: HashMap<u64, u64> = HashMap::new();
        for (execution_id, done) in self.world.effects.all() {
            *executions.entry(done.ticket).or_default() += 1;
            let went_back = done.went_back();
            self.world
                .check("a recorded step never runs again", !went_back, || format!("{execution_id}: {:?}", done.steps));
        }
        for (ticket, count) in executions {
            let most = issued
                .get(&ticket)
                .map_or(0, |issued| u64::from(issued.asked.steps > 0) + issued.asked.children as u64);
            self.world.check("nothing is there that nobody asked for", count <= most, || {
                format!("{count} executions had effects for the ticket {ticket}, at most {most} were asked for")
            });
        }
        let (roots, unfinished) = stored(&self.place.data().join("symphainy.db"))?;
        let others: u64 = clients.iter().map(Client::others).sum();
        let certain = issued.values().filter(|issued| issued.is_certain).count() as u64 + others;
        let possible = issued.len() as u64 + others;
        self.outcome.executions = roots;
        self.world.check("nothing is there that nobody asked for", (certain..=possible).contains(&roots), || {
            format!("{roots} executions are stored; {certain} were acknowledged, and {possible} asked for")
        });
        // Those whose acknowledgement was lost may wait for nobody's approval, but none is of that kind.
        self.world
            .check("what was acknowledged ends", unfinished == 0, || format!("{unfinished} executions have not ended"));
        Ok(())
    }
}

/// Waits for the clients' ends, and has them look at everything.
async fn settle(mut clients: JoinSet<Client>) -> anyhow::Result<Vec<Client>> {
    let mut settling = JoinSet::new();
    while let Some(client) = clients.join_next().await {
        let mut client = client?;
        settling.spawn(async move {
            client.settle().await;
            client
        });
    }
    let mut settled = settling.join_all().await;
    settled.sort_by_key(Client::name);
    Ok(settled)
}

/// How many executions that no other one called are stored, and how many of all have not ended.
fn stored(database: &Path) -> anyhow::Result<(u64, u64)> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let count = |sql: &str| -> rusqlite::Result<u64> {
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
    };
    let roots = count("SELECT count(*) FROM executions WHERE parent IS NULL").context("the executions are counted")?;
    Ok((roots, count("SELECT count(*) FROM executions WHERE ended = 0")?))
}
