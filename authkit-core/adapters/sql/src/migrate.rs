//! Migrations: the same numbers on both engines, embedded, locked against others who migrate at the same time.

use crate::{OpenError, SqlStore, db::Db};
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, PgConnection, Row as _, SqliteConnection};
use std::time::Duration;

/// One migration. Its text never changes once it was released.
struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal $file:literal;)+) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/", $file)),
            postgres: include_str!(concat!("../migrations/postgres/", $file)),
        },)+]
    };
}

const MIGRATIONS: &[Migration] = migrations! {
    1 "initial" "0001_initial.sql";
};

/// The newest schema that this program knows.
pub const LATEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// What must hold of the rows before and after migrations: (what, a query that counts violations).
const CHECKS: &[(&str, &str)] = &[
    (
        "every session belongs to a user of its tenant",
        "SELECT count(*) FROM sessions s WHERE NOT EXISTS \
         (SELECT 1 FROM users u WHERE u.tenant_id = s.tenant_id AND u.id = s.user_id)",
    ),
    (
        "every assignment names a user and a role of its tenant",
        "SELECT count(*) FROM role_assignments a WHERE NOT EXISTS \
         (SELECT 1 FROM users u WHERE u.tenant_id = a.tenant_id AND u.id = a.user_id) OR NOT EXISTS \
         (SELECT 1 FROM roles r WHERE r.tenant_id = a.tenant_id AND r.id = a.role_id)",
    ),
    (
        "every authenticator belongs to a user of its tenant",
        "SELECT count(*) FROM totp t WHERE NOT EXISTS \
         (SELECT 1 FROM users u WHERE u.tenant_id = t.tenant_id AND u.id = t.user_id)",
    ),
    (
        "every host belongs to a tenant",
        "SELECT count(*) FROM tenant_hosts h WHERE NOT EXISTS (SELECT 1 FROM tenants t WHERE t.id = h.tenant_id)",
    ),
];

/// PostgreSQL's lock for migrations ("authkit" in ASCII).
const LOCK: i64 = 0x0061_7574_686b_6974;
/// How long to wait for another process that migrates.
const PATIENCE: Duration = Duration::from_secs(120);

/// How far [`SqlStore::migrate`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The migration.
    pub version: i64,
    /// Its name.
    pub name: &'static str,
    /// Whether it is done, else it begins.
    pub done: bool,
    /// Its place among those that are applied now, from 1.
    pub step: usize,
    /// How many are applied now.
    pub steps: usize,
}

/// Which migrations a database has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationState {
    /// The newest that was applied; 0 for an empty database.
    pub applied: i64,
    /// The newest that this program knows.
    pub latest: i64,
    /// Numbers and names of those that are missing.
    pub pending: Vec<(i64, &'static str)>,
}

