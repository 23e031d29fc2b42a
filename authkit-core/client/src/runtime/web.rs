use super::{Runtime, Task};
use crate::Result;
use std::time::Duration;

/// Timers fire at once when they are set for longer than this, some 25 days.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// The timers and microtasks of a browser, a worker or Node.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebRuntime;

#[async_trait::async_trait(?Send)]
impl Runtime for WebRuntime {
    fn now(&self) -> i64 {
        (js_sys::Date::now() / 1000.0) as i64
    }

    /// `performance` is missing in some workers; a step of the wall clock only moves a deadline.
    fn monotonic(&self) -> Duration {
        Duration::from_secs_f64((js_sys::Date::now() / 1000.0).max(0.0))
    }

    async fn sleep(&self, time: Duration) {
        gloo_timers::future::sleep(time.min(LONGEST)).await;
    }

    fn spawn(&self, task: Task) {
        wasm_bindgen_futures::spawn_local(task);
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        super::system_random(bytes)
    }
}
