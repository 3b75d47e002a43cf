//! `symphainy doctor`: what is wrong with the configuration, the data folder, the port and the machine, and what to do. It changes
//! nothing.

use std::{
    fmt::Write,
    io,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use contract::Timestamp;
use public_works::{
    mail::{self, SmtpMail},
    sqlite::{Check, Inspection, OpenError, Problem, audit, inspect},
};
use rustix::{
    fs::{Access, access, statvfs},
    process::{Resource, getrlimit},
};
use security_guard::config::VerifyEmail;
use serde::Serialize;
use serde_json::{Value, json};

use super::load_config;
use crate::{
    SystemClock,
    cli::DoctorArguments,
    client::Api,
    config::{Config, Flags},
    exit::{Complaint, Exit},
    output::show_line,
    paint::Paint,
    progress::ProgressLine,
    servers, wiring,
};

const MIB: u64 = 1024 * 1024;
/// Less free space is no good place to start.
const LEAST_SPACE: u64 = 100 * MIB;
/// Less is worth a warning.
const GOOD_SPACE: u64 = 1024 * MIB;
/// File descriptors besides those of sockets: the database, files, logs.
const OTHER_DESCRIPTORS: u64 = 256;
/// A clock before this instant (2026-11-01) is wrong: this program is younger.
const EARLIEST: Timestamp = Timestamp::from_millis(1_793_491_200_000);

/// A program that has not said what it is by then is none of ours.
const HEALTH_PATIENCE: Duration = Duration::from_secs(3);

/// The same for a server of mail.
const MAIL_PATIENCE: Duration = Duration::from_secs(10);

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Warn,
    Fail,
}

/// What a check found, and what to do about it.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    detail: String,
}

impl Finding {
    fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, state: State::Ok, detail: detail.into() }
    }

    fn warn(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, state: State::Warn, detail: detail.into() }
    }

    fn fail(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, state: State::Fail, detail: detail.into() }
    }
}

pub(crate) async fn doctor(arguments: DoctorArguments) -> Result<Exit, Complaint> {
    let flags = Flags { listen: arguments.listen, ..arguments.house.flags() };
    let mut findings = vec![clock()];
    match load_config(&flags) {
        Err(complaint) => findings.push(Finding::fail("config", complaint.sentence)),
        Ok(config) => {
            findings.push(configuration(&config));
            let guests = servers::open(&config).await;
            findings.extend(guests.findings.iter().map(server));
            findings.push(agents(&config, guests));
            findings.extend(data_folder(&config.server.data_dir));
            if arguments.deep {
                findings.extend(deep(config.server.data_dir.clone()).await?);
            }
            findings.push(mail(&config).await);
            findings.push(port(config.server.listen).await);
            if let Some(admin) = config.server.admin_listen {
                findings.push(port(admin).await);
            }
            findings.push(descriptors(&config));
        }
    }
    let has_failed = findings.iter().any(|finding| finding.state == State::Fail);
    show_line(&if arguments.json {
        json!({ "ok": !has_failed, "checks": findings }).to_string()
    } else {
        text(&findings)
    });
    Ok(if has_failed { Exit::Failed } else { Exit::Success })
}

fn text(findings: &[Finding]) -> String {
    let paint = Paint::of(&io::stdout());
    let mut text = String::new();
    for Finding { check, state, detail } in findings {
        let state = match state {
            State::Ok => paint.good("ok  "),
            State::Warn => paint.doubtful("warn"),
            State::Fail => paint.bad("fail"),
        };
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{state}  {check:<17} {detail}");
    }
    text.trim_end().to_owned()
}

fn clock() -> Finding {
    let now = SystemClock.now();
    if now >= EARLIEST {
        return Finding::ok("clock", now.to_string());
    }
    Finding::fail(
        "clock",
        format!("It says {now}, which is in the past. Set the clock: tokens and time-outs depend on it."),
    )
}

fn configuration(config: &Config) -> Finding {
    match &config.file {
        Some(file) => Finding::ok("config", format!("{} and the environment", file.display())),
        None => Finding::ok("config", "the defaults and the environment; there is no symphainy.toml here"),
    }
}

