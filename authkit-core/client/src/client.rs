use crate::{
    Auth, Builder, Error, Event, EventHandler, Method, Operation, Result, Runtime, TokenStorage, Transport,
    runtime::idempotency_key,
    sending::{Deadline, Request},
    session::Session,
};
use authkit_wire::{ErrorCode, Secret};
use serde_json::{Map, Value};
use std::{fmt, sync::Arc, time::Duration};

/// A client of AuthKit, and one session at most. Cheap to clone: clones share the session.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    /// Instead of the session's token.
    bearer: Option<Secret>,
}

pub(crate) struct Inner {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) storage: Arc<dyn TokenStorage>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) tenant: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) retries: u32,
    pub(crate) events: Option<Arc<dyn EventHandler>>,
    pub(crate) session: Session,
}

/// What one call does differently.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct CallOptions {
    /// The `Idempotency-Key`, where the caller repeats a call by itself. Calls that take one get one in any case.
    pub idempotency_key: Option<String>,
    /// How long the call may take.
    pub timeout: Option<Duration>,
}

impl CallOptions {
    /// With this `Idempotency-Key`.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// With this time.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl Client {
    /// Settings for a client.
    pub fn builder() -> Builder {
        Builder::new()
    }

    #[cfg_attr(
        target_arch = "wasm32",
        expect(clippy::arc_with_non_send_sync, reason = "there is one thread, and elsewhere it is both")
    )]
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner), bearer: None }
    }

    pub(crate) const fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    pub(crate) const fn bearer(&self) -> Option<&Secret> {
        self.bearer.as_ref()
    }

    /// The same client for somebody else: it presents this access token, never refreshes, and leaves the session of
    /// this one alone. For servers that call on behalf of a request, and for devices.
    #[must_use]
    pub fn with_bearer(&self, access_token: impl Into<Secret>) -> Self {
        Self { inner: self.inner.clone(), bearer: Some(access_token.into()) }
    }

    /// Calls an operation by its name, with the arguments of path, query and body in one JSON object.
    ///
    /// # Errors
    /// What the server refuses, under its code; what never reached a server, under a code of [`code`](crate::code).
    ///
    /// ```no_run
    /// # async fn example(client: authkit_client::Client) -> authkit_client::Result<()> {
    /// let me = client.call("getMe", serde_json::json!({})).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn call(&self, operation: &str, arguments: Value) -> Result<Value> {
        self.call_with(operation, arguments, CallOptions::default()).await
    }

    /// The same with options.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_with(&self, operation: &str, arguments: Value, options: CallOptions) -> Result<Value> {
        let operation = Operation::find(operation)?;
        let arguments = match arguments {
            Value::Object(arguments) => arguments,
            Value::Null => Map::new(),
            _ => return Err(Error::invalid_argument("The arguments must be one JSON object.")),
        };
        let key = self.key(operation, options.idempotency_key)?;
        let limit = options.timeout.unwrap_or(self.inner.timeout);
        let deadline = Deadline::after(&*self.inner.runtime, limit);
        let request = Request { operation, arguments: &arguments, bearer: None, key: key.as_deref(), deadline };
        let work = async {
            match operation.name {
                _ if self.bearer.is_some() => self.ordinary(&request).await,
                "login" | "verifyMfa" => self.inner.sign_in(&request).await,
                "refresh" => self.inner.refresh_by_call(&request).await,
                "logout" => self.inner.sign_out(&request).await,
                _ => self.ordinary(&request).await,
            }
        };
        self.inner.within(limit, Box::pin(work)).await
    }

    /// One key for all repeats of a call.
    fn key(&self, operation: &Operation, given: Option<String>) -> Result<Option<String>> {
        let takes_one = operation.idempotent && operation.method != Method::Get;
        match given {
            Some(_) if !takes_one => {
                Err(Error::invalid_argument(format!("`{}` takes no idempotency key.", operation.name)))
            }
            // A refresh of the session keeps its own with the tokens.
            None if takes_one => idempotency_key(&*self.inner.runtime).map(Some),
            given => Ok(given),
        }
    }

    async fn ordinary(&self, request: &Request<'_>) -> Result<Value> {
        let inner = &self.inner;
        let tokens = match (request.operation.auth, &self.bearer) {
            (Auth::None, _) => return inner.send(request).await,
            (_, Some(bearer)) => return inner.send(&Request { bearer: Some(bearer), ..*request }).await,
            (Auth::Device, None) => {
                return Err(Error::invalid_argument(format!(
                    "`{}` is called by devices: give the device's access token to `with_bearer`.",
                    request.operation.name
                )));
            }
            // Optional it is for signing out only, which has a way of its own.
            (Auth::Bearer | Auth::Optional, None) => inner.fresh_tokens().await?,
        };
        match inner.send(&Request { bearer: Some(&tokens.access_token), ..*request }).await {
            Err(error) if refuses_token(&error) => match inner.renewed(&tokens).await? {
                Some(renewed) => inner.send(&Request { bearer: Some(&renewed.access_token), ..*request }).await,
                // Asked by one user, it is not done to another.
                None => Err(error),
            },
            answer => answer,
        }
    }
}

/// Whether the access token was refused, before anything was done. A wrong password or code is refused with 401 too.
fn refuses_token(error: &Error) -> bool {
    error.status == 401 && (error.is(ErrorCode::InvalidToken) || error.is(ErrorCode::Unauthenticated))
}

impl Inner {
    pub(crate) fn emit(&self, event: &Event) {
        if let Some(events) = &self.events {
            events.on_event(event);
        }
    }
}

impl fmt::Debug for CallOptions {
    /// Without the key, under which an answer is given again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallOptions").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("tenant", &self.inner.tenant).finish_non_exhaustive()
    }
}
