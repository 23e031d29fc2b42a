//! `/v1/users/{id}/roles`: who holds which role.

use crate::{
    SignedIn,
    access::Access,
    extract::{Client, Path},
    problem::Answer,
    rate_limit::RateClass,
    registry::{Api, Spec},
};
use authkit_core::wire::*;
use authkit_engine::Engine;
use axum::extract::State;
use http::StatusCode;
use utoipa_axum::routes;

pub(crate) fn register(api: &mut Api) {
    let spec = Spec::new(Access::Permission("roles:assign"), RateClass::Write).idempotent().fails(&[404]);
    api.route(routes!(assign_role), spec);
    api.route(routes!(remove_role), spec);
}

/// Assign a role
///
/// The caller must hold everything that the role grants.
#[utoipa::path(
    put, path = "/v1/users/{id}/roles/{role_id}", operation_id = "assignRole", tag = "roles",
    params(("id" = UserId, Path, description = "The user"), ("role_id" = RoleId, Path, description = "The role")),
    responses((status = 204, description = "The user holds the role")),
)]
pub(crate) async fn assign_role(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Path((user, role)): Path<(UserId, RoleId)>,
) -> Answer<StatusCode> {
    engine.roles().assign(&origin, Some(&caller), user, role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a role from a user
#[utoipa::path(
    delete, path = "/v1/users/{id}/roles/{role_id}", operation_id = "removeRole", tag = "roles",
    params(("id" = UserId, Path, description = "The user"), ("role_id" = RoleId, Path, description = "The role")),
    responses((status = 204, description = "The user does not hold the role")),
)]
pub(crate) async fn remove_role(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Path((user, role)): Path<(UserId, RoleId)>,
) -> Answer<StatusCode> {
    engine.roles().remove(&origin, Some(&caller), user, role).await?;
    Ok(StatusCode::NO_CONTENT)
}
