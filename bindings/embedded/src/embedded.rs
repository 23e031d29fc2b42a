use crate::{engines, failure, log, process, settings};
use arc_swap::ArcSwap;
use authkit_client::{Error, Result};
use authkit_engine::{
    Administrator, Config, Conformance, Engine, WorkerHandle,
    core::{
        Origin,
        operations::Operations,
        sessions::Principal,
        tenants::DEFAULT_TENANT,
        wire::{Secret, UserId},
    },
};
use serde_json::Value;
use std::{
    fmt,
    mem::forget,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::OnceCell;

/// How long work that runs may go on when an engine is closed.
const PATIENCE: Duration = Duration::from_secs(5);

/// An engine inside this process. Clones are the same engine; the last one that goes closes the database.
#[derive(Clone)]
pub struct Embedded(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) source: Source,
    state: ArcSwap<State>,
}

/// What an engine is made of, and made of again after a fork.
pub(crate) enum Source {
    Installation(Box<Config>),
    Conformance(Box<Conformance>),
}

impl Source {
    pub(crate) fn config(&self) -> &Config {
        match self {
            Self::Installation(config) => config,
            Self::Conformance(conformance) => conformance.config(),
        }
    }

    /// Whether there is a file that must not be open while the process forks.
    pub(crate) fn is_file(&self) -> bool {
        self.config().database_file().is_some()
    }
}

/// What one process has of an engine.
pub(crate) struct State {
    process: u32,
    /// Why there is none.
    closed: Option<Error>,
    opened: OnceCell<Arc<Opened>>,
}

impl State {
    fn new(closed: Option<Error>) -> Arc<Self> {
        Arc::new(Self { process: std::process::id(), closed, opened: OnceCell::new() })
    }

    fn is_here(&self) -> bool {
        self.process == std::process::id()
    }
}

pub(crate) struct Opened {
    pub(crate) engine: Engine,
    pub(crate) operations: Operations,
    worker: Mutex<Option<WorkerHandle>>,
    /// Of a conformance run.
    pub(crate) administrator: Option<Administrator>,
}

impl Embedded {
    /// Opens an engine with settings that have the names of docs/configuration.md; a text under `database` stands for
    /// `database_url`.
    ///
    /// # Errors
    /// `client.invalid_argument` for settings that are refused, by name; `client.environment` and the core's codes when
    /// the database cannot be used.
    pub async fn open(settings: Value) -> Result<Self> {
        let mut config = settings::read(settings)?;
        config.database.auto_migrate.get_or_insert(true);
        log::start(&config);
        Self::start(Source::Installation(Box::new(config))).await
    }

    pub(crate) async fn start(source: Source) -> Result<Self> {
        let engine = Self(Arc::new(Inner { source, state: ArcSwap::new(State::new(None)) }));
        engine.opened().await?;
        engines::remember(&engine.0);
        Ok(engine)
    }

    /// The engine of this process, opened when it is not.
    pub(crate) async fn opened(&self) -> Result<Arc<Opened>> {
        let state = self.0.here();
        if let Some(error) = &state.closed {
            return Err(error.clone());
        }
        let inner = self.0.clone();
        let open = || async { process::on_runtime(async move { inner.open().await }).await? };
        state.opened.get_or_try_init(open).await.cloned()
    }

    /// Who presents the access token, from what this process knows, without waiting and without reading; `None` when that
    /// may be too little, and [`authenticate`](Self::authenticate) has to ask.
    ///
    /// # Errors
    /// `auth.invalid_token`, alike for every reason.
    #[must_use]
    pub fn verify(&self, token: &str) -> Option<Result<Principal>> {
        let state = self.0.state.load();
        let opened = state.opened.get().filter(|_| state.is_here())?;
        let cx = opened.engine.context();
        let now = cx.now();
        if cx.authority.is_stale(now) {
            return None;
        }
        let verified = cx.authority.authenticate(cx, token);
        if let Ok(principal) = &verified {
            cx.authority.note_activity(principal, now);
        }
        Some(verified.map_err(|error| failure::refused(error, None)))
    }

    /// Who presents the access token. When this process may know too little, it asks the database.
    ///
    /// # Errors
    /// `auth.invalid_token`, alike for every reason; `server.unavailable` when nothing can be read; those of a closed engine.
    pub async fn authenticate(&self, token: &str) -> Result<Principal> {
        let opened = self.opened().await?;
        let token = token.to_owned();
        let asked = async move { opened.engine.sessions().authenticate(&token).await };
        process::on_runtime(asked).await?.map_err(|error| failure::refused(error, None))
    }

