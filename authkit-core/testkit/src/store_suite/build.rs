//! What the cases are made of. Ids grow with each call, as those of the domain do.

use authkit_core::{
    SigningAlgorithm,
    accounts::{EmailKey, OneTimeToken, Registration, TokenPurpose, User},
    audit::AuditRecord,
    devices::{Device, DeviceClaim},
    mfa::Totp,
    notices::OutboxNotice,
    ports::{Store, Unit},
    rbac::Role,
    sessions::{RefreshState, Session, SigningKey},
    tenants::{Tenant, TenantSettings},
    wire::{
        AuditId, AuditOutcome, DeviceClaimId, DeviceId, DeviceStatus, KeyId, NoticeId, OneTimeTokenId, RegistrationId,
        RoleId, SessionId, TenantId, UserId, UserStatus, device::KeyAlgorithm,
    },
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

const START: i64 = 1_790_000_000_000_000;
static NEXT: AtomicU64 = AtomicU64::new(1);

/// The time `seconds` after the suite's start.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_microsecond(START + seconds * 1_000_000).unwrap_or_default()
}

pub(super) const fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// A fresh number.
pub(super) fn number() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A fresh `UUIDv7`, greater than those before.
pub(super) fn uuid() -> Uuid {
    let number = number();
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis((START / 1000).unsigned_abs() + number, &random).into_uuid()
}

/// Bytes that nothing else has.
pub(super) fn bytes() -> [u8; 32] {
    let mut bytes = [0x5a; 32];
    bytes[..8].copy_from_slice(&number().to_le_bytes());
    bytes
}

/// A key that nothing else has.
pub(super) fn key() -> EmailKey {
    let mut key = [1; 33];
    key[1..].copy_from_slice(&bytes());
    key
}

/// A fresh tenant's id. Stores need no row of it for the identity domains.
pub(super) fn tenant() -> TenantId {
    TenantId::new(uuid())
}

pub(super) fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

