//! What an application's tests need to stand on: users, roles, tenants and sign-ins, made through the services.

use crate::fakes::{RecordingMailer, SeededRandom, TestClock};
use authkit_core::{
    Context, Error, Origin, Principal, Result, Settings,
    accounts::Accounts,
    auth::SignIn,
    memory,
    notices::Notices,
    rbac::Roles,
    sessions::Sessions,
    tenants::{DEFAULT_TENANT, Tenant, TenantSettings, Tenants},
    wire::{CreateRoleRequest, ErrorCode, LoginRequest, LoginView, RoleView, Secret, TenantId, TokensView, UserView},
};
use jiff::Timestamp;
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use uuid::Uuid;

/// Makes what a test needs, in one tenant. Everything goes through the services, so what it makes is what people would.
///
/// ```
/// use authkit_testkit::factories::Factory;
/// # async fn example() -> authkit_core::Result<()> {
/// let (factory, clock, mailer) = Factory::in_memory().await?;
/// factory.role("editor", &["users:read"]).await?;
/// let ada = factory.user_with_roles("ada@example.org", &["editor"]).await?;
/// let (tokens, principal) = factory.sign_in(&ada.email).await?;
/// assert!(principal.has("users:read"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Factory {
    cx: Arc<Context>,
    tenant: TenantId,
    made: Arc<AtomicU32>,
}

impl Factory {
    /// The password of every user that a factory makes.
    pub const PASSWORD: &str = "correct horse battery staple 42";

    /// A factory over `cx`, in the default tenant.
    #[must_use]
    pub fn new(cx: Arc<Context>) -> Self {
        Self { cx, tenant: DEFAULT_TENANT, made: Arc::default() }
    }

    /// A factory over a new installation in memory, with the clock that it goes by and the mailer for [`deliver`](Self::deliver).
    ///
    /// # Errors
    /// See [`memory::context`].
    pub async fn in_memory() -> Result<(Self, TestClock, RecordingMailer)> {
        // 2026-01-01T00:00:00Z
        let clock = TestClock::new(Timestamp::from_second(1_767_225_600).map_err(Error::internal)?);
        let cx = memory::context(clock.clone(), SeededRandom::new(1), Settings::default()).await?;
        Ok((Self::new(cx), clock, RecordingMailer::default()))
    }

    /// The context, for services of one's own.
    #[must_use]
    pub fn context(&self) -> Arc<Context> {
        self.cx.clone()
    }

