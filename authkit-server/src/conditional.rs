//! `ETag`, `If-None-Match` and `If-Match` over the versions of resources (RFC 9110, sections 8.8.3 and 13.1).

use crate::problem::{Answer, Failure};
use authkit_core::{Error, wire::ErrorCode};
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

/// The strong tag of a version.
fn tag(version: i64) -> String {
    format!("\"{version}\"")
}

/// A view with its tag; 304 when the client has it.
pub(crate) fn get<T: Serialize>(headers: &HeaderMap, version: i64, view: &T) -> Response {
    let tag = tag(version);
    // A GET compares weakly (section 13.1.2): a compressed copy is the same view.
    let known = list(headers, header::IF_NONE_MATCH)
        .any(|candidate| candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate) == tag);
    let mut response = if known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        axum::Json(view).into_response()
    };
    if let Ok(value) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// A changed view with its tag.
pub(crate) fn changed<T: Serialize>(status: StatusCode, version: i64, view: &T) -> Response {
    let mut response = (status, axum::Json(view)).into_response();
    if let Ok(value) = HeaderValue::from_str(&tag(version)) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// The version that `If-Match` asks for; `None` without one. `current` is asked when it names several.
///
/// # Errors
/// `request.precondition_failed` when no version of ours can match.
pub(crate) async fn if_match<F>(headers: &HeaderMap, current: impl FnOnce() -> F) -> Answer<Option<i64>>
where
    F: Future<Output = authkit_core::Result<i64>>,
{
    if !headers.contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    let mut versions = Vec::new();
    for candidate in list(headers, header::IF_MATCH) {
        if candidate == "*" {
            return Ok(None);
        }
        // Strong comparison (section 13.1.1): a weak tag never matches.
        let number = candidate.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        versions.extend(number.and_then(|text| text.parse::<i64>().ok()).filter(|version| tag(*version) == candidate));
    }
    match versions[..] {
        [] => Err(refused()),
        [version] => Ok(Some(version)),
        _ => {
            let current = current().await?;
            if versions.contains(&current) { Ok(Some(current)) } else { Err(refused()) }
        }
    }
}

fn refused() -> Failure {
    Failure(Error::new(
        ErrorCode::PreconditionFailed,
        "`If-Match` names no version that exists; read the resource again.",
    ))
}

fn list(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn a_known_tag_is_not_sent_again() {
        let status = |value: &str| get(&headers(header::IF_NONE_MATCH, value), 7, &"view").status();
        for known in ["\"7\"", "W/\"7\"", "\"6\", \"7\"", "*"] {
            assert_eq!(status(known), 304, "{known}");
        }
        for other in ["\"8\"", "7", "\"77\""] {
            assert_eq!(status(other), 200, "{other}");
        }
    }

    #[tokio::test]
    async fn a_precondition_is_compared_strongly() {
        let ask = async |value: &str| if_match(&headers(header::IF_MATCH, value), async || Ok(7)).await;
        assert_eq!(ask("\"7\"").await.unwrap(), Some(7));
        assert_eq!(ask("*").await.unwrap(), None);
        assert_eq!(ask("\"6\", \"7\"").await.unwrap(), Some(7));
        for wrong in ["W/\"7\"", "7", "\"x\"", "\"5\", \"6\"", "\"+7\"", "\"07\""] {
            assert_eq!(ask(wrong).await.err().unwrap().0.code, ErrorCode::PreconditionFailed, "{wrong}");
        }
        assert_eq!(if_match(&HeaderMap::new(), async || Ok(7)).await.unwrap(), None);
    }
}
