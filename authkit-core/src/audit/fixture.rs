//! A small installation for the tests of this room and its neighbours.

use crate::{
    Context, Origin, Principal, Settings,
    accounts::{AccountChange, User},
    memory::{self, ManualClock, MemoryStore, SeededRandom},
    ports::{Change, Scope, Store, Unit},
    rbac::{Role, RoleChange, RoleTable, Roles},
    sessions::{RefreshState, Session, SessionChange},
    tenants::DEFAULT_TENANT,
};
use authkit_wire::{RoleId, SessionId, TenantId, UserId, UserStatus};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) struct World {
    pub(crate) cx: Arc<Context>,
    pub(crate) clock: ManualClock,
    pub(crate) store: MemoryStore,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_, _| {})
    }

    /// `change` may put other ports in place.
    pub(crate) fn with(change: impl FnOnce(&mut Context, &MemoryStore)) -> Self {
        let clock = ManualClock::new("2026-01-02T03:04:05Z".parse().expect("a time"));
        let mut cx = memory::bare(clock.clone(), SeededRandom::new(7), Settings::default()).expect("a context");
        let store = MemoryStore::default();
        cx.store = Arc::new(store.clone());
        change(&mut cx, &store);
        Self { cx: Arc::new(cx), clock, store }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.cx.now()
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin {
            tenant: DEFAULT_TENANT,
            names_tenant: false,
            ip: Some([192, 0, 2, 7].into()),
            user_agent: Some("Test/1".into()),
            trace_id: Some("trace-1".into()),
        }
    }

    /// Commits past the services, as another node or an attacker of the database would.
    pub(crate) async fn put(&self, scope: Scope, change: impl Into<Change>) {
        self.store.commit(scope, Unit::new().with(change)).await.expect("committed");
    }

    pub(crate) async fn user(&self, name: &str) -> User {
        self.user_of(DEFAULT_TENANT, name).await
    }

    pub(crate) async fn user_of(&self, tenant: TenantId, name: &str) -> User {
        let now = self.now();
        let email = format!("{name}@example.com");
        let user = User {
            id: UserId::new(self.cx.uuid()),
            tenant,
            email_key: self.cx.keyring.index("email", &[tenant.uuid().as_bytes(), email.as_bytes()]),
            email,
            email_verified: true,
            name: Some(name.into()),
            locale: None,
            profile: serde_json::Map::new(),
            preferences: serde_json::Map::new(),
            password_hash: Some(self.cx.hasher.hash(&PASSWORD.into()).await.expect("a hash")),
            status: UserStatus::Active,
            mfa_enabled: false,
            subject_key: super::new_subject_key(&self.cx),
            security_version: 1,
            kept_session: None,
            version: 1,
            erase_at: None,
            last_sign_in_at: None,
            created_at: now,
            updated_at: now,
        };
        self.put(Scope::Tenant(tenant), AccountChange::CreateUser(Box::new(user.clone()))).await;
        user
    }

    pub(crate) async fn session(&self, user: &User) -> SessionId {
        let (id, now) = (SessionId::new(self.cx.uuid()), self.now());
        let session = Session {
            id,
            tenant: user.tenant,
            user: user.id,
            amr: vec!["pwd".into()],
            auth_time: now,
            ip: None,
            user_agent: None,
            place: None,
            created_at: now,
            last_active_at: now,
            expires_at: None,
            refresh: RefreshState {
                hash: crate::crypto::sha256(id.uuid().as_bytes()),
                expires_at: now + SignedDuration::from_hours(1),
                previous: None,
                rotated_at: None,
                idempotency: None,
                replay: None,
            },
        };
        self.put(Scope::Tenant(user.tenant), SessionChange::Create(Box::new(session))).await;
        id
    }

    /// Signed in just now, with the roles that the user holds now.
    pub(crate) async fn principal(&self, user: &User) -> Principal {
        use crate::rbac::RoleStore;
        let (roles, version) = self.store.list_roles(user.tenant).await.expect("roles");
        let held = self.store.user_roles(user.tenant, user.id).await.expect("roles");
        let now = self.now();
        Principal {
            tenant: user.tenant,
            user: user.id,
            session: self.session(user).await,
            auth_time: now,
            amr: ["pwd".to_owned()].into(),
            expires_at: now + SignedDuration::from_mins(15),
            permissions: RoleTable::new(roles, version, &self.cx.permissions).permissions_of(&held),
            roles: held.into(),
        }
    }

    /// Puts a role there, whatever the rules say.
    pub(crate) async fn role(&self, name: &str, parent: Option<RoleId>, grants: &[&str]) -> RoleId {
        let now = self.now();
        let id = RoleId::new(self.cx.uuid());
        let role = Role {
            id,
            tenant: DEFAULT_TENANT,
            name: name.into(),
            named_at: now,
            description: String::new(),
            parent,
            permissions: grants.iter().map(|grant| (*grant).to_owned()).collect(),
            system: false,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        self.put(Scope::Tenant(DEFAULT_TENANT), RoleChange::Create(role)).await;
        id
    }

    pub(crate) async fn assign(&self, user: &User, role: RoleId) {
        let change = RoleChange::Assign { user: user.id, role, by: None, at: self.now() };
        self.put(Scope::Tenant(user.tenant), change).await;
    }

    /// The system role `admin`.
    pub(crate) async fn admin_role(&self) -> RoleId {
        let roles = Roles::new(self.cx.clone());
        roles.ensure_system_roles(DEFAULT_TENANT).await.expect("made");
        roles.find_by_name(DEFAULT_TENANT, crate::rbac::ADMIN).await.expect("read").expect("there").id
    }

    /// What was recorded, the oldest first.
    pub(crate) async fn actions(&self) -> Vec<String> {
        use crate::audit::AuditStore;
        let rows = self.store.list_unlinked_audit(None, 1000).await.expect("read");
        rows.into_iter().map(|record| record.action).collect()
    }
}
