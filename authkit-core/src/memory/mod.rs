//! Reference adapters: small, in memory, for tests, examples and the browser.

mod fixture;
mod ports;
mod store;

pub use fixture::{bare, context, prepare};
pub use ports::{InlineHasher, ManualClock, NoBreaches, SeededRandom, SystemClock, SystemRandom, Unsent};
pub use store::MemoryStore;
