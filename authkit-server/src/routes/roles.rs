//! `/v1/roles`

use crate::{
    SignedIn,
    access::Access,
    conditional,
    extract::{Client, Json, Params, Path},
    problem::Answer,
    rate_limit::RateClass,
    registry::{Api, Spec},
};
use authkit_core::wire::*;
use authkit_engine::Engine;
use axum::{extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use utoipa_axum::routes;

const READ: Access = Access::Permission("roles:read");
const WRITE: Access = Access::Permission("roles:write");

pub(crate) fn register(api: &mut Api) {
    api.compressed(routes!(list), Spec::new(READ, RateClass::Read));
    api.route(routes!(create), Spec::new(WRITE, RateClass::Write).idempotent().fails(&[404]));
    api.route(routes!(get), Spec::new(READ, RateClass::Read).fails(&[404]));
    api.route(routes!(update), Spec::new(WRITE, RateClass::Write).idempotent().fails(&[404, 412]));
    api.route(routes!(delete), Spec::new(WRITE, RateClass::Write).idempotent().fails(&[404, 412]));
}

/// The roles of the tenant, by name
#[utoipa::path(
    get, path = "/v1/roles", operation_id = "listRoles", tag = "roles",
    params(
        ("parent_id" = Option<RoleId>, Query, description = "Only those that inherit from this role directly"),
        ("name" = Option<String>, Query, description = "The name starts with this", min_length = 1, max_length = 64),
        ("system" = Option<bool>, Query, description = "Only the fixed ones (`true`), or only the others (`false`)"),
        ("limit" = Option<u32>, Query, description = "Items on the page; 25 without it", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page", body = Page<RoleView>)),
)]
pub(crate) async fn list(
    State(engine): State<Engine>,
    caller: SignedIn,
    params: Params,
) -> Answer<axum::Json<Page<RoleView>>> {
    let filter = params.role_filter()?;
    Ok(axum::Json(engine.roles().list(&caller, filter, params.cursor(), params.limit()?).await?))
}

/// Make a role
///
/// It may grant only what the caller holds.
#[utoipa::path(
    post, path = "/v1/roles", operation_id = "createRole", tag = "roles",
    request_body(content = CreateRoleRequest, example = json!({
        "name": "support", "description": "Answers customers", "permissions": ["users:read", "users:unlock"]
    })),
    responses((status = 201, description = "The role", body = RoleView, headers(
        ("ETag" = String, description = "Its version"), ("Location" = String, description = "Its path")))),
)]
pub(crate) async fn create(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Json(request): Json<CreateRoleRequest>,
) -> Answer<Response> {
    let view = engine.roles().create(&origin, Some(&caller), request).await?;
    let mut response = conditional::changed(StatusCode::CREATED, view.version, &view);
    if let Ok(location) = format!("/v1/roles/{}", view.id).parse() {
        response.headers_mut().insert(http::header::LOCATION, location);
    }
    Ok(response)
}

/// One role
#[utoipa::path(
    get, path = "/v1/roles/{id}", operation_id = "getRole", tag = "roles",
    params(
        ("id" = RoleId, Path, description = "The role"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` that the client has"),
    ),
    responses(
        (status = 200, description = "The role", body = RoleView, headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "The client has it"),
    ),
)]
pub(crate) async fn get(
    State(engine): State<Engine>,
    caller: SignedIn,
    Path(id): Path<RoleId>,
    headers: HeaderMap,
) -> Answer {
    let view = engine.roles().get(&caller, id).await?;
    Ok(conditional::get(&headers, view.version, &view))
}

/// Change a role
///
/// A field that is left out stays. System roles cannot be changed.
#[utoipa::path(
    patch, path = "/v1/roles/{id}", operation_id = "updateRole", tag = "roles",
    params(
        ("id" = RoleId, Path, description = "The role"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the change is based on"),
    ),
    request_body(content = UpdateRoleRequest, example = json!({"description": "Answers customers, second line"})),
    responses((status = 200, description = "The changed role", body = RoleView,
        headers(("ETag" = String, description = "Its version")))),
)]
pub(crate) async fn update(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Path(id): Path<RoleId>,
    headers: HeaderMap,
    Json(request): Json<UpdateRoleRequest>,
) -> Answer<Response> {
    let roles = engine.roles();
    let if_match = conditional::if_match(&headers, async || roles.version(&caller, id).await).await?;
    let view = roles.update(&origin, Some(&caller), id, request, if_match).await?;
    Ok(conditional::changed(StatusCode::OK, view.version, &view))
}

/// Delete a role
///
/// Nobody may hold it and nothing may inherit from it.
#[utoipa::path(
    delete, path = "/v1/roles/{id}", operation_id = "deleteRole", tag = "roles",
    params(
        ("id" = RoleId, Path, description = "The role"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the deletion is based on"),
    ),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn delete(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Path(id): Path<RoleId>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let roles = engine.roles();
    let if_match = conditional::if_match(&headers, async || roles.version(&caller, id).await).await?;
    roles.delete(&origin, Some(&caller), id, if_match).await?;
    Ok(StatusCode::NO_CONTENT)
}
