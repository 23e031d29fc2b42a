//! The harness that starts real things: the built server on SQLite or PostgreSQL, and clients that talk to it.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a harness fails by panicking")]

mod client;
mod database;
mod device;
pub mod firmware;
mod place;
mod router;
mod scenario;
mod server;
pub mod table;

pub use client::{Answer, Client, totp_code};
pub use database::Database;
pub use place::Place;
pub use router::RouterTransport;
pub use scenario::Scenario;
pub use server::Server;

/// How often a case repeats: `full` under `make soak` (`AUTHKIT_SOAK` is set), `bounded` under `make test`.
#[must_use]
pub fn rounds(bounded: usize, full: usize) -> usize {
    if std::env::var_os("AUTHKIT_SOAK").is_some() { full } else { bounded }
}

/// A password that every policy takes.
pub const PASSWORD: &str = "correct horse battery staple 7";
