//! Log lines on their way out: gathered, so that a request waits for no write of its own.

use std::{
    io::{self, Write},
    sync::{Condvar, Mutex, MutexGuard, Once, PoisonError},
    thread,
    time::Duration,
};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long a line may wait.
const PAUSE: Duration = Duration::from_millis(50);

/// From here on whoever writes a line also waits until the reader of the log has taken it, so that memory is bounded.
const FULL: usize = 256 * 1024;

/// Lines that wait. Warnings and errors do not: they are written at once, with what waits before them.
#[derive(Debug)]
pub(super) struct Lines<W> {
    waiting: Mutex<Vec<u8>>,
    some: Condvar,
    /// Held while something is written, so that lines keep their order.
    out: Mutex<W>,
}

/// What one line is written to.
#[derive(Debug)]
pub(super) struct Line<W: 'static> {
    lines: &'static Lines<W>,
    urgent: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<W: Write + Send + 'static> Lines<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { waiting: Mutex::new(Vec::new()), some: Condvar::new(), out: Mutex::new(out) }
    }

    /// Writes what waits.
    pub(super) fn flush(&self) {
        let mut out = lock(&self.out);
        let text = std::mem::take(&mut *lock(&self.waiting));
        // A log that nobody reads any more is no reason to stop.
        let _ = out.write_all(&text);
        let _ = out.flush();
    }

    /// Starts the thread that writes what waits; once is enough.
    pub(super) fn start(&'static self) {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            let run = || loop {
                let mut waiting = lock(&self.waiting);
                while waiting.is_empty() {
                    waiting = self.some.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                }
                drop(waiting);
                thread::sleep(PAUSE);
                self.flush();
            };
            // Without the thread lines go out when there are many, and at the end.
            let _ = thread::Builder::new().name("log".into()).spawn(run);
        });
    }
}

impl<W: Write + Send + 'static> Write for Line<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut waiting = lock(&self.lines.waiting);
        let first = waiting.is_empty();
        waiting.extend_from_slice(text);
        let full = waiting.len() >= FULL;
        drop(waiting);
        if self.urgent || full {
            self.lines.flush();
        } else if first {
            self.lines.some.notify_one();
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A log to `0`.
#[derive(Debug)]
pub(super) struct To<W: 'static>(pub(super) &'static Lines<W>);

impl<'a, W: Write + Send + 'static> MakeWriter<'a> for To<W> {
    type Writer = Line<W>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { lines: self.0, urgent: false }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Self::Writer {
        Line { lines: self.0, urgent: *meta.level() <= Level::WARN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, mpsc};

    /// Counts writes and keeps what was written.
    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<(usize, Vec<u8>)>>);

    impl Write for Sink {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            let mut kept = lock(&self.0);
            kept.0 += 1;
            kept.1.extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(sink: &Sink) -> &'static Lines<Sink> {
        Box::leak(Box::new(Lines::new(sink.clone())))
    }

    #[test]
    fn lines_are_gathered_and_a_warning_takes_along_what_waits_in_order() {
        let sink = Sink::default();
        let log = tracing_subscriber::fmt().json().with_writer(To(lines(&sink))).finish();
        tracing::subscriber::with_default(log, || {
            for number in 0..100 {
                tracing::info!(number, "a request");
            }
            assert_eq!(lock(&sink.0).0, 0, "a line was written by itself");
            tracing::warn!("a warning");
        });
        let kept = lock(&sink.0);
        let text = String::from_utf8_lossy(&kept.1);
        assert_eq!((kept.0, text.lines().count()), (1, 101));
        assert!(text.lines().next_back().is_some_and(|line| line.contains("a warning")), "{text}");
    }

    #[test]
    fn what_waits_is_bounded_and_goes_out_by_itself_and_at_the_end() {
        let sink = Sink::default();
        let lines = lines(&sink);
        let mut line = Line { lines, urgent: false };
        line.write_all(&[b'x'; FULL]).expect("taken");
        assert_eq!(lock(&sink.0).1.len(), FULL, "it waits without bound");
        line.write_all(b"end\n").expect("taken");
        lines.flush();
        assert_eq!(lock(&sink.0).1.len(), FULL + 4);
        lines.start();
        line.write_all(b"soon\n").expect("taken");
        let (done, written) = mpsc::channel();
        thread::spawn(move || {
            while lock(&sink.0).1.len() < FULL + 9 {
                thread::sleep(Duration::from_millis(5));
            }
            let _ = done.send(());
        });
        written.recv_timeout(Duration::from_secs(5)).expect("it goes out by itself");
    }
}
