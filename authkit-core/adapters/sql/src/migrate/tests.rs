//! The migrator with migrations of its own, and with rows that are not as they should be.

use super::{CHECKS, LATEST, MIGRATIONS, Migration, Plan};
use crate::{OpenError, Options, SqlStore};
use authkit_testkit::postgres::Postgres;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

struct Database {
    store: SqlStore,
    url: String,
    _folder: tempfile::TempDir,
}

impl Database {
    async fn both() -> [Self; 2] {
        let folder = || tempfile::tempdir().unwrap();
        let (first, second) = (folder(), folder());
        let file = format!("sqlite://{}", first.path().join("authkit.db").display());
        [Self::new(file, first).await, Self::new(Postgres::start_fast().create_database(), second).await]
    }

    async fn new(url: String, folder: tempfile::TempDir) -> Self {
        let store = SqlStore::open(&url, Options::default()).await.unwrap();
        store.migrate(|_| {}).await.unwrap();
        Self { store, url, _folder: folder }
    }

    fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite")
    }

    /// Runs SQL beside the store, on a database that keeps no foreign keys. `{u}` and `{o}` are ids, `{b}` bytes, `{f}` false.
    async fn by_hand(&self, sql: &str) {
        let (open, close, bytes, no) = match self.is_sqlite() {
            true => ("x'", "'", "x'07'", "0"),
            false => ("'", "'::uuid", "'\\x07'::bytea", "false"),
        };
        let id = |last: u8| format!("{open}0000000000007000800000000000000{last}{close}");
        let sql = sql.replace("{u}", &id(7)).replace("{o}", &id(8)).replace("{b}", bytes).replace("{f}", no);
        if self.is_sqlite() {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            let sql = AssertSqlSafe(format!("PRAGMA foreign_keys = OFF; {sql}"));
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            let unbind = "DO $$ DECLARE c record; BEGIN FOR c IN SELECT conrelid::regclass AS t, conname FROM \
                pg_constraint WHERE contype = 'f' LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); \
                END LOOP; END $$";
            sqlx::raw_sql(unbind).execute(&mut connection).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        }
    }

    async fn number(&self, sql: &'static str) -> i64 {
        if self.is_sqlite() {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
        }
    }
}

/// The program's migrations and one more.
fn next(sql: &'static str, compatible_from: i64) -> Vec<Migration> {
    let version = LATEST + 1;
    let next = Migration { version, name: "next", compatible_from, sqlite: sql, postgres: sql };
    MIGRATIONS.iter().copied().chain([next]).collect()
}

const fn plan(migrations: &[Migration]) -> Plan<'_> {
    Plan { migrations, checks: CHECKS }
}

const GOOD: &str = "ALTER TABLE users ADD COLUMN nickname TEXT; UPDATE users SET nickname = name;";

/// One row for each check, which nothing but that check minds.
const BAD_ROWS: &[(&str, &str)] = &[
    (
        "sessions",
        "(tenant_id, id, user_id, amr, auth_time, created_at, last_active_at, refresh_hash, refresh_expires_at, \
         sweep_at) VALUES ({u}, {u}, {u}, '[]', 0, 0, 0, {b}, 0, 0)",
    ),
    ("role_assignments", "(tenant_id, user_id, role_id, assigned_at) VALUES ({u}, {u}, {u}, 0)"),
    (
        "roles",
        "(tenant_id, id, name, named_at, description, parent_id, permissions, system, version, created_at, updated_at) \
         VALUES ({u}, {o}, 'child', 0, '', {u}, '[]', {f}, 1, 0, 0)",
    ),
    ("totp", "(tenant_id, user_id, secret, confirmed, last_step, created_at) VALUES ({u}, {u}, {b}, {f}, 0, 0)"),
    ("backup_codes", "(tenant_id, user_id, code, created_at) VALUES ({u}, {u}, {b}, 0)"),
    (
        "one_time_tokens",
        "(tenant_id, id, user_id, purpose, token_hash, data, security_version, created_at, expires_at) \
         VALUES ({u}, {u}, {u}, 'reset', {b}, {b}, 1, 0, 0)",
    ),
    ("password_history", "(tenant_id, user_id, security_version, hash, created_at) VALUES ({u}, {u}, 1, 'x', 0)"),
    (
        "devices",
        "(tenant_id, id, owner_id, name, algorithm, public_key, key_thumbprint, status, capabilities, created_at) \
         VALUES ({u}, {u}, {u}, 'x', 'EdDSA', {b}, {b}, 'active', '[]', 0)",
    ),
    (
        "device_claims",
        "(tenant_id, id, owner_id, code, security_version, created_at, expires_at, keep_until) \
         VALUES ({u}, {u}, {u}, {b}, 1, 0, 0, 0)",
    ),
    ("audit_links", "(sequence, record_id, link) VALUES (1, {u}, {b})"),
    ("tenant_hosts", "(host, tenant_id) VALUES ('a.example', {u})"),
];

