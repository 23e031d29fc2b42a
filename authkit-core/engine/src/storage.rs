//! The configured database: opening it, bringing its schema up to date, and the key that development keeps with it.

use crate::{Config, EngineError, counting::Migrations, keys};
use authkit_core::{
    crypto::MasterKey,
    memory::SystemClock,
    ports::{Clock, Random, Scope, Store, StoreError, Unit},
    sessions::KeyStore,
    tenants::LeaseChange,
};
use authkit_sql::{OpenError, Options, SqlStore};
use jiff::SignedDuration;
use std::{
    error::Error as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

pub use authkit_sql::{MigrationState, Progress as MigrationProgress};

/// How often, and for how long altogether, a database that does not answer yet is tried: containers start together.
const TRIES: u32 = 5;

/// How long another process may hold the database when this one starts.
const LOCKED: Duration = Duration::from_secs(5);

/// A store, and the development key that lies with it.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) key: Option<MasterKey>,
}

/// Opens the configured database for the engine.
pub(crate) async fn open(
    config: &Config,
    clock: Arc<dyn Clock>,
    random: &dyn Random,
    migrate: bool,
) -> Result<Opened, EngineError> {
    let store = opened(config, clock, migrate).await?;
    if store.is_scratch().await.map_err(unread)? {
        // Its keys and tokens are known to everybody, and the next reset would delete what is kept here.
        let scratch = "a conformance run has used this database; name another one".to_owned();
        return Err(EngineError::Database(scratch).at(&config.shown_database_url()));
    }
    writable(&store).await.map_err(|error| error.at(&config.shown_database_url()))?;
    let key = match config.is_development() && config.keys.master.is_empty() {
        true => development_key(config, &store, random).await?,
        false => None,
    };
    Ok(Opened { store: Arc::new(store), key })
}

/// The configured database with an up-to-date schema.
pub(crate) async fn opened(config: &Config, clock: Arc<dyn Clock>, migrate: bool) -> Result<SqlStore, EngineError> {
    let store = connect(config, clock).await?;
    let state = store.migration_state().await.map_err(failed)?;
    if !state.pending.is_empty() {
        if !migrate {
            return Err(EngineError::NotMigrated(state.pending.len()));
        }
        let mut counted = Migrations::new();
        let progress = |step: MigrationProgress| {
            counted.step(step.done);
            tracing::info!(version = step.version, name = step.name, done = step.done, "migration");
        };
        store.migrate(progress).await.map_err(failed)?;
    }
    Ok(store)
}

/// A unit that changes nothing tells whether units can be committed: a database that another process holds, or that is
/// read-only, still answers reads.
async fn writable(store: &SqlStore) -> Result<(), EngineError> {
    let locked = "the database is locked by another process; end it, or wait for it";
    let probe = Unit::new().with(LeaseChange::Release { name: "start", owner: Uuid::nil() });
    let outcome = tokio::time::timeout(LOCKED, store.commit(Scope::System, probe)).await;
    let Ok(outcome) = outcome else { return Err(EngineError::Database(locked.to_owned())) };
    outcome.map(drop).map_err(|error| {
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        EngineError::Database(match cause.contains("locked") {
            true => locked.to_owned(),
            false => format!("the database cannot be written to: {}", one_line(&cause)),
        })
    })
}

async fn connect(config: &Config, clock: Arc<dyn Clock>) -> Result<SqlStore, EngineError> {
    if let Some(folder) = sqlite_path(config).as_deref().and_then(Path::parent).filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| {
            EngineError::Database(format!("the folder {} of the database cannot be made: {error}", folder.display()))
        })?;
    }
    let options = Options {
        clock,
        connections: config.database.max_connections,
        connect_timeout: config.database.acquire_timeout.duration(),
        ..Options::default()
    };
    let mut tries = 0;
    let started = Instant::now();
    loop {
        match SqlStore::open(config.database_url.expose(), options.clone()).await {
            Err(OpenError::Unreachable(error)) if tries < TRIES && refuses_for_now(config, &error.to_string()) => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(100 << tries)).await;
            }
            // Of two who set up an empty SQLite database at once, one is told so without any wait.
            Err(OpenError::Locked(_)) if started.elapsed() < LOCKED => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // An operator with several databases wants to know which one.
            outcome => return outcome.map_err(|error| failed(error).at(&config.shown_database_url())),
        }
    }
}

/// Whether a server may be starting: only then is waiting any use, and only production starts beside its database.
fn refuses_for_now(config: &Config, error: &str) -> bool {
    !config.is_development() && (error.contains("refused") || error.contains("starting up"))
}

fn failed(error: OpenError) -> EngineError {
    EngineError::Database(one_line(&error.to_string()))
}

