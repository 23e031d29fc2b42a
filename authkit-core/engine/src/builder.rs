use crate::{
    Argon2Pool, BreachedList, Config, Engine, EngineError, MaxMindPlaces,
    config::{ConfigError, Problem},
    counting::Counting,
    hooks::Patient,
    keys,
    storage::{self, Opened},
};
use authkit_core::{
    Context,
    crypto::{Keyring, MasterKey},
    memory::{SystemClock, SystemRandom, Unsent},
    notices::Templates,
    ports::{BreachedPasswords, Clock, Hooks, Mailer, NoHooks, NoPlaces, PasswordHasher, Places, Random, Store},
    rbac::{Permission, Permissions},
    sessions::Authority,
    wire::ErrorCode,
};
use std::{collections::BTreeMap, error::Error as _, fmt, sync::Arc, time::Duration};

/// Puts an [`Engine`] together: the configuration, and in the place of what it would choose, the host application's own ports.
#[derive(Default)]
pub struct EngineBuilder {
    config: Config,
    store: Option<Arc<dyn Store>>,
    clock: Option<Arc<dyn Clock>>,
    random: Option<Arc<dyn Random>>,
    hasher: Option<Arc<dyn PasswordHasher>>,
    mailer: Option<Arc<dyn Mailer>>,
    hooks: Option<Arc<dyn Hooks>>,
    places: Option<Arc<dyn Places>>,
    breached: Option<Arc<dyn BreachedPasswords>>,
    templates: Option<Templates>,
    permissions: Vec<Permission>,
    migrate: Option<bool>,
}

macro_rules! ports {
    ($($(#[$doc:meta])* $name:ident: $port:ident,)+) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $name: impl $port + 'static) -> Self {
            self.$name = Some(Arc::new($name));
            self
        }
    )+};
}

impl EngineBuilder {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, ..Self::default() }
    }

    ports! {
        /// Tells the time. Default: the system's clock.
        clock: Clock,
        /// Gives randomness. Default: the system's.
        random: Random,
        /// Hashes passwords. Default: [`Argon2Pool`] with the configured parameters.
        hasher: PasswordHasher,
        /// Delivers mail. Default: the configured SMTP relay, or nothing but the outbox in development.
        mailer: Mailer,
        /// The application's say in what AuthKit does.
        hooks: Hooks,
        /// Knows where addresses are. Default: the configured database.
        places: Places,
        /// Knows breached passwords. Default: [`BreachedList`].
        breached: BreachedPasswords,
    }

    /// Keeps everything in `store` instead of the configured database. It is taken as it is: nothing is migrated.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Hashes passwords on a pool that other engines use too.
    pub(crate) fn shared_hasher(mut self, hasher: Arc<dyn PasswordHasher>) -> Self {
        self.hasher = Some(hasher);
        self
    }

    /// The application's own mail templates.
    #[must_use]
    pub fn templates(mut self, templates: Templates) -> Self {
        self.templates = Some(templates);
        self
    }

    /// Permissions of the application, beside AuthKit's own.
    #[must_use]
    pub fn permissions(mut self, permissions: impl IntoIterator<Item = Permission>) -> Self {
        self.permissions.extend(permissions);
        self
    }

    /// Whether the database's schema is brought up to date, whatever the configuration says.
    #[must_use]
    pub const fn migrate(mut self, migrate: bool) -> Self {
        self.migrate = Some(migrate);
        self
    }

    /// Checks the configuration, opens the database, and writes what every installation starts with.
    ///
    /// # Errors
    /// Whatever stands in the way, and what to do about it.
    pub async fn build(self) -> Result<Engine, EngineError> {
        let config = self.config;
        config.check()?;
        let random = self.random.unwrap_or_else(|| Arc::new(SystemRandom));
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let opened = match self.store {
            Some(store) => Opened { store, key: None },
            None => {
                storage::open(&config, Arc::clone(&clock), &*random, self.migrate.unwrap_or_else(|| config.migrates()))
                    .await?
            }
        };
        let keyring = keyring(&config, opened.key, &*random)?;
        let hasher = match self.hasher {
            Some(hasher) => hasher,
            None => {
                Arc::new(Argon2Pool::start(&(&config.argon2).into(), Arc::clone(&random)).map_err(EngineError::Setup)?)
            }
        };
        let breached = match (self.breached, &config.password.breached_list) {
            (Some(breached), _) => breached,
            (None, None) => Arc::new(BreachedList::default()),
            (None, Some(path)) => Arc::new(
                BreachedList::with_file(path).map_err(|error| refused("password.breached_list", error.to_string()))?,
            ),
        };
        let places: Arc<dyn Places> = match (self.places, &config.places.database) {
            (Some(places), _) => places,
            (None, None) => Arc::new(NoPlaces),
            (None, Some(path)) => {
                Arc::new(MaxMindPlaces::open(path).map_err(|error| refused("places.database", error))?)
            }
        };
        let mailer = match self.mailer {
            Some(mailer) => mailer,
            None => match &config.mail.smtp {
                Some(smtp) => crate::mail::relay(&config.mail.from, smtp)?,
                None => Arc::new(Unsent),
            },
        };
        let settings = config.settings();
        let cx = Arc::new(Context {
            store: opened.store,
            clock,
            random,
            hasher,
            breached,
            places,
            observer: Arc::new(Counting),
            hooks: self
                .hooks
                .map_or_else(|| Arc::new(NoHooks) as Arc<dyn Hooks>, |hooks| Arc::new(Patient::new(hooks))),
            keyring,
            permissions: Permissions::new(self.permissions)?,
            templates: self.templates.unwrap_or_else(Templates::builtin),
            authority: Authority::default(),
            settings,
        });
        prepare(&cx).await.map_err(|error| match error.source() {
            // Nobody has seen the log yet in which the cause of an internal error can be found.
            Some(cause) if error.code == ErrorCode::Internal => EngineError::Setup(cause.to_string()),
            _ => error.into(),
        })?;
        Ok(Engine::new(config, cx, mailer))
    }
}

/// [`Context::prepare`]; the loser of a race between two nodes finds everything there when it looks again.
async fn prepare(cx: &Arc<Context>) -> Result<(), authkit_core::Error> {
    let mut tries = 0;
    loop {
        match cx.prepare().await {
            Err(error) if error.code.retryable() && tries < 8 => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(25 << tries)).await;
            }
            done => return done,
        }
    }
}

fn keyring(config: &Config, development: Option<MasterKey>, random: &dyn Random) -> Result<Keyring, EngineError> {
    let mut masters = BTreeMap::new();
    for (version, text) in &config.keys.master {
        let key = keys::parse(text).map_err(|error| refused(&format!("keys.master.{version}"), error))?;
        masters.insert(*version, key);
    }
    if masters.is_empty() && config.is_development() {
        let fresh = || {
            let mut key = MasterKey::default();
            random.fill(key.as_mut());
            key
        };
        masters.insert(1, development.unwrap_or_else(fresh));
    }
    Keyring::new(&masters).ok_or_else(|| EngineError::Key("there is no master key; set keys.master".into()))
}

fn refused(name: &str, detail: String) -> EngineError {
    ConfigError { problems: vec![Problem { name: name.into(), detail }] }.into()
}

impl fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineBuilder").field("config", &self.config).finish_non_exhaustive()
    }
}