#[tokio::test]
async fn each_check_finds_a_row_that_contradicts_and_nothing_is_migrated_over_it() {
    assert_eq!(BAD_ROWS.len(), CHECKS.len(), "a check without a row that breaks it");
    for database in Database::both().await {
        database.store.check().await.unwrap();
        for ((table, row), check) in BAD_ROWS.iter().zip(CHECKS) {
            database.by_hand(&format!("INSERT INTO {table} {row}")).await;
            let found = database.store.check().await.unwrap_err();
            assert!(matches!(found, OpenError::Inconsistent { check: what, rows: 1 } if what == check.what), "{found}");
            let refused = database.store.migrate_to(plan(&next(GOOD, 1)), |_| {}).await.unwrap_err();
            assert!(matches!(refused, OpenError::Inconsistent { .. }), "{refused}");
            assert_eq!(refused.to_string().lines().count(), 1);
            assert_eq!(
                database.store.migration_state().await.unwrap().applied,
                LATEST,
                "it was migrated over bad rows"
            );
            database.by_hand(&format!("DELETE FROM {table}")).await;
        }
        let state = database.store.migrate_to(plan(&next(GOOD, 1)), |_| {}).await.unwrap();
        assert_eq!((state.applied, state.pending.len()), (LATEST + 1, 0), "good rows are migrated");
    }
}

#[tokio::test]
async fn a_migration_that_leaves_bad_rows_is_undone() {
    let losing = "ALTER TABLE users ADD COLUMN nickname TEXT; \
                  INSERT INTO tenant_hosts (host, tenant_id) SELECT 'b.example', id FROM tenants; DELETE FROM tenants;";
    for database in Database::both().await {
        let tenant = "INSERT INTO tenants (id, slug, name, hosts, active, settings, version, created_at) \
                      VALUES ({u}, 'a', 'A', '[]', {f}, '{}', 1, 0)";
        // Without foreign keys to the table, so that only the check can tell.
        let unbound = match database.is_sqlite() {
            true => "DROP TABLE tenant_hosts; CREATE TABLE tenant_hosts (host TEXT NOT NULL, tenant_id BLOB NOT NULL)",
            false => "SELECT 1",
        };
        database.by_hand(&format!("{tenant}; {unbound}")).await;
        let mut told = Vec::new();
        let refused = database.store.migrate_to(plan(&next(losing, 1)), |step| told.push(step.done)).await;
        let refused = refused.unwrap_err();
        assert!(matches!(refused, OpenError::Inconsistent { check, rows: 1 } if check.contains("host")), "{refused}");
        assert_eq!(told, [false], "it was told to be done");
        assert_eq!(database.number("SELECT count(*) FROM tenants").await, 1, "the rows are gone");
        assert_eq!(database.number("SELECT count(*) FROM authkit_migrations").await, LATEST);
        let state = database.store.migrate_to(plan(&next(GOOD, 1)), |_| {}).await.unwrap();
        assert_eq!(state.applied, LATEST + 1, "nothing of it is left in the way");
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_and_names_itself() {
    for database in Database::both().await {
        let broken = next("CREATE TABLE half (id BIGINT); INSERT INTO no_such_table VALUES (1);", 1);
        let error = database.store.migrate_to(plan(&broken), |_| {}).await.unwrap_err();
        assert!(matches!(error, OpenError::Migration { version, .. } if version == LATEST + 1), "{error}");
        database.store.migrate_to(plan(&next("CREATE TABLE half (id BIGINT);", 1)), |_| {}).await.unwrap();
    }
}

#[tokio::test]
async fn the_previous_program_runs_on_beside_an_expanding_migration_and_not_beside_a_contracting_one() {
    for (compatible_from, runs) in [(LATEST, true), (LATEST + 1, false)] {
        for database in Database::both().await {
            database.store.migrate_to(plan(&next(GOOD, compatible_from)), |_| {}).await.unwrap();
            let opened = SqlStore::open(&database.url, Options::default()).await;
            if runs {
                let store = opened.unwrap();
                let state = store.migration_state().await.unwrap();
                assert_eq!((state.applied, state.latest, state.pending.len()), (LATEST + 1, LATEST, 0));
                store.migrate(|step| panic!("nothing is left to do: {step:?}")).await.unwrap();
                store.check().await.unwrap();
            } else {
                let error = opened.unwrap_err();
                assert!(
                    matches!(error, OpenError::Newer { database, known: LATEST } if database == LATEST + 1),
                    "{error}"
                );
                assert!(error.to_string().contains("newer"));
            }
        }
    }
}

#[test]
fn migrations_are_numbered_without_gaps_and_name_what_they_are_compatible_with() {
    for (place, migration) in (1..).zip(MIGRATIONS) {
        assert_eq!(migration.version, place);
        assert!((1..=place).contains(&migration.compatible_from), "{}", migration.name);
    }
}
