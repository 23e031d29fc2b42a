//! The runtime of this process: made when it is first needed, again in a child that was forked, and ended before the
//! interpreter.

use crate::outcome::{Outcome, Told};
use pyo3::{exceptions::PyRuntimeError, prelude::*};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};
use tokio::task::JoinHandle;

/// How often a thread that waits looks for signals, such as Ctrl-C.
const SIGNALS: Duration = Duration::from_millis(50);

/// How long ending waits for work that cannot be broken off.
const PATIENCE: Duration = Duration::from_secs(5);

static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// Whether the interpreter ends.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Counts the work that has not ended, whether it was done or given up.
struct Counted;

impl Counted {
    fn new() -> Self {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs the work on the runtime.
pub(crate) fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> PyResult<JoinHandle<T>> {
    let handle = authkit_embedded::runtime().map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    let counted = Counted::new();
    Ok(handle.spawn(async move {
        let _counted = counted;
        work.await
    }))
}

/// Waits for the work without the interpreter's lock, and gives it up when a signal raises an exception.
pub(crate) fn wait(py: Python<'_>, work: impl Future<Output = Outcome> + Send + 'static) -> PyResult<Told> {
    let (done, result) = mpsc::sync_channel(1);
    let task = spawn(async move {
        let outcome = work.await;
        let _ = done.send(outcome);
    })?;
    let result = Mutex::new(result);
    loop {
        let next = || result.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(SIGNALS);
        match py.detach(next) {
            Ok(outcome) => return outcome.told(py),
            Err(RecvTimeoutError::Timeout) => py.check_signals().inspect_err(|_| task.abort())?,
            // Only threads that nobody waits for are left then. What they would do next, the end of the interpreter would
            // break off anyway; an exception would only be shown.
            Err(RecvTimeoutError::Disconnected) if ENDING.load(Ordering::Acquire) => loop {
                py.detach(thread::park);
            },
            Err(RecvTimeoutError::Disconnected) => return Outcome::broken_off().told(py),
        }
    }
}

/// How many pieces of work have not ended yet. For tests.
#[pyfunction]
pub(crate) fn alive() -> usize {
    ALIVE.load(Ordering::Relaxed)
}

/// Closes every engine and ends the runtime; `atexit` calls it, so that no thread of it sees the interpreter end.
#[pyfunction]
pub(crate) fn shutdown(py: Python<'_>) {
    ENDING.store(true, Ordering::Release);
    py.detach(|| {
        authkit_embedded::close_all(PATIENCE);
        authkit_embedded::end_runtime(PATIENCE);
    });
}

/// Closes what must not be open while this process forks; `os.fork` calls it.
#[pyfunction]
pub(crate) fn before_fork(py: Python<'_>) {
    py.detach(authkit_embedded::before_fork);
}
