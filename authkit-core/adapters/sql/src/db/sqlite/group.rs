//! The one connection that writes, and commits for all who wait.

use super::batch::{run, run_each};
use crate::db::{Expect, Failure, Outcome, Placed};
use authkit_core::ports::StoreError;
use sqlx::{Executor as _, SqliteConnection};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard, mpsc, oneshot};

/// Units in one durable commit at most.
const GROUP: usize = 64;
/// A group takes no further unit after this time, so that no unit waits long for its commit.
const GROUP_TIME: Duration = Duration::from_millis(20);
/// Units of the same statement in one go at most: each number of them has a prepared text of its own.
const TOGETHER: usize = 8;

/// The one connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: SqliteConnection,
    /// A caller began a transaction and was dropped before its end.
    pub(super) unfinished: bool,
}

/// A unit, and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) statements: Vec<Placed>,
    pub(super) answer: Answer,
}

pub(super) type Answer = oneshot::Sender<Result<Vec<Outcome>, StoreError>>;

/// The writer's task: it ends when the database is dropped.
pub(super) async fn write(writer: Arc<Mutex<Writer>>, crowded: Arc<AtomicBool>, mut jobs: mpsc::Receiver<Job>) {
    while let Some(job) = jobs.recv().await {
        company(&jobs).await;
        crowded.store(!jobs.is_empty(), Ordering::Relaxed);
        let mut connection = settle(writer.lock().await).await;
        if jobs.is_empty() && alone(&job.statements) {
            let done = run(&mut connection, "", job.statements).await;
            let _ = job.answer.send(done.map_err(Into::into));
        } else {
            Group { connection: &mut connection, open: false, answers: Vec::new() }.run(job, &mut jobs).await;
        }
    }
}

/// Lets others go on that can, as long as some of them come with a unit of their own: a commit costs the same for one
/// and for many.
async fn company(jobs: &mpsc::Receiver<Job>) {
    let started = Instant::now();
    loop {
        let before = jobs.len();
        tokio::task::yield_now().await;
        if jobs.len() == before || jobs.len() >= GROUP || started.elapsed() >= GROUP_TIME {
            return;
        }
    }
}

/// The connection, without what a dropped caller left behind.
pub(super) async fn settle(mut writer: MutexGuard<'_, Writer>) -> MappedMutexGuard<'_, SqliteConnection> {
    if writer.unfinished {
        // Refused when the drop came before the transaction began.
        let _ = execute(&mut writer.connection, "ROLLBACK").await;
        writer.unfinished = false;
    }
    MutexGuard::map(writer, |writer| &mut writer.connection)
}

/// Runs one unit for a caller who may be dropped on the way: what he began is then undone by the next one.
pub(super) async fn single(
    mut writer: MutexGuard<'_, Writer>,
    statements: Vec<Placed>,
) -> Result<Vec<Outcome>, StoreError> {
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

/// Units that are committed together. Nobody is answered before that: also a conflict may be one with a unit of the group,
/// which nobody sees before the commit.
struct Group<'a> {
    connection: &'a mut SqliteConnection,
    /// Whether the transaction has begun.
    open: bool,
    answers: Vec<(Answer, Result<Vec<Outcome>, StoreError>)>,
}

impl Group<'_> {
    /// Runs `first` and the units that wait.
    async fn run(mut self, first: Job, jobs: &mut mpsc::Receiver<Job>) {
        let started = Instant::now();
        let mut next = Some(first);
        while let Some(job) = next {
            let mut alike = vec![job];
            next = loop {
                if self.answers.len() + alike.len() >= GROUP || started.elapsed() >= GROUP_TIME {
                    break None;
                }
                match jobs.try_recv() {
                    Ok(job) if repeats(&alike, &job) => alike.push(job),
                    other => break other.ok(),
                }
            };
            while !alike.is_empty() {
                let last = next.is_none() && alike.len() <= TOGETHER;
                let ran = match alike.len() {
                    1 => self.unit(alike.remove(0)).await,
                    _ => self.together(&mut alike, last).await,
                };
                if let Err(error) = ran {
                    let unanswered = alike.into_iter().chain(next).map(|job| job.answer);
                    return self.abandon(error, unanswered).await;
                }
            }
        }
        if self.open
            && let Err(error) = execute(self.connection, "COMMIT").await
        {
            return self.abandon(error, std::iter::empty()).await;
        }
        for (answer, done) in self.answers {
            let _ = answer.send(done);
        }
    }

    /// Runs one unit. It fails when the database is at fault.
    async fn unit(&mut self, Job { statements, answer }: Job) -> Result<(), sqlx::Error> {
        // The first unit is undone by undoing the transaction, each further one by its savepoint. A savepoint makes SQLite
        // keep what each page was; a unit that undoes itself needs none.
        let (opening, undo) = match (self.open, alone(&statements)) {
            (false, _) => ("BEGIN IMMEDIATE", Some("ROLLBACK")),
            (true, false) => ("SAVEPOINT unit", Some("ROLLBACK TO unit")),
            (true, true) => ("", None),
        };
        let done = run(self.connection, opening, statements).await;
        let failed = done.is_err();
        self.answer(answer, done)?;
        match undo {
            Some(undo) if failed => execute(self.connection, undo).await,
            _ => {
                self.open = true;
                Ok(())
            }
        }
    }

    /// Runs the first units of many that are one and the same statement with other values. What the database refuses
    /// stops those after it, so they stay. The last ones are committed on the way.
    async fn together(&mut self, alike: &mut Vec<Job>, last: bool) -> Result<(), sqlx::Error> {
        let jobs = alike.iter().take(TOGETHER);
        let mut statements: Vec<Placed> = jobs.flat_map(|job| job.statements.clone()).collect();
        let opening = if self.open { "" } else { "BEGIN IMMEDIATE" };
        let closing = if last { "COMMIT" } else { "" };
        let ran = run_each(self.connection, opening, &mut statements, closing).await?;
        self.open = !(last && ran.whole);
        for (job, done) in alike.drain(..ran.done.len()).zip(ran.done) {
            self.answer(job.answer, done.map(|outcome| vec![outcome]))?;
        }
        Ok(())
    }

    /// Keeps the answer until the commit; a database at fault has none but that.
    fn answer(&mut self, answer: Answer, done: Result<Vec<Outcome>, Failure>) -> Result<(), sqlx::Error> {
        match done {
            Err(Failure::Broken(error) | Failure::Again(error)) => {
                self.answers.push((answer, Ok(Vec::new())));
                Err(error)
            }
            done => {
                self.answers.push((answer, done.map_err(Into::into)));
                Ok(())
            }
        }
    }

    /// Undoes everything and says so to all.
    async fn abandon(self, error: sqlx::Error, unanswered: impl Iterator<Item = Answer>) {
        // Refused when the engine has undone it already.
        let _ = execute(self.connection, "ROLLBACK").await;
        let error = Arc::new(error);
        for answer in self.answers.into_iter().map(|(answer, _)| answer).chain(unanswered) {
            let _ = answer.send(Err(StoreError::Unavailable(Box::new(Arc::clone(&error)))));
        }
    }
}

/// Whether the unit is the same statement, and one that undoes itself.
fn repeats(alike: &[Job], job: &Job) -> bool {
    match (alike, &job.statements[..]) {
        ([first, ..], [(_, statement)]) => {
            alone(&first.statements)
                && alone(&job.statements)
                && first.statements.iter().all(|(_, first)| first.sql == statement.sql)
        }
        _ => false,
    }
}

pub(super) async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::query(sql)).await.map(drop)
}
