//! What a call comes to, as it crosses the border.

use crate::principal::Principal;
use authkit_client::Error;
use pyo3::prelude::*;
use serde_json::{Value, json};

/// What a call comes to: JSON, but for principals.
pub(crate) enum Outcome {
    Answer(String),
    Principal(Principal),
    Error(String),
}

/// Whether the call succeeded, and the answer or error.
pub(crate) type Told = (bool, Py<PyAny>);

impl Outcome {
    /// Of work that ended without saying how.
    pub(crate) fn broken_off() -> Self {
        let error = json!({
            "code": authkit_client::code::ENVIRONMENT,
            "status": 0,
            "message": "The call was broken off, since the interpreter or the engine ends, or by a fault in AuthKit.",
            "retryable": false,
            "retry_after": null,
            "trace_id": null,
            "fields": [],
        });
        Self::Error(error.to_string())
    }

    pub(crate) fn told(self, py: Python<'_>) -> PyResult<Told> {
        Ok(match self {
            Self::Answer(json) => (true, json.into_pyobject(py)?.into_any().unbind()),
            Self::Principal(principal) => (true, Py::new(py, principal)?.into_any()),
            Self::Error(json) => (false, json.into_pyobject(py)?.into_any().unbind()),
        })
    }
}

impl From<Result<Value, Error>> for Outcome {
    fn from(result: Result<Value, Error>) -> Self {
        result.map_or_else(Self::from, |value| Self::Answer(value.to_string()))
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        Self::Error(error.to_json().to_string())
    }
}

/// The exception of an error: the subclass of `AuthKitError` that belongs to its code.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let error = error.to_json().to_string();
    let made = py.import("authkit._reading").and_then(|module| module.call_method1("read_error", (error,)));
    made.map_or_else(|error| error, PyErr::from_value)
}
