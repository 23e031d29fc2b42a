//! How results reach an event loop: a queue, and a socket that becomes readable when there is something in it.

use crate::{
    outcome::{Outcome, Told},
    runtime,
};
use futures_util::FutureExt as _;
use pyo3::{exceptions::PyOSError, prelude::*};
use std::{
    io::{self, Read, Write},
    mem,
    os::{fd::AsRawFd, unix::net::UnixStream},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::task::AbortHandle;

/// The results for one event loop.
#[pyclass(frozen, module = "authkit._native")]
pub(crate) struct Inbox {
    shared: Arc<Shared>,
    readable: UnixStream,
}

struct Shared {
    waiting: Mutex<Vec<(u64, Outcome)>>,
    wake: UnixStream,
}

impl Shared {
    fn put(&self, id: u64, outcome: Outcome) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push((id, outcome));
        if waiting.len() == 1 {
            // A socket that is full is readable already, and one without a reader belongs to a loop that is gone.
            let _ = (&self.wake).write(&[1]);
        }
    }
}

#[pymethods]
impl Inbox {
    #[new]
    fn new() -> PyResult<Self> {
        let pair = || -> io::Result<_> {
            let (readable, wake) = UnixStream::pair()?;
            readable.set_nonblocking(true)?;
            wake.set_nonblocking(true)?;
            Ok((readable, wake))
        };
        let (readable, wake) = pair().map_err(|error| PyOSError::new_err(error.to_string()))?;
        Ok(Self { shared: Arc::new(Shared { waiting: Mutex::default(), wake }), readable })
    }

    /// The socket to watch.
    fn fileno(&self) -> i32 {
        self.readable.as_raw_fd()
    }

    /// Takes out what came: the number of each call, whether it succeeded, and its answer or error.
    fn take(&self, py: Python<'_>) -> PyResult<Vec<(u64, Told)>> {
        let came = {
            let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            while matches!((&self.readable).read(&mut [0; 64]), Ok(64)) {}
            mem::take(&mut *waiting)
        };
        came.into_iter().map(|(id, outcome)| Ok((id, outcome.told(py)?))).collect()
    }
}

impl Inbox {
    /// Runs the work; its outcome comes here under `id`.
    pub(crate) fn start(&self, id: u64, work: impl Future<Output = Outcome> + Send + 'static) -> PyResult<Call> {
        let shared = Arc::clone(&self.shared);
        let task = runtime::spawn(async move {
            let outcome = AssertUnwindSafe(work).catch_unwind().await;
            shared.put(id, outcome.unwrap_or_else(|_| Outcome::broken_off()));
        })?;
        Ok(Call { abort: task.abort_handle() })
    }
}

/// A call that runs.
#[pyclass(frozen, module = "authkit._native")]
pub(crate) struct Call {
    abort: AbortHandle,
}

#[pymethods]
impl Call {
    /// Gives the call up. Nothing comes of it any more, unless it has come already.
    fn cancel(&self) {
        self.abort.abort();
    }
}
