use super::AttemptKey;
use async_lock::{Semaphore, SemaphoreGuard};

const SHARDS: usize = 1024;

/// Lets only so many sign-ins of one account run at a time, and the others wait for them. Attempts are counted before
/// they are made, so more right ones at once than the limit of wrong ones would otherwise lock the account.
///
/// Accounts share a shard by the keyed hash of their address, which nobody outside can aim at.
pub(super) struct Turnstile(Box<[Semaphore]>);

impl Turnstile {
    /// One below the `limit` of failures, at least one.
    pub(super) fn new(limit: i64) -> Self {
        let permits = usize::try_from(limit - 1).unwrap_or(0).max(1);
        Self(std::iter::repeat_with(|| Semaphore::new(permits)).take(SHARDS).collect())
    }

    /// Waits for a turn, which ends when the guard is dropped.
    pub(super) async fn enter(&self, key: &AttemptKey) -> SemaphoreGuard<'_> {
        let [.., high, low] = *key;
        self.0[usize::from(u16::from_be_bytes([high, low])) % SHARDS].acquire().await
    }
}

impl std::fmt::Debug for Turnstile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Turnstile(..)")
    }
}
