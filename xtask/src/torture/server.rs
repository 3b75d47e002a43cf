//! The server that is tortured: a real process on a data folder that outlives it.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// How long a start or an end may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nothing of these stands in the way, and what has to run out runs out soon.
const SETTINGS: &str = r#"
[log]
level = "warn"

[auth]
refresh_reuse_window = "1s"

[auth.password]
memory_kib = 19456
passes = 2

[limits]
login = "100000/1s"
login_account = "100000/1s"
register = "100000/1s"
anonymous_sessions = "100000/1s"
messages = "100000/1s burst 100000"
sockets_per_user = 100
sockets_per_address = 10000

[runtime]
max_attempts = 100000
retry_delay = "1ms"
approval_ttl = "1s"

[agents]
coalesce = "0ms"
"#;

const AGENT: &str = r#"
agent_id = "liaison.torture"
kind = "liaison"
realm = "torture"
description = "Says back what it hears."
instructions = "Say back what you hear."
model = "echo"
"#;

/// What a server is to suffer; nothing where all is left as it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Suffering {
    /// `point@arrival`.
    pub(super) crash: Option<String>,
    pub(super) bug: Option<String>,
    pub(super) disk: Disk,
}

/// How the disk is.
#[derive(Clone, Debug, Default)]
pub(super) enum Disk {
    #[default]
    Good,
    /// What is not synced is written down by this library, to be taken back.
    Cut(PathBuf),
    /// With this library a call fails, `kind@n:how`, or none where it is to count them.
    Failing(PathBuf, Option<String>),
}

/// A configuration and a data folder, which outlive the processes that work on them.
pub(super) struct Place {
    folder: TempDir,
    binary: PathBuf,
    pub(super) address: SocketAddr,
    effects: SocketAddr,
}

impl Place {
    pub(super) fn new(binary: &Path, effects: SocketAddr) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("torture-")?;
        std::fs::write(folder.path().join("symphainy.toml"), SETTINGS)?;
        std::fs::create_dir(folder.path().join("agents"))?;
        std::fs::create_dir(folder.path().join("disk"))?;
        std::fs::write(folder.path().join("agents/torture.toml"), AGENT)?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        Ok(Self { folder, binary: binary.to_owned(), address, effects })
    }

    pub(super) fn data(&self) -> PathBuf {
        self.disk().join("data")
    }

    /// The folder whose disk fails; the data folder is made in it.
    fn disk(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Where a dead process's unsynced writes stand.
    pub(super) fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// How many syncs and writes the last process made.
    pub(super) fn counts(&self) -> (u64, u64) {
        let counts = std::fs::read(self.folder.path().join("counts")).unwrap_or_default();
        let count = |at: usize| {
            let bytes = counts.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, u64::from_ne_bytes)
        };
        (count(0), count(8))
    }

    /// The last lines that the servers here said.
    pub(super) fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }

    /// Leaves the folder where it is, for whoever wants to know.
    pub(super) fn keep(mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }

    pub(super) fn start(&self, suffering: &Suffering) -> anyhow::Result<Server> {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("log"))?;
        let mut command = Command::new(&self.binary);
        command.current_dir(self.folder.path()).env_clear();
        command.args(["serve", "--config", "symphainy.toml", "--data-dir", "disk/data", "--listen"]);
        command.arg(self.address.to_string());
        command.env("TORTURE_EFFECTS", self.effects.to_string());
        if let Some(crash) = &suffering.crash {
            command.env("TORTURE_CRASH", crash);
        }
        if let Some(bug) = &suffering.bug {
            command.env("TORTURE_BUG", bug);
        }
        match &suffering.disk {
            Disk::Good => {}
            Disk::Cut(library) => {
                command.env("LD_PRELOAD", library).env("FAULTS_FOLDER", self.disk());
                command.env("FAULTS_JOURNAL", self.journal());
            }
            Disk::Failing(library, fault) => {
                command.env("LD_PRELOAD", library).env("FAULTS_FOLDER", self.disk());
                command.env("FAULTS_COUNTS", self.folder.path().join("counts"));
                command.envs(fault.iter().map(|fault| ("FAULTS_FAIL", fault)));
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("{command:?} does not start"))?;
        let output = child.stdout.take().context("its output is piped")?;
        Ok(Server { child, output: BufReader::new(output).lines() })
    }
}

/// A process that lives until it is ended.
pub(super) struct Server {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
}

/// What came first.
pub(super) enum Came {
    Ready,
    Ended(ExitStatus),
}

impl Server {
    /// Waits until it says that it listens, or ends.
    pub(super) async fn ready(&mut self) -> anyhow::Result<Came> {
        let ready = async {
            while let Some(line) = self.output.next_line().await? {
                if line.contains("listens on") {
                    return Ok(Came::Ready);
                }
            }
            Ok(Came::Ended(self.child.wait().await?))
        };
        tokio::time::timeout(PATIENCE, ready).await.context("a start takes longer than a minute")?
    }

    /// Waits for its end.
    pub(super) async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        Ok(self.child.wait().await?)
    }

    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process(pid, signal);
        }
    }

    /// Ends it in the middle of whatever it does.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::KILL);
        self.ended().await.map(|_| ())
    }

    /// Asks it to end.
    pub(super) async fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::TERM);
        tokio::time::timeout(PATIENCE, self.ended()).await.context("a stop takes longer than a minute")?
    }
}

/// What the tortured server can suffer.
pub(super) struct Words {
    pub(super) crash_points: Vec<String>,
    pub(super) bugs: Vec<String>,
}

/// Builds the server, and answers where it lies and what it can suffer.
pub(super) fn build() -> anyhow::Result<(PathBuf, Words)> {
    let mut command = std::process::Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--release", "--package", "symphainy", "--example", "torture_server"]);
    let built = command.args(["--features", "torture"]).status()?;
    ensure!(built.success(), "the product does not build");
    let name = format!("examples/torture_server{}", std::env::consts::EXE_SUFFIX);
    let binary = std::env::current_exe()?.with_file_name(name);
    let said = std::process::Command::new(&binary).arg("words").output()?;
    let words: Value = serde_json::from_slice(&said.stdout).context("the server does not say what it can suffer")?;
    let list = |name: &str| {
        let words = words[name].as_array().into_iter().flatten();
        words.filter_map(|word| word.as_str().map(str::to_owned)).collect()
    };
    Ok((binary, Words { crash_points: list("crash_points"), bugs: list("bugs") }))
}
