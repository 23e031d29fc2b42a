//! The connections that read.

use super::connect;
use crate::db::unavailable;
use authkit_core::ports::StoreError;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError};

/// As many connections as can run at once, each opened when it is first needed. A pool of sqlx asks a connection that
/// comes back whether it is alive, which costs as much as a short read; one to a file needs no asking.
#[derive(Debug)]
pub(super) struct Readers {
    options: Box<SqliteConnectOptions>,
    patience: Duration,
    number: u32,
    places: Semaphore,
    idle: Mutex<Vec<SqliteConnection>>,
}

/// A connection to read with. One that is dropped, by who no longer waits or because a read failed, is closed.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) connection: SqliteConnection,
    readers: &'a Readers,
    // Dropped after the connection is idle again.
    _place: SemaphorePermit<'a>,
}

impl Readers {
    pub(super) fn new(options: SqliteConnectOptions, number: u32, patience: Duration) -> Self {
        let places = Semaphore::const_new(number as usize);
        Self { options: Box::new(options), patience, number, places, idle: Mutex::new(Vec::new()) }
    }

    /// A connection, as soon as one is free.
    pub(super) async fn reader(&self) -> Result<Reader<'_>, StoreError> {
        let place = match self.places.try_acquire() {
            Ok(place) => Ok(place),
            Err(TryAcquireError::Closed) => Err(sqlx::Error::PoolClosed),
            Err(TryAcquireError::NoPermits) => match tokio::time::timeout(self.patience, self.places.acquire()).await {
                Ok(place) => place.map_err(|_| sqlx::Error::PoolClosed),
                Err(_) => Err(sqlx::Error::PoolTimedOut),
            },
        };
        let place = place.map_err(unavailable)?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.options, self.patience).await.map_err(unavailable)?,
        };
        Ok(Reader { connection, readers: self, _place: place })
    }

    /// Waits for what is read, and closes all connections.
    pub(super) async fn close(&self) {
        let all = self.places.acquire_many(self.number).await;
        self.places.close();
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in idle {
            let _ = connection.close().await;
        }
        drop(all);
    }
}

impl Reader<'_> {
    /// Gives the connection back.
    pub(super) fn back(self) {
        self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(self.connection);
    }
}

#[cfg(test)]
mod tests {
    use super::super::SqliteDb;
    use crate::db::values;
    use authkit_core::ports::StoreError;
    use std::time::Duration;

    const SLOW: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000000) \
                        SELECT count(*) AS n FROM n";

    async fn open(folder: &tempfile::TempDir) -> SqliteDb {
        let url = format!("sqlite://{}/readers.db", folder.path().display());
        SqliteDb::open(&url, Duration::from_millis(300), 1).await.unwrap()
    }

    #[tokio::test]
    async fn a_read_that_is_given_up_keeps_no_place() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder).await;
        for _ in 0..3 {
            let read = db.fetch(SLOW.into(), values![]);
            assert!(tokio::time::timeout(Duration::from_millis(5), read).await.is_err(), "it is slow");
            let rows = db.fetch("SELECT 7 AS n".into(), values![]).await.unwrap();
            assert_eq!(rows[0].get::<i64>("n").unwrap(), 7);
        }
    }

    #[tokio::test]
    async fn who_waits_too_long_for_a_connection_is_told_and_who_comes_after_the_end_too() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder).await;
        let readers = db.readers.as_ref().unwrap();
        let reader = readers.reader().await.unwrap();
        assert!(matches!(db.fetch("SELECT 1".into(), values![]).await, Err(StoreError::Unavailable(_))));
        let (closed, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(5), db.close()), async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            reader.back();
        });
        closed.unwrap();
        assert!(matches!(db.fetch("SELECT 1".into(), values![]).await, Err(StoreError::Unavailable(_))));
        assert_eq!(readers.idle.lock().unwrap().len(), 0, "none stays open");
    }
}
