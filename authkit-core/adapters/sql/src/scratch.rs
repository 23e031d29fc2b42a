//! Databases that may be emptied: those of conformance runs, and no others.

use crate::{
    SqlStore,
    db::{Expect, Statement, values},
    migrate,
};
use authkit_core::ports::StoreError;
use jiff::Timestamp;
use uuid::Uuid;

/// The lease that marks such a database. Nobody gives it back: what it holds can be foretold, so that it never becomes an
/// installation.
const MARK: &str = "conformance";

impl SqlStore {
    /// Whether it is a conformance run's: [`erase`](Self::erase) has been called before.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn is_scratch(&self) -> Result<bool, StoreError> {
        let marked = self.db.fetch("SELECT 1 FROM leases WHERE name = $1", values![MARK]).await?;
        Ok(!marked.is_empty())
    }

    /// Whether it may be emptied: nobody has used it, or nobody but conformance runs.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn is_erasable(&self) -> Result<bool, StoreError> {
        // Signing keys are the first thing that an installation writes.
        let used = self.db.fetch("SELECT 1 FROM signing_keys LIMIT 1", values![]).await?;
        Ok(used.is_empty() || self.is_scratch().await?)
    }

    /// Empties every table, and marks the database as a conformance run's.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] when it [may not be emptied](Self::is_erasable); then nothing is touched.
    pub async fn erase(&self) -> Result<(), StoreError> {
        if !self.is_erasable().await? {
            return Err(StoreError::Unsupported);
        }
        // What refers to a table was made after it.
        let tables: Vec<&str> = migrate::tables().collect();
        let empty = |table: &&str| (0, Statement::new(Expect::Any, format!("DELETE FROM {table}"), values![]));
        let mut statements: Vec<_> = tables.iter().rev().map(empty).collect();
        let mark = "INSERT INTO leases (name, owner, until) VALUES ($1, $2, $3)";
        statements.push((0, Statement::new(Expect::ONE, mark, values![MARK, Uuid::nil(), Timestamp::MAX])));
        self.db.apply(statements).await.map(drop)
    }
}
