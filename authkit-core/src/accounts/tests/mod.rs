//! The rules of accounts, on an installation in memory.

pub(crate) mod counting;
mod email_changes;
mod enumeration;
mod passwords;
mod reach;
mod reactivations;
mod registrations;
mod resets;
mod statuses;

use super::*;
use crate::{
    Origin, Principal, Settings,
    auth::SignIn,
    devices::{Device, DeviceChange},
    memory::{self, ManualClock, SeededRandom},
    notices::{Notice, NoticeChange},
    ports::{Hooks, NoHooks, PasswordHasher, Scope, Store, Unit},
    sessions::Sessions,
    tenants::{DEFAULT_TENANT, Tenants},
};
use authkit_wire::*;
use counting::{Counters, Counting};
use jiff::{SignedDuration, Timestamp};

pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const OTHER_PASSWORD: &str = "seventeen purple lighthouses";
pub(crate) const ADA: &str = "ada@example.org";

/// An installation in memory, its services and what they asked of their ports.
pub(crate) struct World {
    pub(crate) cx: Arc<Context>,
    pub(crate) clock: ManualClock,
    pub(crate) counters: Arc<Counters>,
    pub(crate) accounts: Accounts,
    pub(crate) sign_in: SignIn,
    pub(crate) sessions: Sessions,
    pub(crate) origin: Origin,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        Self::made(settings, Arc::new(NoHooks)).await
    }

    pub(crate) async fn with_hooks(hooks: Arc<dyn Hooks>) -> Self {
        Self::made(Settings::default(), hooks).await
    }

    async fn made(settings: Settings, hooks: Arc<dyn Hooks>) -> Self {
        let clock = ManualClock::new("2026-11-20T12:00:00Z".parse().expect("a time"));
        let mut cx = memory::bare(clock.clone(), SeededRandom::new(7), settings).expect("a context");
        let counters = Arc::new(Counters::default());
        cx.hooks = hooks;
        cx.store = Arc::new(Counting::<dyn Store> { inner: cx.store, counters: counters.clone() });
        cx.hasher = Arc::new(Counting::<dyn PasswordHasher> { inner: cx.hasher, counters: counters.clone() });
        let cx = memory::prepare(cx).await.expect("prepared");
        counters.take();
        Self {
            accounts: Accounts::new(cx.clone()),
            sign_in: SignIn::new(cx.clone()),
            sessions: Sessions::new(cx.clone()),
            origin: Origin::local(DEFAULT_TENANT),
            cx,
            clock,
            counters,
        }
    }

    /// Changes the default tenant's settings.
    pub(crate) async fn set_tenant(&self, change: impl FnOnce(&mut TenantSettings)) {
        let tenants = Tenants::new(self.cx.clone());
        let mut tenant = tenants.list().await.expect("tenants").remove(0);
        change(&mut tenant.settings);
        tenants.update(tenant).await.expect("updated");
    }

    /// Takes everything out of the outbox.
    pub(crate) async fn notices(&self) -> Vec<Notice> {
        let mut notices = Vec::new();
        loop {
            let owner = self.cx.uuid();
            let until = self.cx.now() + SignedDuration::from_mins(1);
            let claimed = self.cx.store.claim_notices(owner, self.cx.now(), until, 100).await.expect("claimed");
            if claimed.is_empty() {
                return notices;
            }
            for row in claimed {
                let plain = self.cx.keyring.open("notice", row.id.uuid().as_bytes(), &row.payload).expect("sealed");
                notices.push(serde_json::from_slice(&plain).expect("a notice"));
                let unit = Unit::new().with(NoticeChange::Delivered { id: row.id, owner });
                self.cx.commit(Scope::Tenant(row.tenant), unit).await.expect("delivered");
            }
        }
    }

    /// What people are told, by kind, in the kinds' order.
    pub(crate) async fn kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<_> = self.notices().await.iter().map(Notice::kind).collect();
        kinds.sort_unstable();
        kinds
    }

    /// Registers and returns the token that proves it.
    pub(crate) async fn register(&self, email: &str, password: &str) -> Secret {
        self.accounts.register(&self.origin, registration(email, password)).await.expect("registered");
        let notices = self.notices().await;
        notices
            .iter()
            .find_map(|notice| match notice {
                Notice::Registration { token, .. } => Some(token.clone()),
                _ => None,
            })
            .expect("a link")
    }

    /// Makes a proved account.
    pub(crate) async fn user(&self, email: &str) -> UserView {
        let token = self.register(email, PASSWORD).await;
        let view = self.accounts.verify_email(&self.origin, TokenRequest { token }).await.expect("verified");
        self.notices().await;
        self.counters.take();
        view.user
    }

    pub(crate) async fn login(&self, email: &str, password: &str) -> Result<LoginView> {
        let request = LoginRequest { email: email.into(), password: password.into() };
        self.sign_in.login(&self.origin, request).await
    }

    /// Signs in without a second factor.
    pub(crate) async fn tokens(&self, email: &str, password: &str) -> TokensView {
        match self.login(email, password).await.expect("signed in") {
            LoginView::Tokens(tokens) => *tokens,
            LoginView::MfaRequired(_) => panic!("a second factor was asked for"),
        }
    }

    pub(crate) async fn principal(&self, email: &str, password: &str) -> Principal {
        let tokens = self.tokens(email, password).await;
        self.sessions.authenticate(tokens.access_token.expose()).await.expect("authenticated")
    }

    /// Whether the tokens still open anything.
    pub(crate) async fn is_alive(&self, tokens: &TokensView) -> bool {
        let access = self.sessions.authenticate(tokens.access_token.expose()).await.is_ok();
        let session = self.cx.store.find_session(DEFAULT_TENANT, tokens.session_id).await.expect("read").is_some();
        assert_eq!(access, session, "access token and session live and end together");
        session
    }

    pub(crate) async fn stored(&self, email: &str) -> Option<User> {
        let key = Email::parse(email, true).expect("an address").key(&self.cx.keyring, DEFAULT_TENANT);
        self.cx.store.find_user_by_email(DEFAULT_TENANT, &key).await.expect("read")
    }

    /// An active device of the account's.
    pub(crate) async fn device(&self, email: &str) -> DeviceId {
        let owner = self.stored(email).await.expect("there");
        let hold = DeviceChange::HoldOwner { user: owner.id, security_version: owner.security_version };
        let device = Device {
            id: DeviceId::new(self.cx.uuid()),
            tenant: owner.tenant,
            owner: owner.id,
            name: "Thermometer".into(),
            algorithm: device::KeyAlgorithm::EdDsa,
            public_key: vec![7; 32],
            key_thumbprint: [7; 32],
            status: DeviceStatus::Active,
            version: None,
            capabilities: Vec::new(),
            reported_status: None,
            created_at: self.now(),
            last_seen_at: None,
            revoked_at: None,
        };
        let id = device.id;
        let unit = Unit::new().with(hold).with(DeviceChange::Create { device: Box::new(device), at_most: 1 });
        self.cx.commit(Scope::Tenant(owner.tenant), unit).await.expect("stored");
        id
    }

    pub(crate) async fn is_active(&self, device: DeviceId) -> bool {
        self.cx.store.find_device(DEFAULT_TENANT, device).await.expect("read").is_some_and(|(row, _)| row.is_active())
    }

    /// Wrong passwords until the address is locked.
    pub(crate) async fn lock(&self, email: &str) {
        for _ in 0..self.cx.settings.lockout.failures {
            self.login(email, "a wrong password").await.expect_err("wrong");
        }
    }

    /// A token of each purpose that a change of credentials voids.
    pub(crate) async fn wait_for_proof(&self, email: &str) -> Vec<OneTimeTokenId> {
        let user = self.stored(email).await.expect("there");
        let mut unit = Unit::new();
        let mut ids = Vec::new();
        for purpose in
            [TokenPurpose::PasswordReset, TokenPurpose::EmailChange, TokenPurpose::Mfa, TokenPurpose::Reactivate]
        {
            let (row, _) = make_token(&self.cx, &user, purpose, SignedDuration::from_hours(1), &()).expect("made");
            ids.push(row.id);
            unit.push(AccountChange::CreateToken(row));
        }
        self.cx.commit(Scope::Tenant(user.tenant), unit).await.expect("kept");
        ids
    }

    /// How many of the tokens are still there.
    pub(crate) async fn left_of(&self, ids: &[OneTimeTokenId]) -> usize {
        let mut left = 0;
        for id in ids {
            left += usize::from(self.cx.store.find_token(DEFAULT_TENANT, *id).await.expect("read").is_some());
        }
        left
    }

    /// How many registrations of the address wait for their proof.
    pub(crate) async fn pending(&self, email: &str) -> usize {
        let key = Email::parse(email, true).expect("an address").key(&self.cx.keyring, DEFAULT_TENANT);
        self.cx.store.list_registrations(DEFAULT_TENANT, &key, 100).await.expect("read").len()
    }

    /// How many audit records there are of `action`.
    pub(crate) async fn audited(&self, action: &str) -> usize {
        let filter = crate::audit::AuditFilter { action: Some(action.into()), ..Default::default() };
        self.cx.store.list_audit(DEFAULT_TENANT, &filter, None, 1_000).await.expect("read").len()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.cx.now()
    }
}

pub(crate) fn registration(email: &str, password: &str) -> RegisterRequest {
    RegisterRequest {
        email: email.into(),
        password: password.into(),
        name: None,
        locale: None,
        profile: None,
        redirect_url: None,
    }
}

/// The codes of the refused fields.
pub(crate) fn codes<T: std::fmt::Debug>(result: Result<T>) -> Vec<String> {
    result.expect_err("refused").fields.into_iter().map(|field| format!("{}: {}", field.field, field.code)).collect()
}

pub(crate) fn code<T: std::fmt::Debug>(result: Result<T>) -> ErrorCode {
    result.expect_err("refused").code
}
