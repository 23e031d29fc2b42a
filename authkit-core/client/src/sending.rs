//! Sending one call: deadline, repeats, waits.

use crate::{
    Call, Error, Method, Operation, Result, Runtime, TransportErrorKind, client::Inner, runtime::jitter,
    sendable::BoxFuture,
};
use authkit_wire::Secret;
use futures_util::future::{Either, select};
use serde_json::{Map, Value};
use std::{future::Future, pin::Pin, time::Duration};

/// Before the first repeat a client waits up to this long, before each further one up to twice as long as before.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A point on the runtime's monotonic clock.
#[derive(Clone, Copy)]
pub(crate) struct Deadline(Duration);

impl Deadline {
    pub(crate) fn after(runtime: &dyn Runtime, limit: Duration) -> Self {
        Self(runtime.monotonic().saturating_add(limit))
    }

    pub(crate) fn left(self, runtime: &dyn Runtime) -> Duration {
        self.0.saturating_sub(runtime.monotonic())
    }
}

/// A call with all that it is sent with.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) operation: &'static Operation,
    pub(crate) arguments: &'a Map<String, Value>,
    pub(crate) bearer: Option<&'a Secret>,
    pub(crate) key: Option<&'a str>,
    pub(crate) deadline: Deadline,
}

impl Inner {
    /// The result of `work`, unless it takes longer.
    pub(crate) async fn within<T>(
        &self,
        limit: Duration,
        work: Pin<Box<impl Future<Output = Result<T>>>>,
    ) -> Result<T> {
        let sleep: BoxFuture<'_, ()> = Box::pin(self.runtime.sleep(limit));
        match select(work, sleep).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(Error::timeout(limit)),
        }
    }

    /// Sends until there is an answer, or no sense in another try.
    pub(crate) async fn send(&self, request: &Request<'_>) -> Result<Value> {
        let mut repeats = 0;
        loop {
            let (error, safe) = match self.send_once(request).await {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            if !error.retryable || !safe || repeats >= self.retries {
                return Err(error);
            }
            let wait = self.wait(repeats, error.retry_after);
            if wait >= request.deadline.left(&*self.runtime) {
                return Err(error);
            }
            self.runtime.sleep(wait).await;
            repeats += 1;
        }
    }

    /// The failure says whether a repeat is safe.
    async fn send_once(&self, request: &Request<'_>) -> Result<Value, (Error, bool)> {
        let call = Call {
            operation: request.operation,
            arguments: request.arguments,
            bearer: request.bearer,
            idempotency_key: request.key,
            tenant: self.tenant.as_deref(),
        };
        let repeatable = request.operation.method == Method::Get || request.key.is_some();
        match self.transport.send(call).await {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(answer.body),
            Ok(answer) => Err((Error::from_answer(answer), repeatable)),
            Err(error) => {
                let safe = repeatable || error.kind == TransportErrorKind::NotSent;
                Err((Error::from_transport(error), safe))
            }
        }
    }

    /// Somewhere in a growing range; never before the server asks for it, and not all at once when it has.
    fn wait(&self, repeats: u32, asked: Option<Duration>) -> Duration {
        let range = FIRST_WAIT.saturating_mul(1 << repeats.min(16)).min(LONGEST_WAIT);
        let chance = jitter(&*self.runtime, range);
        asked.map_or(chance, |asked| asked.saturating_add(chance.min(FIRST_WAIT)))
    }
}
