//! `/v1/me`: the signed-in user.

use crate::{
    SignedIn,
    access::Access,
    conditional,
    extract::{Client, Json},
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
    let own = |rate| Spec::new(Access::Own, rate);
    api.route(routes!(get_me), own(RateClass::Read));
    api.route(routes!(update_me), own(RateClass::Write).idempotent().fails(&[403, 412]));
    api.route(routes!(change_email), own(RateClass::Mail).idempotent().fails(&[403]));
    api.route(routes!(deactivate_me), own(RateClass::SignIn).ends_session().fails(&[403]));
    api.route(routes!(delete_me), own(RateClass::SignIn).ends_session().fails(&[403]));
}

/// The signed-in user
#[utoipa::path(
    get, path = "/v1/me", operation_id = "getMe", tag = "me",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` that the client has")),
    responses(
        (status = 200, description = "The user", body = UserView, headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "The client has it"),
    ),
)]
pub(crate) async fn get_me(State(engine): State<Engine>, caller: SignedIn, headers: HeaderMap) -> Answer {
    let view = engine.accounts().get_me(&caller).await?;
    Ok(conditional::get(&headers, view.version, &view))
}

/// Update the profile
///
/// A field that is left out stays; `null` clears it.
#[utoipa::path(
    patch, path = "/v1/me", operation_id = "updateMe", tag = "me",
    params(("If-Match" = Option<String>, Header, description = "The `ETag` that the change is based on")),
    request_body(content = UpdateMeRequest, example = json!({"name": "Ada L.", "preferences": {"theme": "dark"}})),
    responses((status = 200, description = "The changed user", body = UserView,
        headers(("ETag" = String, description = "Its version")))),
)]
pub(crate) async fn update_me(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    headers: HeaderMap,
    Json(request): Json<UpdateMeRequest>,
) -> Answer<Response> {
    let if_match =
        conditional::if_match(&headers, async || engine.accounts().get_me(&caller).await.map(|me| me.version)).await?;
    let view = engine.accounts().update_me(&origin, &caller, request, if_match).await?;
    Ok(conditional::changed(StatusCode::OK, view.version, &view))
}

/// Move to another address
///
/// Mails a proof to the new address. Needs a sign-in within the last ten minutes.
#[utoipa::path(
    post, path = "/v1/me/email", operation_id = "changeEmail", tag = "me",
    request_body(content = ChangeEmailRequest, example = json!({"new_email": "ada.l@example.com"})),
    responses((status = 202, description = "A mail is on its way to the new address")),
)]
pub(crate) async fn change_email(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Json(request): Json<ChangeEmailRequest>,
) -> Answer<StatusCode> {
    engine.accounts().request_email_change(&origin, &caller, request).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Deactivate the own account
///
/// Takes the password, or none within ten minutes of a sign-in. All sessions end. The mail about it holds a link that
/// activates the account again; an administrator can, too.
#[utoipa::path(
    post, path = "/v1/me/deactivate", operation_id = "deactivateMe", tag = "me",
    request_body(content = PasswordConfirmRequest, example = json!({"password": "a quiet orange tram"})),
    responses((status = 204, description = "The account is deactivated")),
)]
pub(crate) async fn deactivate_me(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Json(request): Json<PasswordConfirmRequest>,
) -> Answer<StatusCode> {
    engine.accounts().deactivate_me(&origin, &caller, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete the own account
///
/// Takes the password, or none within ten minutes of a sign-in. The account is closed at once and all sessions
/// end. The mail about it holds a link that opens it again within the grace period; an administrator can, too.
#[utoipa::path(
    post, path = "/v1/me/delete", operation_id = "deleteMe", tag = "me",
    request_body(content = PasswordConfirmRequest, example = json!({"password": "a quiet orange tram"})),
    responses((status = 204, description = "The account is closed, and its deletion is pending")),
)]
pub(crate) async fn delete_me(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Json(request): Json<PasswordConfirmRequest>,
) -> Answer<StatusCode> {
    engine.accounts().delete_me(&origin, &caller, request).await?;
    Ok(StatusCode::NO_CONTENT)
}
