//! Token storages that are written in JavaScript.

use crate::promise::{held, next_number};
use async_trait::async_trait;
use authkit_client::{StorageError, StorageLock, StoredTokens, TokenStorage};
use napi::{
    Status,
    bindgen_prelude::{FnArgs, Function},
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode::NonBlocking},
};
use napi_derive::napi;
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};
use tokio::sync::oneshot;

/// A question's number, the method, and its argument.
pub(crate) type Question = FnArgs<(u32, String, Option<String>)>;
/// Weak: a storage alone does not keep a process.
type Ask = ThreadsafeFunction<Question, (), Question, Status, false, true>;

/// What a storage answers; `Err` when it threw.
type Answer = Result<Option<String>, ()>;

/// The questions that wait for their answer.
static WAITING: LazyLock<Mutex<HashMap<u32, oneshot::Sender<Answer>>>> = LazyLock::new(Mutex::default);

/// Brings the answer to a question. What a storage throws is not repeated: it may quote the tokens.
#[napi]
pub fn answer(number: u32, threw: bool, text: Option<String>) {
    if let Some(asked) = held(&WAITING).remove(&number) {
        let _ = asked.send(if threw { Err(()) } else { Ok(text) });
    }
}

/// A storage of JavaScript. It answers with [`answer`]; tokens cross as JSON.
pub(crate) struct JsStorage {
    ask: Arc<Ask>,
    shared: bool,
}

impl JsStorage {
    /// `shared` says that it has a `tryLock`.
    pub(crate) fn new(function: &Function<'_, Question, ()>, shared: bool) -> napi::Result<Self> {
        let ask = function.build_threadsafe_function().callee_handled::<false>().weak::<true>().build()?;
        Ok(Self { ask: Arc::new(ask), shared })
    }

    async fn ask(&self, method: &str, argument: Option<String>) -> Result<Option<String>, StorageError> {
        let failed = || StorageError::new(format!("the storage's `{method}` failed"));
        let number = next_number();
        let (asked, answered) = oneshot::channel();
        held(&WAITING).insert(number, asked);
        let _waiting = Waiting(number);
        let question = FnArgs::from((number, method.to_owned(), argument));
        if self.ask.call(question, NonBlocking) != Status::Ok {
            return Err(failed());
        }
        answered.await.ok().and_then(Result::ok).ok_or_else(failed)
    }
}

/// Forgets the question when nobody waits any more.
struct Waiting(u32);

impl Drop for Waiting {
    fn drop(&mut self) {
        held(&WAITING).remove(&self.0);
    }
}

#[async_trait]
impl TokenStorage for JsStorage {
    async fn load(&self) -> Result<Option<StoredTokens>, StorageError> {
        let Some(text) = self.ask("load", None).await? else { return Ok(None) };
        let wrong = |_| StorageError::new("what the storage's `load` answered are no tokens");
        serde_json::from_str(&text).map(Some).map_err(wrong)
    }

    async fn save(&self, tokens: &StoredTokens) -> Result<(), StorageError> {
        let text =
            serde_json::to_string(tokens).map_err(|_| StorageError::new("the tokens cannot be written as JSON"))?;
        self.ask("save", Some(text)).await.map(drop)
    }

    async fn clear(&self) -> Result<(), StorageError> {
        self.ask("clear", None).await.map(drop)
    }

    async fn try_lock(&self) -> Result<Option<StorageLock>, StorageError> {
        if !self.shared {
            return Ok(Some(StorageLock::new(())));
        }
        // The lock's name: with it the release is found.
        let lock = self.ask("tryLock", None).await?;
        Ok(lock.map(|lock| StorageLock::new(Release { ask: self.ask.clone(), lock })))
    }
}

/// Releases the lock when it is dropped. Nobody waits for the answer.
struct Release {
    ask: Arc<Ask>,
    lock: String,
}

impl Drop for Release {
    fn drop(&mut self) {
        let question = FnArgs::from((0, "release".to_owned(), Some(std::mem::take(&mut self.lock))));
        let _ = self.ask.call(question, NonBlocking);
    }
}
