use authkit_testkit::postgres::Postgres;
use sqlx::{Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;

/// A database of one test, removed when it ends.
pub struct Database {
    /// What goes into `AUTHKIT_DATABASE_URL`.
    pub url: String,
    directory: TempDir,
}

impl Database {
    /// An SQLite file.
    #[must_use]
    pub fn sqlite() -> Self {
        let directory = TempDir::new().unwrap();
        Self { url: format!("sqlite://{}", directory.path().join("authkit.db").display()), directory }
    }

    /// SQLite in the server's memory.
    #[must_use]
    pub fn memory() -> Self {
        Self { url: "sqlite::memory:".to_owned(), directory: TempDir::new().unwrap() }
    }

    /// A database of the private PostgreSQL server, owned by an ordinary role.
    pub async fn postgres() -> Self {
        let url = tokio::task::spawn_blocking(|| Postgres::start().create_database()).await.unwrap();
        Self { url, directory: TempDir::new().unwrap() }
    }

    /// The same on a server that does not wait for the disk: for what measures statements, not writing.
    pub async fn postgres_in_haste() -> Self {
        let url = tokio::task::spawn_blocking(|| Postgres::start_fast().create_database()).await.unwrap();
        Self { url, directory: TempDir::new().unwrap() }
    }

    /// A directory that lives as long as the database.
    #[must_use]
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Runs one statement beside AuthKit, as an intruder with database access would; returns the rows it touched.
    pub async fn execute(&self, sql: &'static str) -> u64 {
        if self.url.starts_with("sqlite") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::query("PRAGMA busy_timeout = 5000").execute(&mut connection).await.unwrap();
            sqlx::query(sql).execute(&mut connection).await.unwrap().rows_affected()
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::query(sql).execute(&mut connection).await.unwrap().rows_affected()
        }
    }

    /// One number.
    pub async fn number(&self, sql: &'static str) -> i64 {
        if self.url.starts_with("sqlite") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
        }
    }
}
