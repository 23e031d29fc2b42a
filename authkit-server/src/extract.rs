//! Extractors whose refusals are problem documents.

use crate::{
    call::{BodyLimits, Call},
    problem::Rejection,
};
use authkit_core::{
    Error, Origin,
    operations::{Empty, Query, parse_json},
    wire::ErrorCode,
};
use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Request, path::ErrorKind, rejection::PathRejection},
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header, request::Parts};
use http_body::Body as _;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Where the request came from, for the services.
#[derive(Clone, Debug)]
pub(crate) struct Client(pub(crate) Origin);

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        match parts.extensions.get::<Call>() {
            Some(call) => Ok(Self(call.origin(&parts.headers))),
            None => Err(Rejection::within(Error::internal("a route of AuthKit is served without its layer"))),
        }
    }
}

/// The way in which tokens are handed out: in the body, the only one that there is. A client that asks for cookies must
/// not believe that it has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BearerMode;

impl<S: Send + Sync> FromRequestParts<S> for BearerMode {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        const MODE: &str = "X-AuthKit-Mode";
        if parts.headers.get_all(MODE).iter().all(|mode| mode.as_bytes().eq_ignore_ascii_case(b"bearer")) {
            return Ok(Self);
        }
        let detail = "Browser mode (`cookie`) is not available yet: leave the header out, or send `bearer`.";
        Err(Rejection::within(Error::field(MODE, "invalid_value", detail)))
    }
}

/// A JSON body. Unknown and doubled fields, other shapes than an object and NUL characters are refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Rejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, Rejection> {
        if !is_json(request.headers()) {
            return Err(Rejection::within(wrong_type()));
        }
        let limits = limits(&request);
        let bytes = read(request.into_body(), limits).await.map_err(Rejection::within)?;
        parse_json(&bytes).map(Self).map_err(Rejection::within)
    }
}

/// A JSON body that may be left out. An empty one is none, whatever its content type says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OptionalJson<T>(pub(crate) Option<T>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for OptionalJson<T> {
    type Rejection = Rejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, Rejection> {
        let limits = limits(&request);
        let (parts, body) = request.into_parts();
        optional(&parts.headers, body, limits).await.map(Self).map_err(Rejection::within)
    }
}

async fn optional<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    limits: BodyLimits,
) -> Result<Option<T>, Error> {
    let bytes = read(body, limits).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if !is_json(headers) {
        return Err(wrong_type());
    }
    parse_json(&bytes).map(Some)
}

/// Reads a body where there is nothing to say: none, or an object without fields.
///
/// # Errors
/// Those of [`Json`] for anything else.
pub(crate) async fn nothing(headers: &HeaderMap, body: Body, limits: BodyLimits) -> Result<(), Error> {
    optional::<Empty>(headers, body, limits).await.map(drop)
}

fn limits(request: &Request) -> BodyLimits {
    request
        .extensions()
        .get::<Call>()
        .map_or(BodyLimits { bytes: 64 * 1024, time: Duration::from_secs(10) }, |call| call.body)
}

fn wrong_type() -> Error {
    Error::new(
        ErrorCode::UnsupportedMediaType,
        "Send the body as `Content-Type: application/json`, without `Content-Encoding`.",
    )
}

/// Whether the body is JSON as it stands: no other media type, and nothing to unpack (RFC 9110, section 8.4).
fn is_json(headers: &HeaderMap) -> bool {
    if headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return false;
    }
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let Some(Ok(text)) = values.next().map(|value| value.to_str()) else { return false };
    let mut parts = text.split(';').map(str::trim);
    // RFC 8259 defines no charset; UTF-8 is what is meant when one is given.
    parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| !starts_with_other_charset(parameter))
        && values.next().is_none()
}

fn starts_with_other_charset(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(name, value)| {
        name.trim().eq_ignore_ascii_case("charset") && !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    })
}

/// Reads a whole body within bounds.
///
/// # Errors
/// `request.body_too_large`, `request.timeout`, `request.malformed` when the connection breaks.
pub(crate) async fn read(mut body: Body, limits: BodyLimits) -> Result<Bytes, Error> {
    let too_large =
        || Error::new(ErrorCode::BodyTooLarge, format!("The body may have at most {} KiB.", limits.bytes / 1024));
    if body.size_hint().lower() > limits.bytes as u64 {
        return Err(too_large());
    }
    let read = async {
        let mut first = Bytes::new();
        let mut rest: Option<BytesMut> = None;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                return Err(Error::new(ErrorCode::MalformedRequest, "The body ended before it was complete."));
            };
            let Ok(data) = frame.into_data() else { continue };
            let so_far = rest.as_ref().map_or(first.len(), BytesMut::len);
            if so_far + data.len() > limits.bytes {
                return Err(too_large());
            }
            match &mut rest {
                Some(rest) => rest.extend_from_slice(&data),
                None if first.is_empty() => first = data,
                None => {
                    let mut joined = BytesMut::from(&first[..]);
                    joined.extend_from_slice(&data);
                    rest = Some(joined);
                }
            }
        }
        Ok(rest.map_or(first, BytesMut::freeze))
    };
    match tokio::time::timeout(limits.time, read).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::new(ErrorCode::RequestTimeout, "The body did not arrive in time.")),
    }
}

/// The values in the path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(failed)) => {
                let field = match failed.kind() {
                    ErrorKind::ParseErrorAtKey { key, .. }
                    | ErrorKind::DeserializeError { key, .. }
                    | ErrorKind::InvalidUtf8InPathParam { key } => key.clone(),
                    _ => "id".to_owned(),
                };
                let error = Error::field(field, "invalid_value", "The value in the path is not an id of this kind.");
                Err(Rejection::within(error))
            }
            Err(_) => Err(Rejection::within(Error::internal("a handler reads a path that it does not have"))),
        }
    }
}

/// The query's parameters, as the layer has checked them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Query);

impl std::ops::Deref for Params {
    type Target = Query;

    fn deref(&self) -> &Query {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

impl Params {
    /// Those of a query. Refuses parameters that the route does not have, doubled ones, and what is not text.
    ///
    /// # Errors
    /// `request.invalid_filter`
    pub(crate) fn read(query: &str, known: &[String]) -> Result<Self, Error> {
        Query::new(known, form_urlencoded::parse(query.as_bytes())).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_doubled_and_unreadable_parameters_are_refused() {
        let known = ["limit".to_owned(), "cursor".to_owned()];
        assert!(Params::read("limit=5&cursor=x", &known).is_ok());
        for wrong in ["limits=5", "limit=5&limit=6", "cursor=%00", "cursor=%ff", "="] {
            assert_eq!(Params::read(wrong, &known).err().unwrap().code, ErrorCode::InvalidFilter, "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_is_cut_at_the_limit() {
        let limits = BodyLimits { bytes: 10, time: Duration::from_secs(1) };
        let chunks = |n: usize| {
            let chunks = (0..n).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(b"12345")));
            Body::from_stream(futures_util::stream::iter(chunks))
        };
        assert_eq!(read(chunks(2), limits).await.unwrap(), "1234512345");
        assert_eq!(read(chunks(3), limits).await.err().unwrap().code, ErrorCode::BodyTooLarge);
        let whole = Body::from("12345123451");
        assert_eq!(read(whole, limits).await.err().unwrap().code, ErrorCode::BodyTooLarge);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_is_given_up() {
        let limits = BodyLimits { bytes: 10, time: Duration::from_secs(1) };
        let body = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(read(body, limits).await.err().unwrap().code, ErrorCode::RequestTimeout);
    }
}
