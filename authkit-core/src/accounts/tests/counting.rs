//! Ports that count what is asked of them, and give way to other tasks at every call.

use crate::{
    accounts::{AccountStore, EmailKey, OneTimeToken, Registration, User, UserFilter},
    audit::{AuditFilter, AuditHead, AuditLink, AuditRecord, AuditStore},
    auth::{AttemptKey, AttemptStore, Attempts},
    devices::{Device, DeviceClaim, DeviceFilter, DeviceStore},
    mfa::{MfaStore, Totp},
    notices::{NoticeStore, OutboxNotice},
    ports::{Applied, Change, HashError, PasswordHasher, Position, Scope, Store, StoreError, Unit, Verified},
    rbac::{Role, RoleStore},
    sessions::{FeedCursor, FeedEvent, FeedStore, KeyStore, Session, SessionStore, SigningKey, UserAuthority},
    tenants::{IdempotencyRecord, IdempotencyStore, Tenant, TenantStore},
};
use async_trait::async_trait;
use authkit_wire::{
    AuditId, DeviceId, OneTimeTokenId, OutboxMailView, RegistrationId, RoleId, Secret, SessionId, TenantId, UserId,
    UserStatus,
};
use jiff::Timestamp;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
use uuid::Uuid;

/// What an operation asked of its ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) reads: usize,
    pub(crate) commits: usize,
    pub(crate) changes: usize,
    pub(crate) hashes: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    reads: AtomicUsize,
    commits: AtomicUsize,
    changes: AtomicUsize,
    hashes: AtomicUsize,
    /// Changes other than counted attempts.
    pub(crate) written: AtomicUsize,
    /// How many of the next hashes find the pool full.
    pub(crate) refused: AtomicUsize,
}

impl Counters {
    /// What was counted since the last call.
    pub(crate) fn take(&self) -> Work {
        let [reads, commits, changes, hashes] =
            [&self.reads, &self.commits, &self.changes, &self.hashes].map(|counter| counter.swap(0, SeqCst));
        Work { reads, commits, changes, hashes }
    }
}

#[derive(Debug)]
pub(crate) struct Counting<P: ?Sized> {
    pub(crate) inner: Arc<P>,
    pub(crate) counters: Arc<Counters>,
}

#[async_trait]
impl PasswordHasher for Counting<dyn PasswordHasher> {
    async fn hash(&self, password: &Secret) -> Result<String, HashError> {
        assert!(password.expose().len() <= 1024, "an oversize password reached the hash");
        self.counters.hashes.fetch_add(1, SeqCst);
        tokio::task::yield_now().await;
        self.inner.hash(password).await
    }

    async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<Verified, HashError> {
        assert!(password.expose().len() <= 1024, "an oversize password reached the hash");
        self.counters.hashes.fetch_add(1, SeqCst);
        tokio::task::yield_now().await;
        if self.counters.refused.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(HashError::Overloaded);
        }
        self.inner.verify(password, hash).await
    }
}

