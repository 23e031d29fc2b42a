use crate::config::ConfigError;

/// An engine could not be built. The text says what happened and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The configuration is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be opened or used.
    #[error("{0}")]
    Database(String),
    /// The database's schema is older than this version of AuthKit.
    #[error("the database lacks {0} migration(s); run `authkit migrate` (or set database.auto_migrate = true)")]
    NotMigrated(usize),
    /// There is no usable master key.
    #[error("{0}")]
    Key(String),
    /// A port cannot be set up.
    #[error("{0}")]
    Setup(String),
    /// The domain refused to start.
    #[error("AuthKit cannot start on this database: {0}")]
    Start(#[from] authkit_core::Error),
}
