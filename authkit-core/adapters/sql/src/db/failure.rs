//! What went wrong with a statement, and what that means.

use authkit_core::ports::{Conflict, StoreError};
use sqlx::error::ErrorKind;

/// Why a unit was not applied.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A statement's precondition did not hold; its change's place.
    Conflict(usize, Conflict),
    /// The database refused a row for another reason; the transaction itself lives on.
    Refused(sqlx::Error),
    /// The engine asks for another try (deadlock, serialisation).
    Again(sqlx::Error),
    /// The connection went before the commit was sent, so that nothing was applied.
    Lost(sqlx::Error),
    /// The database does not answer as it should.
    Broken(sqlx::Error),
    /// A row cannot be read.
    Unreadable(StoreError),
}

impl Failure {
    /// What `error` at the change `place` means.
    pub(crate) fn of(place: usize, error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else { return Self::Broken(error) };
        match database.kind() {
            ErrorKind::UniqueViolation => Self::Conflict(place, Conflict::Taken),
            // What the row refers to is gone, or belongs to another tenant.
            ErrorKind::ForeignKeyViolation => Self::Conflict(place, Conflict::Changed),
            ErrorKind::NotNullViolation | ErrorKind::CheckViolation => Self::Refused(error),
            _ => match database.code().as_deref() {
                Some("40001" | "40P01") => Self::Again(error),
                _ => Self::Broken(error),
            },
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Conflict(change, reason) => Self::Conflict { change, reason },
            // The text may hold values, so it stays in the source and out of every message.
            Failure::Refused(error) | Failure::Again(error) | Failure::Lost(error) | Failure::Broken(error) => {
                Self::Unavailable(Box::new(error))
            }
            Failure::Unreadable(error) => error,
        }
    }
}

/// Whether the connection is gone, so that another one may do better.
pub(crate) fn lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => true,
        // The server ends this connection, or all of them; the transaction is undone.
        sqlx::Error::Database(error) => matches!(error.code().as_deref(), Some("57P01" | "57P02" | "57P03")),
        _ => false,
    }
}

/// A failed read.
pub(crate) fn unavailable(error: sqlx::Error) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}
