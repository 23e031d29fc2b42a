//! SQLite: one writer that commits for all who wait, and readers beside it.

use super::{Expect, Failure, Outcome, Placed, Row, Statement, Value, outcome, own, unavailable};
use authkit_core::ports::StoreError;
use futures_util::TryStreamExt as _;
use sqlx::{
    Connection as _, Either, Executor as _, SqliteConnection, SqlitePool,
    sqlite::{
        SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
    },
};
use std::{
    borrow::Cow,
    fmt::Write as _,
    path::Path,
    str::FromStr as _,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard, mpsc, oneshot};

/// Units in one durable commit at most.
const GROUP: usize = 64;
/// A group takes no further unit after this time, so that no unit waits long for its commit.
const GROUP_TIME: Duration = Duration::from_millis(20);
/// Units that may wait; beyond that the callers do.
const QUEUE: usize = 1024;
/// Statements in one go at most.
const PART: usize = 32;

/// A SQLite database.
#[derive(Debug)]
pub(crate) struct SqliteDb {
    jobs: mpsc::Sender<Job>,
    writer: Arc<Mutex<Writer>>,
    /// None for a database in memory, which has one connection.
    readers: Option<SqlitePool>,
}

/// The one connection that writes.
#[derive(Debug)]
struct Writer {
    connection: SqliteConnection,
    /// A caller began a transaction and was dropped before its end.
    unfinished: bool,
}

/// A unit, and who waits for it.
#[derive(Debug)]
struct Job {
    statements: Vec<Placed>,
    answer: Answer,
}

