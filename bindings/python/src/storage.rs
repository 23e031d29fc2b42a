//! Where the tokens of a Python program are kept.

use async_trait::async_trait;
use authkit_client::{FileStorage, MemoryStorage, StorageError, StorageLock, StoredTokens, TokenStorage};
use pyo3::{prelude::*, types::PyString};
use std::{path::PathBuf, sync::Arc};

/// A storage that outlives a fork together with the client that is made anew over it.
#[derive(Clone)]
pub(crate) struct SharedStorage(Arc<dyn TokenStorage>);

impl SharedStorage {
    /// In memory, in the file of that path, or in an object with `load`, `save` and `clear`.
    pub(crate) fn new(storage: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(storage) = storage else { return Ok(Self(Arc::new(MemoryStorage::default()))) };
        if let Ok(path) = storage.extract::<PathBuf>() {
            return Ok(Self(Arc::new(FileStorage::new(path))));
        }
        Ok(Self(Arc::new(Callbacks(Arc::new(storage.clone().unbind())))))
    }
}

#[async_trait]
impl TokenStorage for SharedStorage {
    async fn load(&self) -> Result<Option<StoredTokens>, StorageError> {
        self.0.load().await
    }

    async fn save(&self, tokens: &StoredTokens) -> Result<(), StorageError> {
        self.0.save(tokens).await
    }

    async fn clear(&self) -> Result<(), StorageError> {
        self.0.clear().await
    }

    async fn try_lock(&self) -> Result<Option<StorageLock>, StorageError> {
        self.0.try_lock().await
    }
}

/// A Python object; its methods run on threads that may wait, never on those that drive calls.
struct Callbacks(Arc<Py<PyAny>>);

impl Callbacks {
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let object = Arc::clone(&self.0);
        let run = move || {
            let done = Python::try_attach(|py| {
                // The exception may quote the tokens, so its kind alone is told.
                work(object.bind(py)).map_err(|error| {
                    let kind =
                        error.get_type(py).name().map_or_else(|_| "an exception".into(), |name| name.to_string());
                    StorageError::new(format!("the storage object raised {kind}"))
                })
            });
            done.unwrap_or_else(|| Err(StorageError::new("the interpreter ends")))
        };
        let broken_off = |_| StorageError::new("the storage object was broken off");
        tokio::task::spawn_blocking(run).await.map_err(broken_off)?
    }
}

#[async_trait]
impl TokenStorage for Callbacks {
    async fn load(&self) -> Result<Option<StoredTokens>, StorageError> {
        let text: Option<String> = self.run(|object| object.call_method0("load")?.extract()).await?;
        // Without the parser's words, which quote what they stumble over.
        let unread = |_| StorageError::new("what `load` returned is not what `save` was given");
        text.map(|text| serde_json::from_str(&text).map_err(unread)).transpose()
    }

    async fn save(&self, tokens: &StoredTokens) -> Result<(), StorageError> {
        let text = serde_json::to_string(tokens).map_err(|_| StorageError::new("the tokens cannot be written"))?;
        self.run(move |object| object.call_method1("save", (PyString::new(object.py(), &text),)).map(drop)).await
    }

    async fn clear(&self) -> Result<(), StorageError> {
        self.run(|object| object.call_method0("clear").map(drop)).await
    }
}
