use crate::problem;
use authkit_core::Error;
use axum::response::{IntoResponse, Response};

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

impl From<Response> for Failure {
    fn from(answer: Response) -> Self {
        Self::Answer(Box::new(answer))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Answer(answer) => *answer,
            // `render::finish` makes a page of it.
            Self::Refused(error) => problem::Failure(error).into_response(),
        }
    }
}
