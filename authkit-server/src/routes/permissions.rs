//! `/v1/permissions`

use crate::{
    App, SignedIn,
    access::Access,
    extract::Json,
    problem::Answer,
    rate_limit::RateClass,
    registry::{Api, Spec},
};
use authkit_core::wire::*;
use authkit_engine::Engine;
use axum::{body::Body, extract::State, response::Response};
use http::{HeaderValue, header};
use utoipa_axum::routes;

pub(crate) fn register(api: &mut Api) {
    api.route(routes!(list), Spec::new(Access::SignedIn, RateClass::Read));
    api.route(routes!(check), Spec::new(Access::SignedIn, RateClass::Read).fails(&[403, 404]));
}

/// The permissions that exist, by resource
#[utoipa::path(
    get, path = "/v1/permissions", operation_id = "listPermissions", tag = "permissions",
    responses((status = 200, description = "All of them", body = PermissionsView, example = json!({"data": [{
        "resource": "roles",
        "permissions": [{"name": "roles:read", "description": "Read roles", "scopes": ["all"]}]
    }]}))),
)]
pub(crate) async fn list(State(app): State<App>, _: SignedIn) -> Response {
    // They are fixed when the engine is built, so is the answer.
    let mut response = Response::new(Body::from(app.shared.permissions.clone()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Decide about a permission
///
/// Says which role and grant decided. Asking about somebody else needs `permissions:check`.
#[utoipa::path(
    post, path = "/v1/permissions/check", operation_id = "checkPermission", tag = "permissions",
    request_body(content = CheckPermissionRequest, example = json!({"permission": "users:read"})),
    responses((status = 200, description = "The decision", body = DecisionView, example = json!({
        "allowed": true, "via": {"roles": ["admin"], "grant": "*"}
    }))),
)]
pub(crate) async fn check(
    State(engine): State<Engine>,
    caller: SignedIn,
    Json(request): Json<CheckPermissionRequest>,
) -> Answer<axum::Json<DecisionView>> {
    Ok(axum::Json(engine.roles().check(&caller, request).await?))
}