    /// A request from nowhere in particular, in the factory's tenant.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        Origin::local(self.tenant)
    }

    /// A new tenant, and a factory in it.
    ///
    /// # Errors
    /// `request.validation_failed`; a conflict when the short name is taken.
    pub async fn tenant(&self, slug: &str) -> Result<(Tenant, Self)> {
        let tenants = Tenants::new(self.cx.clone());
        let tenant = tenants.create(slug, slug, &[], TenantSettings::default()).await?;
        let factory = Self { cx: self.cx.clone(), tenant: tenant.id, made: Arc::default() };
        Ok((tenant, factory))
    }

    /// A verified user with an address of its own.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn user(&self) -> Result<UserView> {
        let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        self.user_at(&format!("user{number}@example.org")).await
    }

    /// A verified user.
    ///
    /// # Errors
    /// `account.email_taken`, `request.validation_failed`.
    pub async fn user_at(&self, email: &str) -> Result<UserView> {
        let accounts = Accounts::new(self.cx.clone());
        accounts.create_verified(&self.origin(), email, &Secret::from(Self::PASSWORD), None).await
    }

    /// A verified user who holds `roles`, which exist.
    ///
    /// # Errors
    /// As for [`user_at`](Self::user_at), and [`assign`](Self::assign).
    pub async fn user_with_roles(&self, email: &str, roles: &[&str]) -> Result<UserView> {
        let user = self.user_at(email).await?;
        for role in roles {
            self.assign(&user, role).await?;
        }
        Ok(user)
    }

    /// A verified user who holds the system role `admin`.
    ///
    /// # Errors
    /// As for [`user_at`](Self::user_at).
    pub async fn administrator(&self, email: &str) -> Result<UserView> {
        self.user_with_roles(email, &["admin"]).await
    }

    /// A role.
    ///
    /// # Errors
    /// Those of [`Roles::create`].
    pub async fn role(&self, name: &str, permissions: &[&str]) -> Result<RoleView> {
        let request = CreateRoleRequest {
            name: name.into(),
            description: String::new(),
            parent_id: None,
            permissions: permissions.iter().map(|&permission| permission.into()).collect(),
        };
        Roles::new(self.cx.clone()).create(&self.origin(), None, request).await
    }

    /// Gives `user` the role of that name.
    ///
    /// # Errors
    /// When there is no such role, and those of [`Roles::assign`].
    pub async fn assign(&self, user: &UserView, role: &str) -> Result<()> {
        let roles = Roles::new(self.cx.clone());
        let role = roles.find_by_name(self.tenant, role).await?.ok_or(ErrorCode::RoleNotFound)?;
        roles.assign(&self.origin(), None, user.id, role.id).await
    }

    /// Signs a user of this factory in, who has no second factor.
    ///
    /// # Errors
    /// Those of [`SignIn::login`], and when there is a second factor.
    pub async fn sign_in(&self, email: &str) -> Result<(TokensView, Principal)> {
        let request = LoginRequest { email: email.into(), password: Self::PASSWORD.into() };
        match SignIn::new(self.cx.clone()).login(&self.origin(), request).await? {
            LoginView::Tokens(tokens) => {
                let principal = Sessions::new(self.cx.clone()).authenticate(tokens.access_token.expose()).await?;
                Ok((*tokens, principal))
            }
            LoginView::MfaRequired(_) => Err(Error::internal("the user has a second factor")),
        }
    }

    /// Delivers every notice that is due.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn deliver(&self, mailer: &RecordingMailer) -> Result<()> {
        let notices = Notices::new(self.cx.clone());
        while notices.deliver_due(Uuid::from_u128(1), mailer).await? > 0 {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{FailingMailer, FixedBreaches, RefusingHooks};
    use authkit_core::ports::{BreachedPasswords, MailError, Mailer, OperationKind};

    #[tokio::test]
    async fn a_user_with_a_role_signs_in_and_may_what_the_role_grants() {
        let (factory, _, mailer) = Factory::in_memory().await.unwrap();
        factory.role("reader", &["users:read"]).await.unwrap();
        let ada = factory.user_with_roles("ada@example.org", &["reader"]).await.unwrap();
        let (_, principal) = factory.sign_in(&ada.email).await.unwrap();
        assert_eq!((principal.has("users:read"), principal.has("users:write")), (true, false));
        let root = factory.administrator("root@example.org").await.unwrap();
        assert!(factory.sign_in(&root.email).await.unwrap().1.has("users:write"));
        assert!(factory.user().await.unwrap().email != factory.user().await.unwrap().email);
        assert_eq!(factory.assign(&ada, "nothing").await.unwrap_err().code, ErrorCode::RoleNotFound);
        factory.deliver(&mailer).await.unwrap();
    }

    #[tokio::test]
    async fn tenants_are_apart() {
        let (factory, ..) = Factory::in_memory().await.unwrap();
        let (_, acme) = factory.tenant("acme").await.unwrap();
        factory.user_at("ada@example.org").await.unwrap();
        assert!(acme.sign_in("ada@example.org").await.is_err());
        acme.user_at("ada@example.org").await.unwrap();
        acme.sign_in("ada@example.org").await.unwrap();
    }

    #[tokio::test]
    async fn mailed_tokens_are_read_from_the_mailer() {
        let (factory, _, mailer) = Factory::in_memory().await.unwrap();
        factory.user_at("ada@example.org").await.unwrap();
        let forgot = authkit_core::wire::EmailRequest { email: "ada@example.org".into() };
        Accounts::new(factory.context()).forgot_password(&factory.origin(), forgot).await.unwrap();
        factory.deliver(&mailer).await.unwrap();
        let token = mailer.token("ada@example.org", "password_reset").unwrap();
        assert!(token.expose().starts_with("akp_"));
        assert!(mailer.token("ada@example.org", "verify_email").is_none());
    }

    #[tokio::test]
    async fn a_failing_mailer_fails_as_often_as_told() {
        let (factory, _, mailer) = Factory::in_memory().await.unwrap();
        factory.user_at("ada@example.org").await.unwrap();
        let forgot = authkit_core::wire::EmailRequest { email: "ada@example.org".into() };
        Accounts::new(factory.context()).forgot_password(&factory.origin(), forgot).await.unwrap();
        factory.deliver(&mailer).await.unwrap();
        let mail = mailer.take().pop().unwrap();
        let failing = FailingMailer::new([MailError::Temporary("busy".into())]);
        assert!(failing.send(&mail).await.is_err());
        assert!(failing.send(&mail).await.is_ok());
        assert_eq!((failing.left(), failing.delivered.mails().len()), (0, 1));
    }

    #[tokio::test]
    async fn fakes_of_hooks_and_breaches_take_effect() {
        let clock = TestClock::new(Timestamp::UNIX_EPOCH);
        let hooks = RefusingHooks::new([OperationKind::SignIn]);
        let mut cx = memory::bare(clock, SeededRandom::new(1), Settings::default()).unwrap();
        cx.hooks = Arc::new(hooks.clone());
        let factory = Factory::new(memory::prepare(cx).await.unwrap());
        factory.user_at("ada@example.org").await.unwrap();
        let refused = factory.sign_in("ada@example.org").await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::HookRefused);
        assert!(hooks.asked().contains(&OperationKind::SignIn));
        factory.deliver(&RecordingMailer::default()).await.unwrap();
        assert!(hooks.told().iter().any(|operation| operation.kind == OperationKind::CreateUser));
        let breaches = FixedBreaches::new(["password1"]);
        assert!(breaches.contains(&"password1".into()).await && !breaches.contains(&"other".into()).await);
    }
}