/// Whether a server of tools is there.
fn server(found: &servers::Finding) -> Finding {
    match &found.came {
        Ok(count) => Finding::ok("mcp", format!("{} answers and has {count} tools", found.server)),
        Err(fault) => Finding::warn(
            "mcp",
            format!(
                "{}: {fault}. Its tools are left out until the next start. Correct mcp.{}.",
                found.server, found.server
            ),
        ),
    }
}

fn agents(config: &Config, guests: servers::Guests) -> Finding {
    match wiring::voices(config, Vec::new(), guests) {
        Err(complaint) => Finding::fail("agents", complaint.sentence),
        Ok(voices) => {
            Finding::ok("agents", format!("{} of them, and each has its model", voices.directory.iter().count()))
        }
    }
}

/// How letters would go out, and whether the server of mail answers.
async fn mail(config: &Config) -> Finding {
    let smtp = match SmtpMail::new(&config.mail, config.mail_password.as_ref()) {
        Err(bad) => return Finding::fail("mail", format!("Letters cannot be sent: {bad}.")),
        Ok(smtp) => smtp,
    };
    let (Some(smtp), Some(address)) = (smtp, &config.mail.smtp) else {
        let folder = config.server.data_dir.join(mail::FOLDER);
        let said = format!("letters are files in {}", folder.display());
        return match config.guard.auth.verify_email {
            VerifyEmail::Off => Finding::ok("mail", said),
            VerifyEmail::Required => Finding::warn(
                "mail",
                format!("{said}, while auth.verify_email = \"required\" has people wait for them. Set mail.smtp."),
            ),
        };
    };
    match tokio::time::timeout(MAIL_PATIENCE, smtp.greet()).await {
        Ok(Ok(())) => Finding::ok("mail", format!("{address} answers")),
        Ok(Err(problem)) => {
            Finding::fail("mail", format!("{address} does not take letters ({problem}). Check mail.smtp."))
        }
        Err(_) => Finding::fail("mail", format!("{address} does not answer. Check mail.smtp.")),
    }
}

