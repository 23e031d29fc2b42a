//! The store suite on SQLite, in a file and in memory, and on a real PostgreSQL with an ordinary role. While it runs,
//! every statement's plan is looked at (see [`explain`](crate::db)).

use crate::{Options, SqlStore};
use authkit_core::ports::Store;
use authkit_testkit::{postgres::Postgres, store_suite::Made};
use std::sync::Arc;

async fn open(url: &str) -> Arc<SqlStore> {
    let store = SqlStore::open(url, Options::default()).await.unwrap();
    store.migrate(|_| {}).await.unwrap();
    Arc::new(store)
}

mod memory {
    async fn make() -> std::sync::Arc<dyn super::Store> {
        super::open("sqlite::memory:").await
    }

    authkit_testkit::store_suite!(make);
}

mod file {
    async fn make() -> super::Made {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("authkit.db").display());
        super::Made { store: super::open(&url).await, keep: Box::new(folder) }
    }

    authkit_testkit::store_suite!(make);
}

mod postgres {
    async fn make() -> std::sync::Arc<dyn super::Store> {
        super::open(&super::Postgres::start_fast().create_database()).await
    }

    authkit_testkit::store_suite!(make);
}
