//! AuthKit as one embeddable thing: the domain with its database, hash pool, mail and background worker, without HTTP.
//!
//! Five lines give an application its users, sessions and roles:
//!
//! ```
//! use authkit_engine::{Config, Engine};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::builder(Config::development("sqlite::memory:")).build().await?;
//! let worker = engine.start_worker();
//! let roles = engine.operator(authkit_engine::core::tenants::DEFAULT_TENANT).list_roles().await?;
//! assert_eq!(roles[0].name, "admin");
//! worker.stop(std::time::Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//! ```
//!
//! - [`Config`] is everything that can be set: defaults, then a TOML file, then `AUTHKIT_…` variables, with unknown names
//!   refused. [`Config::check`] names everything that is wrong at once; production refuses every unsafe default.
//! - [`EngineBuilder`] takes the host application's own ports in the place of what the configuration would choose: hooks
//!   before and after each operation, more claims, permissions, mail templates, a store of another kind.
//! - [`Engine`] holds the services: [`accounts`](Engine::accounts), [`sign_in`](Engine::sign_in),
//!   [`sessions`](Engine::sessions), [`mfa`](Engine::mfa), [`roles`](Engine::roles), [`tenants`](Engine::tenants),
//!   [`audit`](Engine::audit) and [`notices`](Engine::notices).
//! - [`Engine::start_worker`] runs what is nobody's request. Several nodes on one PostgreSQL share the work by leases.

mod breached;
mod builder;
pub mod config;
mod conformance;
mod counting;
mod engine;
mod error;
mod hashing;
mod hooks;
mod keys;
mod mail;
mod operator;
mod places;
mod storage;
#[cfg(test)]
mod tests;
mod worker;

pub use authkit_core as core;
pub use breached::BreachedList;
pub use builder::EngineBuilder;
pub use config::Config;
pub use conformance::{Administrator, Conformance, ConformanceClock, Start};
pub use engine::{Engine, NotReady};
pub use error::EngineError;
pub use hashing::{Argon2Options, Argon2Pool};
pub use operator::Operator;
pub use places::MaxMindPlaces;
pub use storage::{MigrationProgress, MigrationState};
pub use worker::WorkerHandle;
