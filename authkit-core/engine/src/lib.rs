//! AuthKit as one embeddable thing.
pub mod config;
mod keys;
pub use config::Config;
