use super::{StorageError, TokenStorage};
use crate::StoredTokens;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keeps tokens until the program ends.
#[derive(Debug, Default)]
pub struct MemoryStorage(Mutex<Option<StoredTokens>>);

impl MemoryStorage {
    fn tokens(&self) -> MutexGuard<'_, Option<StoredTokens>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
impl TokenStorage for MemoryStorage {
    async fn load(&self) -> Result<Option<StoredTokens>, StorageError> {
        Ok(self.tokens().clone())
    }

    async fn save(&self, tokens: &StoredTokens) -> Result<(), StorageError> {
        *self.tokens() = Some(tokens.clone());
        Ok(())
    }

    async fn clear(&self) -> Result<(), StorageError> {
        *self.tokens() = None;
        Ok(())
    }
}
