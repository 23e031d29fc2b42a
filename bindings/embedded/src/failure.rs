//! What the engine refuses, as the error that every client knows.

use authkit_client::{Error, code};
use authkit_engine::{EngineError, core};
use serde_json::{Value, json};
use std::{borrow::Cow, error::Error as _};

pub(crate) fn environment(message: String) -> Error {
    let mut error = Error::invalid_argument(message);
    error.code = Cow::Borrowed(code::ENVIRONMENT);
    error
}

/// Why an engine could not be opened.
pub(crate) fn opening(error: EngineError) -> Error {
    match error {
        EngineError::Config(error) => Error::invalid_argument(error.to_string()),
        EngineError::Start(error) => refused(error, None),
        error => environment(format!("The engine could not be opened: {error}")),
    }
}

/// What the engine answers instead of a result.
pub(crate) fn refused(error: core::Error, trace_id: Option<String>) -> Error {
    let mut refused = Error::invalid_argument(error.detail);
    refused.code = Cow::Borrowed(error.code.as_str());
    refused.status = error.code.status();
    refused.retryable = error.code.retryable();
    refused.retry_after = error.retry_after;
    refused.trace_id = trace_id;
    refused.fields = error.fields;
    refused
}

/// The refusal of an engine that crossed a fork with an open file (<https://sqlite.org/howtocorrupt.html>, section 2.7): what
/// the library knows of locks is the parent's, and another process could take the file for unused.
pub(crate) fn torn() -> Error {
    environment(
        "This process was forked while the engine's SQLite file was open, and cannot use it. Call `before_fork` before \
         the fork, or open the engine after it."
            .to_owned(),
    )
}

/// The same as the problem document of a route (RFC 9457).
pub(crate) fn problem(error: &core::Error, trace_id: &str) -> Value {
    if error.code.status() >= 500 {
        let cause = error.source().map(ToString::to_string);
        tracing::error!(code = error.code.as_str(), trace_id, cause, "a call failed");
    }
    json!({"code": error.code.as_str(), "detail": error.detail, "errors": error.fields, "trace_id": trace_id})
}
