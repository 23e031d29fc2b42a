//! Statements in one go: each trip to the connection's thread costs more than most of them.

use crate::db::{Failure, Outcome, Placed, Row, Value, outcome, own};
use futures_util::TryStreamExt as _;
use sqlx::{Either, Executor as _, SqliteConnection, sqlite::SqliteArguments};
use std::{borrow::Cow, fmt::Write as _};

/// Statements in one go at most.
const PART: usize = 32;

/// Runs `opening` and the statements of a unit. Very long units go in parts, so that the prepared texts stay few and
/// short.
pub(super) async fn run(
    connection: &mut SqliteConnection,
    opening: &'static str,
    mut statements: Vec<Placed>,
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::with_capacity(statements.len());
    let mut opening = opening;
    for part in statements.chunks_mut(PART) {
        let mut wrong = None;
        for done in run_each(connection, opening, part, "").await.map_err(Failure::Broken)?.done {
            match done {
                Ok(outcome) => outcomes.push(outcome),
                // What a statement after the first wrong one meets does not matter, unless the database is at fault: it is
                // undone with it.
                Err(Failure::Conflict(..) | Failure::Refused(_) | Failure::Unreadable(_)) if wrong.is_some() => {}
                Err(failure) => wrong = Some(failure),
            }
        }
        if let Some(failure) = wrong {
            return Err(failure);
        }
        opening = "";
    }
    Ok(outcomes)
}

/// What statements did that ran one after the other.
pub(super) struct Ran {
    /// Of each. The one that the database refuses is the last: nothing after it has run.
    pub(super) done: Vec<Result<Outcome, Failure>>,
    /// Whether all ran, and what closes them.
    pub(super) whole: bool,
}

/// Runs `opening`, the statements and `closing`.
pub(super) async fn run_each(
    connection: &mut SqliteConnection,
    opening: &'static str,
    statements: &mut [Placed],
    closing: &'static str,
) -> Result<Ran, sqlx::Error> {
    // A text made for a number of rows hardly comes twice: kept prepared, such texts would take megabytes.
    let kept = statements.iter().all(|(_, statement)| matches!(statement.sql, Cow::Borrowed(_)));
    let (sql, values) = joined(opening, statements, closing);
    let mut results = connection.fetch_many(sqlx::query_with(own(sql), arguments(values)?).persistent(kept));
    let mut opened = opening.is_empty();
    let mut waiting = statements.iter();
    let mut rows = Vec::new();
    let mut done = Vec::with_capacity(waiting.len());
    loop {
        match results.try_next().await {
            Ok(None) if waiting.len() == 0 => return Ok(Ran { done, whole: true }),
            Ok(None) => return Err(sqlx::Error::Protocol("a statement has no end".into())),
            Ok(Some(Either::Right(row))) => rows.push(Row::Sqlite(row)),
            Ok(Some(Either::Left(_))) if !opened => opened = true,
            Ok(Some(Either::Left(result))) => {
                if let Some((place, statement)) = waiting.next() {
                    let outcome = outcome(statement, result.rows_affected(), std::mem::take(&mut rows));
                    done.push(outcome.map_err(|wrong| wrong.at(*place)));
                }
            }
            Err(error) => match waiting.next() {
                Some((place, _)) if opened => {
                    done.push(Err(Failure::of(*place, error)));
                    return Ok(Ran { done, whole: false });
                }
                _ => return Err(error),
            },
        }
    }
}

/// The statements as one text, with the parameters of each numbered on from those before it. It takes their values.
fn joined(opening: &'static str, statements: &mut [Placed], closing: &'static str) -> (Cow<'static, str>, Vec<Value>) {
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
    if !closing.is_empty() {
        sql.push_str(";\n");
        sql.push_str(closing);
    }
    (Cow::Owned(sql), values)
}

pub(super) fn arguments(values: Vec<Value>) -> Result<SqliteArguments, sqlx::Error> {
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
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Expect, Statement, values};

    #[test]
    fn parameters_of_joined_statements_are_numbered_on() {
        let mut statements = vec![
            (0, Statement::new(Expect::Any, "UPDATE t SET a = $2 WHERE b = $1", values![1_i64, 2_i64])),
            (1, Statement::new(Expect::Any, "DELETE FROM t WHERE c = $1", values![3_i64])),
        ];
        let (sql, values) = joined("BEGIN IMMEDIATE", &mut statements, "COMMIT");
        assert_eq!(sql, "BEGIN IMMEDIATE;\nUPDATE t SET a = $2 WHERE b = $1;\nDELETE FROM t WHERE c = $3;\nCOMMIT");
        assert_eq!(values, values![1_i64, 2_i64, 3_i64]);
    }
}
