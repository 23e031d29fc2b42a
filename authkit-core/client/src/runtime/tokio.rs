use super::{Runtime, Task};
use crate::Result;
use std::time::{Duration, SystemTime};
use tokio::{runtime::Handle, time::Instant};

/// Tokio's timers and tasks. Calls must be polled within a Tokio runtime.
#[derive(Clone, Debug)]
pub struct TokioRuntime {
    start: Instant,
}

impl TokioRuntime {
    /// Over whichever runtime a call is made in.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for TokioRuntime {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait::async_trait]
impl Runtime for TokioRuntime {
    #[expect(clippy::disallowed_methods, reason = "this is the port's way to the system's clock")]
    fn now(&self) -> i64 {
        let passed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(passed.as_secs()).unwrap_or(i64::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn spawn(&self, task: Task) {
        if let Ok(handle) = Handle::try_current() {
            drop(handle.spawn(task));
        }
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        super::system_random(bytes)
    }
}