type Answer = oneshot::Sender<Result<Vec<Outcome>, StoreError>>;

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
        let pool = SqlitePoolOptions::new()
            .max_connections(readers.clamp(1, threads))
            .min_connections(0)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .acquire_timeout(busy)
            .connect_lazy_with(options.create_if_missing(false).pragma("query_only", "ON"));
        Ok(Self::start(writer, Some(pool)))
    }

    fn start(writer: SqliteConnection, readers: Option<SqlitePool>) -> Self {
        let writer = Arc::new(Mutex::new(Writer { connection: writer, unfinished: false }));
        let (jobs, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(write(Arc::clone(&writer), waiting));
        Self { jobs, writer, readers }
    }

    /// The one connection that writes; nothing else is written while it is held.
    pub(crate) async fn writer(&self) -> MappedMutexGuard<'_, SqliteConnection> {
        settle(self.writer.lock().await).await
    }

    pub(super) async fn fetch(&self, sql: Cow<'static, str>, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let query = sqlx::query_with(own(sql), arguments(values)?);
        let rows: Vec<SqliteRow> = match &self.readers {
            Some(pool) => query.fetch_all(pool).await,
            None => query.fetch_all(&mut *self.writer().await).await,
        }
        .map_err(unavailable)?;
        Ok(rows.into_iter().map(Row::Sqlite).collect())
    }

    /// Reads for several statements in one trip to the connection's thread, which costs more than a short read.
    pub(crate) async fn fetch_together(
        &self,
        pool: &SqlitePool,
        reads: [(&'static str, Vec<Value>); 3],
    ) -> Result<[Vec<Row>; 3], StoreError> {
        let mut reads = reads.map(|(sql, values)| (0, Statement::new(Expect::Return, sql, values)));
        let (sql, values) = joined("", &mut reads);
        let mut connection = pool.acquire().await.map_err(unavailable)?;
        let mut results = connection.fetch_many(sqlx::query_with(own(sql), arguments(values)?));
        let mut found = [const { Vec::new() }; 3];
        let mut at = 0;
        while let Some(result) = results.try_next().await.map_err(unavailable)? {
            match result {
                Either::Right(row) if at < found.len() => found[at].push(Row::Sqlite(row)),
                Either::Right(_) => {}
                Either::Left(_) => at += 1,
            }
        }
        Ok(found)
    }

    /// The connections that read, for a database that has any.
    pub(crate) const fn readers(&self) -> Option<&SqlitePool> {
        self.readers.as_ref()
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
        let idle = self.readers.is_some() && self.jobs.capacity() == self.jobs.max_capacity();
        if let Some(writer) = idle.then(|| self.writer.try_lock().ok()).flatten() {
            return single(writer, statements).await;
        }
        let (answer, outcome) = oneshot::channel();
        let gone = || StoreError::Unavailable("the writer has ended".into());
        self.jobs.send(Job { statements, answer }).await.map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }

    /// Closes the connections, so that nothing of the file stays open.
    pub(crate) async fn close(&self) {
        if let Some(pool) = &self.readers {
            pool.close().await;
            // What is left beside the file is only what others still read.
            let _ = execute(&mut *self.writer().await, "PRAGMA wal_checkpoint(PASSIVE)").await;
        }
    }
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

/// The writer's task: it ends when the database is dropped.
async fn write(writer: Arc<Mutex<Writer>>, mut jobs: mpsc::Receiver<Job>) {
    while let Some(job) = jobs.recv().await {
        let mut connection = settle(writer.lock().await).await;
        if jobs.is_empty() && alone(&job.statements) {
            let done = run(&mut connection, "", job.statements).await;
            let _ = job.answer.send(done.map_err(Into::into));
        } else {
            group(&mut connection, job, &mut jobs).await;
        }
    }
}

/// The connection, without what a dropped caller left behind.
async fn settle(mut writer: MutexGuard<'_, Writer>) -> MappedMutexGuard<'_, SqliteConnection> {
    if writer.unfinished {
        // Refused when the drop came before the transaction began.
        let _ = execute(&mut writer.connection, "ROLLBACK").await;
        writer.unfinished = false;
    }
    MutexGuard::map(writer, |writer| &mut writer.connection)
}

/// Runs one unit for a caller who may be dropped on the way: what he began is then undone by the next one.
async fn single(mut writer: MutexGuard<'_, Writer>, statements: Vec<Placed>) -> Result<Vec<Outcome>, StoreError> {
    if writer.unfinished {
        let _ = execute(&mut writer.connection, "ROLLBACK").await;
    }
    writer.unfinished = true;
    let done = if alone(&statements) {
        run(&mut writer.connection, "", statements).await.map_err(StoreError::from)
    } else {
        transaction(&mut writer.connection, statements).await
    };
    writer.unfinished = false;
    done
}

async fn transaction(connection: &mut SqliteConnection, statements: Vec<Placed>) -> Result<Vec<Outcome>, StoreError> {
    let failure = match run(connection, "BEGIN IMMEDIATE", statements).await {
        Ok(outcomes) => match execute(connection, "COMMIT").await {
            Ok(()) => return Ok(outcomes),
            Err(error) => StoreError::Unavailable(Box::new(error)),
        },
        Err(failure) => failure.into(),
    };
    // Refused when the engine has undone it already.
    let _ = execute(connection, "ROLLBACK").await;
    Err(failure)
}

/// Whether the unit is one statement that cannot have changed anything when it did not do what it should: such a
/// statement is a transaction by itself.
fn alone(statements: &[Placed]) -> bool {
    match statements {
        [(_, statement)] => !matches!(statement.expect, Expect::Rows(rows, _) if rows != 1),
        _ => false,
    }
}

/// Runs `first` and the units that wait, and commits them together. Nobody is answered before that: also a conflict may be
/// one with a unit of the group, which nobody sees before the commit.
async fn group(connection: &mut SqliteConnection, first: Job, jobs: &mut mpsc::Receiver<Job>) {
    let started = Instant::now();
    let mut answers = Vec::new();
    let mut open = false;
    let mut next = Some(first);
    while let Some(Job { statements, answer }) = next {
        // The first unit is undone by undoing the transaction, each further one by its savepoint. A savepoint makes SQLite
        // keep what each page was; a unit that undoes itself needs none.
        let (opening, undo) = match (open, alone(&statements)) {
            (false, _) => ("BEGIN IMMEDIATE", Some("ROLLBACK")),
            (true, false) => ("SAVEPOINT unit", Some("ROLLBACK TO unit")),
            (true, true) => ("", None),
        };
        match run(connection, opening, statements).await {
            Ok(outcomes) => {
                open = true;
                answers.push((answer, Ok(outcomes)));
            }
            Err(Failure::Broken(error) | Failure::Again(error)) => {
                return abandon(connection, waiting(answers).chain([answer]), error).await;
            }
            Err(failure) => {
                answers.push((answer, Err(failure.into())));
                let undone = match undo {
                    Some(undo) => execute(connection, undo).await,
                    None => Ok(()),
                };
                if let Err(error) = undone {
                    return abandon(connection, waiting(answers), error).await;
                }
            }
        }
        next = if answers.len() < GROUP && started.elapsed() < GROUP_TIME { jobs.try_recv().ok() } else { None };
    }
    if open && let Err(error) = execute(connection, "COMMIT").await {
        return abandon(connection, waiting(answers), error).await;
    }
    for (answer, done) in answers {
        let _ = answer.send(done);
    }
}

fn waiting<T>(answers: Vec<(Answer, T)>) -> impl Iterator<Item = Answer> {
    answers.into_iter().map(|(answer, _)| answer)
}

/// Undoes everything and says so to all.
async fn abandon(connection: &mut SqliteConnection, answers: impl Iterator<Item = Answer>, error: sqlx::Error) {
    // Refused when the engine has undone it already.
    let _ = execute(connection, "ROLLBACK").await;
    let error = Arc::new(error);
    for answer in answers {
        let _ = answer.send(Err(StoreError::Unavailable(Box::new(Arc::clone(&error)))));
    }
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::query(sql)).await.map(drop)
}

/// Runs `opening` and the statements, many in one go: each trip to the connection's thread costs more than most
/// statements. Very long units go in parts, so that the prepared texts stay few and short.
async fn run(
    connection: &mut SqliteConnection,
    opening: &'static str,
    mut statements: Vec<Placed>,
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::with_capacity(statements.len());
    let mut opening = opening;
    for part in statements.chunks_mut(PART) {
        run_part(connection, opening, part, &mut outcomes).await?;
        opening = "";
    }
    Ok(outcomes)
}

async fn run_part(
    connection: &mut SqliteConnection,
    opening: &'static str,
    statements: &mut [Placed],
    outcomes: &mut Vec<Outcome>,
) -> Result<(), Failure> {
    // A text made for a number of rows hardly comes twice: kept prepared, such texts would take megabytes.
    let kept = statements.iter().all(|(_, statement)| matches!(statement.sql, Cow::Borrowed(_)));
    let (sql, values) = joined(opening, statements);
    let arguments = arguments(values).map_err(Failure::Unreadable)?;
    let mut results = connection.fetch_many(sqlx::query_with(own(sql), arguments).persistent(kept));
    let mut opened = opening.is_empty();
    let mut waiting = statements.iter();
    let mut rows = Vec::new();
    let mut wrong = None;
    loop {
        match results.try_next().await {
            Ok(None) => break,
            Ok(Some(Either::Right(row))) => rows.push(Row::Sqlite(row)),
            Ok(Some(Either::Left(_))) if !opened => opened = true,
            Ok(Some(Either::Left(result))) => {
                let Some((place, statement)) = waiting.next() else { break };
                match outcome(statement, result.rows_affected(), std::mem::take(&mut rows)) {
                    Ok(outcome) => outcomes.push(outcome),
                    // The statements after it run too, and are undone with it.
                    Err(failure) => wrong = wrong.or(Some(failure.at(*place))),
                }
            }
            Err(error) if !opened => return Err(Failure::Broken(error)),
            Err(error) => {
                let failure = Failure::of(waiting.next().map_or(0, |(place, _)| *place), error);
                // What a statement after the first wrong one meets does not matter, unless the database is at fault.
                return Err(match (wrong, failure) {
                    (Some(wrong), Failure::Conflict(..) | Failure::Refused(_)) => wrong,
                    (_, failure) => failure,
                });
            }
        }
    }
    wrong.map_or(Ok(()), Err)
}

/// The statements as one text, with the parameters of each numbered on from those before it. It takes their values.
fn joined(opening: &'static str, statements: &mut [Placed]) -> (Cow<'static, str>, Vec<Value>) {
    if let (true, [(_, statement)]) = (opening.is_empty(), &mut *statements) {
        return (statement.sql.clone(), std::mem::take(&mut statement.values));
    }
    let mut sql = String::with_capacity(statements.iter().map(|(_, s)| s.sql.len() + 16).sum::<usize>() + 32);
    sql.push_str(opening);
    let mut values = Vec::with_capacity(statements.iter().map(|(_, s)| s.values.len()).sum());
    for (_, statement) in statements {
        sql.push_str(";\n");
        let mut parts = statement.sql.split('$');
        sql.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let number = part[..digits].parse::<usize>().unwrap_or_default();
            let _ = write!(sql, "${}{}", number + values.len(), &part[digits..]);
        }
        values.append(&mut statement.values);
    }
    (Cow::Owned(sql), values)
}

fn arguments(values: Vec<Value>) -> Result<SqliteArguments, StoreError> {
    use sqlx::Arguments as _;
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        match value {
            Value::Uuid(value) => arguments.add(value),
            Value::I64(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
            Value::Bool(value) => arguments.add(value),
        }
        .map_err(StoreError::Unavailable)?;
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Statement, values};

    #[test]
    fn parameters_of_joined_statements_are_numbered_on() {
        let mut statements = vec![
            (0, Statement::new(Expect::Any, "UPDATE t SET a = $2 WHERE b = $1", values![1_i64, 2_i64])),
            (1, Statement::new(Expect::Any, "DELETE FROM t WHERE c = $1", values![3_i64])),
        ];
        let (sql, values) = joined("BEGIN IMMEDIATE", &mut statements);
        assert_eq!(sql, "BEGIN IMMEDIATE;\nUPDATE t SET a = $2 WHERE b = $1;\nDELETE FROM t WHERE c = $3");
        assert_eq!(values, values![1_i64, 2_i64, 3_i64]);
    }

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
}
