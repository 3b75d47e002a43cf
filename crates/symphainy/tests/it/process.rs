//! The binary as a process with a data folder of its own: started, stopped, killed, asked from a command line.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long a process may take for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Password hashes as cheap as they are allowed to be, and limits that do not stand in the way of tests.
const SETTINGS: &str =
    "[auth.password]\nmemory_kib = 19456\npasses = 2\n\n[limits]\nregister = \"1000/1s\"\nlogin = \"1000/1s\"\n";

/// A configuration and a data folder, which outlive the processes that work on them.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { folder: TempDir::new().unwrap() };
        place.set("");
        place
    }

    /// Adds settings to those that all tests have.
    pub(crate) fn set(&self, settings: &str) {
        std::fs::write(self.config(), format!("{SETTINGS}{settings}")).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path().join("data")
    }

    fn config(&self) -> PathBuf {
        self.path().join("symphainy.toml")
    }

    /// A command of the binary in this place, with nothing of this process's environment that could mean something to it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_symphainy"));
        command.args(arguments).current_dir(self.path()).env_clear().env("HOME", self.path());
        command
    }

    /// The same, begun by other programs that end in becoming it.
    fn command_under(&self, wrapper: &[String], arguments: &[&str]) -> Command {
        let [program, rest @ ..] = wrapper else { return self.command(arguments) };
        let mut command = Command::new(program);
        command.args(rest).arg(env!("CARGO_BIN_EXE_symphainy")).args(arguments).current_dir(self.path());
        command.env("HOME", self.path());
        command
    }

    /// Starts a server on any free port and waits until it says where it listens.
    pub(crate) fn serve(&self, flags: &[&str]) -> Server {
        self.serve_under(&[], flags)
    }

    /// The same, begun by other programs that end in becoming it.
    pub(crate) fn serve_under(&self, wrapper: &[String], flags: &[&str]) -> Server {
        let anywhere: &[&str] = if flags.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let arguments = [&["serve"], anywhere, flags].concat();
        let log = std::fs::File::options().create(true).append(true).open(self.path().join("log")).unwrap();
        let mut command = self.command_under(wrapper, &arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, banner) = mpsc::channel();
        let read = move || {
            for line in output.lines().map_while(Result::ok) {
                // Whoever has heard enough has hung up; the rest is read so that the server can go on writing.
                let _ = sender.send(line);
            }
        };
        thread::Builder::new().name("banner".to_owned()).spawn(read).unwrap();
        loop {
            let Ok(line) = banner.recv_timeout(PATIENCE) else {
                let _ = child.kill();
                let status = child.wait();
                panic!("the server does not say where it listens ({status:?}):\n{}", self.log());
            };
            if let Some(url) = line.trim().strip_prefix("listens on") {
                return Server { child, url: url.trim().to_owned(), banner };
            }
        }
    }

    /// Runs a command to its end, with this on its standard input.
    pub(crate) fn run(&self, arguments: &[&str], input: &str, environment: &[(&str, &str)]) -> Said {
        let mut command = self.command(arguments);
        command.envs(environment.iter().copied());
        Self::to_its_end(command, input)
    }

    /// Runs a command to its end, begun by other programs that end in becoming it.
    pub(crate) fn run_under(&self, wrapper: &[String], arguments: &[&str]) -> Said {
        Self::to_its_end(self.command_under(wrapper, arguments), "")
    }

    fn to_its_end(mut command: Command, input: &str) -> Said {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that wants no input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = wait_with_output(child);
        Said {
            exit: output.status.code().unwrap_or(-1),
            output: String::from_utf8(output.stdout).unwrap(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) exit: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Said {
    /// The output of a command that has to have worked.
    pub(crate) fn well(self) -> String {
        assert_eq!(self.exit, 0, "{self:?}");
        self.output
    }
}

/// A server that runs; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    /// What it says after that.
    banner: mpsc::Receiver<String>,
}

impl Server {
    /// What a row of the banner says, below the one with the url.
    pub(crate) fn row(&self, label: &str) -> String {
        loop {
            let line = self.banner.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("the banner has no row {label}"));
            if let Some(value) = line.trim().strip_prefix(label) {
                return value.trim().to_owned();
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for an end that it comes to by itself.
    pub(crate) fn ended(mut self) -> ExitStatus {
        wait(&mut self.child)
    }

    /// Asks it to stop, and waits.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        wait(&mut self.child)
    }

    /// Kills it in the middle of whatever it does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        wait(&mut self.child);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait(child: &mut Child) -> ExitStatus {
    let pid = Pid::from_child(child);
    let (done, told) = mpsc::channel::<()>();
    // A process that does not end is killed, so that a test fails and does not hang.
    let watch = thread::Builder::new().name("patience".to_owned());
    let watch = watch.spawn(move || {
        if told.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = kill_process(pid, Signal::KILL);
        }
    });
    let status = child.wait().unwrap();
    drop(done);
    watch.unwrap().join().unwrap();
    status
}

fn wait_with_output(mut child: Child) -> Output {
    let read = |mut stream: Box<dyn Read + Send>| {
        let work = move || {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).unwrap();
            bytes
        };
        thread::Builder::new().name("output".to_owned()).spawn(work).unwrap()
    };
    let output = read(Box::new(child.stdout.take().unwrap()));
    let errors = read(Box::new(child.stderr.take().unwrap()));
    let status = wait(&mut child);
    Output { status, stdout: output.join().unwrap(), stderr: errors.join().unwrap() }
}
