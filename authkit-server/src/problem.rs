//! Errors as problem documents (RFC 9457), in one place.

use crate::call::TraceId;
use authkit_core::{
    Error,
    wire::{ErrorCode, Problem},
};
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::{error::Error as _, fmt::Write, sync::Arc};

/// What a handler answers.
pub(crate) type Answer<T = Response> = Result<T, Failure>;

/// A handler's failure. The combined layer turns it into a problem document with the request's trace id.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// A failure on its way from the handler to the combined layer.
#[derive(Clone, Debug)]
pub(crate) struct Pending(pub(crate) Arc<Error>);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status(self.0.code);
        response.extensions_mut().insert(Pending(Arc::new(self.0)));
        response
    }
}

/// A refusal by one of the extractors, as a problem document. It works in a host application's router as well as here.
#[derive(Debug)]
pub struct Rejection {
    error: Error,
    /// Where no combined layer is around that would know it.
    trace: Option<TraceId>,
}

impl Rejection {
    /// A refusal behind the combined layer, which writes the document and the log.
    pub(crate) const fn within(error: Error) -> Self {
        Self { error, trace: None }
    }

    /// A refusal in a host application's own router.
    pub(crate) fn outside(error: Error, headers: &HeaderMap) -> Self {
        Self { error, trace: Some(TraceId::outside(headers)) }
    }

    /// The stable code of the refusal.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        self.error.code
    }

    /// What the refusal says, for pages that show it in their own way.
    #[must_use]
    pub const fn error(&self) -> &Error {
        &self.error
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let Some(trace) = self.trace else { return Failure(self.error).into_response() };
        log(&self.error, trace.as_str());
        let mut response = render(&self.error, trace.as_str());
        response.headers_mut().insert(TraceId::HEADER, trace.header());
        response
    }
}

pub(crate) fn status(code: ErrorCode) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The problem document of `error`.
pub(crate) fn render(error: &Error, trace_id: &str) -> Response {
    let problem = Problem::new(error.code, error.detail.as_str(), trace_id, error.fields.clone());
    let mut response = Response::new(Body::from(serde_json::to_vec(&problem).unwrap_or_default()));
    *response.status_mut() = status(error.code);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    retry_after(error, headers);
    if let Some(challenge) = challenge(error.code) {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

/// Says when it is worth to try again.
pub(crate) fn retry_after(error: &Error, headers: &mut HeaderMap) {
    if let Some(wait) = error.retry_after {
        // Rounded up: who waits so long is not refused again for the same reason.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
}

/// RFC 6750, section 3; RFC 9470, section 3.
const fn challenge(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::InvalidToken => Some(r#"Bearer realm="authkit", error="invalid_token""#),
        ErrorCode::StepUpRequired => Some(r#"Bearer realm="authkit", error="insufficient_user_authentication""#),
        ErrorCode::Forbidden => Some(r#"Bearer realm="authkit", error="insufficient_scope""#),
        _ if code.status() == 401 => Some(r#"Bearer realm="authkit""#),
        _ => None,
    }
}

/// Writes what only the log may know.
pub(crate) fn log(error: &Error, trace_id: &str) {
    if error.code.status() < 500 && error.source().is_none() {
        return;
    }
    let mut causes = String::new();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(causes, "{}{cause}", if causes.is_empty() { "" } else { ": " });
        source = cause.source();
    }
    if error.code == ErrorCode::Internal {
        tracing::error!(trace_id, code = error.code.as_str(), causes, "the request failed");
    } else {
        tracing::warn!(trace_id, code = error.code.as_str(), causes, "the request was not served");
    }
}

/// The error behind a bare status, such as axum's own refusals.
pub(crate) fn of_status(status: StatusCode) -> Error {
    let code = match status.as_u16() {
        404 => ErrorCode::RouteNotFound,
        405 => ErrorCode::MethodNotAllowed,
        408 => ErrorCode::RequestTimeout,
        412 => ErrorCode::PreconditionFailed,
        413 => ErrorCode::BodyTooLarge,
        415 => ErrorCode::UnsupportedMediaType,
        422 => ErrorCode::ValidationFailed,
        429 => ErrorCode::RateLimited,
        503 => ErrorCode::Unavailable,
        400..=499 => ErrorCode::MalformedRequest,
        _ => ErrorCode::Internal,
    };
    code.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use std::time::Duration;

    #[tokio::test]
    async fn a_problem_says_what_clients_may_know_and_nothing_of_the_cause() {
        let error = Error::internal("SELECT secret FROM users").retry_after(Duration::from_millis(1500));
        let response = render(&error, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = std::str::from_utf8(&body).unwrap();
        assert!(!text.contains("SELECT"), "{text}");
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem.code, "server.internal");
        assert_eq!(problem.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
    }

    #[test]
    fn every_401_carries_a_challenge() {
        for code in ErrorCode::ALL.iter().filter(|code| code.status() == 401) {
            assert!(render(&Error::from(*code), "").headers().contains_key("www-authenticate"), "{code}");
        }
    }
}
