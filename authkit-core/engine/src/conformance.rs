//! An installation for conformance runs: each scenario finds it new, moves its clock and reads its mail.

use crate::{Argon2Pool, Config, Engine, EngineError, storage};
use authkit_core::{
    Origin,
    memory::{MemoryStore, SeededRandom, SystemClock},
    ports::{Clock, PasswordHasher, Random, Store},
    tenants::DEFAULT_TENANT,
    wire::Secret,
};
use authkit_sql::SqlStore;
use jiff::Timestamp;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// The seed of a reset that names none.
const SEED: u64 = 1;

/// The administrator's address.
const ADMIN: &str = "admin@conformance.example";

/// Makes engines over one database, each on a fresh state with the same keys, ids and tokens. Whoever knows the seed knows
/// them all, so this is for one's own machine: production is refused, and so is a database that somebody uses.
///
/// Mail stays in the outbox, nothing is limited in number, and no worker runs: [`Engine::catch_up`] does its work when it
/// is called, so that a run does not depend on how fast the machine is. Passwords cost what the configuration says.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use authkit_engine::{Config, Conformance};
///
/// let conformance = Conformance::open(Config::development("sqlite::memory:")).await?;
/// let (engine, administrator) = conformance.reset(Default::default()).await?;
/// conformance.clock().advance(900);
/// engine.catch_up().await?;
/// # let _ = administrator;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Conformance {
    config: Config,
    place: Place,
    clock: ConformanceClock,
    random: SeededRandom,
    hasher: Arc<dyn PasswordHasher>,
}

#[derive(Debug)]
enum Place {
    Memory,
    Sql(Arc<SqlStore>),
}

/// Where a fresh state begins.
#[derive(Clone, Copy, Debug, Default)]
pub struct Start {
    /// The time, from [`ConformanceClock::EARLIEST`] to [`ConformanceClock::LATEST`], or else the nearer of the two; the
    /// system's when absent.
    pub now: Option<Timestamp>,
    /// What randomness begins with; always the same when absent.
    pub seed: Option<u64>,
}

/// The administrator of a fresh state.
#[derive(Clone, Debug)]
pub struct Administrator {
    /// The address.
    pub email: String,
    /// The password.
    pub password: Secret,
}

impl Conformance {
    /// Over the configured database.
    ///
    /// # Errors
    /// In production, when somebody uses the database, and those of [`EngineBuilder::build`](crate::EngineBuilder::build).
    pub async fn open(config: Config) -> Result<Self, EngineError> {
        let mut conformance = Self::in_memory(config)?;
        let clock = Arc::new(conformance.clock.clone());
        let store = storage::opened(&conformance.config, clock, true).await?;
        let unread = |error| EngineError::Database(format!("{}: {error}", conformance.config.shown_database_url()));
        if !store.is_erasable().await.map_err(unread)? {
            return Err(EngineError::Database(format!(
                "{} holds an installation, and conformance mode would delete it; name an empty database, or \
                 sqlite::memory:",
                conformance.config.shown_database_url()
            )));
        }
        conformance.place = Place::Sql(Arc::new(store));
        Ok(conformance)
    }

    /// Whether there may be one with this configuration.
    ///
    /// # Errors
    /// In production.
    pub fn allowed(config: &Config) -> Result<(), EngineError> {
        if config.is_development() {
            return Ok(());
        }
        Err(EngineError::Setup(
            "conformance mode does not start in production: its tokens can be foretold, and anybody may set its clock; \
             leave --conformance out"
                .into(),
        ))
    }

    /// Over a [`MemoryStore`], whatever database is configured.
    ///
    /// # Errors
    /// In production, and for a configuration that is refused.
    pub fn in_memory(mut config: Config) -> Result<Self, EngineError> {
        Self::allowed(&config)?;
        // Nothing leaves, nothing is limited, and no real key seals what a seed foretells.
        config.mail.smtp = None;
        config.rate_limits.enabled = false;
        config.keys = crate::config::Keys::default();
        config.operations.listen = None;
        config.check()?;
        let random = SeededRandom::new(SEED);
        let pool = Argon2Pool::start(&(&config.argon2).into(), Arc::new(random.clone())).map_err(EngineError::Setup)?;
        Ok(Self { config, place: Place::Memory, clock: ConformanceClock::new(), random, hasher: Arc::new(pool) })
    }

    /// Deletes everything and begins anew. Engines of earlier resets must not be used any more.
    ///
    /// # Errors
    /// Those of [`EngineBuilder::build`](crate::EngineBuilder::build).
    pub async fn reset(&self, start: Start) -> Result<(Engine, Administrator), EngineError> {
        let store: Arc<dyn Store> = match &self.place {
            Place::Memory => Arc::new(MemoryStore::default()),
            Place::Sql(store) => {
                let failed = |error| EngineError::Database(format!("the database cannot be emptied: {error}"));
                store.erase().await.map_err(failed)?;
                store.clone()
            }
        };
        self.clock.set(start.now.unwrap_or_else(|| SystemClock.now()));
        self.random.reseed(start.seed.unwrap_or(SEED));
        let engine = Engine::builder(self.config.clone())
            .store(store)
            .clock(self.clock.clone())
            .random(self.random.clone())
            .shared_hasher(Arc::clone(&self.hasher))
            .build()
            .await?;
        let administrator = self.administrator(&engine).await?;
        engine.catch_up().await?;
        Ok((engine, administrator))
    }

    /// The clock of every engine that it makes.
    #[must_use]
    pub const fn clock(&self) -> &ConformanceClock {
        &self.clock
    }

