//! Everything in one process: a snapshot that each unit of work copies, changes and puts back.

mod accounts;
mod devices;
mod log;
mod outbox;
mod roles;
mod sessions;
mod sign_in;

use crate::{
    accounts::{OneTimeToken, Registration, User},
    audit::{AuditHead, AuditLink, AuditRecord},
    auth::{AttemptKey, Attempts},
    devices::{Device, DeviceClaim},
    mfa::Totp,
    notices::OutboxNotice,
    ports::{Applied, Change, Conflict, Scope, Store, StoreError, Unit},
    rbac::Role,
    sessions::{FeedEvent, Session, SigningKey},
    tenants::{IdempotencyRecord, Tenant},
};
use async_trait::async_trait;
use authkit_wire::*;
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};
use uuid::Uuid;

/// A store in memory, for tests, examples and the browser. Its clones share what they hold.
///
/// ```
/// use authkit_core::{memory::MemoryStore, ports::{Scope, Store, Unit}};
/// # async fn example() -> Result<(), authkit_core::ports::StoreError> {
/// let store = MemoryStore::default();
/// store.commit(Scope::System, Unit::new()).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    state: Arc<State>,
    waiting: Vec<Waker>,
}

/// All rows. The keys of a tenant's rows begin with the tenant, so that no lookup can cross.
#[derive(Clone, Default)]
struct State {
    users: BTreeMap<(TenantId, UserId), User>,
    /// The newest first.
    passwords: BTreeMap<(TenantId, UserId), Vec<String>>,
    registrations: BTreeMap<(TenantId, RegistrationId), Registration>,
    tokens: BTreeMap<(TenantId, OneTimeTokenId), OneTimeToken>,
    /// With the time they were last touched.
    attempts: BTreeMap<(TenantId, AttemptKey), (Attempts, Timestamp)>,
    totp: BTreeMap<(TenantId, UserId), Totp>,
    backup_codes: BTreeMap<(TenantId, UserId), BTreeSet<[u8; 32]>>,
    sessions: BTreeMap<(TenantId, SessionId), Session>,
    keys: BTreeMap<KeyId, SigningKey>,
    /// An event's cursor is its place.
    feed: Vec<FeedEvent>,
    roles: BTreeMap<(TenantId, RoleId), Role>,
    roles_version: BTreeMap<TenantId, i64>,
    assignments: BTreeSet<(TenantId, UserId, RoleId)>,
    tenants: BTreeMap<TenantId, Tenant>,
    idempotency: BTreeMap<(TenantId, [u8; 32]), IdempotencyRecord>,
    leases: BTreeMap<&'static str, (Uuid, Timestamp)>,
    audit: BTreeMap<AuditId, AuditRecord>,
    links: BTreeMap<i64, AuditLink>,
    linked: BTreeMap<AuditId, i64>,
    heads: BTreeMap<i64, AuditHead>,
    notices: BTreeMap<NoticeId, OutboxNotice>,
    development_mail: BTreeMap<(TenantId, NoticeId), OutboxMailView>,
    devices: BTreeMap<(TenantId, DeviceId), Device>,
    device_claims: BTreeMap<(TenantId, DeviceClaimId), DeviceClaim>,
    /// Used ones, with the time until which each counted.
    device_challenges: BTreeMap<(TenantId, Uuid), Timestamp>,
}

/// Why a change undoes its unit.
enum Undo {
    Conflict(Conflict),
    CrossTenant,
}

const CHANGED: Undo = Undo::Conflict(Conflict::Changed);
const TAKEN: Undo = Undo::Conflict(Conflict::Taken);

/// What a change did: the number of rows, or the value that its documentation names.
type Outcome = Result<i64, Undo>;

/// The tenant whose rows a change touches by their id.
const fn own(scope: Scope) -> Result<TenantId, Undo> {
    match scope {
        Scope::Tenant(tenant) => Ok(tenant),
        Scope::System => Err(Undo::CrossTenant),
    }
}

/// Whether a row of `tenant` may be inserted.
fn inserts(scope: Scope, tenant: TenantId) -> Result<(), Undo> {
    match scope {
        Scope::Tenant(own) if own != tenant => Err(Undo::CrossTenant),
        _ => Ok(()),
    }
}

/// Whether the installation's own rows may be touched.
fn system(scope: Scope) -> Result<(), Undo> {
    if scope == Scope::System { Ok(()) } else { Err(Undo::CrossTenant) }
}

/// A row of `map` with that key is inserted, unless there is one.
fn insert<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, row: V) -> Outcome {
    match map.entry(key) {
        Entry::Vacant(free) => {
            free.insert(row);
            Ok(1)
        }
        Entry::Occupied(_) => Err(TAKEN),
    }
}

/// One row, or the unit is undone.
const fn one(found: bool) -> Outcome {
    if found { Ok(1) } else { Err(CHANGED) }
}

