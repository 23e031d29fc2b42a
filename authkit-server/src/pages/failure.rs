use authkit_core::{Error, wire::ErrorCode};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use std::{error::Error as _, sync::Arc};

/// A refusal that no form can show beside its fields: it becomes a page of its own.
#[derive(Debug)]
pub(super) enum Failure {
    /// Why.
    Refused(Error),
    /// An answer that is ready, for example the way to the sign-in page.
    Answer(Box<Response>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self::Refused(code.into())
    }
}

impl From<Response> for Failure {
    fn from(answer: Response) -> Self {
        Self::Answer(Box::new(answer))
    }
}

/// Left in an answer's extensions for [`render::finish`](super::render::finish), which knows the installation's name.
#[derive(Clone, Debug)]
pub(super) struct Refused(pub(super) Arc<Error>);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Answer(answer) => *answer,
            Self::Refused(error) => {
                log(&error);
                let mut answer = status(&error).into_response();
                retry_after(&error, &mut answer);
                answer.extensions_mut().insert(Refused(Arc::new(error)));
                answer
            }
        }
    }
}

/// The status that the code stands for.
pub(super) fn status(error: &Error) -> StatusCode {
    StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Says in a header when it is worth to try again.
pub(super) fn retry_after(error: &Error, answer: &mut Response) {
    if let Some(wait) = error.retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, wait.as_secs().max(1).into());
    }
}

/// Writes what only the log may know.
pub(super) fn log(error: &Error) {
    if error.code.status() >= 500 {
        let cause = error.source().map(ToString::to_string);
        tracing::error!(code = error.code.as_str(), cause, "a page failed");
    }
}
