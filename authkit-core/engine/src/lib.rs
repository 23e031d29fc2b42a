//! AuthKit as one embeddable thing.
mod breached;
mod builder;
pub mod config;
mod engine;
mod error;
mod hashing;
mod keys;
mod mail;
mod operator;
mod places;
mod storage;
mod worker;

pub use authkit_core as core;
pub use breached::BreachedList;
pub use builder::EngineBuilder;
pub use config::Config;
pub use engine::{Engine, NotReady};
pub use error::EngineError;
pub use hashing::{Argon2Options, Argon2Pool};
pub use operator::Operator;
pub use places::MaxMindPlaces;
pub use worker::WorkerHandle;
