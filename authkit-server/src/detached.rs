//! Work that goes on when its client has gone, and that a server waits for before it stops.

use std::sync::Arc;
use tokio::sync::watch;

/// How many pieces of work are running.
#[derive(Clone, Debug)]
pub(crate) struct Detached(Arc<watch::Sender<usize>>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Running(Arc<watch::Sender<usize>>);

impl Default for Detached {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Detached {
    pub(crate) fn begin(&self) -> Running {
        self.0.send_modify(|running| *running += 1);
        Running(self.0.clone())
    }

    /// Returns once none runs.
    pub(crate) async fn finished(&self) {
        let _ = self.0.subscribe().wait_for(|running| *running == 0).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}
