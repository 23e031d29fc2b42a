//! The configured database.

use crate::{Config, EngineError};
use authkit_core::{
    crypto::MasterKey,
    memory::MemoryStore,
    ports::{Random, Store},
};
use std::sync::Arc;

/// A store, and the development key that lies with it.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) key: Option<MasterKey>,
}

/// Opens the configured database.
pub(crate) async fn open(_config: &Config, _random: &dyn Random, _migrate: bool) -> Result<Opened, EngineError> {
    Ok(Opened { store: Arc::new(MemoryStore::default()), key: None })
}
