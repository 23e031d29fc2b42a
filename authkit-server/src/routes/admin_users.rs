//! `/v1/admin/users`

use crate::{
    SignedIn,
    access::Access,
    conditional,
    extract::{Client, Params, Path},
    problem::Answer,
    rate_limit::RateClass,
    registry::{Api, Spec},
};
use authkit_core::wire::*;
use authkit_engine::Engine;
use axum::{extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use utoipa_axum::routes;

pub(crate) fn register(api: &mut Api) {
    let with = |permission, rate| Spec::new(Access::Permission(permission), rate);
    api.compressed(routes!(list), with("users:read", RateClass::Read));
    api.route(routes!(get), with("users:read", RateClass::Read).fails(&[404]));
    let write = |permission| with(permission, RateClass::Write).idempotent().fails(&[404]);
    api.route(routes!(activate), write("users:write"));
    api.route(routes!(deactivate), write("users:write").ends_session());
    api.route(routes!(unlock), write("users:unlock"));
    api.route(routes!(reset_mfa), write("mfa:reset").ends_session());
    api.compressed(routes!(sessions), with("sessions:read", RateClass::Read).fails(&[404]));
    api.route(routes!(revoke_sessions), write("sessions:revoke").ends_session());
}

/// The users of the tenant
///
/// The newest first.
#[utoipa::path(
    get, path = "/v1/admin/users", operation_id = "listUsers", tag = "admin",
    params(
        ("email" = Option<String>, Query, description = "The address starts with this",
            min_length = 1, max_length = 254),
        ("name" = Option<String>, Query, description = "The name contains this, in any case",
            min_length = 1, max_length = 254),
        ("status" = Option<UserStatus>, Query, description = "Their status"),
        ("role" = Option<RoleId>, Query, description = "They hold this role directly"),
        ("limit" = Option<u32>, Query, description = "Items on the page; 25 without it", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page", body = Page<AdminUserView>)),
)]
pub(crate) async fn list(
    State(engine): State<Engine>,
    caller: SignedIn,
    params: Params,
) -> Answer<axum::Json<Page<AdminUserView>>> {
    let filter = params.user_filter()?;
    Ok(axum::Json(engine.accounts().list_users(&caller, filter, params.cursor(), params.limit()?).await?))
}

/// One user
#[utoipa::path(
    get, path = "/v1/admin/users/{id}", operation_id = "getUser", tag = "admin",
    params(
        ("id" = UserId, Path, description = "The user"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` that the client has"),
    ),
    responses(
        (status = 200, description = "The user", body = AdminUserView,
            headers(("ETag" = String, description = "Of the user with roles and lock"))),
        (status = 304, description = "The client has it"),
    ),
)]
pub(crate) async fn get(
    State(engine): State<Engine>,
    caller: SignedIn,
    Path(id): Path<UserId>,
    headers: HeaderMap,
) -> Answer<Response> {
    Ok(conditional::get_hashed(&headers, &engine.accounts().get_user(&caller, id).await?))
}

/// Activate a user
///
/// Also one whose deletion is pending.
#[utoipa::path(
    post, path = "/v1/admin/users/{id}/activate", operation_id = "activateUser", tag = "admin",
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 200, description = "The user", body = AdminUserView,
        headers(("ETag" = String, description = "As `getUser` gives it")))),
)]
pub(crate) async fn activate(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Path(id): Path<UserId>,
) -> Answer<Response> {
    Ok(conditional::changed_hashed(&engine.accounts().activate(&origin, Some(&caller), id).await?))
}

/// Deactivate a user
///
/// The user's sessions end.
#[utoipa::path(
    post, path = "/v1/admin/users/{id}/deactivate", operation_id = "deactivateUser", tag = "admin",
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 200, description = "The user", body = AdminUserView,
        headers(("ETag" = String, description = "As `getUser` gives it")))),
)]
pub(crate) async fn deactivate(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Path(id): Path<UserId>,
) -> Answer<Response> {
    Ok(conditional::changed_hashed(&engine.accounts().deactivate(&origin, Some(&caller), id).await?))
}

/// Lift the lock that wrong passwords put on a user
#[utoipa::path(
    post, path = "/v1/admin/users/{id}/unlock", operation_id = "unlockUser", tag = "admin",
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 200, description = "The user", body = AdminUserView,
        headers(("ETag" = String, description = "As `getUser` gives it")))),
)]
pub(crate) async fn unlock(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Path(id): Path<UserId>,
) -> Answer<Response> {
    Ok(conditional::changed_hashed(&engine.accounts().unlock(&origin, Some(&caller), id).await?))
}

/// Remove a user's second factors
///
/// For somebody who has lost them. The user's sessions end.
#[utoipa::path(
    post, path = "/v1/admin/users/{id}/mfa/reset", operation_id = "resetMfa", tag = "admin",
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 204, description = "The user has no second factors")),
)]
pub(crate) async fn reset_mfa(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Path(id): Path<UserId>,
) -> Answer<StatusCode> {
    engine.mfa().reset(&origin, Some(&caller), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The sessions of a user
///
/// The newest first; the one that asks is marked `current`.
#[utoipa::path(
    get, path = "/v1/admin/users/{id}/sessions", operation_id = "listUserSessions", tag = "admin",
    params(
        ("id" = UserId, Path, description = "The user"),
        ("limit" = Option<u32>, Query, description = "Items on the page; 25 without it", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page", body = Page<SessionView>)),
)]
pub(crate) async fn sessions(
    State(engine): State<Engine>,
    caller: SignedIn,
    Path(id): Path<UserId>,
    params: Params,
) -> Answer<axum::Json<Page<SessionView>>> {
    Ok(axum::Json(engine.sessions().list_of(&caller, id, params.cursor(), params.limit()?).await?))
}

/// End all sessions of a user
#[utoipa::path(
    delete, path = "/v1/admin/users/{id}/sessions", operation_id = "revokeUserSessions", tag = "admin",
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 200, description = "How many have ended", body = RevokedView)),
)]
pub(crate) async fn revoke_sessions(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Path(id): Path<UserId>,
) -> Answer<axum::Json<RevokedView>> {
    Ok(axum::Json(engine.sessions().revoke_all_of(&origin, Some(&caller), id).await?))
}
