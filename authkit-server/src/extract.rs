//! Extractors whose refusals are problem documents.

use crate::{
    call::{BodyLimits, Call},
    problem::Rejection,
};
use authkit_core::{
    Error, Origin,
    wire::{ErrorCode, FieldError},
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
use std::{str::FromStr, time::Duration};

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
        parse(&bytes).map(Self).map_err(Rejection::within)
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
    parse(&bytes).map(Some)
}

/// Reads a body where there is nothing to say: none, or an object without fields.
///
/// # Errors
/// Those of [`Json`] for anything else.
pub(crate) async fn nothing(headers: &HeaderMap, body: Body, limits: BodyLimits) -> Result<(), Error> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    optional::<Nothing>(headers, body, limits).await.map(drop)
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

/// Reads a JSON object.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut from = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut from);
    let value = match parsed {
        Ok(value) => value,
        Err(error) => {
            let path = error.path().to_string();
            return Err(match error.inner().classify() {
                serde_json::error::Category::Data if is_whole(bytes) => refused(&path, error.inner()),
                _ => malformed(error.inner()),
            });
        }
    };
    from.end().map_err(|error| malformed(&error))?;
    // serde also takes an array of a struct's fields in their order; the contract does not.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Error::field("", "invalid_type", "The body must be an object."));
    }
    if let Some(path) = find_nul(bytes) {
        return Err(Error::field(path, "invalid_value", "The NUL character is not allowed."));
    }
    Ok(value)
}

/// Whether the text is JSON at all: what is not is malformed, whichever field a parser stumbled over first.
fn is_whole(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

fn malformed(error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    Error::new(ErrorCode::MalformedRequest, format!("The body is not valid JSON (line {line}, column {column})."))
}

/// One refused field. serde's message is taken apart, so that no value of the request, perhaps a password, is repeated.
fn refused(path: &str, error: &serde_json::Error) -> Error {
    let message = error.to_string();
    let named = |start: &str| {
        message.strip_prefix(start).and_then(|rest| rest.split_once('`')).map(|(name, _)| {
            // The path of an unknown field includes it already, that of a missing one does not.
            let parent = path.strip_suffix(name).unwrap_or(path).trim_end_matches('.');
            if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
        })
    };
    let field = if let Some(field) = named("unknown field `") {
        FieldError::new(field, "unknown_field", "There is no such field.")
    } else if let Some(field) = named("missing field `") {
        FieldError::new(field, "missing_field", "This field is required.")
    } else if let Some(field) = named("duplicate field `") {
        FieldError::new(field, "duplicate_field", "This field is there more than once.")
    } else {
        let path = if path == "." { "" } else { path };
        let expected =
            message.split_once(", expected ").map(|(_, rest)| rest.split(" at line ").next().unwrap_or(rest));
        // serde names the Rust type, which is nobody's business.
        let object = expected.is_some_and(|what| what.starts_with("struct ") || what.starts_with("a map"));
        let detail = match expected {
            _ if object => "Expected an object.".to_owned(),
            Some(expected) => format!("Expected {expected}."),
            None => "The value cannot be read.".to_owned(),
        };
        let wrong_type = object || message.starts_with("invalid type");
        let code = if wrong_type { "invalid_type" } else { "invalid_value" };
        FieldError::new(path, code, detail)
    };
    Error::fields(vec![field])
}

/// Where the body holds a NUL character, which PostgreSQL's texts cannot.
fn find_nul(bytes: &[u8]) -> Option<String> {
    use serde_json::Value;

    fn walk(value: &Value, path: &mut String) -> bool {
        let length = path.len();
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().enumerate().any(|(i, item)| {
                path.truncate(length);
                path.push_str(&format!("[{i}]"));
                walk(item, path)
            }),
            Value::Object(fields) => fields.iter().any(|(name, item)| {
                path.truncate(length);
                if name.contains('\0') {
                    return true;
                }
                if length > 0 {
                    path.push('.');
                }
                path.push_str(name);
                walk(item, path)
            }),
            _ => false,
        }
    }

    // A raw NUL is no JSON, so only the escape can bring one; most bodies end here.
    if !bytes.windows(6).any(|window| window == b"\\u0000") {
        return None;
    }
    let value = serde_json::from_slice(bytes).ok()?;
    let mut path = String::new();
    walk(&value, &mut path).then_some(path)
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

/// The query's parameters. The layer has refused unknown and doubled ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
    }
}

impl Params {
    /// A text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A value of another kind; `kind` says which.
    ///
    /// # Errors
    /// `request.invalid_filter`
    pub(crate) fn value<T: FromStr>(&self, name: &str, kind: &str) -> Result<Option<T>, Error> {
        self.text(name)
            .map(|text| {
                text.parse().map_err(|_| Error::new(ErrorCode::InvalidFilter, format!("`{name}` must be {kind}.")))
            })
            .transpose()
    }

