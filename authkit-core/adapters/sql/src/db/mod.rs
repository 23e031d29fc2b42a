//! The two engines behind one face: lists of statements in, rows and counts out.

#[cfg(test)]
mod explain;
mod failure;
mod postgres;
mod row;
mod sqlite;
mod statement;

pub(crate) use failure::{Failure, lost, unavailable};
pub(crate) use postgres::{PostgresDb, Timeouts};
pub(crate) use row::{Row, corrupt, to_json};
pub(crate) use sqlite::SqliteDb;
pub(crate) use statement::{BATCH, Expect, Statement, Value, in_list, outlived, rows_text, values};

use authkit_core::ports::{Conflict, StoreError};
use std::borrow::Cow;

/// A statement and the place in its unit of the change it belongs to.
pub(crate) type Placed = (usize, Statement);

/// What one statement did.
pub(crate) enum Outcome {
    /// A number of rows, or the value that it returned.
    Count(i64),
    /// The rows that it returned.
    Rows(Vec<Row>),
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(count) => f.debug_tuple("Count").field(count).finish(),
            Self::Rows(rows) => f.debug_tuple("Rows").field(&rows.len()).finish(),
        }
    }
}

/// Why what a statement did is not enough.
enum Wrong {
    Conflict(Conflict),
    Unreadable(StoreError),
}

impl Wrong {
    fn at(self, place: usize) -> Failure {
        match self {
            Self::Conflict(conflict) => Failure::Conflict(place, conflict),
            Self::Unreadable(error) => Failure::Unreadable(error),
        }
    }
}

/// What the statement did, or why that is not enough.
fn outcome(statement: &Statement, affected: u64, rows: Vec<Row>) -> Result<Outcome, Wrong> {
    let count = |affected: u64| Outcome::Count(i64::try_from(affected).unwrap_or(i64::MAX));
    match statement.expect {
        Expect::Any => Ok(count(affected)),
        Expect::Rows(expected, _) if affected == expected => Ok(count(affected)),
        Expect::Rows(_, conflict) => Err(Wrong::Conflict(conflict)),
        Expect::Value(conflict) => match rows.first() {
            Some(row) => row.number().map(Outcome::Count).map_err(Wrong::Unreadable),
            None => Err(Wrong::Conflict(conflict)),
        },
        Expect::Return => Ok(Outcome::Rows(rows)),
    }
}

/// A database.
#[derive(Debug)]
pub(crate) enum Db {
    /// SQLite.
    Sqlite(SqliteDb),
    /// PostgreSQL.
    Postgres(PostgresDb),
}

impl Db {
    /// Reads. One statement, so that what it returns is of one moment.
    pub(crate) async fn fetch(
        &self,
        sql: impl Into<Cow<'static, str>>,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let sql = sql.into();
        #[cfg(test)]
        explain::check(self, &sql, &values).await;
        match self {
            Self::Sqlite(db) => db.fetch(sql, values).await,
            Self::Postgres(db) => db.fetch(sql, values).await,
        }
    }

    /// Reads at most one row.
    pub(crate) async fn fetch_one(
        &self,
        sql: impl Into<Cow<'static, str>>,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch(sql, values).await?.into_iter().next())
    }

    /// Applies all statements or none, durably.
    pub(crate) async fn apply(&self, statements: Vec<Placed>) -> Result<Vec<Outcome>, StoreError> {
        #[cfg(test)]
        for (_, statement) in &statements {
            explain::check(self, &statement.sql, &statement.values).await;
        }
        match self {
            Self::Sqlite(db) => db.apply(statements).await,
            Self::Postgres(db) => db.apply(statements).await,
        }
    }
}

/// The SQL that a statement's text is: our own text, never a client's, which is only ever bound.
pub(crate) fn own(sql: Cow<'static, str>) -> sqlx::SqlStr {
    use sqlx::SqlSafeStr as _;
    match sql {
        Cow::Borrowed(text) => text.into_sql_str(),
        Cow::Owned(text) => sqlx::AssertSqlSafe(text).into_sql_str(),
    }
}
