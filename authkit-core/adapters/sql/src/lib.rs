//! The AuthKit store on SQLite and PostgreSQL, from one SQL text.
//!
//! Every [`Change`](authkit_core::ports::Change) becomes statements that both engines run alike; each statement says how
//! many rows it must touch, and a unit in which one does not is undone. On SQLite one writer commits for all who wait,
//! with a savepoint for each unit; on PostgreSQL each unit is one transaction. Nobody is answered before the commit is
//! durable.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use authkit_core::ports::Store as _;
//! use authkit_sql::{Options, SqlStore};
//!
//! let store = SqlStore::open("sqlite::memory:", Options::default()).await?;
//! store.migrate(|_| {}).await?;
//! store.ping().await?;
//! # Ok(())
//! # }
//! ```

mod accounts;
mod attempts;
mod audit;
mod db;
mod devices;
mod dialect;
mod error;
mod feed;
mod idempotency;
mod keys;
mod leases;
mod mfa;
mod migrate;
mod notices;
mod options;
mod plan;
mod roles;
mod scratch;
mod sessions;
mod store;
#[cfg(test)]
mod suite;
mod tenants;

pub use error::OpenError;
pub use migrate::{LATEST, MigrationState, Progress};
pub use options::Options;
pub use store::SqlStore;
