//! A thread that writes what is logged. Whoever logs leaves a line and goes on; lines that come while the last were written go out
//! together, so that a busy server does not pay a system call for each.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use tracing_subscriber::fmt::MakeWriter;

/// How many bytes wait at most. Whoever logs more waits until they are written.
const MAX_WAITING: usize = 1 << 20;

/// How long the first line waits for others. Without it a server that logs now and then pays for a switch of threads with each line.
const COMPANY: Duration = Duration::from_millis(2);

/// Where lines are left. Cheap to clone.
#[derive(Clone)]
pub(super) struct Sink(Arc<Shared>);

struct Shared {
    lines: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Default)]
struct Lines {
    waiting: Vec<u8>,
    closed: bool,
}

/// Writes until it is dropped; what waits then is written first.
pub(crate) struct Writing {
    sink: Sink,
    thread: Option<JoinHandle<()>>,
}

impl Writing {
    pub(super) fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let sink = Sink(Arc::new(Shared { lines: Mutex::default(), changed: Condvar::new() }));
        let ours = sink.clone();
        let thread = thread::Builder::new().name("log-writer".to_owned()).spawn(move || ours.write_to(out))?;
        Ok(Self { sink, thread: Some(thread) })
    }

    pub(super) fn sink(&self) -> Sink {
        self.sink.clone()
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.sink.lock().closed = true;
        self.sink.0.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It only fails where it has panicked; then there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

impl Sink {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'lines>(&self, lines: MutexGuard<'lines, Lines>) -> MutexGuard<'lines, Lines> {
        self.0.changed.wait(lines).unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut out: impl Write) {
        let mut writing = Vec::new();
        loop {
            let mut lines = self.lock();
            while lines.waiting.is_empty() {
                if lines.closed {
                    return;
                }
                lines = self.wait(lines);
            }
            let closed = lines.closed;
            drop(lines);
            if !closed {
                wait_for_company();
            }
            std::mem::swap(&mut self.lock().waiting, &mut writing);
            self.0.changed.notify_all();
            // A log that nobody takes must not end the server.
            let _ = out.write_all(&writing).and_then(|()| out.flush());
            writing.clear();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "it waits for time to pass, on a thread of its own")]
fn wait_for_company() {
    thread::sleep(COMPANY);
}

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut lines = self.lock();
        while lines.waiting.len() >= MAX_WAITING && !lines.closed {
            lines = self.wait(lines);
        }
        let is_first = lines.waiting.is_empty();
        lines.waiting.extend_from_slice(line);
        drop(lines);
        if is_first {
            self.0.changed.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'writer> MakeWriter<'writer> for Sink {
    type Writer = Self;

    fn make_writer(&'writer self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// An output that can be read from elsewhere, and takes a line only when it is let.
    struct Slow(Arc<Mutex<Vec<u8>>>, mpsc::Receiver<()>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Once the sender is gone it is slow no more.
            let _ = self.1.recv();
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_in_order_before_it_ends() {
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let (go, wait) = mpsc::channel();
        let writing = Writing::to(Slow(Arc::clone(&written), wait)).unwrap();
        let mut expected = Vec::new();
        for number in 0..1_000 {
            let line = format!("line {number}\n");
            writing.sink().write_all(line.as_bytes()).unwrap();
            expected.extend_from_slice(line.as_bytes());
        }
        drop(go);
        drop(writing);
        assert_eq!(*written.lock().unwrap(), expected);
    }

    #[test]
    fn who_logs_faster_than_it_is_written_waits() {
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let (go, wait) = mpsc::channel();
        let writing = Writing::to(Slow(Arc::clone(&written), wait)).unwrap();
        let mut sink = writing.sink();
        let lines = 3 * MAX_WAITING / 1_024;
        thread::scope(|scope| {
            scope.spawn(move || {
                for _ in 0..lines {
                    sink.write_all(&[b'x'; 1_024]).unwrap();
                    assert!(sink.lock().waiting.len() <= MAX_WAITING + 1_024);
                }
            });
            drop(go);
        });
        drop(writing);
        assert_eq!(written.lock().unwrap().len(), lines * 1_024);
    }
}
