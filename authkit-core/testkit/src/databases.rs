//! A database for each test, on either engine.

use crate::postgres::Postgres;
use std::path::Path;
use tempfile::TempDir;

/// Which engine a test runs on. See [`on_both_engines!`](crate::on_both_engines).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Db {
    /// A file in a folder of its own.
    Sqlite,
    /// A database of the [server](Postgres::start_fast) that the tests of this process share.
    Postgres,
}

/// A database of one test.
#[derive(Debug)]
pub struct Database {
    /// What goes into `database_url`.
    pub url: String,
    folder: TempDir,
}

impl Db {
    /// A database that nobody has used. One on PostgreSQL is a copy of another to which `migrate` has brought the
    /// schema, once for all tests of this process; on SQLite whoever opens it does so in no time.
    ///
    /// # Panics
    /// When there is none.
    #[expect(clippy::expect_used, reason = "a test that cannot start fails")]
    pub fn create<F: Future<Output = ()>>(self, migrate: impl FnOnce(String) -> F + Send) -> Database {
        let folder = tempfile::tempdir().expect("a folder");
        let url = match self {
            Self::Sqlite => format!("sqlite://{}", folder.path().join("authkit.db").display()),
            Self::Postgres => Postgres::start_fast().create_database_from_template(migrate),
        };
        Database { url, folder }
    }
}

impl Database {
    /// A folder that lives as long as the database.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Makes two `#[test]`s of each case, an `async fn` that takes a [`Db`].
#[macro_export]
macro_rules! on_both_engines {
    ($($name:ident)+) => {$(
        mod $name {
            #[tokio::test]
            async fn sqlite() {
                super::$name($crate::databases::Db::Sqlite).await;
            }

            #[tokio::test]
            async fn postgres() {
                super::$name($crate::databases::Db::Postgres).await;
            }
        }
    )+};
}
