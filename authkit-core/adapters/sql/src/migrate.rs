//! Migrations: the same numbers on both engines, embedded, locked against others who migrate at the same time.
//!
//! A later version's migration names the oldest program that runs on beside it; see `compatible_from`.

use crate::{OpenError, SqlStore, db::Db};
use authkit_core::crypto::{hex, sha256};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::time::Duration;

mod checks;
#[cfg(test)]
mod tests;

use checks::{CHECKS, Check};

/// One migration. Its text never changes once it was released.
#[derive(Clone, Copy, Debug)]
struct Migration {
    version: i64,
    name: &'static str,
    /// The oldest program, by the newest migration that it knows, that still runs on the schema after this one. A
    /// migration that only adds what old programs need not know (expand) names an older one, so that they run on while
    /// nodes are replaced one by one; one that takes something away (contract) names the first that does without it.
    compatible_from: i64,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal from $compatible_from:literal $file:literal;)+) => {
        &[$(Migration {
            version: $version,
            name: $name,
            compatible_from: $compatible_from,
            sqlite: include_str!(concat!("../migrations/sqlite/", $file)),
            postgres: include_str!(concat!("../migrations/postgres/", $file)),
        },)+]
    };
}

const MIGRATIONS: &[Migration] = migrations! {
    1 "initial" from 1 "0001_initial.sql";
    2 "devices" from 1 "0002_devices.sql";
};

/// Every table, in the order in which migrations make them.
pub(crate) fn tables() -> impl Iterator<Item = &'static str> {
    let lines = MIGRATIONS.iter().flat_map(|migration| migration.sqlite.lines());
    lines.filter_map(|line| line.strip_prefix("CREATE TABLE ")?.split([' ', '(']).next())
}

/// The newest schema that this program knows.
pub const LATEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// A program's migrations, and what it wants to hold before and after them.
#[derive(Clone, Copy, Debug)]
struct Plan<'a> {
    migrations: &'a [Migration],
    checks: &'a [Check],
}

/// Those of this program.
const PLAN: Plan<'static> = Plan { migrations: MIGRATIONS, checks: CHECKS };

/// A migration that the database has.
#[derive(Clone, Debug)]
struct Row {
    version: i64,
    checksum: String,
    compatible_from: i64,
}

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
    hex(&sha256(sql.as_bytes()))
}

impl SqlStore {
    /// Which migrations the database has.
    ///
    /// # Errors
    /// [`OpenError::Newer`] and [`OpenError::Altered`] as well.
    pub async fn migration_state(&self) -> Result<MigrationState, OpenError> {
        self.state_of(PLAN).await
    }

    /// Whether the rows contradict each other, as before and after migrations.
    ///
    /// # Errors
    /// [`OpenError::Inconsistent`].
    pub async fn check(&self) -> Result<(), OpenError> {
        match &self.db {
            Db::Sqlite(db) => Engine::Sqlite(&mut *db.writer().await).check(PLAN.checks, LATEST).await,
            Db::Postgres(db) => {
                let mut connection = db.pool().acquire().await.map_err(OpenError::of)?;
                Engine::Postgres(&mut connection).check(PLAN.checks, LATEST).await
            }
        }
    }

    async fn state_of(&self, plan: Plan<'_>) -> Result<MigrationState, OpenError> {
        let applied = match &self.db {
            Db::Sqlite(db) => Engine::Sqlite(&mut *db.writer().await).applied().await?,
            Db::Postgres(db) => {
                let mut connection = db.pool().acquire().await.map_err(OpenError::of)?;
                Engine::Postgres(&mut connection).applied().await?
            }
        };
        self.judge(plan, &applied)
    }

    /// Applies the missing migrations, each in a transaction of its own, and tells `progress`. Consistency is checked
    /// before the first and after the last. Safe to call from several processes at once: one does the work.
    ///
    /// # Errors
    /// See [`OpenError`]; what was applied before the failing migration stays.
    pub async fn migrate(&self, progress: impl FnMut(Progress) + Send) -> Result<MigrationState, OpenError> {
        self.migrate_to(PLAN, progress).await
    }

    async fn migrate_to(
        &self,
        plan: Plan<'_>,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<MigrationState, OpenError> {
        let state = self.state_of(plan).await?;
        let steps = state.pending.len();
        for (at, (version, name)) in state.pending.iter().copied().enumerate() {
            let step = Progress { version, name, done: false, step: at + 1, steps };
            progress(step);
            match &self.db {
                Db::Sqlite(db) => {
                    let mut connection = db.writer().await;
                    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await.map_err(OpenError::of)?;
                    let done = self.step(plan, Engine::Sqlite(&mut connection), version, steps == at + 1).await;
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
                    self.step(plan, Engine::Postgres(&mut transaction), version, steps == at + 1).await?;
                    transaction.commit().await.map_err(|error| OpenError::Migration { version, error })?;
                }
            }
            progress(Progress { done: true, ..step });
        }
        self.state_of(plan).await
    }

