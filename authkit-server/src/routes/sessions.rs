//! `/v1/me/sessions`: the signed-in user's sessions.

use crate::{
    SignedIn,
    access::Access,
    extract::{Client, Params, Path},
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
    let own = |rate| Spec::new(Access::Own, rate);
    api.route(routes!(list), own(RateClass::Read));
    api.route(routes!(revoke), own(RateClass::Write).ends_session().fails(&[403, 404]));
    api.route(routes!(revoke_others), own(RateClass::Write).idempotent().fails(&[403]));
}

/// The user's sessions
///
/// The newest first; the one that asks is marked `current`.
#[utoipa::path(
    get, path = "/v1/me/sessions", operation_id = "listSessions", tag = "sessions",
    params(
        ("limit" = Option<u32>, Query, description = "Items on the page; 25 without it", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page", body = Page<SessionView>)),
)]
pub(crate) async fn list(
    State(engine): State<Engine>,
    caller: SignedIn,
    params: Params,
) -> Answer<axum::Json<Page<SessionView>>> {
    Ok(axum::Json(engine.sessions().list(&caller, params.cursor(), params.limit()?).await?))
}

/// End one session
#[utoipa::path(
    delete, path = "/v1/me/sessions/{id}", operation_id = "revokeSession", tag = "sessions",
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 204, description = "It has ended")),
)]
pub(crate) async fn revoke(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Path(id): Path<SessionId>,
) -> Answer<StatusCode> {
    engine.sessions().revoke(&origin, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End all sessions but the current one
#[utoipa::path(
    delete, path = "/v1/me/sessions", operation_id = "revokeOtherSessions", tag = "sessions",
    responses((status = 200, description = "How many have ended", body = RevokedView)),
)]
pub(crate) async fn revoke_others(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
) -> Answer<axum::Json<RevokedView>> {
    Ok(axum::Json(engine.sessions().revoke_others(&origin, &caller).await?))
}
