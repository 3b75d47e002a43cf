//! What a measurement cost the machine, as Linux tells it: processor time of the server and of others, flushes of the disk,
//! memory. Where the kernel does not tell, the figure is zero.

#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, Instant},
};

/// What was used between two moments.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Use {
    pub(super) lasted: Duration,
    pub(super) server: Duration,
    /// Neither the server nor the load.
    pub(super) others: Duration,
    pub(super) flushes: u64,
    /// The server's resident memory at the end.
    pub(super) resident_kib: u64,
}

/// A moment from which to count.
pub(super) struct Meter {
    server: u32,
    disk: u64,
    begun: Instant,
    server_time: Duration,
    load_time: Duration,
    busy_time: Duration,
    flushes: u64,
}

impl Meter {
    /// `folder` lies on the disk whose flushes count.
    pub(super) fn start(server: u32, folder: &Path) -> Self {
        let disk = fs::metadata(folder).map_or(0, |metadata| metadata.dev());
        Self {
            server,
            disk,
            begun: Instant::now(),
            server_time: processor_time(server),
            load_time: time_of_one(std::process::id()),
            busy_time: busy_time(),
            flushes: flushes(disk),
        }
    }

    pub(super) fn stop(&self) -> Use {
        let server = processor_time(self.server).saturating_sub(self.server_time);
        let load = time_of_one(std::process::id()).saturating_sub(self.load_time);
        Use {
            lasted: self.begun.elapsed(),
            server,
            others: busy_time().saturating_sub(self.busy_time).saturating_sub(server).saturating_sub(load),
            flushes: flushes(self.disk).saturating_sub(self.flushes),
            resident_kib: resident_kib(self.server),
        }
    }
}

/// Lets this process, and the servers that it starts, have as many open files as the system lets it have.
pub(super) fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where that is refused, a row with many sockets says that it cannot open them.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// A process and all that descend from it: a server may be more than one.
pub(super) fn family(process: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parents: Vec<(u32, u32)> = numbers.filter_map(|id| Some((id, parent_of(id)?))).collect();
    let mut family = vec![process];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
        next += 1;
    }
    family
}

fn parent_of(process: u32) -> Option<u32> {
    fields(process).get(1)?.parse().ok()
}

/// The fields of a process behind its name: the state, the parent, …
fn fields(process: u32) -> Vec<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in parentheses may have spaces.
    stat.rsplit(')').next().unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// The resident memory of a process and its descendants.
pub(crate) fn resident_kib(process: u32) -> u64 {
    family(process).into_iter().map(resident_kib_of_one).sum()
}

fn resident_kib_of_one(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// The processor time of a server: its process and what descends from it.
pub(super) fn processor_time(server: u32) -> Duration {
    family(server).into_iter().map(time_of_one).sum()
}

/// User and system time are the 12th and 13th fields behind the name.
fn time_of_one(process: u32) -> Duration {
    ticks(fields(process).iter().skip(11).take(2).map(String::as_str))
}

/// All processors' time that was not idle.
fn busy_time() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let all = stat.lines().next().unwrap_or_default();
    // user, nice, system; then idle and iowait, which are not work; then irq and softirq.
    let fields: Vec<&str> = all.split_whitespace().skip(1).collect();
    ticks(fields.iter().enumerate().filter(|(place, _)| [0, 1, 2, 5, 6].contains(place)).map(|(_, field)| *field))
}

fn ticks<'a>(fields: impl Iterator<Item = &'a str>) -> Duration {
    let hundredths: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(hundredths * 10)
}

/// How often the disk was told to flush.
fn flushes(disk: u64) -> u64 {
    let (major, minor) = ((disk >> 8) & 0xfff, (disk & 0xff) | ((disk >> 12) & 0xfff00));
    let stats = fs::read_to_string("/proc/diskstats").unwrap_or_default();
    let of_disk = stats.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields.first()?.parse() == Ok(major) && fields.get(1)?.parse() == Ok(minor)).then_some(fields)
    });
    of_disk.and_then(|fields| fields.get(18)?.parse().ok()).unwrap_or_default()
}