#[async_trait]
impl Store for Counting<dyn Store> {
    async fn commit(&self, scope: Scope, unit: Unit) -> Result<Applied, StoreError> {
        self.counters.commits.fetch_add(1, SeqCst);
        self.counters.changes.fetch_add(unit.changes.len(), SeqCst);
        let written = unit.changes.iter().filter(|change| !matches!(change, Change::Attempt(_))).count();
        self.counters.written.fetch_add(written, SeqCst);
        tokio::task::yield_now().await;
        self.inner.commit(scope, unit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}

macro_rules! counted {
    ($($trait:ident { $($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)* })*) => {$(
        #[async_trait]
        impl $trait for Counting<dyn Store> {$(
            async fn $name(&self, $($arg: $type),*) -> Result<$answer, StoreError> {
                self.counters.reads.fetch_add(1, SeqCst);
                tokio::task::yield_now().await;
                self.inner.$name($($arg),*).await
            }
        )*}
    )*};
}

counted! {
    AccountStore {
        find_user(tenant: TenantId, id: UserId) -> Option<User>;
        find_user_by_email(tenant: TenantId, key: &EmailKey) -> Option<User>;
        list_users(tenant: TenantId, filter: &UserFilter, after: Option<&Position>, limit: u32) -> Vec<User>;
        password_history(tenant: TenantId, user: UserId, limit: u32) -> Vec<String>;
        find_registration(tenant: TenantId, id: RegistrationId) -> Option<Registration>;
        list_registrations(tenant: TenantId, key: &EmailKey, limit: u32) -> Vec<Registration>;
        find_token(tenant: TenantId, id: OneTimeTokenId) -> Option<OneTimeToken>;
    }
    AttemptStore {
        find_attempts(tenant: TenantId, key: &AttemptKey) -> Option<Attempts>;
        list_attempts(tenant: TenantId, keys: &[AttemptKey]) -> Vec<(AttemptKey, Attempts)>;
    }
    MfaStore {
        find_totp(tenant: TenantId, user: UserId) -> Option<Totp>;
        count_backup_codes(tenant: TenantId, user: UserId) -> i64;
    }
    SessionStore {
        find_session(tenant: TenantId, id: SessionId) -> Option<Session>;
        list_sessions(tenant: TenantId, user: UserId, after: Option<&Position>, limit: u32) -> Vec<Session>;
    }
    KeyStore {
        list_keys() -> Vec<SigningKey>;
    }
    RoleStore {
        list_roles(tenant: TenantId) -> (Vec<Role>, i64);
        roles_of_users(tenant: TenantId, users: &[UserId]) -> Vec<(UserId, RoleId)>;
        user_roles(tenant: TenantId, user: UserId) -> Vec<RoleId>;
        count_holders(tenant: TenantId, role: RoleId) -> i64;
    }
    TenantStore {
        list_tenants() -> Vec<Tenant>;
    }
    AuditStore {
        list_audit(tenant: TenantId, filter: &AuditFilter, after: Option<&Position>, limit: u32)
            -> Vec<(AuditRecord, Option<i64>)>;
        find_audit(tenant: TenantId, id: AuditId) -> Option<(AuditRecord, Option<i64>)>;
        list_unlinked_audit(after: Option<AuditId>, limit: u32) -> Vec<AuditRecord>;
        list_audit_chain(after: i64, limit: u32) -> Vec<(AuditLink, Option<AuditRecord>)>;
        last_audit_link() -> Option<AuditLink>;
        list_audit_heads(after: i64, limit: u32) -> Vec<AuditHead>;
    }
    NoticeStore {
        claim_notices(owner: Uuid, now: Timestamp, until: Timestamp, limit: u32) -> Vec<OutboxNotice>;
        count_notices() -> (i64, i64);
        list_development_mail(tenant: TenantId, to: Option<&str>) -> Vec<OutboxMailView>;
    }
    DeviceStore {
        find_device(tenant: TenantId, id: DeviceId) -> Option<(Device, UserStatus)>;
        find_device_by_key(tenant: TenantId, key: &[u8; 32]) -> Option<Device>;
        list_devices(tenant: TenantId, filter: DeviceFilter, after: Option<&Position>, limit: u32) -> Vec<Device>;
        find_device_claim(tenant: TenantId, code: &[u8; 33]) -> Option<DeviceClaim>;
    }
    IdempotencyStore {
        find_idempotency(tenant: TenantId, key: &[u8; 32]) -> Option<IdempotencyRecord>;
    }
}

#[async_trait]
impl FeedStore for Counting<dyn Store> {
    async fn feed_start(&self, since: Timestamp) -> Result<FeedCursor, StoreError> {
        self.inner.feed_start(since).await
    }

    async fn read_feed(&self, cursor: &FeedCursor) -> Result<(Vec<FeedEvent>, FeedCursor), StoreError> {
        self.inner.read_feed(cursor).await
    }

    async fn feed_changed(&self) {
        self.inner.feed_changed().await;
    }

    async fn user_authority(&self, tenant: TenantId, user: UserId) -> Result<Option<UserAuthority>, StoreError> {
        self.inner.user_authority(tenant, user).await
    }
}
