use crate::{Config, EngineBuilder, WorkerHandle, worker};
use authkit_core::{
    Context,
    accounts::Accounts,
    audit::AuditLog,
    auth::SignIn,
    devices::Devices,
    mfa::Mfa,
    notices::Notices,
    ports::{Mailer, StoreError},
    rbac::Roles,
    sessions::Sessions,
    tenants::Tenants,
};
use std::{fmt, sync::Arc};

/// Everything of AuthKit behind one handle, which is cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) cx: Arc<Context>,
    pub(crate) mailer: Arc<dyn Mailer>,
    accounts: Accounts,
    sign_in: SignIn,
    mfa: Mfa,
    devices: Devices,
    sessions: Sessions,
    roles: Roles,
    tenants: Tenants,
    audit: AuditLog,
    notices: Notices,
}

impl Engine {
    /// A builder over `config`.
    #[must_use]
    pub fn builder(config: Config) -> EngineBuilder {
        EngineBuilder::new(config)
    }

    pub(crate) fn new(config: Config, cx: Arc<Context>, mailer: Arc<dyn Mailer>) -> Self {
        Self(Arc::new(Inner {
            accounts: Accounts::new(Arc::clone(&cx)),
            sign_in: SignIn::new(Arc::clone(&cx)),
            mfa: Mfa::new(Arc::clone(&cx)),
            devices: Devices::new(Arc::clone(&cx)),
            sessions: Sessions::new(Arc::clone(&cx)),
            roles: Roles::new(Arc::clone(&cx)),
            tenants: Tenants::new(Arc::clone(&cx)),
            audit: AuditLog::new(Arc::clone(&cx)),
            notices: Notices::new(Arc::clone(&cx)),
            config,
            cx,
            mailer,
        }))
    }

    /// Starts what runs beside requests: the feed of revocations, delivery of mail, sealing of the audit log, clean-up
    /// and key rotation. Without it this node still answers, but reads the rows behind every token and sends no mail.
    ///
    /// Call it within a tokio runtime, once.
    #[must_use = "dropping the handle stops the worker"]
    pub fn start_worker(&self) -> WorkerHandle {
        worker::start(self.clone())
    }

    /// Does once and in order what the [worker](Self::start_worker) does again and again: hears the feed, delivers all mail
    /// that is due, seals the audit log, cleans up, looks after the keys. For tests in the place of a worker, above all
    /// after their clock has jumped.
    ///
    /// # Errors
    /// Those of the store; what was done before stays done.
    pub async fn catch_up(&self) -> authkit_core::Result<()> {
        worker::catch_up(self).await
    }

    /// The configuration it was built from.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The ports, keys and settings that the services share.
    #[must_use]
    pub fn context(&self) -> &Arc<Context> {
        &self.0.cx
    }

    /// Where mail goes.
    #[must_use]
    pub fn mailer(&self) -> &Arc<dyn Mailer> {
        &self.0.mailer
    }

    /// Registration, passwords, profile and addresses.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    /// Signing in.
    #[must_use]
    pub fn sign_in(&self) -> &SignIn {
        &self.0.sign_in
    }

    /// Second factors.
    #[must_use]
    pub fn mfa(&self) -> &Mfa {
        &self.0.mfa
    }

    /// Devices, which sign in with keys of their own.
    #[must_use]
    pub fn devices(&self) -> &Devices {
        &self.0.devices
    }

    /// Sessions, tokens and signing keys.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// Roles and permissions.
    #[must_use]
    pub fn roles(&self) -> &Roles {
        &self.0.roles
    }

    /// Tenants.
    #[must_use]
    pub fn tenants(&self) -> &Tenants {
        &self.0.tenants
    }

    /// The audit log.
    #[must_use]
    pub fn audit(&self) -> &AuditLog {
        &self.0.audit
    }

    /// The outbox.
    #[must_use]
    pub fn notices(&self) -> &Notices {
        &self.0.notices
    }

    /// Whether this node can answer: the store does, and the feed of revocations is fresh.
    ///
    /// # Errors
    /// What is missing.
    pub async fn ready(&self) -> Result<(), NotReady> {
        self.0.cx.store.ping().await.map_err(NotReady::Store)?;
        if self.0.cx.authority.is_stale(self.0.cx.now()) { Err(NotReady::Stale) } else { Ok(()) }
    }

    /// Lets go of the database, once what runs is finished. [Stop](WorkerHandle::stop) the worker first; the engine is not used
    /// after that. Dropping it closes the database too, some time later.
    pub async fn close(&self) {
        self.0.cx.store.close().await;
    }
}

/// Why a node should get no requests now.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The store does not answer.
    #[error("the database does not answer")]
    Store(#[source] StoreError),
    /// The feed of revocations was not heard for a while.
    #[error("the feed of revocations is not up to date")]
    Stale,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("config", &self.0.config).finish_non_exhaustive()
    }
}