pub(super) fn user(tenant: TenantId) -> User {
    let number = number();
    User {
        id: UserId::new(uuid()),
        tenant,
        email: format!("User{number}@Example.org"),
        email_key: key(),
        email_verified: true,
        name: Some(format!("Name {number}")),
        locale: Some("de-CH".to_owned()),
        profile: map(json!({ "town": "Zürich", "age": 42 })),
        preferences: map(json!({ "theme": { "dark": true } })),
        password_hash: Some(format!("$argon2id$hash-{number}")),
        status: UserStatus::Active,
        mfa_enabled: false,
        subject_key: vec![1, 2, 3],
        security_version: 1,
        kept_session: None,
        version: 1,
        erase_at: None,
        last_sign_in_at: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

/// A user that the store has.
pub(super) async fn stored_user(store: &dyn Store, tenant: TenantId) -> User {
    let user = user(tenant);
    super::must(
        store,
        tenant,
        Unit::new().with(authkit_core::accounts::AccountChange::CreateUser(Box::new(user.clone()))),
    )
    .await;
    user
}

pub(super) fn registration(tenant: TenantId, email_key: EmailKey) -> Registration {
    Registration {
        id: RegistrationId::new(uuid()),
        tenant,
        email: "someone@example.org".to_owned(),
        email_key,
        name: None,
        locale: Some("fr".to_owned()),
        profile: map(json!({ "a": [1, 2] })),
        password_hash: "$argon2id$pending".to_owned(),
        token_hash: bytes(),
        redirect_url: Some("https://app.example.org/done".to_owned()),
        created_at: at(0),
        expires_at: at(86_400),
    }
}

pub(super) fn token(user: &User, purpose: TokenPurpose) -> OneTimeToken {
    OneTimeToken {
        id: OneTimeTokenId::new(uuid()),
        tenant: user.tenant,
        user: user.id,
        purpose,
        token_hash: bytes(),
        data: vec![9, 8, 7],
        security_version: user.security_version,
        created_at: at(0),
        expires_at: at(3_600),
    }
}

pub(super) fn refresh() -> RefreshState {
    RefreshState {
        hash: bytes(),
        expires_at: at(30 * 86_400),
        previous: None,
        rotated_at: None,
        idempotency: None,
        replay: None,
    }
}

pub(super) fn session(user: &User) -> Session {
    Session {
        id: SessionId::new(uuid()),
        tenant: user.tenant,
        user: user.id,
        amr: vec!["pwd".to_owned(), "otp".to_owned()],
        auth_time: at(0),
        ip: Some("2001:db8::1".to_owned()),
        user_agent: Some("Firefox".to_owned()),
        place: None,
        created_at: at(0),
        last_active_at: at(0),
        expires_at: Some(at(90 * 86_400)),
        refresh: refresh(),
    }
}

/// A session that the store has.
pub(super) async fn stored_session(store: &dyn Store, user: &User) -> Session {
    let session = session(user);
    keep_session(store, &session).await;
    session
}

pub(super) async fn keep_session(store: &dyn Store, session: &Session) {
    let create = authkit_core::sessions::SessionChange::Create(Box::new(session.clone()));
    super::must(store, session.tenant, Unit::new().with(create)).await;
}

pub(super) fn signing_key(created: i64) -> SigningKey {
    SigningKey {
        id: KeyId::new(uuid()),
        algorithm: SigningAlgorithm::Es256,
        private: vec![4, 5, 6],
        public: r#"{"kty":"EC"}"#.to_owned(),
        created_at: at(created),
        active_at: at(created + 600),
        retired_at: None,
        revoked_at: None,
    }
}

pub(super) fn totp(user: &User) -> Totp {
    Totp { user: user.id, secret: bytes().to_vec(), confirmed: false, last_step: 0, created_at: at(0) }
}

pub(super) fn role(tenant: TenantId, name: &str) -> Role {
    Role {
        id: RoleId::new(uuid()),
        tenant,
        name: name.to_owned(),
        named_at: at(0),
        description: "What it is for".to_owned(),
        parent: None,
        permissions: vec!["users:read".to_owned(), "roles:*".to_owned()],
        system: false,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(super) fn tenant_row(slug: &str, hosts: &[&str]) -> Tenant {
    Tenant {
        id: tenant(),
        slug: slug.to_owned(),
        name: format!("The {slug}"),
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        active: true,
        settings: TenantSettings { max_sessions: Some(3), ..TenantSettings::default() },
        version: 1,
        created_at: at(0),
    }
}

pub(super) fn audit(tenant: TenantId, action: &str, seconds: i64) -> AuditRecord {
    AuditRecord {
        id: AuditId::new(uuid()),
        tenant,
        at: at(seconds),
        action: action.to_owned(),
        outcome: AuditOutcome::Success,
        actor: Some("usr_actor".to_owned()),
        subject: Some("usr_subject".to_owned()),
        personal: Some(vec![7, 7]),
        trace_id: Some("trace".to_owned()),
        data: map(json!({ "role": "editor" })),
        key_version: 3,
        mac: bytes(),
    }
}

pub(super) fn notice(tenant: TenantId, recipient: [u8; 33]) -> OutboxNotice {
    OutboxNotice {
        id: NoticeId::new(uuid()),
        tenant,
        kind: "password_changed".to_owned(),
        recipient,
        payload: vec![1, 1, 2, 3, 5],
        attempts: 0,
        available_at: at(0),
        lease: None,
        dead: false,
        created_at: at(0),
        expires_at: at(86_400),
    }
}

pub(super) fn device(owner: &User) -> Device {
    let key = bytes();
    Device {
        id: DeviceId::new(uuid()),
        tenant: owner.tenant,
        owner: owner.id,
        name: "Zürich".to_owned(),
        algorithm: KeyAlgorithm::EdDsa,
        public_key: key.to_vec(),
        key_thumbprint: key,
        status: DeviceStatus::Active,
        version: None,
        capabilities: Vec::new(),
        reported_status: None,
        created_at: at(0),
        last_seen_at: None,
        revoked_at: None,
    }
}

/// An open claim that runs out after fifteen minutes.
pub(super) fn device_claim(owner: &User) -> DeviceClaim {
    DeviceClaim {
        id: DeviceClaimId::new(uuid()),
        tenant: owner.tenant,
        owner: owner.id,
        name: Some("Greenhouse".to_owned()),
        code: key(),
        security_version: owner.security_version,
        created_at: at(0),
        expires_at: at(900),
        used: None,
        keep_until: at(900),
    }
}
