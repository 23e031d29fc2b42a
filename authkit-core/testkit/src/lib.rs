//! What AuthKit and its host applications are tested with: suites that any store passes with one line, a private
//! PostgreSQL, factories and fakes.

pub mod authenticator;
#[cfg(feature = "postgres")]
pub mod databases;
pub mod device;
pub mod factories;
pub mod fakes;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod store_suite;