/// How many rows.
fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Deletes rows that `matches`, at most `limit`.
fn delete_where<K: Ord + Clone, V>(rows: &mut BTreeMap<K, V>, limit: usize, matches: impl Fn(&K, &V) -> bool) -> i64 {
    let keys: Vec<K> =
        rows.iter().filter(|(key, row)| matches(key, row)).map(|(key, _)| key.clone()).take(limit).collect();
    for key in &keys {
        rows.remove(key);
    }
    count(keys.len())
}

/// What one call of a maintenance change deletes at most.
const BATCH: usize = 1000;

impl State {
    /// What refers to a user cannot be written without that user.
    fn has_user(&self, tenant: TenantId, user: UserId) -> Result<(), Undo> {
        if self.users.contains_key(&(tenant, user)) { Ok(()) } else { Err(CHANGED) }
    }

    fn apply(&mut self, scope: Scope, change: Change) -> Outcome {
        match change {
            Change::Account(change) => self.apply_account(scope, change),
            Change::Attempt(change) => self.apply_attempt(scope, change),
            Change::Mfa(change) => self.apply_mfa(own(scope)?, change),
            Change::Session(change) => self.apply_session(scope, change),
            Change::Key(change) => self.apply_key(scope, change),
            Change::Role(change) => self.apply_role(scope, change),
            Change::Tenant(change) => self.apply_tenant(scope, change),
            Change::Audit(change) => self.apply_audit(scope, change),
            Change::Notice(change) => self.apply_notice(scope, change),
            Change::Feed(event) => self.apply_feed(scope, event),
            Change::Idempotency(change) => self.apply_idempotency(scope, change),
            Change::Lease(change) => self.apply_lease(scope, change),
            Change::Device(change) => self.apply_device(scope, change),
        }
    }
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is committed now.
    fn read(&self) -> Arc<State> {
        self.lock().state.clone()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, scope: Scope, unit: Unit) -> Result<Applied, StoreError> {
        let mut inner = self.lock();
        let mut next = State::clone(&inner.state);
        let mut applied = Vec::with_capacity(unit.changes.len());
        for (place, change) in unit.changes.into_iter().enumerate() {
            applied.push(next.apply(scope, change).map_err(|undo| match undo {
                Undo::Conflict(reason) => StoreError::Conflict { change: place, reason },
                Undo::CrossTenant => StoreError::CrossTenant,
            })?);
        }
        inner.state = Arc::new(next);
        inner.waiting.drain(..).for_each(Waker::wake);
        Ok(Applied(applied))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::{FeedCursor, FeedStore};
    use crate::tenants::{LeaseChange, TenantChange, TenantSettings, TenantStore};
    use std::{future::Future, pin::pin, task::Context, task::Poll};

    fn tenant(slug: &str) -> Tenant {
        Tenant {
            id: TenantId::new(Uuid::from_u128(slug.len() as u128)),
            slug: slug.into(),
            name: slug.into(),
            hosts: Vec::new(),
            active: true,
            settings: TenantSettings::default(),
            version: 1,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn a_conflict_undoes_the_whole_unit_and_names_its_change() {
        let store = MemoryStore::default();
        let unit = Unit::new().with(TenantChange::Create(tenant("a"))).with(TenantChange::Create(tenant("a")));
        let error = store.commit(Scope::System, unit).await.expect_err("taken");
        assert_eq!(error.conflict(), Some((1, Conflict::Taken)));
        assert!(store.list_tenants().await.expect("reads").is_empty());
    }

    #[tokio::test]
    async fn a_tenants_scope_reaches_neither_another_tenant_nor_the_installation() {
        let store = MemoryStore::default();
        let [own, other] = ["a", "bb"].map(|slug| tenant(slug).id);
        let foreign = Unit::new().with(FeedEvent::RolesChanged(other));
        let lease = LeaseChange::Release { name: "job", owner: Uuid::nil() };
        for unit in [foreign, Unit::new().with(lease)] {
            let refused = store.commit(Scope::Tenant(own), unit).await;
            assert!(matches!(refused, Err(StoreError::CrossTenant)), "{refused:?}");
        }
    }

    #[tokio::test]
    async fn an_event_wakes_who_waits_for_the_feed() {
        let store = MemoryStore::default();
        let mut waits = pin!(store.feed_changed());
        let mut task = Context::from_waker(Waker::noop());
        assert!(waits.as_mut().poll(&mut task).is_pending());
        store.commit(Scope::System, Unit::new()).await.expect("commits");
        assert!(waits.as_mut().poll(&mut task).is_pending(), "nothing was told");
        store.commit(Scope::System, Unit::new().with(FeedEvent::KeysChanged)).await.expect("commits");
        assert_eq!(waits.as_mut().poll(&mut task), Poll::Ready(()));
        let (events, cursor) = store.read_feed(&FeedCursor::default()).await.expect("reads");
        assert_eq!(events, [FeedEvent::KeysChanged]);
        assert!(store.read_feed(&cursor).await.expect("reads").0.is_empty());
    }
}
