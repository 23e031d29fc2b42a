//! SQLite: one writer that commits for all who wait, and readers beside it.

mod batch;
mod group;
mod readers;

use super::{Outcome, Placed, Row, Value, own, unavailable};
use authkit_core::ports::StoreError;
use batch::arguments;
use futures_util::TryStreamExt as _;
use group::{Job, Writer, execute, settle, single, write};
use readers::Readers;
use sqlx::{
    Connection as _, Either, Executor as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous},
};
use std::{
    borrow::Cow,
    path::Path,
    str::FromStr as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{MappedMutexGuard, Mutex, mpsc, oneshot};

/// Units that may wait; beyond that the callers do.
const QUEUE: usize = 1024;

/// A SQLite database.
#[derive(Debug)]
pub(crate) struct SqliteDb {
    jobs: mpsc::Sender<Job>,
    /// Whether units came together of late.
    crowded: Arc<AtomicBool>,
    writer: Arc<Mutex<Writer>>,
    /// None for a database in memory, which has one connection.
    readers: Option<Readers>,
}

impl SqliteDb {
    /// Opens the file of `url` (making it when it is missing), or a database in memory.
    pub(crate) async fn open(url: &str, busy: Duration, readers: u32) -> Result<Self, sqlx::Error> {
        let memory = url.contains(":memory:") || url.contains("mode=memory");
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(busy)
            // NORMAL would forget acknowledged revocations when the power fails.
            .synchronous(SqliteSynchronous::Full)
            .pragma("temp_store", "MEMORY")
            // For each connection, in KiB: the system's cache holds the file as well.
            .pragma("cache_size", "-512")
            .pragma("journal_size_limit", "67108864")
            .statement_cache_capacity(256);
        if memory {
            let writer = SqliteConnection::connect_with(&options.shared_cache(false)).await?;
            return Ok(Self::start(writer, None));
        }
        prepare_file(options.get_filename()).map_err(sqlx::Error::Io)?;
        let options = options.journal_mode(SqliteJournalMode::Wal);
        let writer = connect(&options, busy).await?;
        // Each reader has a thread, a page cache and prepared statements; more than can run only cost memory.
        let threads = std::thread::available_parallelism().map_or(2, |n| u32::try_from(n.get()).unwrap_or(8)).max(2);
        let options = options.create_if_missing(false).pragma("query_only", "ON");
        let readers = Readers::new(options, readers.clamp(1, threads), busy);
        Ok(Self::start(writer, Some(readers)))
    }

    fn start(writer: SqliteConnection, readers: Option<Readers>) -> Self {
        let writer = Arc::new(Mutex::new(Writer { connection: writer, unfinished: false }));
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let crowded = Arc::new(AtomicBool::new(false));
        tokio::spawn(write(Arc::clone(&writer), Arc::clone(&crowded), waiting));
        Self { jobs, crowded, writer, readers }
    }

    /// The one connection that writes; nothing else is written while it is held.
    pub(crate) async fn writer(&self) -> MappedMutexGuard<'_, SqliteConnection> {
        settle(self.writer.lock().await).await
    }

    pub(super) async fn fetch(&self, sql: Cow<'static, str>, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let query = sqlx::query_with(own(sql), arguments(values).map_err(unavailable)?);
        let rows: Vec<SqliteRow> = match &self.readers {
            Some(readers) => {
                let mut reader = readers.reader().await?;
                let rows = query.fetch_all(&mut reader.connection).await.map_err(unavailable)?;
                reader.back();
                rows
            }
            None => query.fetch_all(&mut *self.writer().await).await.map_err(unavailable)?,
        };
        Ok(rows.into_iter().map(Row::Sqlite).collect())
    }

    /// Reads for `N` statements, which share their parameters, in one trip to the connection's thread.
    pub(crate) async fn fetch_together<const N: usize>(
        &self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<[Vec<Row>; N], StoreError> {
        match &self.readers {
            Some(readers) => {
                let mut reader = readers.reader().await?;
                let found = fetch_each(&mut reader.connection, sql, values).await?;
                reader.back();
                Ok(found)
            }
            None => fetch_each(&mut *self.writer().await, sql, values).await,
        }
    }

    /// The lines of the plan.
    #[cfg(test)]
    pub(super) async fn explain(&self, sql: &str, values: Vec<Value>) -> Vec<String> {
        use sqlx::Row as _;
        let sql = super::explain::explained("EXPLAIN QUERY PLAN", sql);
        let query = sqlx::query_with(sql, arguments(values).unwrap());
        let rows = query.fetch_all(&mut *self.writer().await).await.unwrap();
        rows.iter().map(|row| row.get("detail")).collect()
    }

    pub(super) async fn apply(&self, statements: Vec<Placed>) -> Result<Vec<Outcome>, StoreError> {
        // When nobody waits there is nobody to share a commit with, and the way through the writer's task costs more than
        // the unit. (A database in memory has its readers on this connection: they would see half a unit.)
        if self.readers.is_some() && !self.crowded.load(Ordering::Relaxed) {
            match self.writer.try_lock() {
                Ok(writer) => return single(writer, statements).await,
                Err(_) => self.crowded.store(true, Ordering::Relaxed),
            }
        }
        let (answer, outcome) = oneshot::channel();
        let gone = || StoreError::Unavailable("the writer has ended".into());
        self.jobs.send(Job { statements, answer }).await.map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }

    /// Closes the connections, so that nothing of the file stays open.
    pub(crate) async fn close(&self) {
        if let Some(readers) = &self.readers {
            readers.close().await;
            // What is left beside the file is only what others still read.
            let mut writer = self.writer().await;
            let _ = execute(&mut writer, "PRAGMA wal_checkpoint(PASSIVE)").await;
            // A connection that is only dropped is closed some time later, by a thread of its own.
            if let Ok(nothing) = SqliteConnection::connect("sqlite::memory:").await {
                let _ = std::mem::replace(&mut *writer, nothing).close().await;
            }
        }
    }
}

/// The rows of each of `N` statements.
async fn fetch_each<const N: usize>(
    connection: &mut SqliteConnection,
    sql: &'static str,
    values: Vec<Value>,
) -> Result<[Vec<Row>; N], StoreError> {
    let mut results = connection.fetch_many(sqlx::query_with(sql, arguments(values).map_err(unavailable)?));
    let mut found = [const { Vec::new() }; N];
    let mut at = 0;
    while let Some(result) = results.try_next().await.map_err(unavailable)? {
        match result {
            Either::Right(row) if at < N => found[at].push(Row::Sqlite(row)),
            Either::Right(_) => {}
            Either::Left(_) => at += 1,
        }
    }
    Ok(found)
}

/// Connects. The change to WAL is refused at once, and not after the busy timeout, while another process opens the file.
async fn connect(options: &SqliteConnectOptions, patience: Duration) -> Result<SqliteConnection, sqlx::Error> {
    let started = Instant::now();
    loop {
        match SqliteConnection::connect_with(options).await {
            Err(sqlx::Error::Database(error))
                if started.elapsed() < patience && matches!(error.code().as_deref(), Some("5" | "261" | "517")) =>
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            done => return done,
        }
    }
}

/// Makes folder and file when they are missing, the file readable for its owner only: it holds what people trust us with.
/// (SQLite gives the files beside it the same mode.)
fn prepare_file(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Expect, Statement, values};
    use authkit_core::ports::StoreError;

    #[tokio::test]
    async fn who_conflicts_with_a_unit_of_the_same_group_sees_it_when_answered() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/group.db", folder.path().display());
        let db = SqliteDb::open(&url, Duration::from_secs(5), 2).await.unwrap();
        let unit = |sql: &'static str| vec![(0, Statement::new(Expect::ONE, sql, values![]))];
        let change = || unit("UPDATE t SET a = 1 WHERE a = 0");
        sqlx::raw_sql("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (0)")
            .execute(&mut *db.writer().await)
            .await
            .unwrap();
        let held = db.writer().await;
        // Long enough for who is told too early to look.
        let slow = unit(
            "UPDATE t SET a = a WHERE 0 < (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) \
             SELECT count(*) FROM n)",
        );
        let loser = async {
            assert!(matches!(db.apply(change()).await, Err(StoreError::Conflict { .. })));
            db.fetch("SELECT count(*) AS changed FROM t WHERE a = 1".into(), values![]).await.unwrap()[0]
                .get::<i64>("changed")
        };
        let let_go = async {
            tokio::task::yield_now().await;
            drop(held);
        };
        let (winner, seen, slow, ()) = tokio::join!(db.apply(change()), loser, db.apply(slow), let_go);
        assert!(winner.is_ok() && slow.is_ok());
        assert_eq!(seen.unwrap(), 1, "the loser looked before the winner's commit");
    }

    #[tokio::test]
    async fn the_same_statement_of_many_units_does_for_each_what_it_would_alone() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/alike.db", folder.path().display());
        let db = SqliteDb::open(&url, Duration::from_secs(5), 2).await.unwrap();
        sqlx::raw_sql(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER UNIQUE CHECK (a < 100)); INSERT INTO t VALUES (0, 0)",
        )
        .execute(&mut *db.writer().await)
        .await
        .unwrap();
        let held = db.writer().await;
        let insert = |id: i64| {
            // Two are there already when their turn comes, and one must not be.
            let a = match id {
                5 => 4,
                11 => 0,
                13 => 100,
                other => other,
            };
            let sql = "INSERT INTO t (id, a) VALUES ($1, $2)";
            db.apply(vec![(0, Statement::new(Expect::ONE, sql, values![id, a]))])
        };
        let change = |id: i64| {
            let sql = "UPDATE t SET a = a + 50 WHERE id = $1 AND a < 50";
            db.apply(vec![(0, Statement::new(Expect::ONE, sql, values![id]))])
        };
        let inserts = futures_util::future::join_all((1..=30).map(insert));
        let changes = futures_util::future::join_all([1, 1, 2, 5, 3, 4, 6, 7].map(change));
        let let_go = async {
            tokio::task::yield_now().await;
            drop(held);
        };
        let (inserts, changes, ()) = tokio::join!(inserts, changes, let_go);
        let failed: Vec<_> = (1..).zip(&inserts).filter(|(_, done)| done.is_err()).collect();
        assert!(
            matches!(
                failed[..],
                [
                    (5, Err(StoreError::Conflict { .. })),
                    (11, Err(StoreError::Conflict { .. })),
                    (13, Err(StoreError::Unavailable(_)))
                ]
            ),
            "{failed:?}"
        );
        let conflicts: Vec<_> = changes.iter().map(|done| matches!(done, Err(StoreError::Conflict { .. }))).collect();
        assert_eq!(conflicts, [false, true, false, true, false, false, false, false]);
        let kept = db.fetch("SELECT count(*) AS n, sum(a) AS a FROM t".into(), values![]).await.unwrap();
        let sum: i64 = (1..=30).filter(|id| ![5, 11, 13].contains(id)).sum();
        assert_eq!((kept[0].get::<i64>("n").unwrap(), kept[0].get::<i64>("a").unwrap()), (28, sum + 6 * 50));
    }
}
