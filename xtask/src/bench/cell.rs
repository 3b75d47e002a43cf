//! What one measurement found.

use hdrhistogram::Histogram;

use super::system::Use;

/// What callers saw. Latencies in microseconds.
pub(super) struct Seen {
    /// Whole operations.
    pub(super) whole: Histogram<u64>,
    /// Until the first frame, for turns; until the first token, for streams.
    pub(super) first: Histogram<u64>,
    /// Frames, for turns and streams.
    pub(super) frames: u64,
}

impl Seen {
    pub(super) fn nothing() -> anyhow::Result<Self> {
        Ok(Self { whole: Histogram::new(3)?, first: Histogram::new(3)?, frames: 0 })
    }

    pub(super) fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.whole.add(&other.whole)?;
        self.first.add(&other.first)?;
        self.frames += other.frames;
        Ok(())
    }
}

/// One contestant at one concurrency in one round.
pub(super) struct Cell {
    pub(super) seconds: f64,
    pub(super) seen: Seen,
    pub(super) used: Use,
}

impl Cell {
    /// Operations a second.
    pub(super) fn rate(&self) -> f64 {
        self.seen.whole.len() as f64 / self.seconds
    }

    /// Frames a second.
    pub(super) fn frame_rate(&self) -> f64 {
        self.seen.frames as f64 / self.seconds
    }

    /// A quantile of the whole operations in milliseconds.
    pub(super) fn whole_ms(&self, quantile: f64) -> f64 {
        self.seen.whole.value_at_quantile(quantile) as f64 / 1_000.0
    }

    /// A quantile of the first frames in milliseconds.
    pub(super) fn first_ms(&self, quantile: f64) -> f64 {
        self.seen.first.value_at_quantile(quantile) as f64 / 1_000.0
    }

    /// The server's processor time for an operation in microseconds.
    pub(super) fn server_micros(&self) -> f64 {
        self.used.server.as_micros() as f64 / self.operations()
    }

    /// The server's processor time, in cores.
    pub(super) fn cores(&self) -> f64 {
        self.used.server.as_secs_f64() / self.used.lasted.as_secs_f64()
    }

    /// The server's resident memory at the end, in MiB.
    pub(super) fn resident_mib(&self) -> f64 {
        self.used.resident_kib as f64 / 1_024.0
    }

    /// Flushes of the disk for an operation; everybody's on that disk.
    pub(super) fn flushes(&self) -> f64 {
        self.used.flushes as f64 / self.operations()
    }

    /// What others used of the machine, in cores.
    pub(super) fn others(&self) -> f64 {
        self.used.others.as_secs_f64() / self.used.lasted.as_secs_f64()
    }

    fn operations(&self) -> f64 {
        (self.seen.whole.len() as f64).max(1.0)
    }
}
