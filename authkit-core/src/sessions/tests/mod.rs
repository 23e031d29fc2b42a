//! Domain tests on the memory store with the test clock.

mod authority;
mod device_forgery;
mod ending;
mod flaky;
mod forgery;
mod keys;
mod rotation;
mod sweeping;

use super::{Sessions, open};
use crate::{
    Context, Error, Origin, Result, Settings,
    accounts::{AccountChange, User},
    memory::{self, ManualClock, SeededRandom},
    ports::{Scope, Unit},
    rbac::{Role, RoleChange},
    sessions::FeedEvent,
    tenants::DEFAULT_TENANT,
};
use authkit_wire::*;
use flaky::Flaky;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

const START: i64 = 1_800_000_000;

/// An installation with one user, as one node sees it.
struct House {
    cx: Arc<Context>,
    clock: ManualClock,
    store: Flaky,
    sessions: Sessions,
    user: User,
    origin: Origin,
}

async fn house() -> House {
    house_with(|_| {}).await
}

async fn house_with(change: impl FnOnce(&mut Context)) -> House {
    let clock = ManualClock::new(Timestamp::from_second(START).unwrap());
    let store = Flaky::default();
    let mut bare = memory::bare(clock.clone(), SeededRandom::new(1), Settings::default()).unwrap();
    bare.store = Arc::new(store.clone());
    change(&mut bare);
    let cx = memory::prepare(bare).await.unwrap();
    let user = make_user(&cx, "ada@example.com").await;
    let origin = Origin {
        ip: Some("192.0.2.7".parse().unwrap()),
        user_agent: Some("Browser".into()),
        ..Origin::local(DEFAULT_TENANT)
    };
    House { sessions: Sessions::new(cx.clone()), cx, clock, store, user, origin }
}

impl House {
    /// Another node over the same store.
    async fn other_node(&self) -> (Arc<Context>, Sessions) {
        self.other_node_with(|_| {}).await
    }

    async fn other_node_with(&self, change: impl FnOnce(&mut Context)) -> (Arc<Context>, Sessions) {
        // The same seed draws the same master key.
        let mut bare = memory::bare(self.clock.clone(), SeededRandom::new(1), self.cx.settings.clone()).unwrap();
        bare.store = Arc::new(self.store.clone());
        bare.random = Arc::new(SeededRandom::new(2));
        change(&mut bare);
        let cx = memory::prepare(bare).await.unwrap();
        (cx.clone(), Sessions::new(cx))
    }

    fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    async fn sign_in(&self) -> TokensView {
        self.sign_in_as(&self.user).await
    }

    async fn sign_in_as(&self, user: &User) -> TokensView {
        let now = self.cx.now();
        let user = self.cx.store.find_user(user.tenant, user.id).await.unwrap().unwrap();
        let signed_in = AccountChange::SignedIn { user: user.id, security_version: user.security_version, at: now };
        let mut unit = Unit::new().with(signed_in);
        let view = open(&self.cx, &self.origin, &user, &["pwd"], &mut unit).await.unwrap();
        self.cx.commit(Scope::Tenant(user.tenant), unit).await.unwrap();
        view
    }

    async fn refresh(&self, token: &Secret) -> Result<TokensView> {
        self.sessions.refresh(&self.origin, token, None).await
    }

    async fn authenticate(&self, tokens: &TokensView) -> Result<crate::Principal> {
        self.sessions.authenticate(tokens.access_token.expose()).await
    }

    /// Makes a role and assigns it to the user.
    async fn grant(&self, name: &str, permissions: &[&str]) -> Role {
        self.grant_to(&self.user, name, permissions).await
    }

    async fn grant_to(&self, user: &User, name: &str, permissions: &[&str]) -> Role {
        let role = make_role(&self.cx, name, permissions).await;
        let unit = Unit::new()
            .with(RoleChange::Assign { user: user.id, role: role.id, by: None, at: self.cx.now() })
            .with(FeedEvent::UserChanged(DEFAULT_TENANT, user.id));
        self.cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
        role
    }

    async fn count_sessions(&self) -> usize {
        self.cx.store.list_sessions(DEFAULT_TENANT, self.user.id, None, 1000).await.unwrap().len()
    }

    /// The actions of the audit log, the oldest first.
    async fn audited(&self) -> Vec<String> {
        let records = self.cx.store.list_audit(DEFAULT_TENANT, &Default::default(), None, 1000).await.unwrap();
        records.into_iter().rev().map(|(record, _)| record.action).collect()
    }
}

async fn make_user(cx: &Context, email: &str) -> User {
    let now = cx.now();
    let user = User {
        id: UserId::new(cx.uuid()),
        tenant: DEFAULT_TENANT,
        email: email.into(),
        email_key: cx.keyring.index("email", &[email.as_bytes()]),
        email_verified: true,
        name: None,
        locale: None,
        profile: Default::default(),
        preferences: Default::default(),
        password_hash: None,
        status: UserStatus::Active,
        mfa_enabled: false,
        subject_key: crate::audit::new_subject_key(cx),
        security_version: 1,
        kept_session: None,
        version: 1,
        erase_at: None,
        last_sign_in_at: None,
        created_at: now,
        updated_at: now,
    };
    let unit = Unit::new().with(AccountChange::CreateUser(Box::new(user.clone())));
    cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
    user
}

async fn make_role(cx: &Context, name: &str, permissions: &[&str]) -> Role {
    let now = cx.now();
    let role = Role {
        id: RoleId::new(cx.uuid()),
        tenant: DEFAULT_TENANT,
        name: name.into(),
        named_at: now,
        description: String::new(),
        parent: None,
        permissions: permissions.iter().map(|&p| p.to_owned()).collect(),
        system: false,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let unit = Unit::new().with(RoleChange::Create(role.clone())).with(FeedEvent::RolesChanged(DEFAULT_TENANT));
    cx.commit(Scope::Tenant(DEFAULT_TENANT), unit).await.unwrap();
    role
}

fn code<T>(result: Result<T, Error>) -> Option<ErrorCode> {
    result.err().map(|error| error.code)
}

fn text(secret: &Secret) -> String {
    secret.expose().to_owned()
}
