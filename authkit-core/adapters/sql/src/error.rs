use authkit_core::ports::StoreError;

/// Why a database cannot be used. Each is one clear line for the operator; none is ever sent to a client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The address is not one of a database that AuthKit knows.
    #[error("the database url must begin with `sqlite:` or `postgres://`, and be valid: {0}")]
    Url(String),
    /// The database does not answer.
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[source] sqlx::Error),
    /// Another process holds the database.
    #[error("the database is locked by another process: {0}")]
    Locked(#[source] sqlx::Error),
    /// A later version of AuthKit migrated the database.
    #[error(
        "the database is newer than this program (schema {database}, this program knows {known}); \
         start the version that migrated it, or a later one"
    )]
    Newer {
        /// The newest migration in the database.
        database: i64,
        /// The newest migration in the program.
        known: i64,
    },
    /// A migration was applied with another text.
    #[error(
        "migration {version} of the database is not the one of this program; \
         the database was changed by hand, or was made by another build of AuthKit"
    )]
    Altered {
        /// Which.
        version: i64,
    },
    /// Rows contradict each other.
    #[error("the database is inconsistent: {rows} rows violate `{check}`; nothing was migrated")]
    Inconsistent {
        /// What should hold.
        check: &'static str,
        /// How many rows violate it.
        rows: i64,
    },
    /// A migration failed and was undone.
    #[error("migration {version} failed and was undone: {error}")]
    Migration {
        /// Which.
        version: i64,
        /// Why.
        #[source]
        error: sqlx::Error,
    },
    /// A statement failed.
    #[error("the database does not answer as it should: {0}")]
    Failed(#[source] sqlx::Error),
}

impl OpenError {
    /// What a failed connection or statement means.
    pub(crate) fn of(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Configuration(why) => Self::Url(why.to_string()),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => {
                Self::Unreachable(error)
            }
            sqlx::Error::Database(database) => match database.code().as_deref() {
                // SQLITE_BUSY and its extended codes, SQLITE_LOCKED; lock_not_available.
                Some("5" | "261" | "517" | "773" | "6" | "262" | "55P03") => Self::Locked(error),
                // SQLITE_CANTOPEN, SQLITE_NOTADB; wrong password, unknown database, too many connections, shutting down.
                Some("14" | "26" | "28P01" | "28000" | "3D000" | "53300" | "57P03" | "57P01") => {
                    Self::Unreachable(error)
                }
                _ => Self::Failed(error),
            },
            _ => Self::Failed(error),
        }
    }
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}
