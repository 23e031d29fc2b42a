//! Work on the runtime of the process, as promises of JavaScript.

use authkit_client::Error;
use futures_util::{
    FutureExt as _,
    future::{AbortHandle, Abortable},
};
use napi::{
    Env, Status,
    bindgen_prelude::{Object, ToNapiValue},
};
use napi_derive::napi;
use std::{
    borrow::Cow,
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{
        LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

type Resolver<T> = Box<dyn FnOnce(Env) -> napi::Result<T> + Send>;

/// The calls that may be given up, by their numbers.
static CALLS: LazyLock<Mutex<HashMap<u32, AbortHandle>>> = LazyLock::new(Mutex::default);
static NUMBERS: AtomicU32 = AtomicU32::new(1);

pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that nothing else of this process has.
#[napi]
pub fn next_number() -> u32 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// Gives up the call of that number, if it runs.
#[napi]
pub fn cancel(number: u32) {
    if let Some(call) = held(&CALLS).remove(&number) {
        call.abort();
    }
}

/// The error as JavaScript reads it.
pub(crate) fn thrown(error: &Error) -> napi::Error {
    napi::Error::new(Status::GenericFailure, error.to_json().to_string())
}

pub(crate) fn special(code: &'static str, message: &str) -> Error {
    let mut error = Error::invalid_argument(message);
    error.code = Cow::Borrowed(code);
    error
}

/// A promise of what `work` results in. While it is open, the process goes on.
pub(crate) fn promise<'env, T: ToNapiValue + Send + 'static>(
    env: &'env Env,
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> napi::Result<Object<'env>> {
    let runtime = authkit_embedded::runtime().map_err(|error| thrown(&error))?;
    let (deferred, promise) = env.create_deferred::<T, Resolver<T>>()?;
    runtime.spawn(async move {
        let done = AssertUnwindSafe(work).catch_unwind().await;
        match done.unwrap_or_else(|_| Err(special("client.internal", "Something went wrong inside the client."))) {
            Ok(value) => deferred.resolve(Box::new(move |_| Ok(value))),
            Err(error) => deferred.reject(thrown(&error)),
        }
    });
    Ok(promise)
}

/// The same, given up when [`cancel`] is called with the number; 0 is none.
pub(crate) fn cancellable<'env, T: ToNapiValue + Send + 'static>(
    env: &'env Env,
    number: u32,
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> napi::Result<Object<'env>> {
    if number == 0 {
        return promise(env, work);
    }
    let (handle, registration) = AbortHandle::new_pair();
    held(&CALLS).insert(number, handle);
    let listed = Listed(number);
    promise(env, async move {
        let done = Abortable::new(work, registration).await;
        drop(listed);
        done.unwrap_or_else(|_| {
            Err(special("client.cancelled", "The call was given up. What was asked for may have been done."))
        })
    })
}

struct Listed(u32);

impl Drop for Listed {
    fn drop(&mut self) {
        held(&CALLS).remove(&self.0);
    }
}

/// How many calls may be given up, for the test that none is left.
#[napi]
pub fn open_calls() -> u32 {
    u32::try_from(held(&CALLS).len()).unwrap_or(u32::MAX)
}
