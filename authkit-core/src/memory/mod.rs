//! Reference adapters: small, in memory, for tests, examples and the browser.

mod ports;

pub use ports::{InlineHasher, ManualClock, NoBreaches, SeededRandom, SystemClock, SystemRandom};
