//! A store whose reads can be made to fail or to arrive late, and which lets others run before it answers.

use crate::{
    accounts::*,
    audit::*,
    auth::*,
    devices::*,
    memory::MemoryStore,
    mfa::*,
    notices::*,
    ports::{Applied, Position, Scope, Store, StoreError, Unit},
    rbac::*,
    sessions::*,
    tenants::*,
};
use async_trait::async_trait;
use authkit_wire::*;
use jiff::Timestamp;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use tokio::sync::Semaphore;
use uuid::Uuid;

#[derive(Clone, Debug, Default)]
pub(super) struct Flaky {
    pub(super) inner: MemoryStore,
    /// No read answers.
    pub(super) down: Arc<AtomicBool>,
    /// The feed does not answer.
    pub(super) deaf: Arc<AtomicBool>,
    /// Reads of the session domain so far.
    pub(super) reads: Arc<AtomicUsize>,
    /// The next answer about a user is held back until the permit comes.
    pub(super) late: Arc<Mutex<Option<Arc<Semaphore>>>>,
}

impl Flaky {
    fn up(&self) -> Result<&MemoryStore, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) { Err(StoreError::Unavailable("down".into())) } else { Ok(&self.inner) }
    }
}

macro_rules! delegate {
    ($($store:ident { $(fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $out:ty;)* })+) => {$(
        #[async_trait]
        impl $store for Flaky {
            $(async fn $name(&self $(, $arg: $type)*) -> Result<$out, StoreError> {
                tokio::task::yield_now().await;
                self.up()?.$name($($arg),*).await
            })*
        }
    )+};
}

delegate! {
    AccountStore {
        fn find_user(&self, tenant: TenantId, id: UserId) -> Option<User>;
        fn find_user_by_email(&self, tenant: TenantId, key: &EmailKey) -> Option<User>;
        fn list_users(&self, t: TenantId, f: &UserFilter, after: Option<&Position>, limit: u32) -> Vec<User>;
        fn password_history(&self, tenant: TenantId, user: UserId, limit: u32) -> Vec<String>;
        fn find_registration(&self, tenant: TenantId, id: RegistrationId) -> Option<Registration>;
        fn list_registrations(&self, tenant: TenantId, key: &EmailKey, limit: u32) -> Vec<Registration>;
        fn find_token(&self, tenant: TenantId, id: OneTimeTokenId) -> Option<OneTimeToken>;
    }
    AttemptStore {
        fn find_attempts(&self, tenant: TenantId, key: &AttemptKey) -> Option<Attempts>;
        fn list_attempts(&self, tenant: TenantId, keys: &[AttemptKey]) -> Vec<(AttemptKey, Attempts)>;
    }
    MfaStore {
        fn find_totp(&self, tenant: TenantId, user: UserId) -> Option<Totp>;
        fn count_backup_codes(&self, tenant: TenantId, user: UserId) -> i64;
    }
    SessionStore {
        fn find_session(&self, tenant: TenantId, id: SessionId) -> Option<Session>;
        fn list_sessions(&self, t: TenantId, user: UserId, after: Option<&Position>, limit: u32) -> Vec<Session>;
    }
    KeyStore { fn list_keys(&self) -> Vec<SigningKey>; }
    RoleStore {
        fn list_roles(&self, tenant: TenantId) -> (Vec<Role>, i64);
        fn user_roles(&self, tenant: TenantId, user: UserId) -> Vec<RoleId>;
        fn roles_of_users(&self, tenant: TenantId, users: &[UserId]) -> Vec<(UserId, RoleId)>;
        fn count_holders(&self, tenant: TenantId, role: RoleId) -> i64;
    }
    TenantStore { fn list_tenants(&self) -> Vec<Tenant>; }
    IdempotencyStore { fn find_idempotency(&self, tenant: TenantId, key: &[u8; 32]) -> Option<IdempotencyRecord>; }
    AuditStore {
        fn list_audit(
            &self, t: TenantId, filter: &AuditFilter, after: Option<&Position>, limit: u32
        ) -> Vec<(AuditRecord, Option<i64>)>;
        fn find_audit(&self, tenant: TenantId, id: AuditId) -> Option<(AuditRecord, Option<i64>)>;
        fn list_unlinked_audit(&self, after: Option<AuditId>, limit: u32) -> Vec<AuditRecord>;
        fn list_audit_chain(&self, after: i64, limit: u32) -> Vec<(AuditLink, Option<AuditRecord>)>;
        fn last_audit_link(&self) -> Option<AuditLink>;
        fn list_audit_heads(&self, after: i64, limit: u32) -> Vec<AuditHead>;
    }
    DeviceStore {
        fn find_device(&self, tenant: TenantId, id: DeviceId) -> Option<(Device, UserStatus)>;
        fn find_device_by_key(&self, tenant: TenantId, key: &[u8; 32]) -> Option<Device>;
        fn list_devices(&self, t: TenantId, f: DeviceFilter, after: Option<&Position>, limit: u32) -> Vec<Device>;
        fn find_device_claim(&self, tenant: TenantId, code: &[u8; 33]) -> Option<DeviceClaim>;
    }
    NoticeStore {
        fn claim_notices(&self, o: Uuid, now: Timestamp, until: Timestamp, limit: u32) -> Vec<OutboxNotice>;
        fn count_notices(&self) -> (i64, i64);
        fn list_development_mail(&self, tenant: TenantId, to: Option<&str>) -> Vec<OutboxMailView>;
    }
}

#[async_trait]
impl FeedStore for Flaky {
    async fn feed_start(&self, since: Timestamp) -> Result<FeedCursor, StoreError> {
        self.up()?.feed_start(since).await
    }

    async fn read_feed(&self, cursor: &FeedCursor) -> Result<(Vec<FeedEvent>, FeedCursor), StoreError> {
        if self.deaf.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("deaf".into()));
        }
        self.up()?.read_feed(cursor).await
    }

    async fn feed_changed(&self) {
        self.inner.feed_changed().await;
    }

    async fn user_authority(&self, tenant: TenantId, user: UserId) -> Result<Option<UserAuthority>, StoreError> {
        let found = self.up()?.user_authority(tenant, user).await;
        let late = self.late.lock().unwrap().take();
        if let Some(late) = late {
            let _permit = late.acquire().await.unwrap();
        }
        found
    }
}

#[async_trait]
impl Store for Flaky {
    async fn commit(&self, scope: Scope, unit: Unit) -> Result<Applied, StoreError> {
        tokio::task::yield_now().await;
        self.inner.commit(scope, unit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.up()?.ping().await
    }
}
