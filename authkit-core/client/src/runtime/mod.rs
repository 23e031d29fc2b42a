//! Time, randomness and background work, which differ between hosts and are set by hand in tests.

#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
mod tokio;
#[cfg(target_arch = "wasm32")]
mod web;

#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
pub use self::tokio::TokioRuntime;
#[cfg(target_arch = "wasm32")]
pub use web::WebRuntime;

use crate::{Result, Sendable, sendable::BoxFuture};
use std::{fmt::Write, sync::Arc, time::Duration};

/// Work that goes on when nobody waits for it.
pub type Task = BoxFuture<'static, ()>;

/// Time, randomness and background work.
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
pub trait Runtime: Sendable {
    /// The time of the wall clock, in seconds since 1970.
    fn now(&self) -> i64;

    /// A time that only grows, from an origin of its own.
    fn monotonic(&self) -> Duration;

    /// Returns after that time.
    async fn sleep(&self, time: Duration);

    /// Runs the task in the background. It may drop the task where it cannot: then the callers that wait for it drive
    /// it.
    fn spawn(&self, task: Task);

    /// Fills the bytes at random.
    ///
    /// # Errors
    /// When the environment has no randomness.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;
}

/// What belongs to this build; `None` where the builder must be told.
pub(crate) fn default() -> Option<Arc<dyn Runtime>> {
    #[cfg(target_arch = "wasm32")]
    return Some(Arc::new(WebRuntime));
    #[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
    return Some(Arc::new(TokioRuntime::new()));
    #[cfg(not(any(feature = "tokio", target_arch = "wasm32")))]
    return None;
}

#[cfg(any(feature = "tokio", target_arch = "wasm32"))]
#[expect(clippy::disallowed_methods, reason = "this is the port's way to the system's randomness")]
fn system_random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| {
        crate::Error::new(crate::code::ENVIRONMENT, format!("The system gave no random numbers: {error}"))
    })
}

/// A key that no other request has.
pub(crate) fn idempotency_key(runtime: &dyn Runtime) -> Result<String> {
    let mut bytes = [0; 16];
    runtime.fill(&mut bytes)?;
    Ok(bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// A time between zero and `longest`, so that many clients that failed together do not come back together.
pub(crate) fn jitter(runtime: &dyn Runtime, longest: Duration) -> Duration {
    let mut bytes = [0; 4];
    match runtime.fill(&mut bytes) {
        Ok(()) => longest.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)),
        // Without randomness the longest wait is the careful one.
        Err(_) => longest,
    }
}
