//! Where tokens are kept between calls, and between runs of a program.

#[cfg(not(target_arch = "wasm32"))]
mod file;
mod memory;

#[cfg(not(target_arch = "wasm32"))]
pub use file::FileStorage;
pub use memory::MemoryStorage;

use crate::{Sendable, StoredTokens};

/// Keeps the tokens of one session.
///
/// # Behavior
/// - `load` returns what was last saved, by whichever client of the same storage, and `None` after `clear`. What cannot
///   be read is an error, not `None`, since nobody has signed out.
/// - `save` replaces everything or nothing, and has lasted when it returns.
/// - `clear` of nothing is no error.
/// - `try_lock` does not wait. While a lock lives, no other client of the same storage gets one. Storages that only one
///   client uses need not implement it.
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
pub trait TokenStorage: Sendable {
    /// The tokens, if somebody is signed in.
    async fn load(&self) -> Result<Option<StoredTokens>, StorageError>;

    /// Keeps the tokens.
    async fn save(&self, tokens: &StoredTokens) -> Result<(), StorageError>;

    /// Forgets the tokens.
    async fn clear(&self) -> Result<(), StorageError>;

    /// Locks the storage against its other clients; `None` while one of them has it.
    async fn try_lock(&self) -> Result<Option<StorageLock>, StorageError> {
        Ok(Some(StorageLock::new(())))
    }
}

/// Releases a storage when it is dropped.
pub struct StorageLock {
    _guard: Box<dyn Sendable>,
}

impl StorageLock {
    /// A lock that is released when `guard` is dropped.
    pub fn new(guard: impl Sendable + 'static) -> Self {
        Self { _guard: Box::new(guard) }
    }
}

impl std::fmt::Debug for StorageLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StorageLock")
    }
}

/// Why tokens could not be read or kept.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct StorageError(String);

impl StorageError {
    /// An error with a message that holds no token.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}