    /// The configuration of every engine that it makes.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    async fn administrator(&self, engine: &Engine) -> Result<Administrator, EngineError> {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        // One character of each kind that a policy may ask for.
        let password = Secret::from(format!("Aa1!{:032x}", u128::from_be_bytes(bytes)));
        let origin = Origin::local(DEFAULT_TENANT);
        let user = engine.accounts().create_verified(&origin, ADMIN, &password, Some("Administrator")).await?;
        let role = engine.operator(DEFAULT_TENANT).get_role("admin").await?;
        engine.roles().assign(&origin, None, user.id, role.id).await?;
        Ok(Administrator { email: user.email, password })
    }
}

/// A clock that stands until it is moved, but for a microsecond at each reading, so that what happens later is later. Its
/// clones move together.
#[derive(Clone, Debug)]
pub struct ConformanceClock(Arc<AtomicI64>);

impl ConformanceClock {
    /// 1970-01-01T00:00:00Z: before it there is no time in tokens and ids.
    pub const EARLIEST: Timestamp = Timestamp::UNIX_EPOCH;

    /// 3000-01-01T00:00:00Z: whatever is reckoned from there still has a date.
    pub const LATEST: Timestamp = Timestamp::constant(32_503_680_000, 0);

    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(SystemClock.now().as_microsecond())))
    }

    fn set(&self, at: Timestamp) {
        self.0.store(at.clamp(Self::EARLIEST, Self::LATEST).as_microsecond(), Ordering::SeqCst);
    }

    /// Moves it by seconds, never back and not beyond [`LATEST`](Self::LATEST). Let the engine
    /// [catch up](Engine::catch_up) then.
    pub fn advance(&self, seconds: u32) {
        let by = i64::from(seconds) * 1_000_000;
        let moved = |now: i64| Some(now.saturating_add(by).min(Self::LATEST.as_microsecond()).max(now));
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
    }

    /// What it shows, without moving it.
    #[must_use]
    pub fn shows(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }
}

impl Clock for ConformanceClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.fetch_add(1, Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;
    use authkit_testkit::{databases::Db, on_both_engines};

    on_both_engines! {
        a_database_that_somebody_uses_is_refused
        each_reset_begins_anew_and_alike
    }

    fn config(url: &str) -> Config {
        let mut config = Config::development(url);
        config.argon2.memory_kib = 64;
        config.argon2.iterations = 1;
        config
    }

    async fn a_database_that_somebody_uses_is_refused(db: Db) {
        let database = db.create(async |url| drop(Config::development(&url).migrate(|_| {}).await.unwrap()));
        drop(Engine::builder(config(&database.url)).build().await.unwrap());
        let refused = Conformance::open(config(&database.url)).await.map(drop).unwrap_err().to_string();
        assert!(refused.contains("would delete it"), "{refused}");
    }

    async fn each_reset_begins_anew_and_alike(db: Db) {
        let database = db.create(async |url| drop(Config::development(&url).migrate(|_| {}).await.unwrap()));
        let conformance = Conformance::open(config(&database.url)).await.unwrap();
        let start = Start { now: Some("2026-01-01T00:00:00Z".parse().unwrap()), seed: Some(7) };
        let mut seen = Vec::new();
        for _ in 0..2 {
            let (engine, administrator) = conformance.reset(start).await.unwrap();
            let users = engine.operator(DEFAULT_TENANT).list_users(&Default::default(), 10).await.unwrap();
            assert_eq!(users.len(), 1);
            seen.push((users[0].id, users[0].password_hash.clone(), administrator.password.expose().to_owned()));
            conformance.clock().advance(3600);
        }
        assert_eq!(seen[0], seen[1]);
        let (engine, other) = conformance.reset(Start { seed: Some(8), ..start }).await.unwrap();
        assert_ne!(other.password.expose(), seen[0].2);
        assert_eq!(engine.context().now().as_second(), start.now.unwrap().as_second());
        drop((engine, conformance));
        Conformance::open(config(&database.url)).await.unwrap().reset(start).await.unwrap();
        // And nobody takes what can be foretold for an installation.
        let refused = Engine::builder(config(&database.url)).build().await.map(drop).unwrap_err().to_string();
        assert!(refused.contains("a conformance run has used this database"), "{refused}");
    }

    #[tokio::test]
    async fn production_is_refused() {
        let production = Config { env: Environment::Production, ..config("sqlite::memory:") };
        assert!(
            Conformance::in_memory(production.clone()).is_err_and(|error| error.to_string().contains("production"))
        );
        assert!(Conformance::open(production).await.is_err_and(|error| error.to_string().contains("production")));
    }

    #[tokio::test]
    async fn after_a_jump_the_node_knows_what_is_so_and_mail_is_there() {
        let conformance = Conformance::in_memory(config("sqlite::memory:")).unwrap();
        let (engine, administrator) = conformance.reset(Start::default()).await.unwrap();
        let origin = Origin::local(DEFAULT_TENANT);
        let request = authkit_core::wire::EmailRequest { email: administrator.email };
        engine.accounts().forgot_password(&origin, request).await.unwrap();
        conformance.clock().advance(60);
        assert!(engine.ready().await.is_err(), "the jump itself makes the node stale");
        engine.catch_up().await.unwrap();
        engine.ready().await.unwrap();
        let mail = engine.notices().development_outbox(DEFAULT_TENANT, None).await.unwrap();
        assert_eq!(mail.iter().filter(|mail| mail.kind == "password_reset").count(), 1);
    }
}
