use crate::ports::StoreError;
use async_trait::async_trait;
use authkit_wire::TenantId;
use jiff::{SignedDuration, Timestamp};

/// What failures are counted under: a keyed hash of the address (or the user) and the kind of attempt.
pub type AttemptKey = [u8; 33];

/// Failures that were counted under one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// In the window that runs.
    pub failures: i64,
    /// When the window began.
    pub window_start: Timestamp,
    /// Until when every attempt fails.
    pub locked_until: Option<Timestamp>,
    /// How often it was locked since the last success.
    pub locks: i64,
}

/// A change of counted attempts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AttemptChange {
    /// Counts one attempt *before* it is made, so that parallel ones cannot exceed the limit together, and returns how
    /// many the window then holds. The attempt that reaches `limit` locks: `locked_until` becomes
    /// `now + min(longest, first_lock × 2^locks)`, `locks` grows, and the window's count starts again once the lock is over.
    /// `Changed` while locked. A window older than `window` starts anew; `locks` is forgotten a day after the last lock ended.
    Reserve {
        /// What is counted.
        key: AttemptKey,
        /// The time.
        now: Timestamp,
        /// Attempts per window.
        limit: i64,
        /// The window.
        window: SignedDuration,
        /// The first lock.
        first_lock: SignedDuration,
        /// The longest lock.
        longest_lock: SignedDuration,
    },
    /// Takes one reservation back, if there is one: the attempt could not be made. With `last`, which is that of the
    /// reservation that locked, the lock and its count too.
    Withdraw {
        /// What is counted.
        key: AttemptKey,
        /// Whether it was the one that locked.
        last: bool,
    },
    /// Forgets everything about the key, if there is something (a success, or an administrator's unlock).
    Clear {
        /// What is counted.
        key: AttemptKey,
    },
    /// Deletes rows untouched since the time, in every tenant (`Scope::System`), at most 1,000.
    DeleteStale {
        /// The time.
        before: Timestamp,
    },
}

/// Reads of counted attempts.
#[async_trait]
pub trait AttemptStore {
    /// What is counted under the key.
    async fn find_attempts(&self, tenant: TenantId, key: &AttemptKey) -> Result<Option<Attempts>, StoreError>;

    /// What is counted under each of the keys, in no order; nothing for those without a row.
    async fn list_attempts(
        &self,
        tenant: TenantId,
        keys: &[AttemptKey],
    ) -> Result<Vec<(AttemptKey, Attempts)>, StoreError>;
}