fn data_folder(folder: &Path) -> Vec<Finding> {
    let nearest =
        folder.ancestors().find(|path| path.exists() && !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut findings = vec![writable(folder, nearest), space(nearest)];
    match inspect(folder) {
        Err(error) => findings.push(Finding::fail("database", error.to_string())),
        Ok(None) => findings.push(Finding::ok("database", "there is none yet; the first start makes it")),
        Ok(Some(inspection)) => findings.extend(database(&inspection, folder)),
    }
    findings
}

/// Reads all that is kept.
async fn deep(folder: PathBuf) -> Result<Vec<Finding>, Complaint> {
    let looked = tokio::task::spawn_blocking(move || {
        let mut line = ProgressLine::new();
        audit(&folder, |name| line.show(&format!("looking at {name}"), None))
    });
    let looked = looked.await.map_err(|error| Complaint::internal(format!("The look at the data broke ({error}).")))?;
    Ok(match looked {
        Err(error) => vec![Finding::fail("deep", error.to_string())],
        Ok(checks) => checks.unwrap_or_default().into_iter().map(checked).collect(),
    })
}

fn checked(check: Check) -> Finding {
    match check.problem {
        None => Finding::ok(check.name, check.looked_at),
        Some(Problem { what, is_loss: true }) => Finding::fail(check.name, format!("{what}. Restore a backup.")),
        Some(Problem { what, is_loss: false }) => Finding::warn(check.name, format!("{what}.")),
    }
}

fn writable(folder: &Path, nearest: &Path) -> Finding {
    if access(nearest, Access::WRITE_OK | Access::READ_OK | Access::EXEC_OK).is_err() {
        let sentence = format!(
            "This user may not write to {}. Give it the right, or another folder: --data-dir.",
            nearest.display()
        );
        return Finding::fail("data folder", sentence);
    }
    let shown = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let detail = if folder == nearest { "can be written" } else { "is made at the first start" };
    Finding::ok("data folder", format!("{} {detail}", shown.display()))
}

fn space(nearest: &Path) -> Finding {
    match statvfs(nearest) {
        Err(error) => Finding::warn("space", format!("It cannot be read ({error}).")),
        Ok(volume) => {
            let free = volume.f_bavail.saturating_mul(volume.f_frsize);
            let said = format!("{} MiB are free", free / MIB);
            match free {
                free if free < LEAST_SPACE => {
                    Finding::fail("space", format!("{said}. Make room: writes will be refused."))
                }
                free if free < GOOD_SPACE => Finding::warn("space", format!("{said}. Make room soon.")),
                _ => Finding::ok("space", said),
            }
        }
    }
}

fn database(inspection: &Inspection, folder: &Path) -> Vec<Finding> {
    let Inspection { in_use, schema_found, schema_known, journal_mode, damage } = inspection;
    let lock = if *in_use {
        Finding::ok("lock", "a process uses the data folder: a server that runs")
    } else {
        Finding::ok("lock", "nobody uses the data folder")
    };
    let schema = match schema_found.cmp(schema_known) {
        std::cmp::Ordering::Less => {
            Finding::ok("schema", format!("{schema_found}; the next start brings it to {schema_known}"))
        }
        std::cmp::Ordering::Equal => Finding::ok("schema", schema_found.to_string()),
        std::cmp::Ordering::Greater => {
            let (found, known) = (*schema_found, *schema_known);
            Finding::fail("schema", OpenError::NewerSchema { path: folder.to_owned(), found, known }.to_string())
        }
    };
    let durability = if journal_mode == "wal" {
        Finding::ok("durability", "a write-ahead log, synced at every commit")
    } else {
        Finding::warn(
            "durability",
            format!("the journal mode is {journal_mode}; the next start sets it to wal, if the disk allows"),
        )
    };
    let integrity = match damage {
        None => Finding::ok("integrity", "the database holds together"),
        Some(damage) => Finding::fail("integrity", format!("The database is damaged ({damage}). Restore a backup.")),
    };
    vec![lock, schema, durability, integrity]
}

async fn port(address: SocketAddr) -> Finding {
    let error = match TcpListener::bind(address) {
        Ok(_) => return Finding::ok("port", format!("{address} is free")),
        Err(error) => error,
    };
    if error.kind() != io::ErrorKind::AddrInUse {
        return Finding::fail(
            "port",
            format!("It cannot listen on {address} ({error}). Choose another address with --listen."),
        );
    }
    match health(address).await {
        Some(version) => Finding::ok("port", format!("{address}: Symphainy {version} answers there")),
        None => Finding::fail(
            "port",
            format!("{address} is taken by another program. Stop it, or choose another port with --listen."),
        ),
    }
}

/// The version of the Symphainy that answers there, if it is one.
async fn health(address: SocketAddr) -> Option<String> {
    let mut api = Api::new(&format!("http://{address}")).ok()?;
    let health: Value = tokio::time::timeout(HEALTH_PATIENCE, api.get("/health")).await.ok()?.ok()?;
    let is_ours = health["service"] == "symphainy";
    is_ours.then(|| health["version"].as_str().unwrap_or_default().to_owned())
}

fn descriptors(config: &Config) -> Finding {
    let wanted = config.experience.limits.sockets as u64 + OTHER_DESCRIPTORS;
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < wanted => Finding::warn(
            "file descriptors",
            format!(
                "{limit} are allowed, and limits.sockets = {} may need {wanted}. Raise it (ulimit -n {wanted}), or lower the limit.",
                wanted - OTHER_DESCRIPTORS
            ),
        ),
        Some(limit) => Finding::ok("file descriptors", format!("{limit} are allowed")),
        None => Finding::ok("file descriptors", "as many as it takes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_wrong_clock_is_before_this_program() {
        assert_eq!(EARLIEST.to_string(), "2026-11-01T00:00:00.000Z");
        assert_eq!(clock().state, State::Ok);
    }

    #[test]
    fn a_missing_folder_is_no_failure() {
        let folder = tempfile::tempdir().unwrap();
        let findings = data_folder(&folder.path().join("not/there"));
        assert!(findings.iter().all(|finding| finding.state != State::Fail), "{}", text(&findings));
    }

    #[tokio::test]
    async fn a_foreign_port_is_a_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // The other program hangs up on everybody.
        let hang_up = std::thread::Builder::new().spawn(move || drop(listener.accept())).unwrap();
        assert_eq!(port(address).await.state, State::Fail);
        hang_up.join().unwrap();
    }
}
