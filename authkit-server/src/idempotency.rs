//! `Idempotency-Key`: a repeat of a request gets the first answer.

use crate::{App, call::Call, extract};
use authkit_core::{
    Error, Result,
    tenants::{Begin, Guard, Idempotency},
    wire::{ErrorCode, TenantId, UserId},
};
use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header, request::Parts};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use std::{future::Future, panic::AssertUnwindSafe};
use tracing::Instrument;

/// The header.
pub(crate) const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A successful answer as it is kept, sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    content_type: Option<String>,
    etag: Option<String>,
    location: Option<String>,
    body: String,
}

/// The request's key.
///
/// # Errors
/// `request.malformed` when it is empty, too long, not visible ASCII, or there twice.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<&str>> {
    let mut values = headers.get_all(KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    // Two are none, and neither is what is not text.
    let text = value.to_str().ok().filter(|_| values.next().is_none()).unwrap_or_default();
    Idempotency::check_key(text).map(|()| Some(text))
}

/// Runs the request, or repeats the answer to its first run. Only successes are kept: a refused request has changed
/// nothing and may be sent again.
///
/// `run` goes on when the client goes away, since a reservation without an end would refuse the client's repeat.
pub(crate) async fn run<F>(
    app: &App,
    call: &Call,
    route: &str,
    key: String,
    request: Request<Body>,
    run: impl FnOnce(Request<Body>) -> F,
) -> Result<Response>
where
    F: Future<Output = Response> + Send + 'static,
{
    let cx = app.engine.context().clone();
    let (parts, body) = request.into_parts();
    let body = extract::read(body, call.body).await?;
    let tenant = call.caller_tenant().unwrap_or(call.tenant);
    let who = match (&call.principal, &call.device) {
        (Some(principal), _) => principal.user.to_string(),
        (None, Some(device)) => device.device.to_string(),
        (None, None) => "anonymous".to_owned(),
    };
    let guard = match Idempotency::begin(&cx, tenant, &who, route, &key, &identity(&parts, &body)).await? {
        Begin::Replay(kept) => return restore(&kept),
        Begin::Run(guard) => guard,
    };
    let answer = run(Request::from_parts(parts, Body::from(body)));
    let running = app.shared.detached.begin();
    let work = async move {
        let _running = running;
        let response = AssertUnwindSafe(answer).catch_unwind().await;
        match response {
            Ok(response) if response.status().is_success() => keep(guard, response).await,
            Ok(response) => {
                release(guard).await;
                Ok(response)
            }
            Err(panic) => {
                release(guard).await;
                std::panic::resume_unwind(panic)
            }
        }
    };
    match tokio::spawn(work.in_current_span()).await {
        Ok(outcome) => outcome,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(ErrorCode::Unavailable.into()),
        },
    }
}

/// The answer to the same request of before, to a caller whose session has ended by it, and who is refused by now:
/// what deletes an account would else look as if it had failed. Whoever holds a token that was good, the key and the
/// whole request hears again what they heard; anybody else nothing.
pub(crate) async fn again(
    app: &App,
    holder: (TenantId, UserId),
    route: &str,
    parts: &Parts,
    body: &[u8],
) -> Option<Response> {
    let key = key(&parts.headers).ok()??;
    let (tenant, user) = holder;
    let cx = app.engine.context();
    let found = Idempotency::find(cx, tenant, &user.to_string(), route, key, &identity(parts, body)).await;
    restore(&found.ok()??).ok()
}

/// What makes it the same request: the concrete path and the precondition belong to it as much as its body does.
fn identity(parts: &Parts, body: &[u8]) -> Vec<u8> {
    let precondition = parts.headers.get(header::IF_MATCH).map(HeaderValue::as_bytes).unwrap_or_default();
    [parts.uri.path().as_bytes(), b"\n", precondition, b"\n", body].concat()
}

async fn keep(guard: Guard, response: Response) -> Result<Response> {
    let (parts, body) = response.into_parts();
    let body: Bytes = body.collect().await.map_err(|error| Error::internal(error.to_string()))?.to_bytes();
    let text = |name: HeaderName| parts.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let kept = Kept {
        status: parts.status.as_u16(),
        content_type: text(header::CONTENT_TYPE),
        etag: text(header::ETAG),
        location: text(header::LOCATION),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let kept = serde_json::to_vec(&kept).map_err(Error::internal)?;
    // What was done is done: a repeat that cannot be recognised is no reason to refuse the answer.
    if let Err(error) = Idempotency::complete(guard, &kept).await {
        crate::problem::log(&error, "");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

async fn release(guard: Guard) {
    if let Err(error) = Idempotency::release(guard).await {
        crate::problem::log(&error, "");
    }
}

fn restore(kept: &[u8]) -> Result<Response> {
    let kept: Kept = serde_json::from_slice(kept).map_err(Error::internal)?;
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(kept.status).map_err(Error::internal)?;
    let headers = response.headers_mut();
    for (name, value) in
        [(header::CONTENT_TYPE, kept.content_type), (header::ETAG, kept.etag), (header::LOCATION, kept.location)]
    {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_of_bounded_length() {
        let with = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(KEY, HeaderValue::from_bytes(value).unwrap());
            key(&headers).map(|key| key.map(str::to_owned))
        };
        assert_eq!(key(&HeaderMap::new()).unwrap(), None);
        assert_eq!(with(b"7f3c").unwrap(), Some("7f3c".into()));
        for wrong in [&b""[..], b"a b", &[b'x'; 256], "ü".as_bytes()] {
            assert_eq!(with(wrong).err().unwrap().code, ErrorCode::MalformedRequest);
        }
    }
}