    /// Hashes a password and does nothing with the hash.
    ///
    /// # Errors
    /// Those of the hash pool, and of a closed engine.
    #[cfg(feature = "bench")]
    pub async fn hash_alone(&self, password: Secret) -> Result<()> {
        let opened = self.opened().await?;
        let hash =
            process::on_runtime(async move { opened.engine.context().hasher.hash(&password).await.is_ok() }).await?;
        if hash { Ok(()) } else { Err(failure::environment("The password was not hashed.".to_owned())) }
    }

    /// Ends the worker and lets go of the database, once what runs is finished. Calls that come later are refused.
    pub async fn close(&self) {
        let inner = self.0.clone();
        let _ = process::on_runtime(async move { inner.close().await }).await;
    }

    /// Makes an account whose address needs no proof, with roles by their names; its id. For an application's own set-up, like
    /// `authkit user create`.
    ///
    /// # Errors
    /// Those of registering; `role.not_found`.
    pub async fn create_user(
        &self,
        email: &str,
        password: Secret,
        name: Option<&str>,
        roles: &[String],
    ) -> Result<UserId> {
        let opened = self.opened().await?;
        let (email, name, roles) = (email.to_owned(), name.map(str::to_owned), roles.to_vec());
        let made = process::on_runtime(async move {
            let (engine, origin) = (&opened.engine, Origin::local(DEFAULT_TENANT));
            let operator = engine.operator(DEFAULT_TENANT);
            let mut granted = Vec::with_capacity(roles.len());
            for role in &roles {
                granted.push(operator.get_role(role).await?.id);
            }
            let user = engine.accounts().create_verified(&origin, &email, &password, name.as_deref()).await?;
            for role in granted {
                engine.roles().assign(&origin, None, user.id, role).await?;
            }
            Ok(user.id)
        });
        made.await?.map_err(|error| failure::refused(error, None))
    }
}

impl Inner {
    /// The state of this process: after a fork a new one takes the place of the parent's.
    fn here(&self) -> Arc<State> {
        loop {
            let state = self.state.load_full();
            if state.is_here() {
                return state;
            }
            let torn = state.opened.initialized() && self.source.is_file();
            let closed = if torn { Some(failure::torn()) } else { state.closed.clone() };
            let before = self.state.compare_and_swap(&state, State::new(closed));
            // What the parent opened belongs to it: its threads are not here, and its files and sockets are in use there.
            forget(state);
            forget(arc_swap::Guard::into_inner(before));
        }
    }

    /// Puts `next` in the place of the state, and returns what this process had opened.
    pub(crate) fn leave(&self, next: Arc<State>) -> Option<Arc<Opened>> {
        let before = self.state.swap(next);
        if !before.is_here() {
            forget(before);
            return None;
        }
        before.opened.get().cloned()
    }

    pub(crate) fn is_open(&self) -> bool {
        let state = self.state.load();
        state.is_here() && state.opened.initialized()
    }

    pub(crate) async fn close(&self) {
        let message = "The engine is closed. Open it again, and make new clients of it.";
        if let Some(opened) = self.leave(State::new(Some(Error::invalid_argument(message)))) {
            opened.close().await;
        }
    }

    /// Closes the database for a while: the next call opens it again.
    pub(crate) async fn rest(&self) {
        let state = self.here();
        if state.closed.is_some() {
            return;
        }
        if let Some(opened) = self.leave(State::new(None)) {
            opened.close().await;
        }
    }

    /// Puts what `opened` holds in the place of what is there.
    pub(crate) async fn replace(&self, opened: Opened) {
        let state = State::new(None);
        let _ = state.opened.set(Arc::new(opened));
        if let Some(before) = self.leave(state) {
            before.stop().await;
        }
    }

    async fn open(&self) -> Result<Arc<Opened>> {
        let opened = match &self.source {
            Source::Installation(config) => {
                let engine = Engine::builder((**config).clone()).build().await.map_err(failure::opening)?;
                let worker = engine.start_worker();
                Opened::new(engine, Some(worker), None)
            }
            Source::Conformance(conformance) => {
                let (engine, administrator) = conformance.reset(Default::default()).await.map_err(failure::opening)?;
                Opened::new(engine, None, Some(administrator))
            }
        };
        Ok(Arc::new(opened))
    }
}

impl Opened {
    pub(crate) fn new(engine: Engine, worker: Option<WorkerHandle>, administrator: Option<Administrator>) -> Self {
        let operations = Operations::new(engine.context().clone());
        Self { engine, operations, worker: Mutex::new(worker), administrator }
    }

    async fn stop(&self) {
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(worker) = worker {
            worker.stop(PATIENCE).await;
        }
    }

    async fn close(&self) {
        self.stop().await;
        self.engine.close().await;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let Some(opened) = self.leave(State::new(None)) else { return };
        if let Ok(runtime) = process::runtime() {
            runtime.spawn(async move { opened.close().await });
        }
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").field("config", self.0.source.config()).finish_non_exhaustive()
    }
}
