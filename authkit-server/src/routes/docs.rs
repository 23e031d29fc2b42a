//! `/api/openapi.json` and `/api/docs`: the contract, and Swagger UI over it, both from the binary.

use crate::{
    App, Document,
    access::Access,
    conditional,
    problem::Answer,
    rate_limit::RateClass,
    registry::{Api, Spec},
};
use authkit_core::{Error, wire::ErrorCode};
use axum::{
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, header};
use std::sync::Arc;
use utoipa_axum::routes;

/// Swagger UI sets styles from its script, and shows images that it carries as `data:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

pub(crate) fn register(api: &mut Api) {
    let spec = Spec::new(Access::Machine, RateClass::Read);
    api.compressed(routes!(openapi), spec);
    api.route(routes!(docs), spec);
    api.route(routes!(docs_index), spec);
    api.compressed(routes!(docs_file), spec.fails(&[404]));
}

/// This document
#[utoipa::path(
    get, path = "/api/openapi.json", operation_id = "getOpenApi", tag = "operations",
    responses((status = 200, description = "OpenAPI 3.1", body = Object),
        (status = 304, description = "The client has it")),
)]
pub(crate) async fn openapi(State(app): State<App>, headers: HeaderMap) -> Response {
    let Document { json, tag } = app.shared.main.as_ref().unwrap_or(&app.shared).document();
    let whole = || ([(header::CONTENT_TYPE, "application/json")], json.clone()).into_response();
    ([(header::CACHE_CONTROL, "no-cache")], conditional::respond(&headers, tag, whole)).into_response()
}

/// The way to Swagger UI
#[utoipa::path(
    get, path = "/api/docs", operation_id = "getDocs", tag = "operations",
    responses((status = 308, description = "Its place ends with a slash")),
)]
pub(crate) async fn docs() -> Redirect {
    Redirect::permanent("/api/docs/")
}

/// Swagger UI
#[utoipa::path(
    get, path = "/api/docs/", operation_id = "getDocsIndex", tag = "operations",
    responses((status = 200, description = "The page", body = String, content_type = "text/html")),
)]
pub(crate) async fn docs_index() -> Answer {
    file("index.html")
}

/// A file of Swagger UI
#[utoipa::path(
    get, path = "/api/docs/{file}", operation_id = "getDocsFile", tag = "operations",
    params(("file" = String, Path, description = "Its name")),
    responses((status = 200, description = "The file", content(
        (String = "text/html"), (String = "text/css"), (String = "text/javascript"), (String = "image/png"),
        (String = "application/json"), (String = "application/octet-stream")
    ))),
)]
pub(crate) async fn docs_file(Path(name): Path<String>) -> Answer {
    file(&name)
}

fn file(name: &str) -> Answer {
    // Try-it-out keeps the token for as long as the page is open, no longer.
    let config = utoipa_swagger_ui::Config::from("/api/openapi.json").try_it_out_enabled(true);
    match utoipa_swagger_ui::serve(name, Arc::new(config)) {
        Ok(Some(file)) => {
            let headers = [
                (header::CONTENT_TYPE, file.content_type),
                (header::CONTENT_SECURITY_POLICY, POLICY.to_owned()),
                (header::CACHE_CONTROL, "no-cache".to_owned()),
            ];
            Ok((headers, Body::from(file.bytes.into_owned())).into_response())
        }
        Ok(None) => Err(Error::from(ErrorCode::RouteNotFound).into()),
        Err(error) => Err(Error::internal(error.to_string()).into()),
    }
}
