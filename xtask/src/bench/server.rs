//! Servers of the bench: real processes on loopback, each with a fresh data folder, ended by their own process id.

#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::system;

/// Who is signed in.
pub(crate) const EMAIL: &str = "bench@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// How long a server may take until it answers.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// A server that ends when this is dropped.
pub(crate) struct Server {
    /// Before the folder, so that it has ended when the folder goes.
    process: Process,
    pub(crate) address: SocketAddr,
    /// From the start of the process until it was ready.
    pub(crate) ready_after: Duration,
    data: TempDir,
}

/// A process that ends when this is dropped, at once and without a word.
struct Process(Child);

impl Server {
    /// A build of the product, with its settings and definitions of agents.
    pub(crate) async fn product(binary: &Path, settings: &str, agents: &[(&str, &str)]) -> anyhow::Result<Self> {
        let data = TempDir::new()?;
        std::fs::write(data.path().join("symphainy.toml"), settings)?;
        std::fs::create_dir(data.path().join("agents"))?;
        for (name, definition) in agents {
            std::fs::write(data.path().join("agents").join(name), definition)?;
        }
        Self::product_on(binary, data).await
    }

    /// The product again on what it left behind when it was killed.
    pub(crate) async fn kill_and_start(self, binary: &Path) -> anyhow::Result<Self> {
        let Self { process, data, .. } = self;
        drop(process);
        Self::product_on(binary, data).await
    }

    async fn product_on(binary: &Path, data: TempDir) -> anyhow::Result<Self> {
        let mut command = Command::new(binary);
        command.current_dir(data.path()).arg("serve").arg("--config").arg(data.path().join("symphainy.toml"));
        command.arg("--data-dir").arg(data.path().join("data"));
        Self::start(command, data, "/health/ready").await
    }

    /// Somebody else's server.
    pub(crate) async fn peer(command: fn(&Path, SocketAddr) -> Command, ready: &str) -> anyhow::Result<Self> {
        let data = TempDir::new()?;
        let address = free_address()?;
        let command = command(data.path(), address);
        Self::start_at(command, data, address, ready).await
    }

    /// The least program that keeps the promise.
    pub(crate) async fn limit(frames: usize) -> anyhow::Result<Self> {
        let data = TempDir::new()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["limit", "--frames", &frames.to_string(), "--data-dir"]).arg(data.path());
        Self::start(command, data, "/ready").await
    }

    async fn start(mut command: Command, data: TempDir, ready: &str) -> anyhow::Result<Self> {
        let address = free_address()?;
        command.args(["--listen", &address.to_string()]);
        Self::start_at(command, data, address, ready).await
    }

    async fn start_at(mut command: Command, data: TempDir, address: SocketAddr, ready: &str) -> anyhow::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::from(log_file(data.path())?));
        let begin = Instant::now();
        let child = command.spawn().with_context(|| format!("{command:?} does not start"))?;
        let mut server = Self { process: Process(child), address, ready_after: Duration::ZERO, data };
        let url = format!("http://{address}{ready}");
        let client = reqwest::Client::new();
        while begin.elapsed() < START_PATIENCE {
            if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                server.ready_after = begin.elapsed();
                return Ok(server);
            }
            if let Some(status) = server.process.0.try_wait()? {
                bail!("the server ended with {status}: {}", server.log());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        bail!("the server was not ready in time: {}", server.log())
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process.0.id()
    }

    /// Where its data lies.
    pub(crate) fn folder(&self) -> &Path {
        self.data.path()
    }

    /// What it has written to its log.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("stderr.log")).unwrap_or_default()
    }

    /// Registers somebody, and answers their access token and session.
    pub(crate) async fn somebody(&self) -> anyhow::Result<(String, String)> {
        let body = json!({"name": "Bench", "email": EMAIL, "password": PASSWORD});
        let url = format!("http://{}/api/auth/register", self.address);
        let answer = reqwest::Client::new().post(url).json(&body).send().await?;
        ensure!(answer.status().is_success(), "registration failed: {}", answer.text().await?);
        let answer: Value = answer.json().await?;
        let text = |key: &str| answer[key].as_str().map(str::to_owned).with_context(|| format!("no {key}"));
        Ok((text("access_token")?, text("session_id")?))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // They may have ended by themselves; then there is nothing to end. A peer may have begun processes of its own.
        for process in system::family(self.0.id()).into_iter().skip(1) {
            if let Some(process) = i32::try_from(process).ok().and_then(Pid::from_raw) {
                let _ = kill_process(process, Signal::KILL);
            }
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn log_file(folder: &Path) -> anyhow::Result<std::fs::File> {
    Ok(std::fs::File::create(folder.join("stderr.log"))?)
}

/// Builds the product as a user would, and answers where it lies.
pub(crate) fn product_binary() -> anyhow::Result<PathBuf> {
    build(&["--package", "symphainy"])?;
    beside_us("symphainy")
}

/// Builds the product with the bench's intents and model, and answers where it lies.
pub(crate) fn bench_binary() -> anyhow::Result<PathBuf> {
    build(&["--package", "symphainy", "--example", "bench_server"])?;
    beside_us("examples/bench_server")
}

/// Builds in the profile in which this program was built, so that the limit and the product are optimised alike.
fn build(what: &[&str]) -> anyhow::Result<()> {
    let program = std::env::current_exe()?;
    let folder = program.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or("release");
    let profile = if folder == "debug" { "dev" } else { folder };
    let built = Command::new(env!("CARGO")).args(["build", "--quiet", "--profile", profile]).args(what).status()?;
    ensure!(built.success(), "the product does not build");
    Ok(())
}

fn beside_us(name: &str) -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}
