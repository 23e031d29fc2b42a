//! What every adapter of AuthKit is tested with: suites that any store passes with one line, and a private PostgreSQL.

#[cfg(feature = "postgres")]
pub mod postgres;
