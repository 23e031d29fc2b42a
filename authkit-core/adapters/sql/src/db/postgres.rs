//! PostgreSQL: one transaction for each unit.

use super::{Expect, Failure, Outcome, Placed, Row, Statement, Value, lost, outcome, own, unavailable};
use authkit_core::ports::StoreError;
use futures_util::TryStreamExt as _;
use sqlx::{
    Connection as _, Either, Executor as _, PgConnection, PgPool,
    postgres::{PgArguments, PgConnectOptions, PgPoolOptions},
};
use std::{borrow::Cow, io::ErrorKind, str::FromStr as _, time::Duration};

/// How often a unit is tried when the engine asks for it.
const TRIES: u32 = 5;

/// What is acknowledged must be durable, also in an installation that turned that off; one that asks for more keeps it.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) \
                       WHERE current_setting('synchronous_commit') = 'off'";

/// A connection that was idle for so long is tried before it is used.
const IDLE: Duration = Duration::from_secs(5);

/// A PostgreSQL database.
#[derive(Debug)]
pub(crate) struct PostgresDb {
    pool: PgPool,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// To get a connection.
    pub(crate) connect: Duration,
    /// One statement.
    pub(crate) statement: Duration,
}

impl PostgresDb {
    /// Connects to `url`.
    pub(crate) async fn open(url: &str, connections: u32, timeouts: Timeouts) -> Result<Self, sqlx::Error> {
        let millis = |time: Duration| time.as_millis().to_string();
        let options =
            PgConnectOptions::from_str(url)?.application_name("authkit").statement_cache_capacity(256).options([
                ("statement_timeout", millis(timeouts.statement)),
                ("lock_timeout", millis(timeouts.statement)),
                ("idle_in_transaction_session_timeout", millis(timeouts.statement * 3)),
                // Units rely on it: a condition that waited for a lock is checked against the row as it then is.
                ("default_transaction_isolation", "read committed".to_owned()),
            ]);
        // One connection without the pool, which tries until its patience ends and then does not say why.
        let probe = PgConnection::connect_with(&options);
        let probe = tokio::time::timeout(timeouts.connect, probe)
            .await
            .map_err(|_| sqlx::Error::Io(ErrorKind::TimedOut.into()))?;
        probe?.close().await?;
        let pool = PgPoolOptions::new()
            .max_connections(connections.max(2))
            .acquire_timeout(timeouts.connect)
            .test_before_acquire(false)
            .before_acquire(|connection, state| {
                Box::pin(async move {
                    // A unit of one statement cannot be tried again, so it had better not meet a dead connection.
                    if state.idle_for > IDLE { connection.ping().await.map(|()| true) } else { Ok(true) }
                })
            })
            .after_connect(|connection, _| Box::pin(async move { connection.execute(DURABLE).await.map(drop) }))
            .connect_with(options)
            .await?;
        Ok(Self { pool })
    }

    /// The pool, for what the generic path does not do.
    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) async fn fetch(&self, sql: Cow<'static, str>, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match sqlx::query_with(own(sql.clone()), arguments(values.clone())?).fetch_all(&self.pool).await {
                Ok(rows) => return Ok(rows.into_iter().map(Row::Postgres).collect()),
                // After a restart of the server every connection of the pool may be dead.
                Err(error) if lost(&error) && tries <= self.pool.options().get_max_connections() => {}
                Err(error) => return Err(unavailable(error)),
            }
        }
    }

    /// The lines of the plan, where a scan is only left when there is no index.
    #[cfg(test)]
    pub(super) async fn explain(&self, sql: &str, values: Vec<Value>) -> Vec<String> {
        use sqlx::Row as _;
        let mut transaction = self.pool.begin().await.unwrap();
        transaction.execute("SET LOCAL enable_seqscan = off").await.unwrap();
        let sql = super::explain::explained("EXPLAIN", sql);
        let query = sqlx::query_with(sql, arguments(values).unwrap());
        let rows = query.fetch_all(&mut *transaction).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub(super) async fn apply(&self, statements: Vec<Placed>) -> Result<Vec<Outcome>, StoreError> {
        let pool = self.pool.clone();
        // A task of its own: the caller's future may be dropped half-way, the unit is then completed all the same.
        tokio::spawn(async move {
            let mut tries = 0;
            loop {
                tries += 1;
                match transact(&pool, &statements).await {
                    Err(Failure::Again(error)) if tries < TRIES => {
                        tracing::debug!(tries, error = %error, "the unit is tried again");
                        tokio::time::sleep(Duration::from_millis(5) * tries).await;
                    }
                    // After a restart of the server every connection of the pool may be dead.
                    Err(Failure::Lost(_)) if tries <= pool.options().get_max_connections() => {}
                    done => return done.map_err(Into::into),
                }
            }
        })
        .await
        .map_err(|error| StoreError::Unavailable(Box::new(error)))?
    }
}

async fn transact(pool: &PgPool, statements: &[Placed]) -> Result<Vec<Outcome>, Failure> {
    // One statement is a transaction by itself, unless it may have done something and yet not enough.
    if let [(place, statement)] = statements
        && !matches!(statement.expect, Expect::Rows(rows, _) if rows != 1)
    {
        let mut connection = pool.acquire().await.map_err(Failure::Broken)?;
        return Ok(vec![run(&mut connection, *place, statement).await?]);
    }
    // Until the commit is sent nothing can have happened, so that a lost connection is no more than another try.
    let uncommitted = |failure| match failure {
        Failure::Broken(error) if lost(&error) => Failure::Lost(error),
        failure => failure,
    };
    let mut transaction = pool.begin().await.map_err(|error| uncommitted(Failure::Broken(error)))?;
    let mut outcomes = Vec::with_capacity(statements.len());
    for (place, statement) in statements {
        match run(&mut transaction, *place, statement).await {
            Ok(outcome) => outcomes.push(outcome),
            Err(failure) => {
                // At once and not when the connection is next used, for others wait for the row locks.
                let _ = transaction.rollback().await;
                return Err(uncommitted(failure));
            }
        }
    }
    transaction.commit().await.map_err(|error| Failure::of(0, error))?;
    Ok(outcomes)
}

async fn run(connection: &mut PgConnection, place: usize, statement: &Statement) -> Result<Outcome, Failure> {
    let arguments = arguments(statement.values.clone()).map_err(Failure::Unreadable)?;
    let mut results = connection.fetch_many(sqlx::query_with(own(statement.sql.clone()), arguments));
    let (mut affected, mut rows) = (0, Vec::new());
    while let Some(result) = results.try_next().await.map_err(|error| Failure::of(place, error))? {
        match result {
            Either::Left(done) => affected += done.rows_affected(),
            Either::Right(row) => rows.push(Row::Postgres(row)),
        }
    }
    outcome(statement, affected, rows).map_err(|wrong| wrong.at(place))
}

fn arguments(values: Vec<Value>) -> Result<PgArguments, StoreError> {
    use sqlx::Arguments as _;
    let mut arguments = PgArguments::default();
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
