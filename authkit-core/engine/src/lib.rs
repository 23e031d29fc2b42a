//! AuthKit as one embeddable thing.
mod breached;
pub mod config;
mod hashing;
mod keys;
mod places;
pub use config::Config;
pub use breached::*;
pub use hashing::*;
pub use places::*;