/// What a driver says may have several lines; an operator gets one.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The file of a SQLite database. `None` for one in memory, and for PostgreSQL.
pub(crate) fn sqlite_path(config: &Config) -> Option<PathBuf> {
    let rest = config.database_url.expose().strip_prefix("sqlite:")?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.strip_prefix("//").unwrap_or(path);
    (!path.is_empty() && !path.contains(":memory:") && !query.contains("mode=memory")).then(|| PathBuf::from(path))
}

/// Where development keeps its key on SQLite.
pub(crate) fn key_path(config: &Config) -> Option<PathBuf> {
    let beside = || {
        let mut path = sqlite_path(config)?.into_os_string();
        path.push(".key");
        Some(path.into())
    };
    config.keys.file.clone().or_else(beside)
}

fn unread(error: StoreError) -> EngineError {
    EngineError::Key(format!("the development key: {error}"))
}

async fn development_key(
    config: &Config,
    store: &SqlStore,
    random: &dyn Random,
) -> Result<Option<MasterKey>, EngineError> {
    let mut candidate = MasterKey::default();
    random.fill(candidate.as_mut());
    if let Some(path) = key_path(config) {
        // Signing keys are sealed under it, and made after it: where there are some, another key opens nothing.
        if !path.exists() && !store.list_keys().await.map_err(unread)?.is_empty() && !path.exists() {
            let gone = format!("the development key {} is gone; restore it from the backup", path.display());
            return Err(EngineError::Key(gone));
        }
        return keys::development_file(&path, &candidate).map(Some).map_err(EngineError::Key);
    }
    if config.database_url.expose().starts_with("sqlite:") {
        // In memory: the key lives as long as the data.
        return Ok(None);
    }
    store.development_key(&candidate).await.map(|key| Some(key.into())).map_err(unread)
}

impl EngineError {
    fn at(self, place: &str) -> Self {
        match self {
            Self::Database(what) => Self::Database(format!("{what} ({place})")),
            other => other,
        }
    }
}

impl Config {
    /// Which migrations the configured database has.
    ///
    /// # Errors
    /// When it cannot be opened, or is newer than this program.
    pub async fn migration_state(&self) -> Result<MigrationState, EngineError> {
        let store = connect(self, Arc::new(SystemClock)).await?;
        let state = store.migration_state().await.map_err(failed);
        store.close().await;
        state
    }

    /// Brings the configured database's schema up to date; the rows are checked before and after. `progress` hears of
    /// each migration when it begins and when it is done. Safe to run from several processes at once.
    ///
    /// # Errors
    /// What stood in the way. What was applied before stays.
    pub async fn migrate(&self, progress: impl FnMut(MigrationProgress) + Send) -> Result<MigrationState, EngineError> {
        let store = connect(self, Arc::new(SystemClock)).await?;
        let state = store.migrate(progress).await.map_err(failed);
        store.close().await;
        state
    }

    /// How far the database server's clock is ahead of this machine's. `None` for SQLite, which has none of its own.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn clock_difference(&self) -> Result<Option<SignedDuration>, EngineError> {
        let store = connect(self, Arc::new(SystemClock)).await?;
        // The first question pays for the connection.
        let _ = store.server_time().await;
        let before = SystemClock.now();
        let told = store.server_time().await;
        let middle = before + SystemClock.now().duration_since(before) / 2;
        store.close().await;
        let told = told.map_err(|error| EngineError::Database(one_line(&error.to_string())))?;
        Ok(told.map(|there| there.duration_since(middle)))
    }

    /// The file of the SQLite database, when it is one.
    #[must_use]
    pub fn database_file(&self) -> Option<PathBuf> {
        sqlite_path(self)
    }

    /// The file of development's generated master key, when it keeps one in a file.
    #[must_use]
    pub fn key_file(&self) -> Option<PathBuf> {
        let generated = self.is_development() && self.keys.master.is_empty();
        key_path(self).filter(|_| generated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_lies_beside_the_database() {
        for (url, file, key) in [
            ("sqlite://data/authkit.db", Some("data/authkit.db"), Some("data/authkit.db.key")),
            ("sqlite:///var/lib/a.db?mode=rwc", Some("/var/lib/a.db"), Some("/var/lib/a.db.key")),
            ("sqlite:a.db", Some("a.db"), Some("a.db.key")),
            ("sqlite::memory:", None, None),
            ("sqlite://x?mode=memory", None, None),
            ("postgres://u@h/d", None, None),
        ] {
            let config = Config::development(url);
            assert_eq!(config.database_file(), file.map(PathBuf::from), "{url}");
            assert_eq!(config.key_file(), key.map(PathBuf::from), "{url}");
        }
    }
}