    /// One of the names of an enumeration.
    ///
    /// # Errors
    /// `request.invalid_filter`
    pub(crate) fn one_of<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        self.text(name)
            .map(|text| {
                serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|_| {
                    Error::new(ErrorCode::InvalidFilter, format!("`{name}` is not one of the known values."))
                })
            })
            .transpose()
    }

    /// The position in the list.
    pub(crate) fn cursor(&self) -> Option<&str> {
        self.text("cursor")
    }

    /// The size of the page.
    ///
    /// # Errors
    /// `request.invalid_limit`
    pub(crate) fn limit(&self) -> Result<Option<u32>, Error> {
        self.text("limit")
            .map(|text| {
                // `parse` alone would also take `+5`.
                Some(text)
                    .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
                    .and_then(|text| text.parse().ok())
                    .ok_or_else(|| Error::new(ErrorCode::InvalidLimit, "`limit` must be a whole number."))
            })
            .transpose()
    }
}

/// Refuses parameters that the route does not have, doubled ones, and what is not text.
///
/// # Errors
/// `request.invalid_filter`
pub(crate) fn check_query(query: &str, known: &[String]) -> Result<(), Error> {
    let mut seen: Vec<std::borrow::Cow<'_, str>> = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if !known.iter().any(|known| *known == name) {
            let list = known.join("`, `");
            let detail = if known.is_empty() {
                "This route takes no query parameters.".to_owned()
            } else {
                format!("The query parameters of this route are `{list}`.")
            };
            return Err(Error::new(ErrorCode::InvalidFilter, detail));
        }
        if value.contains(['\0', char::REPLACEMENT_CHARACTER]) {
            return Err(Error::new(ErrorCode::InvalidFilter, format!("`{name}` is not readable text.")));
        }
        if seen.contains(&name) {
            return Err(Error::new(ErrorCode::InvalidFilter, format!("`{name}` is there more than once.")));
        }
        seen.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use authkit_core::wire::{CreateRoleRequest, LoginRequest, UpdateMeRequest};

    fn refusal<T: DeserializeOwned>(text: &str) -> (ErrorCode, String, String) {
        let error = parse::<T>(text.as_bytes()).err().expect("refused");
        let field = error.fields.first();
        (
            error.code,
            field.map(|field| field.field.clone()).unwrap_or_default(),
            field.map(|field| field.code.clone()).unwrap_or_default(),
        )
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for text in [
            "",
            "{",
            "{\"email\":",
            "nonsense",
            "{} {}",
            "{\"email\":5,",
            r#"{"email":"a","password":"b"} {}"#,
            "\"\\ud800\"",
            "{\"email\":\"\\ud800\"}",
        ] {
            let (code, _, _) = refusal::<LoginRequest>(text);
            assert_eq!(code, ErrorCode::MalformedRequest, "{text}");
        }
    }

    #[test]
    fn a_refused_field_is_named_and_its_value_is_not_repeated() {
        let wrong = ErrorCode::ValidationFailed;
        let check = |text: &str, field: &str, reason: &str| {
            assert_eq!(refusal::<LoginRequest>(text), (wrong, field.to_owned(), reason.to_owned()), "{text}");
        };
        check(r#"{"email":"a","password":"b","role":"admin"}"#, "role", "unknown_field");
        check(r#"{"email":"a"}"#, "password", "missing_field");
        check(r#"{"email":5,"password":"b"}"#, "email", "invalid_type");
        check(r#"{"email":"a","email":"b","password":"c"}"#, "email", "duplicate_field");
        check(r#"["a","b"]"#, "", "invalid_type");
        check(r#"{"email":"a\u0000","password":"b"}"#, "email", "invalid_value");
        let error = parse::<LoginRequest>(br#"{"email":"a","password":31337}"#).err().unwrap();
        assert!(!format!("{error:?}").contains("31337"), "{error:?}");
        let error = parse::<CreateRoleRequest>(br#"{"name":"x","parent_id":"hunter2"}"#).err().unwrap();
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        let (_, field, _) = refusal::<CreateRoleRequest>(r#"{"name":"x","permissions":["a",7]}"#);
        assert_eq!(field, "permissions[1]");
    }

    #[test]
    fn what_is_no_object_is_told_so_without_the_name_of_a_type() {
        for text in ["null", "5", "true", "\"x\""] {
            let error = parse::<LoginRequest>(text.as_bytes()).expect_err("refused");
            let field = &error.fields[0];
            assert_eq!((field.field.as_str(), field.code.as_str()), ("", "invalid_type"), "{text}");
            assert_eq!(field.detail, "Expected an object.", "{text}");
        }
        let error = parse::<UpdateMeRequest>(br#"{"profile":5}"#).expect_err("refused");
        assert_eq!(error.fields[0].detail, "Expected an object.");
    }

    #[test]
    fn a_nul_is_found_wherever_it_is_and_an_escaped_backslash_is_none() {
        let (_, field, _) = refusal::<UpdateMeRequest>(r#"{"profile":{"a":[{"b":"\u0000"}]}}"#);
        assert_eq!(field, "profile.a[0].b");
        assert!(parse::<UpdateMeRequest>(br#"{"profile":{"a":"\\u0000"}}"#).is_ok());
    }

    #[test]
    fn unknown_doubled_and_unreadable_parameters_are_refused() {
        let known = ["limit".to_owned(), "cursor".to_owned()];
        assert!(check_query("limit=5&cursor=x", &known).is_ok());
        for wrong in ["limits=5", "limit=5&limit=6", "cursor=%00", "cursor=%ff", "="] {
            assert_eq!(check_query(wrong, &known).err().unwrap().code, ErrorCode::InvalidFilter, "{wrong}");
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
