//! Databases to test on.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test file uses what it needs of it")]

use authkit_core::{
    accounts::{AccountChange, User},
    devices::Device,
    ports::{Scope, Store, Unit},
    sessions::{RefreshState, Session},
    wire::{DeviceId, DeviceStatus, SessionId, TenantId, UserId, UserStatus, device::KeyAlgorithm},
};
use authkit_sql::{Options, SqlStore};
use authkit_testkit::postgres::Postgres;
use jiff::Timestamp;
use serde_json::Map;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// A migrated store, its url, and its folder.
pub struct Database {
    pub store: SqlStore,
    pub url: String,
    pub folder: tempfile::TempDir,
}

pub async fn sqlite() -> Database {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("authkit.db").display());
    Database { store: migrated(&url).await, url, folder }
}

pub async fn postgres() -> Database {
    let url = Postgres::start_fast().create_database();
    Database { store: migrated(&url).await, url, folder: tempfile::tempdir().unwrap() }
}

pub async fn both() -> [Database; 2] {
    [sqlite().await, postgres().await]
}

pub async fn migrated(url: &str) -> SqlStore {
    let store = SqlStore::open(url, Options::default()).await.unwrap();
    store.migrate(|_| {}).await.unwrap();
    store
}

pub fn uuid() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut random = [0; 10];
    random[2..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(1_790_000_000_000, &random).into_uuid()
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

pub fn bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(uuid().as_bytes());
    bytes
}

pub fn user(tenant: TenantId) -> User {
    let id = UserId::new(uuid());
    let mut email_key = [1; 33];
    email_key[1..].copy_from_slice(&bytes());
    User {
        id,
        tenant,
        email: format!("{id}@example.org"),
        email_key,
        email_verified: true,
        name: Some("Ada".to_owned()),
        locale: None,
        profile: Map::new(),
        preferences: Map::new(),
        password_hash: Some("$argon2id$hash".to_owned()),
        status: UserStatus::Active,
        mfa_enabled: false,
        subject_key: vec![1],
        security_version: 1,
        kept_session: None,
        version: 1,
        erase_at: None,
        last_sign_in_at: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub async fn stored_user(store: &SqlStore, tenant: TenantId) -> User {
    let user = user(tenant);
    let unit = Unit::new().with(AccountChange::CreateUser(Box::new(user.clone())));
    store.commit(Scope::Tenant(tenant), unit).await.unwrap();
    user
}

pub fn session(tenant: TenantId, user: UserId) -> Session {
    Session {
        id: SessionId::new(uuid()),
        tenant,
        user,
        amr: vec!["pwd".to_owned()],
        auth_time: at(0),
        ip: None,
        user_agent: None,
        place: None,
        created_at: at(0),
        last_active_at: at(0),
        expires_at: None,
        refresh: RefreshState {
            hash: bytes(),
            expires_at: at(86_400),
            previous: None,
            rotated_at: None,
            idempotency: None,
            replay: None,
        },
    }
}

pub fn device(tenant: TenantId, owner: UserId) -> Device {
    Device {
        id: DeviceId::new(uuid()),
        tenant,
        owner,
        name: "Greenhouse".to_owned(),
        algorithm: KeyAlgorithm::EdDsa,
        public_key: bytes().to_vec(),
        key_thumbprint: bytes(),
        status: DeviceStatus::Active,
        version: None,
        capabilities: Vec::new(),
        reported_status: None,
        created_at: at(0),
        last_seen_at: None,
        revoked_at: None,
    }
}
