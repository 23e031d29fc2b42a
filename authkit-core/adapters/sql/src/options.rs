use authkit_core::{memory::SystemClock, ports::Clock};
use std::{sync::Arc, time::Duration};

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Tells the time of feed rows. It must be the clock that the domain goes by.
    pub clock: Arc<dyn Clock>,
    /// Connections at most: PostgreSQL's pool, SQLite's readers.
    pub connections: u32,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long one statement, or the wait for SQLite's writer lock, may take.
    pub statement_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            connections: 16,
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
        }
    }
}
