use super::OutboxNotice;
use crate::ports::StoreError;
use async_trait::async_trait;
use authkit_wire::{NoticeId, OutboxMailView, TenantId};
use jiff::Timestamp;
use uuid::Uuid;

/// How many delivered mails of a tenant stay readable in development.
pub const KEPT_MAIL: u32 = 1000;

/// A change of the outbox.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NoticeChange {
    /// Inserts a notice.
    Enqueue(OutboxNotice),
    /// Deletes the delivered notice that `owner` leases; one row, else the unit conflicts.
    Delivered {
        /// Which.
        id: NoticeId,
        /// The lease's owner.
        owner: Uuid,
    },
    /// Gives the notice that `owner` leases back for a later try; one row.
    Retry {
        /// Which.
        id: NoticeId,
        /// The lease's owner.
        owner: Uuid,
        /// Not before.
        available_at: Timestamp,
    },
    /// Marks the notice that `owner` leases as dead and erases its payload; one row.
    Bury {
        /// Which.
        id: NoticeId,
        /// The lease's owner.
        owner: Uuid,
    },
    /// Gives all leases of `owner` back (`Scope::System`); any number of rows.
    ReleaseLeases {
        /// The lease's owner.
        owner: Uuid,
    },
    /// Deletes notices that expired before the time, in every tenant (`Scope::System`), at most 1,000; any number of rows.
    DeleteExpired {
        /// The time.
        before: Timestamp,
    },
    /// Keeps a delivered mail readable for development, with its sealed id as dedupe: a second one of the id is ignored.
    /// Of each tenant the newest [`KEPT_MAIL`] stay.
    KeepForDevelopment {
        /// The notice it came from.
        id: NoticeId,
        /// The mail.
        mail: OutboxMailView,
    },
}

/// Reads of the outbox.
///
/// # Behavior
/// - [`claim_notices`](Self::claim_notices) gives no notice to two owners at a time, and none before an older one of the same recipient is delivered or dead.
#[async_trait]
pub trait NoticeStore {
    /// Leases up to `limit` due notices of every tenant to `owner` until `until`, the oldest first.
    /// Each claim counts as an attempt.
    async fn claim_notices(
        &self,
        owner: Uuid,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxNotice>, StoreError>;

    /// How many notices wait, and how many are dead, in every tenant.
    async fn count_notices(&self) -> Result<(i64, i64), StoreError>;

    /// Mails that were kept for development, newest first, at most 200.
    async fn list_development_mail(
        &self,
        tenant: TenantId,
        to: Option<&str>,
    ) -> Result<Vec<OutboxMailView>, StoreError>;
}
