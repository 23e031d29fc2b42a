//! Migrations: the same schema on both engines, one migrator at a time, and no database of the future.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use authkit_core::{
    ports::{Scope, Store, Unit},
    sessions::SessionChange,
    wire::TenantId,
};
use authkit_sql::{LATEST, OpenError, Options, SqlStore};
use authkit_testkit::postgres::Postgres;
use common::{both, postgres, session, sqlite, stored_user, uuid};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};

/// Runs SQL beside the store.
async fn by_hand(url: &str, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    if url.starts_with("sqlite") {
        sqlx::raw_sql(sql).execute(&mut SqliteConnection::connect(url).await.unwrap()).await.unwrap();
    } else {
        sqlx::raw_sql(sql).execute(&mut PgConnection::connect(url).await.unwrap()).await.unwrap();
    }
}

fn empty(folder: &tempfile::TempDir) -> [String; 2] {
    let file = format!("sqlite://{}", folder.path().join("empty.db").display());
    [file, Postgres::start_fast().create_database()]
}

#[tokio::test]
async fn an_empty_database_is_migrated_once_with_progress() {
    let folder = tempfile::tempdir().unwrap();
    for url in empty(&folder) {
        let store = SqlStore::open(&url, Options::default()).await.unwrap();
        let before = store.migration_state().await.unwrap();
        assert_eq!((before.applied, before.latest), (0, LATEST));
        assert_eq!(before.pending.first().unwrap(), &(1, "initial"));
        let mut told = Vec::new();
        let after = store.migrate(|progress| told.push((progress.version, progress.done))).await.unwrap();
        assert_eq!((after.applied, after.pending.len()), (LATEST, 0));
        assert_eq!(told.first(), Some(&(1, false)));
        assert_eq!(told.last(), Some(&(LATEST, true)));
        store.migrate(|progress| panic!("nothing is left to do: {progress:?}")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_may_migrate_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for url in empty(&folder) {
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let url = url.clone();
                tokio::spawn(async move {
                    let store = SqlStore::open(&url, Options::default()).await?;
                    store.migrate(|_| {}).await
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap().applied, LATEST, "{url}");
        }
    }
}

#[tokio::test]
async fn a_newer_database_is_refused_with_one_line() {
    for database in both().await {
        let newer = LATEST + 1;
        let insert = format!(
            "INSERT INTO authkit_migrations (version, name, checksum, applied_at) VALUES ({newer}, 'later', 'x', 0)"
        );
        by_hand(&database.url, &insert).await;
        let error = SqlStore::open(&database.url, Options::default()).await.unwrap_err();
        assert!(matches!(error, OpenError::Newer { database, known: LATEST } if database == newer), "{error:?}");
        assert_eq!(error.to_string().lines().count(), 1);
        assert!(database.store.migrate(|_| {}).await.is_err());
    }
}

#[tokio::test]
async fn an_altered_migration_is_noticed() {
    for database in both().await {
        by_hand(&database.url, "UPDATE authkit_migrations SET checksum = 'other' WHERE version = 1").await;
        let error = SqlStore::open(&database.url, Options::default()).await.unwrap_err();
        assert!(matches!(error, OpenError::Altered { version: 1 }), "{error:?}");
        assert!(error.to_string().ends_with("or was made by another build of AuthKit"), "{error}");
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let not_a_database = folder.path().join("text.db");
    std::fs::write(&not_a_database, "This is a text that is long enough not to be a database of SQLite. ".repeat(50))
        .unwrap();
    let options = || Options { connect_timeout: std::time::Duration::from_millis(500), ..Options::default() };
    let wrong_password = Postgres::start_fast().create_database().replace("loopback-only", "secret-guess");
    let unreachable = [
        format!("sqlite://{}", not_a_database.display()),
        "postgres://authkit@127.0.0.1:1/nothing".to_owned(),
        wrong_password,
    ];
    for url in unreachable {
        let error = SqlStore::open(&url, options()).await.unwrap_err();
        assert!(matches!(error, OpenError::Unreachable(_)), "{url}: {error:?}");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
        assert!(!error.to_string().contains("secret-guess"));
    }
    for url in ["mysql://root:secret@localhost/x", "", "postgres://:::"] {
        let error = SqlStore::open(url, options()).await.unwrap_err();
        assert!(matches!(error, OpenError::Url(_)), "{url}: {error:?}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn a_locked_database_is_told_in_one_line() {
    let database = sqlite().await;
    let mut other = SqliteConnection::connect(&database.url).await.unwrap();
    let transaction = other.begin_with("BEGIN EXCLUSIVE").await.unwrap();
    let options = Options { statement_timeout: std::time::Duration::from_millis(100), ..Options::default() };
    let store = SqlStore::open(&database.url, options).await.unwrap();
    let tenant = TenantId::new(uuid());
    let unit = Unit::new().with(SessionChange::EndAllOf { user: common::user(tenant).id, except: None });
    let refused = store.commit(Scope::Tenant(tenant), unit.clone()).await.unwrap_err();
    assert_eq!(refused.to_string(), "the store is unavailable");
    transaction.rollback().await.unwrap();
    store.commit(Scope::Tenant(tenant), unit).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let database = sqlite().await;
    stored_user(&database.store, TenantId::new(uuid())).await;
    for entry in std::fs::read_dir(database.folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.path());
    }
}

#[tokio::test]
async fn the_development_key_is_that_of_the_first() {
    for database in both().await {
        let other = common::migrated(&database.url).await;
        assert_eq!(database.store.development_key(&[1; 32]).await.unwrap(), [1; 32]);
        assert_eq!(other.development_key(&[2; 32]).await.unwrap(), [1; 32]);
    }
}

#[tokio::test]
async fn sqlite_files_are_shared_between_stores() {
    let database = sqlite().await;
    let other = common::migrated(&database.url).await;
    let tenant = TenantId::new(uuid());
    for round in 0..20 {
        let (writer, reader) = if round % 2 == 0 { (&database.store, &other) } else { (&other, &database.store) };
        let user = stored_user(writer, tenant).await;
        let session = session(tenant, user.id);
        let create = Unit::new().with(SessionChange::Create(Box::new(session.clone())));
        reader.commit(Scope::Tenant(tenant), create).await.unwrap();
        use authkit_core::sessions::SessionStore as _;
        assert!(writer.find_session(tenant, session.id).await.unwrap().is_some());
    }
}

/// (type class, whether it may be null) of each column of each table.
type Columns = BTreeMap<(String, String), (String, bool)>;
/// Table, columns and uniqueness of each index and key.
type Indexes = BTreeSet<(String, Vec<String>, bool)>;
/// Table, referred table and the columns of each foreign key.
type References = BTreeSet<(String, String, Vec<String>)>;

#[tokio::test]
async fn both_schemas_are_the_same() {
    let (sqlite, postgres) = (sqlite().await, postgres().await);
    let (columns, indexes, references) = sqlite_schema(&sqlite.url).await;
    let (mut pg_columns, mut pg_indexes, pg_references) = postgres_schema(&postgres.url).await;
    // What the feed needs on PostgreSQL only.
    assert!(pg_columns.remove(&("feed".to_owned(), "xid".to_owned())).is_some());
    assert!(pg_indexes.remove(&("feed".to_owned(), vec!["xid".to_owned()], false)));
    assert_eq!(columns, pg_columns);
    assert_eq!(indexes, pg_indexes);
    assert_eq!(references, pg_references);
    assert!(columns.len() > 100 && indexes.len() > 30 && references.len() > 8, "the comparison sees something");
}

async fn sqlite_schema(url: &str) -> (Columns, Indexes, References) {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    let (mut columns, mut indexes, mut references) = (Columns::new(), Indexes::new(), References::new());
    let tables = sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    for table in tables {
        let table: String = table.get(0);
        if table == "authkit_migrations" {
            continue;
        }
        let rows = sqlx::query("SELECT name, type, \"notnull\", pk FROM pragma_table_info($1)")
            .bind(&table)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let mut primary = Vec::new();
        for row in rows {
            let (name, primary_at): (String, i64) = (row.get(0), row.get(3));
            if primary_at > 0 {
                primary.push((primary_at, name.clone()));
            }
            let nullable = row.get::<i64, _>(2) == 0 && primary_at == 0;
            columns.insert((table.clone(), name), (row.get(1), nullable));
        }
        primary.sort();
        indexes.insert((table.clone(), primary.into_iter().map(|(_, name)| name).collect(), true));
        let rows = sqlx::query("SELECT name, \"unique\" FROM pragma_index_list($1)")
            .bind(&table)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        for row in rows {
            let on = sqlx::query("SELECT name FROM pragma_index_info($1) ORDER BY seqno")
                .bind(row.get::<String, _>(0))
                .fetch_all(&mut connection)
                .await
                .unwrap();
            indexes.insert((table.clone(), on.iter().map(|row| row.get(0)).collect(), row.get::<i64, _>(1) == 1));
        }
        let rows = sqlx::query("SELECT \"table\", \"from\", id FROM pragma_foreign_key_list($1) ORDER BY id, seq")
            .bind(&table)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let mut keys: BTreeMap<i64, (String, Vec<String>)> = BTreeMap::new();
        for row in rows {
            keys.entry(row.get(2)).or_insert_with(|| (row.get(0), Vec::new())).1.push(row.get(1));
        }
        references.extend(keys.into_values().map(|(to, on)| (table.clone(), to, on)));
    }
    (columns, indexes, references)
}

async fn postgres_schema(url: &str) -> (Columns, Indexes, References) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let rows = sqlx::query(
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'authkit_migrations'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let class = |data_type: &str| match data_type {
        "bigint" | "boolean" => "INTEGER",
        "uuid" | "bytea" => "BLOB",
        "text" => "TEXT",
        other => panic!("another type: {other}"),
    };
    let mut columns = Columns::new();
    for row in rows {
        let data_type: String = row.get(2);
        let class = if data_type == "xid8" { "xid8" } else { class(&data_type) };
        columns.insert((row.get(0), row.get(1)), (class.to_owned(), row.get(3)));
    }
    let rows = sqlx::query(
        "SELECT t.relname::text, array_agg(a.attname::text ORDER BY k.place), i.indisunique FROM pg_index i \
         JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace \
         CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attribute, place) \
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attribute \
         WHERE n.nspname = 'public' AND t.relname <> 'authkit_migrations' GROUP BY i.indexrelid, t.relname, i.indisunique",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let indexes = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let rows = sqlx::query(
        "SELECT c.conrelid::regclass::text, c.confrelid::regclass::text, array_agg(a.attname::text ORDER BY k.place) \
         FROM pg_constraint c CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k (attribute, place) \
         JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attribute \
         WHERE c.contype = 'f' GROUP BY c.oid, c.conrelid, c.confrelid",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let references = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    (columns, indexes, references)
}