fn checksum(sql: &str) -> String {
    Sha256::digest(sql.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl SqlStore {
    /// Which migrations the database has.
    ///
    /// # Errors
    /// [`OpenError::Newer`] and [`OpenError::Altered`] as well.
    pub async fn migration_state(&self) -> Result<MigrationState, OpenError> {
        let applied = match &self.db {
            Db::Sqlite(db) => Engine::Sqlite(&mut *db.writer().await).applied().await?,
            Db::Postgres(db) => {
                let mut connection = db.pool().acquire().await.map_err(OpenError::of)?;
                Engine::Postgres(&mut connection).applied().await?
            }
        };
        self.judge(&applied)
    }

    /// Applies the missing migrations, each in a transaction of its own, and tells `progress`. Consistency is checked
    /// before the first and after the last. Safe to call from several processes at once: one does the work.
    ///
    /// # Errors
    /// See [`OpenError`]; what was applied before the failing migration stays.
    pub async fn migrate(&self, mut progress: impl FnMut(Progress) + Send) -> Result<MigrationState, OpenError> {
        let state = self.migration_state().await?;
        let steps = state.pending.len();
        for (at, (version, name)) in state.pending.iter().copied().enumerate() {
            let step = Progress { version, name, done: false, step: at + 1, steps };
            progress(step);
            match &self.db {
                Db::Sqlite(db) => {
                    let mut connection = db.writer().await;
                    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await.map_err(OpenError::of)?;
                    let done = self.step(Engine::Sqlite(&mut connection), version, steps == at + 1).await;
                    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
                    let ended = sqlx::raw_sql(end).execute(&mut *connection).await;
                    done?;
                    ended.map_err(|error| OpenError::Migration { version, error })?;
                }
                Db::Postgres(db) => {
                    let mut connection = db.pool().acquire().await.map_err(OpenError::of)?;
                    let mut transaction = connection.begin().await.map_err(OpenError::of)?;
                    let wait = format!(
                        "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = {}; \
                         SELECT pg_advisory_xact_lock({LOCK})",
                        PATIENCE.as_millis()
                    );
                    sqlx::raw_sql(sqlx::AssertSqlSafe(wait)).execute(&mut *transaction).await.map_err(OpenError::of)?;
                    self.step(Engine::Postgres(&mut transaction), version, steps == at + 1).await?;
                    transaction.commit().await.map_err(|error| OpenError::Migration { version, error })?;
                }
            }
            progress(Progress { done: true, ..step });
        }
        self.migration_state().await
    }

    /// Applies one migration inside an open transaction, unless another process did so meanwhile.
    async fn step(&self, mut engine: Engine<'_>, version: i64, last: bool) -> Result<(), OpenError> {
        engine
            .run(
                "CREATE TABLE IF NOT EXISTS authkit_migrations (version BIGINT NOT NULL PRIMARY KEY, \
                 name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)",
            )
            .await
            .map_err(OpenError::of)?;
        let applied = engine.applied().await?;
        self.judge(&applied)?;
        if applied.iter().any(|(done, _)| *done >= version) {
            return Ok(());
        }
        let Some(migration) = MIGRATIONS.iter().find(|migration| migration.version == version) else { return Ok(()) };
        if version > 1 {
            engine.check().await?;
        }
        let failed = |error| OpenError::Migration { version, error };
        engine.run(self.text(migration)).await.map_err(failed)?;
        let insert = format!(
            "INSERT INTO authkit_migrations (version, name, checksum, applied_at) VALUES ({version}, '{}', '{}', {})",
            migration.name,
            checksum(self.text(migration)),
            self.clock.now().as_microsecond()
        );
        engine.run_owned(insert).await.map_err(failed)?;
        if last { engine.check().await } else { Ok(()) }
    }

    const fn text(&self, migration: &Migration) -> &'static str {
        match self.db {
            Db::Sqlite(_) => migration.sqlite,
            Db::Postgres(_) => migration.postgres,
        }
    }

    fn judge(&self, applied: &[(i64, String)]) -> Result<MigrationState, OpenError> {
        let newest = applied.iter().map(|(version, _)| *version).max().unwrap_or_default();
        if newest > LATEST {
            return Err(OpenError::Newer { database: newest, known: LATEST });
        }
        for (version, sum) in applied {
            let known = MIGRATIONS.iter().find(|migration| migration.version == *version);
            if known.is_none_or(|migration| checksum(self.text(migration)) != *sum) {
                return Err(OpenError::Altered { version: *version });
            }
        }
        let pending = MIGRATIONS
            .iter()
            .filter(|migration| applied.iter().all(|(version, _)| *version != migration.version))
            .map(|migration| (migration.version, migration.name))
            .collect();
        Ok(MigrationState { applied: newest, latest: LATEST, pending })
    }
}

/// A connection of either engine.
enum Engine<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl Engine<'_> {
    async fn run(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql(sql).execute(&mut **connection).await.map(drop),
            Self::Postgres(connection) => sqlx::raw_sql(sql).execute(&mut **connection).await.map(drop),
        }
    }

    async fn run_owned(&mut self, sql: String) -> Result<(), sqlx::Error> {
        let sql = sqlx::AssertSqlSafe(sql);
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql(sql).execute(&mut **connection).await.map(drop),
            Self::Postgres(connection) => sqlx::raw_sql(sql).execute(&mut **connection).await.map(drop),
        }
    }

    async fn number(&mut self, sql: &'static str) -> Result<i64, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_one(&mut **connection).await,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_one(&mut **connection).await,
        }
    }

    /// The applied migrations with their checksums.
    async fn applied(&mut self) -> Result<Vec<(i64, String)>, OpenError> {
        let exists = match self {
            Self::Sqlite(_) => "SELECT count(*) FROM sqlite_schema WHERE name = 'authkit_migrations'",
            Self::Postgres(_) => "SELECT count(to_regclass('authkit_migrations'))",
        };
        if self.number(exists).await.map_err(OpenError::of)? == 0 {
            return Ok(Vec::new());
        }
        let sql = "SELECT version, checksum FROM authkit_migrations ORDER BY version";
        match self {
            Self::Sqlite(connection) => {
                let rows = sqlx::query(sql).fetch_all(&mut **connection).await.map_err(OpenError::of)?;
                rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, sqlx::Error>>()
            }
            Self::Postgres(connection) => {
                let rows = sqlx::query(sql).fetch_all(&mut **connection).await.map_err(OpenError::of)?;
                rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
            }
        }
        .map_err(OpenError::of)
    }

    async fn check(&mut self) -> Result<(), OpenError> {
        for (check, sql) in CHECKS.iter().copied() {
            let rows = self.number(sql).await.map_err(OpenError::of)?;
            if rows != 0 {
                return Err(OpenError::Inconsistent { check, rows });
            }
        }
        Ok(())
    }
}