    /// Applies one migration inside an open transaction, unless another process did so meanwhile.
    async fn step(&self, plan: Plan<'_>, mut engine: Engine<'_>, version: i64, last: bool) -> Result<(), OpenError> {
        engine
            .run(
                "CREATE TABLE IF NOT EXISTS authkit_migrations (version BIGINT NOT NULL PRIMARY KEY, \
                 name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL, compatible_from BIGINT)",
            )
            .await
            .map_err(OpenError::of)?;
        let applied = engine.applied().await?;
        let before = self.judge(plan, &applied)?.applied;
        if applied.iter().any(|done| done.version >= version) {
            return Ok(());
        }
        let Some(migration) = plan.migrations.iter().find(|migration| migration.version == version) else {
            return Ok(());
        };
        if before > 0 {
            engine.check(plan.checks, before).await?;
        }
        let failed = |error| OpenError::Migration { version, error };
        engine.run(self.text(migration)).await.map_err(failed)?;
        let insert = format!(
            "INSERT INTO authkit_migrations (version, name, checksum, applied_at, compatible_from) \
             VALUES ({version}, '{}', '{}', {}, {})",
            migration.name,
            checksum(self.text(migration)),
            self.clock.now().as_microsecond(),
            migration.compatible_from,
        );
        engine.run_owned(insert).await.map_err(failed)?;
        if last { engine.check(plan.checks, version).await } else { Ok(()) }
    }

    const fn text(&self, migration: &Migration) -> &'static str {
        match self.db {
            Db::Sqlite(_) => migration.sqlite,
            Db::Postgres(_) => migration.postgres,
        }
    }

    fn judge(&self, plan: Plan<'_>, applied: &[Row]) -> Result<MigrationState, OpenError> {
        let newest = applied.iter().map(|row| row.version).max().unwrap_or_default();
        let latest = plan.migrations.iter().map(|migration| migration.version).max().unwrap_or_default();
        // A later version may have migrated it, as long as that left everything in place that this program needs.
        if applied.iter().any(|row| row.version > latest && row.compatible_from > latest) {
            return Err(OpenError::Newer { database: newest, known: latest });
        }
        for row in applied.iter().filter(|row| row.version <= latest) {
            let known = plan.migrations.iter().find(|migration| migration.version == row.version);
            if known.is_none_or(|migration| checksum(self.text(migration)) != row.checksum) {
                return Err(OpenError::Altered { version: row.version });
            }
        }
        let pending = plan
            .migrations
            .iter()
            .filter(|migration| applied.iter().all(|row| row.version != migration.version))
            .map(|migration| (migration.version, migration.name))
            .collect();
        Ok(MigrationState { applied: newest, latest, pending })
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

    /// The applied migrations, in order.
    async fn applied(&mut self) -> Result<Vec<Row>, OpenError> {
        let exists = match self {
            Self::Sqlite(_) => "SELECT count(*) FROM sqlite_schema WHERE name = 'authkit_migrations'",
            Self::Postgres(_) => "SELECT count(to_regclass('authkit_migrations'))",
        };
        if self.number(exists).await.map_err(OpenError::of)? == 0 {
            return Ok(Vec::new());
        }
        // A migration that does not say so is compatible with no older program.
        let sql =
            "SELECT version, checksum, COALESCE(compatible_from, version) FROM authkit_migrations ORDER BY version";
        match self {
            Self::Sqlite(connection) => {
                let rows = sqlx::query(sql).fetch_all(&mut **connection).await.map_err(OpenError::of)?;
                rows.iter().map(row_of).collect::<Result<_, sqlx::Error>>()
            }
            Self::Postgres(connection) => {
                let rows = sqlx::query(sql).fetch_all(&mut **connection).await.map_err(OpenError::of)?;
                rows.iter().map(row_of).collect()
            }
        }
        .map_err(OpenError::of)
    }

    /// What must hold of the rows at schema `version`.
    async fn check(&mut self, checks: &[Check], version: i64) -> Result<(), OpenError> {
        for Check { what, sql, .. } in checks.iter().copied().filter(|check| check.since <= version) {
            let rows = self.number(sql).await.map_err(OpenError::of)?;
            if rows != 0 {
                return Err(OpenError::Inconsistent { check: what, rows });
            }
        }
        Ok(())
    }
}

fn row_of<'r, R>(row: &'r R) -> Result<Row, sqlx::Error>
where
    R: sqlx::Row,
    usize: sqlx::ColumnIndex<R>,
    i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    Ok(Row { version: row.try_get(0)?, checksum: row.try_get(1)?, compatible_from: row.try_get(2)? })
}
