//! The client behind `AsyncClient` and `Client`: one generic call, waited for by an event loop or by a thread.

use crate::{
    inbox::{Call, Inbox},
    outcome::{Outcome, Told, exception},
    runtime,
    storage::SharedStorage,
};
use authkit_client::{CallOptions, Error, Event, Result, Transport, wire::Secret};
use authkit_embedded::refuse_key;
use pyo3::{exceptions::PyValueError, prelude::*};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// What a client is made of, besides its storage and transport.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    base_url: Option<String>,
    #[serde(default)]
    allow_insecure: bool,
    tenant: Option<String>,
    timeout: Option<f64>,
    retries: Option<u32>,
}

/// The events that no handler has heard yet.
type Events = Arc<Mutex<VecDeque<String>>>;

/// A client, and how to make it anew: the connections of another process must not be used by this one.
#[pyclass(frozen, module = "authkit._native")]
#[derive(Clone)]
pub(crate) struct Client {
    recipe: Arc<Recipe>,
    bearer: Option<Secret>,
}

struct Recipe {
    settings: Settings,
    transport: Option<Arc<dyn Transport>>,
    storage: SharedStorage,
    events: Events,
    made: Mutex<Option<(u32, authkit_client::Client)>>,
}

fn seconds(seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| Error::invalid_argument("A time must be a number of seconds."))
}

impl Recipe {
    /// The client of this process.
    fn client(&self) -> Result<authkit_client::Client> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        match made.take() {
            Some((maker, client)) if maker == process => {
                *made = Some((maker, client.clone()));
                return Ok(client);
            }
            // Its connections are the parent's, and dropping it would talk over them.
            Some((_, client)) => std::mem::forget(client),
            None => {}
        }
        let client = self.make()?;
        *made = Some((process, client.clone()));
        Ok(client)
    }

    fn make(&self) -> Result<authkit_client::Client> {
        let Settings { base_url, allow_insecure, tenant, timeout, retries } = self.settings.clone();
        let events = Arc::clone(&self.events);
        let heard = move |event: &Event| {
            let reason =
                if let Event::SignedOut { reason } = event { reason.as_ref().map(Error::to_json) } else { None };
            let text = json!({"name": event.name(), "reason": reason}).to_string();
            events.lock().unwrap_or_else(PoisonError::into_inner).push_back(text);
        };
        let mut builder = authkit_client::Client::builder().storage(self.storage.clone()).on_event(heard);
        if let Some(transport) = &self.transport {
            builder = builder.transport(Arc::clone(transport));
        }
        if let Some(url) = base_url {
            builder = builder.base_url(url).allow_insecure(allow_insecure);
        }
        if let Some(tenant) = tenant {
            builder = builder.tenant(tenant);
        }
        if let Some(timeout) = timeout {
            builder = builder.timeout(seconds(timeout)?);
        }
        if let Some(retries) = retries {
            builder = builder.retries(retries);
        }
        builder.build()
    }
}

impl Client {
    pub(crate) fn new(
        py: Python<'_>,
        settings: &str,
        transport: Option<Arc<dyn Transport>>,
        storage: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let unknown = |_| PyValueError::new_err("The settings of a client are what `authkit` makes of its arguments.");
        let settings = serde_json::from_str(settings).map_err(unknown)?;
        let storage = SharedStorage::new(storage)?;
        let recipe = Recipe { settings, transport, storage, events: Events::default(), made: Mutex::default() };
        // Made at once, so that whoever wrote the settings hears of it; nothing is sent.
        recipe.client().map_err(|error| exception(py, &error))?;
        Ok(Self { recipe: Arc::new(recipe), bearer: None })
    }

    async fn perform(self, operation: String, arguments: String, key: Option<String>, timeout: Option<f64>) -> Outcome {
        let work = async {
            let mut client = self.recipe.client()?;
            if let Some(bearer) = self.bearer {
                client = client.with_bearer(bearer);
            }
            let mut options = CallOptions::default();
            if let Some(key) = key {
                if self.recipe.transport.is_some() {
                    refuse_key(&operation)?;
                }
                options = options.idempotency_key(key);
            }
            if let Some(timeout) = timeout {
                options = options.timeout(seconds(timeout)?);
            }
            let unread = |_| Error::invalid_argument("The arguments must be one JSON object.");
            let arguments: Value = serde_json::from_str(&arguments).map_err(unread)?;
            match operation.as_str() {
                "client.accessToken" => Ok(client.access_token().await?.expose().into()),
                "client.isSignedIn" => Ok(client.is_signed_in().await?.into()),
                operation => client.call_with(operation, arguments, options).await,
            }
        };
        Outcome::from(work.await)
    }
}

#[pymethods]
impl Client {
    /// A client over HTTP.
    #[staticmethod]
    #[pyo3(signature = (settings, storage))]
    fn connect(py: Python<'_>, settings: &str, storage: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        Self::new(py, settings, None, storage)
    }

    /// The same client for somebody else.
    fn with_bearer(&self, access_token: String) -> Self {
        Self { recipe: Arc::clone(&self.recipe), bearer: Some(access_token.into()) }
    }

    /// Starts a call whose outcome comes into the inbox under `id`.
    fn call(
        &self,
        inbox: &Inbox,
        id: u64,
        operation: String,
        arguments: String,
        idempotency_key: Option<String>,
        timeout: Option<f64>,
    ) -> PyResult<Call> {
        inbox.start(id, self.clone().perform(operation, arguments, idempotency_key, timeout))
    }

    /// Makes a call and waits for its outcome.
    fn call_blocking(
        &self,
        py: Python<'_>,
        operation: String,
        arguments: String,
        idempotency_key: Option<String>,
        timeout: Option<f64>,
    ) -> PyResult<Told> {
        runtime::wait(py, self.clone().perform(operation, arguments, idempotency_key, timeout))
    }

    /// Takes out the events that came, as JSON.
    fn events(&self) -> Vec<String> {
        self.recipe.events.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }

    fn __repr__(&self) -> &'static str {
        "<authkit._native.Client>"
    }
}
