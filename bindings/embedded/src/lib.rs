#![doc = include_str!("../README.md")]

mod conformance;
mod embedded;
mod engines;
mod failure;
mod log;
mod principal;
mod process;
mod settings;
mod transport;

pub use authkit_engine::core::sessions::Principal;
pub use conformance::ConformanceState;
pub use embedded::Embedded;
pub use engines::{before_fork, close_all};
pub use principal::{require, to_json as principal_to_json};
pub use process::{end_runtime, runtime};
pub use transport::{EmbeddedTransport, refuse_key};
