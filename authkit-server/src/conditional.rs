//! `ETag`, `If-None-Match` and `If-Match` over the versions of resources (RFC 9110, sections 8.8.3 and 13.1).

use crate::problem::{Answer, Failure};
use authkit_core::{
    Error,
    crypto::{hex, sha256},
};
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
    respond(headers, &tag(version), || axum::Json(view).into_response())
}

/// A view that is made of more than one row, so that no version stands for it: its content is its tag.
pub(crate) fn get_hashed<T: Serialize>(headers: &HeaderMap, view: &T) -> Response {
    match serde_json::to_vec(view) {
        Ok(json) => {
            let tag = tag_of(&json);
            respond(headers, &tag, || sent(json))
        }
        Err(error) => Failure(Error::internal(error)).into_response(),
    }
}

/// The same view as the answer to a change.
pub(crate) fn changed_hashed<T: Serialize>(view: &T) -> Response {
    get_hashed(&HeaderMap::new(), view)
}

/// The tag of a content.
pub(crate) fn tag_of(json: &[u8]) -> String {
    format!("\"{}\"", hex(&sha256(json)[..16]))
}

fn sent(json: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], json).into_response()
}

/// The whole answer with its tag; 304 when the client has it.
pub(crate) fn respond(headers: &HeaderMap, tag: &str, whole: impl FnOnce() -> Response) -> Response {
    // A GET compares weakly (section 13.1.2): a compressed copy is the same view.
    let known = list(headers, header::IF_NONE_MATCH)
        .any(|candidate| candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate) == tag);
    let response = if known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        whole()
    };
    tagged(response, tag)
}

fn tagged(mut response: Response, tag: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// A changed view with its tag.
pub(crate) fn changed<T: Serialize>(status: StatusCode, version: i64, view: &T) -> Response {
    tagged((status, axum::Json(view)).into_response(), &tag(version))
}

/// What no version ever is: they begin with 1.
const NEVER: i64 = 0;

/// The version that `If-Match` asks for; `None` without one, and [`NEVER`] when it names none of ours. The services
/// refuse then, after what is wrong with the request itself (section 13.2.1). `current` is asked when it names several.
///
/// # Errors
/// Those of `current`.
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
        [] => Ok(Some(NEVER)),
        [version] => Ok(Some(version)),
        _ => {
            let current = current().await?;
            Ok(Some(if versions.contains(&current) { current } else { NEVER }))
        }
    }
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
            assert_eq!(ask(wrong).await.unwrap(), Some(NEVER), "{wrong}");
        }
        assert_eq!(if_match(&HeaderMap::new(), async || Ok(7)).await.unwrap(), None);
    }
}
