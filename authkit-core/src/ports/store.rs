use crate::{
    Error,
    accounts::{AccountChange, AccountStore, User},
    audit::{AuditChange, AuditStore},
    auth::{AttemptChange, AttemptStore},
    devices::{DeviceChange, DeviceStore},
    mfa::{MfaChange, MfaStore},
    notices::{NoticeChange, NoticeStore},
    rbac::{RoleChange, RoleStore},
    sessions::{FeedEvent, FeedStore, KeyChange, KeyStore, Session, SessionChange, SessionStore},
    tenants::{IdempotencyChange, IdempotencyStore, LeaseChange, TenantChange, TenantStore},
};
use async_trait::async_trait;
use authkit_wire::{RoleId, SessionId, TenantId};
use std::{error::Error as StdError, fmt::Debug};
use uuid::Uuid;

/// Whose rows a unit of work may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those of one tenant. Every row that a change inserts must carry it, and every condition includes it.
    Tenant(TenantId),
    /// The installation's own rows (keys, tenants, leases, the audit chain) and maintenance across tenants.
    System,
}

/// One change of a unit of work. Each variant's documentation says what must hold for it; when that does not hold
/// the whole unit is undone with [`StoreError::Conflict`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Change {
    /// See [`AccountChange`].
    Account(AccountChange),
    /// See [`AttemptChange`].
    Attempt(AttemptChange),
    /// See [`MfaChange`].
    Mfa(MfaChange),
    /// See [`SessionChange`].
    Session(SessionChange),
    /// See [`KeyChange`].
    Key(KeyChange),
    /// See [`RoleChange`].
    Role(RoleChange),
    /// See [`TenantChange`].
    Tenant(TenantChange),
    /// See [`AuditChange`].
    Audit(AuditChange),
    /// See [`NoticeChange`].
    Notice(NoticeChange),
    /// Tells every node.
    Feed(FeedEvent),
    /// See [`IdempotencyChange`].
    Idempotency(IdempotencyChange),
    /// See [`LeaseChange`].
    Lease(LeaseChange),
    /// See [`DeviceChange`].
    Device(DeviceChange),
}

macro_rules! from_changes {
    ($($variant:ident($type:ty),)+) => {$(
        impl From<$type> for Change {
            fn from(change: $type) -> Self {
                Self::$variant(change)
            }
        }
    )+};
}

from_changes! {
    Account(AccountChange),
    Attempt(AttemptChange),
    Mfa(MfaChange),
    Session(SessionChange),
    Key(KeyChange),
    Role(RoleChange),
    Tenant(TenantChange),
    Audit(AuditChange),
    Notice(NoticeChange),
    Feed(FeedEvent),
    Idempotency(IdempotencyChange),
    Lease(LeaseChange),
    Device(DeviceChange),
}

/// A unit of work, as a value: everything was read, hashed and rendered before it is handed to the store, so no
/// transaction is ever open while the domain works.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// Applied in this order. A change of a user's row comes first, so that it locks the user on every engine.
    pub changes: Vec<Change>,
}

impl Unit {
    /// An empty unit.
    #[must_use]
    pub const fn new() -> Self {
        Self { changes: Vec::new() }
    }

    /// The unit with one change more.
    #[must_use]
    pub fn with(mut self, change: impl Into<Change>) -> Self {
        self.push(change);
        self
    }

    /// Adds a change and returns its place, for [`Applied::get`] and [`StoreError::Conflict`].
    pub fn push(&mut self, change: impl Into<Change>) -> usize {
        self.changes.push(change.into());
        self.changes.len() - 1
    }

    /// Adds some changes, or none.
    pub fn extend(&mut self, changes: impl IntoIterator<Item: Into<Change>>) {
        self.changes.extend(changes.into_iter().map(Into::into));
    }
}

/// What a committed unit did: for each change the number of rows, or the value that its documentation names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied(pub Vec<i64>);

impl Applied {
    /// The outcome of the change at `place`.
    #[must_use]
    pub fn get(&self, place: usize) -> i64 {
        self.0.get(place).copied().unwrap_or_default()
    }
}

/// Why a change could not be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The row is not as the change expects it (changed, gone, or locked by its rule).
    Changed,
    /// A unique value is taken.
    Taken,
}

/// A store's failure.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The change at place `change` found what it did not expect; nothing of the unit was applied.
    #[error("change {change} of the unit: {reason:?}")]
    Conflict {
        /// Its place in the unit.
        change: usize,
        /// Why.
        reason: Conflict,
    },
    /// A change names another tenant than its scope. A bug, never a client's fault.
    #[error("a change names another tenant than its scope")]
    CrossTenant,
    /// The store has no such domain.
    #[error("the store does not support this")]
    Unsupported,
    /// A row cannot be read.
    #[error("a stored row cannot be read: {0}")]
    Corrupt(String),
    /// The store does not answer, or not in time.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
}

impl StoreError {
    /// The place and reason, when it is a conflict.
    #[must_use]
    pub const fn conflict(&self) -> Option<(usize, Conflict)> {
        match self {
            Self::Conflict { change, reason } => Some((*change, *reason)),
            _ => None,
        }
    }

    /// The answer where any conflict means `answer`: whatever was quicker than the unit, and at which of its changes.
    pub(crate) fn or_conflict(self, answer: impl FnOnce() -> Error) -> Error {
        match self {
            Self::Conflict { .. } => answer(),
            other => other.into(),
        }
    }
}

/// Where a page of a list starts: after the row with this sort value and id.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// The sort column's value (microseconds, or a text).
    pub key: String,
    /// The id, which breaks ties.
    pub id: Uuid,
}

/// Everything that is kept.
///
/// # Behavior
/// - [`commit`](Self::commit) applies all changes of a unit or none, durably: once it has answered, power loss does not undo it.
/// - Units see each other only as wholes; of two that expect the same row state exactly one succeeds.
/// - Dropping the future of `commit` either lets the unit complete or leaves nothing of it.
/// - Reads see everything that was committed before they began.
/// - Every read names its tenant and returns rows of no other.
#[async_trait]
pub trait Store:
    AccountStore
    + AttemptStore
    + MfaStore
    + SessionStore
    + KeyStore
    + FeedStore
    + RoleStore
    + TenantStore
    + AuditStore
    + NoticeStore
    + IdempotencyStore
    + DeviceStore
    + Debug
    + Send
    + Sync
{
    /// Applies `unit`.
    async fn commit(&self, scope: Scope, unit: Unit) -> Result<Applied, StoreError>;

    /// The session with its user and the roles that the user holds directly: what a refresh reads, in one go where the
    /// store can.
    async fn find_signed_in(
        &self,
        tenant: TenantId,
        id: SessionId,
    ) -> Result<Option<(Session, User, Vec<RoleId>)>, StoreError> {
        find_signed_in_by_steps(self, tenant, id).await
    }

    /// Answers once the store does; for readiness.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Lets go of what the store holds open, once what runs is finished. It is not used after that.
    async fn close(&self) {}
}

/// [`Store::find_signed_in`] by three reads, for stores that cannot do it in one go.
///
/// # Errors
/// Those of the reads.
pub async fn find_signed_in_by_steps<S: Store + ?Sized>(
    store: &S,
    tenant: TenantId,
    id: SessionId,
) -> Result<Option<(Session, User, Vec<RoleId>)>, StoreError> {
    let Some(session) = store.find_session(tenant, id).await? else { return Ok(None) };
    let Some(user) = store.find_user(tenant, session.user).await? else { return Ok(None) };
    let roles = store.user_roles(tenant, user.id).await?;
    Ok(Some((session, user, roles)))
}
