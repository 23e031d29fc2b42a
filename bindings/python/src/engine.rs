//! The engine inside the process, behind `AuthKit`.

use crate::{
    client::Client,
    inbox::{Call, Inbox},
    outcome::{Outcome, Told, exception},
    principal::Principal,
    runtime,
};
use authkit_client::{Error, Result, wire::Secret};
use authkit_embedded::{ConformanceState, Embedded, EmbeddedTransport};
use pyo3::prelude::*;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

/// An engine, once it is opened.
#[pyclass(frozen, module = "authkit._native")]
#[derive(Clone)]
pub(crate) struct Engine(Arc<Inner>);

struct Inner {
    settings: String,
    opened: OnceLock<Embedded>,
}

fn settings(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|_| Error::invalid_argument("The settings must be JSON."))
}

impl Engine {
    pub(crate) fn opened(&self) -> Result<&Embedded> {
        self.0.opened.get().ok_or_else(|| Error::invalid_argument("The engine is not open."))
    }

    async fn start(self) -> Outcome {
        let opening = async {
            let opened = Embedded::open(settings(&self.0.settings)?).await?;
            if let Err(second) = self.0.opened.set(opened) {
                second.close().await;
                return Err(Error::invalid_argument("The engine is open already."));
            }
            Ok(Value::Null)
        };
        opening.await.into()
    }

    async fn ask(self, token: String) -> Outcome {
        let asked = async { self.opened()?.authenticate(&token).await };
        asked.await.map_or_else(Outcome::from, |principal| Outcome::Principal(Principal(principal)))
    }

    async fn add(self, email: String, password: Secret, name: Option<String>, roles: Vec<String>) -> Outcome {
        let made = async { self.opened()?.create_user(&email, password, name.as_deref(), &roles).await };
        made.await.map(|id| json!(id)).into()
    }

    async fn end(self) -> Outcome {
        if let Ok(engine) = self.opened() {
            engine.close().await;
        }
        Ok(Value::Null).into()
    }
}

#[pymethods]
impl Engine {
    /// Not opened yet.
    #[new]
    fn new(settings: String) -> Self {
        Self(Arc::new(Inner { settings, opened: OnceLock::new() }))
    }

    fn open(&self, inbox: &Inbox, id: u64) -> PyResult<Call> {
        inbox.start(id, self.clone().start())
    }

    fn open_blocking(&self, py: Python<'_>) -> PyResult<Told> {
        runtime::wait(py, self.clone().start())
    }

    /// Who presents the token, from what this process knows; `None` when that may be too little.
    fn verify(&self, py: Python<'_>, token: &str) -> PyResult<Option<Principal>> {
        let engine = self.opened().map_err(|error| exception(py, &error))?;
        match engine.verify(token) {
            Some(Ok(principal)) => Ok(Some(Principal(principal))),
            Some(Err(error)) => Err(exception(py, &error)),
            None => Ok(None),
        }
    }

    fn authenticate(&self, inbox: &Inbox, id: u64, token: String) -> PyResult<Call> {
        inbox.start(id, self.clone().ask(token))
    }

    fn authenticate_blocking(&self, py: Python<'_>, token: String) -> PyResult<Told> {
        runtime::wait(py, self.clone().ask(token))
    }

    /// Makes an account whose address needs no proof.
    fn create_user(
        &self,
        inbox: &Inbox,
        id: u64,
        email: String,
        password: String,
        name: Option<String>,
        roles: Vec<String>,
    ) -> PyResult<Call> {
        inbox.start(id, self.clone().add(email, password.into(), name, roles))
    }

    fn create_user_blocking(
        &self,
        py: Python<'_>,
        email: String,
        password: String,
        name: Option<String>,
        roles: Vec<String>,
    ) -> PyResult<Told> {
        runtime::wait(py, self.clone().add(email, password.into(), name, roles))
    }

    /// A client of the engine.
    #[pyo3(signature = (settings, storage))]
    fn client(&self, py: Python<'_>, settings: &str, storage: Option<&Bound<'_, PyAny>>) -> PyResult<Client> {
        let engine = self.opened().map_err(|error| exception(py, &error))?;
        Client::new(py, settings, Some(Arc::new(EmbeddedTransport::new(engine))), storage)
    }

    fn close(&self, inbox: &Inbox, id: u64) -> PyResult<Call> {
        inbox.start(id, self.clone().end())
    }

    fn close_blocking(&self, py: Python<'_>) -> PyResult<Told> {
        runtime::wait(py, self.clone().end())
    }

    fn __repr__(&self) -> &'static str {
        "<authkit._native.Engine>"
    }
}

/// An engine whose state begins anew and whose clock is moved by hand, for tests.
#[pyclass(frozen, module = "authkit._native")]
#[derive(Clone)]
pub(crate) struct Conformance {
    settings: String,
    opened: Arc<OnceLock<ConformanceState>>,
}

impl Conformance {
    fn opened(&self) -> Result<&ConformanceState> {
        self.opened.get().ok_or_else(|| Error::invalid_argument("The engine is not open."))
    }
}

#[pymethods]
impl Conformance {
    #[new]
    fn new(settings: String) -> Self {
        Self { settings, opened: Arc::default() }
    }

    fn open_blocking(&self, py: Python<'_>) -> PyResult<Told> {
        let this = self.clone();
        let open = async move {
            let state = ConformanceState::open(settings(&this.settings)?).await?;
            let twice = |_| Error::invalid_argument("The engine is open already.");
            this.opened.set(state).map(|()| Value::Null).map_err(twice)
        };
        runtime::wait(py, async move { open.await.into() })
    }

    /// Begins anew; the administrator's address and password.
    fn reset_blocking(&self, py: Python<'_>) -> PyResult<Told> {
        let this = self.clone();
        let reset = async move {
            let administrator = this.opened()?.reset().await?;
            Ok(json!({"email": administrator.email, "password": administrator.password.expose()}))
        };
        runtime::wait(py, async move { reset.await.into() })
    }

    /// Moves the clock, and does what a worker would have done by then.
    fn advance_blocking(&self, py: Python<'_>, seconds: u32) -> PyResult<Told> {
        let this = self.clone();
        let advance = async move { this.opened()?.advance(seconds).await.map(|()| Value::Null) };
        runtime::wait(py, async move { advance.await.into() })
    }

    /// What the clock shows, in seconds since 1970.
    fn now(&self, py: Python<'_>) -> PyResult<i64> {
        self.opened().and_then(ConformanceState::now).map_err(|error| exception(py, &error))
    }

    /// The engine; it stays the same over resets.
    fn engine(&self, py: Python<'_>) -> PyResult<Engine> {
        let state = self.opened().map_err(|error| exception(py, &error))?;
        let opened = OnceLock::from(state.engine().clone());
        Ok(Engine(Arc::new(Inner { settings: String::new(), opened })))
    }
}
