//! `/v1/auth/…`: signing up, in and out.

use crate::{
    access::{Access, bearer},
    extract::{BearerMode, Client, Json, OptionalJson},
    idempotency,
    problem::Answer,
    rate_limit::RateClass,
    registry::{Api, Spec},
};
use authkit_core::wire::*;
use authkit_engine::Engine;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use utoipa_axum::routes;

pub(crate) fn register(api: &mut Api) {
    let public = |rate| Spec::new(Access::Public, rate);
    api.route(routes!(register_account), public(RateClass::Register).idempotent().fails(&[403]));
    api.route(routes!(verify_email), public(RateClass::Token).idempotent().fails(&[403]));
    api.route(routes!(resend_verification), public(RateClass::Mail).idempotent().fails(&[403]));
    api.route(routes!(login), public(RateClass::SignIn).fails(&[401, 403]));
    api.route(routes!(verify_mfa), public(RateClass::SignIn).fails(&[401, 403]));
    api.route(routes!(refresh), public(RateClass::Token).fails(&[401, 403]));
    api.route(routes!(logout), public(RateClass::Token));
    api.route(routes!(forgot_password), public(RateClass::Mail).idempotent().fails(&[403]));
    api.route(routes!(reset_password), public(RateClass::Token).idempotent().fails(&[403]));
    api.route(routes!(change_password), Spec::new(Access::Own, RateClass::SignIn).idempotent().fails(&[403]));
    api.route(routes!(confirm_email), public(RateClass::Token).idempotent().fails(&[403]));
    api.route(routes!(undo_email), public(RateClass::Token).idempotent().fails(&[403]));
    api.route(routes!(reactivate), public(RateClass::Token).idempotent().fails(&[403]));
}

/// Sign up
///
/// Answers alike whether the address is free or taken; the mail tells its owner. The account exists once the address
/// is proved.
#[utoipa::path(
    post, path = "/v1/auth/register", operation_id = "register", tag = "auth",
    request_body(content = RegisterRequest, example = json!({
        "email": "ada@example.com", "password": "a quiet orange tram", "name": "Ada"
    })),
    responses((status = 202, description = "A mail is on its way", body = RegistrationView,
        example = json!({"status": "verification_required"}))),
)]
pub(crate) async fn register_account(
    State(engine): State<Engine>,
    Client(origin): Client,
    Json(request): Json<RegisterRequest>,
) -> Answer<(StatusCode, axum::Json<RegistrationView>)> {
    let view = engine.accounts().register(&origin, request).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(view)))
}

/// Prove an address
///
/// The account exists from here.
#[utoipa::path(
    post, path = "/v1/auth/verify-email", operation_id = "verifyEmail", tag = "auth",
    request_body(content = TokenRequest, example = json!({"token": "akv_AAAAAQ"})),
    responses((status = 200, description = "The account exists", body = VerifiedView)),
)]
pub(crate) async fn verify_email(
    State(engine): State<Engine>,
    Client(origin): Client,
    Json(request): Json<TokenRequest>,
) -> Answer<axum::Json<VerifiedView>> {
    Ok(axum::Json(engine.accounts().verify_email(&origin, request).await?))
}

/// Send the proof's link again
///
/// Answers alike whatever the address.
#[utoipa::path(
    post, path = "/v1/auth/verify-email/resend", operation_id = "resendVerification", tag = "auth",
    request_body(content = EmailRequest, example = json!({"email": "ada@example.com"})),
    responses((status = 202, description = "A mail is on its way if there is something to prove")),
)]
pub(crate) async fn resend_verification(
    State(engine): State<Engine>,
    Client(origin): Client,
    Json(request): Json<EmailRequest>,
) -> Answer<StatusCode> {
    engine.accounts().resend_verification(&origin, request).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Sign in
///
/// Answers with tokens, or asks for a second factor. A wrong address, a wrong password, an account that is not proved
/// and a locked one are refused alike. No `Idempotency-Key` is taken, because tokens are not kept: sign in again, and
/// end the session whose answer was lost.
#[utoipa::path(
    post, path = "/v1/auth/login", operation_id = "login", tag = "auth",
    request_body(content = LoginRequest, example = json!({
        "email": "ada@example.com", "password": "a quiet orange tram"
    })),
    responses((status = 200, description = "Tokens, or the question for a second factor", body = LoginView)),
)]
pub(crate) async fn login(
    State(engine): State<Engine>,
    Client(origin): Client,
    _: BearerMode,
    Json(request): Json<LoginRequest>,
) -> Answer<axum::Json<LoginView>> {
    Ok(axum::Json(Box::pin(engine.sign_in().login(&origin, request)).await?))
}

/// Answer the second factor
///
/// Each code counts once, and no `Idempotency-Key` is taken, because tokens are not kept: when the answer is lost, sign
/// in again.
#[utoipa::path(
    post, path = "/v1/auth/mfa/verify", operation_id = "verifyMfa", tag = "auth",
    request_body(content = MfaVerifyRequest, example = json!({
        "mfa_token": "akm_AAAAAQ", "method": "totp", "code": "123456"
    })),
    responses((status = 200, description = "Signed in", body = TokensView)),
)]
pub(crate) async fn verify_mfa(
    State(engine): State<Engine>,
    Client(origin): Client,
    _: BearerMode,
    Json(request): Json<MfaVerifyRequest>,
) -> Answer<axum::Json<TokensView>> {
    Ok(axum::Json(Box::pin(engine.sign_in().verify_mfa(&origin, request)).await?))
}

/// Continue a session
///
/// Each refresh token works once. Presented again within a few seconds, or with the first request's `Idempotency-Key`
/// while its successor is unused, it answers with the same pair; otherwise the session ends, because somebody else may
/// hold the token.
#[utoipa::path(
    post, path = "/v1/auth/refresh", operation_id = "refresh", tag = "auth",
    params(("Idempotency-Key" = Option<String>, Header,
        description = "Makes a repeat safe: store the key before you send, and a lost answer signs nobody out.",
        min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    request_body(content = RefreshRequest, example = json!({"refresh_token": "akr_AAAAAQ"})),
    responses((status = 200, description = "A new pair", body = TokensView)),
)]
pub(crate) async fn refresh(
    State(engine): State<Engine>,
    Client(origin): Client,
    headers: HeaderMap,
    _: BearerMode,
    Json(request): Json<RefreshRequest>,
) -> Answer<axum::Json<TokensView>> {
    let key = idempotency::key(&headers)?;
    Ok(axum::Json(engine.sessions().refresh(&origin, &request.refresh_token, key).await?))
}

/// Sign out
///
/// Takes the access token, the refresh token, or both, valid for anything else or not: an expired token must not
/// prevent signing out.
#[utoipa::path(
    post, path = "/v1/auth/logout", operation_id = "logout", tag = "auth", security((), ("access_token" = [])),
    request_body(content = Option<LogoutRequest>, example = json!({"refresh_token": "akr_AAAAAQ"})),
    responses((status = 204, description = "Signed out")),
)]
pub(crate) async fn logout(
    State(engine): State<Engine>,
    Client(origin): Client,
    headers: HeaderMap,
    OptionalJson(request): OptionalJson<LogoutRequest>,
) -> Answer<StatusCode> {
    let access = bearer(&headers).unwrap_or(None);
    let refresh = request.and_then(|request| request.refresh_token);
    engine.sessions().logout(&origin, access, refresh.as_ref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask for a password reset
///
/// Answers alike whatever the address.
#[utoipa::path(
    post, path = "/v1/auth/password/forgot", operation_id = "forgotPassword", tag = "auth",
    request_body(content = EmailRequest, example = json!({"email": "ada@example.com"})),
    responses((status = 202, description = "A mail is on its way if there is an account")),
)]
pub(crate) async fn forgot_password(
    State(engine): State<Engine>,
    Client(origin): Client,
    Json(request): Json<EmailRequest>,
) -> Answer<StatusCode> {
    engine.accounts().forgot_password(&origin, request).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Set a new password with a mailed token
///
/// All sessions end. A second factor is asked for at the next sign-in as before.
#[utoipa::path(
    post, path = "/v1/auth/password/reset", operation_id = "resetPassword", tag = "auth",
    request_body(content = PasswordResetRequest, example = json!({
        "token": "akp_AAAAAQ", "new_password": "another quiet orange tram"
    })),
    responses((status = 204, description = "The password is set")),
)]
pub(crate) async fn reset_password(
    State(engine): State<Engine>,
    Client(origin): Client,
    Json(request): Json<PasswordResetRequest>,
) -> Answer<StatusCode> {
    engine.accounts().reset_password(&origin, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change the password
///
/// Takes the current password, or none within ten minutes of a sign-in. The other sessions end.
#[utoipa::path(
    post, path = "/v1/auth/password/change", operation_id = "changePassword", tag = "auth",
    request_body(content = PasswordChangeRequest, example = json!({
        "current_password": "a quiet orange tram", "new_password": "another quiet orange tram"
    })),
    responses((status = 204, description = "The password is changed")),
)]
pub(crate) async fn change_password(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: crate::SignedIn,
    Json(request): Json<PasswordChangeRequest>,
) -> Answer<StatusCode> {
    engine.accounts().change_password(&origin, &caller, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Prove a new address
///
/// The account moves to it, the other sessions end, and the old address gets a way back.
#[utoipa::path(
    post, path = "/v1/auth/email/confirm", operation_id = "confirmEmail", tag = "auth",
    request_body(content = TokenRequest, example = json!({"token": "ake_AAAAAQ"})),
    responses((status = 204, description = "The address is changed")),
)]
pub(crate) async fn confirm_email(
    State(engine): State<Engine>,
    Client(origin): Client,
    Json(request): Json<TokenRequest>,
) -> Answer<StatusCode> {
    engine.accounts().confirm_email_change(&origin, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take an address change back
///
/// With the token that was mailed to the old address, within 72 hours. All sessions end, the password is void, and the old
/// address is mailed a link to set a new one. A second factor set up since the change is removed.
#[utoipa::path(
    post, path = "/v1/auth/email/undo", operation_id = "undoEmail", tag = "auth",
    request_body(content = TokenRequest, example = json!({"token": "aku_AAAAAQ"})),
    responses((status = 204, description = "The old address is back")),
)]
pub(crate) async fn undo_email(
    State(engine): State<Engine>,
    Client(origin): Client,
    Json(request): Json<TokenRequest>,
) -> Answer<StatusCode> {
    engine.accounts().undo_email_change(&origin, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get the own account back
///
/// With the token that was mailed when its owner deactivated the account or put it up for deletion: within 30 days, or
/// within the grace period. An administrator who deactivates the account takes this way back. It signs nobody in.
#[utoipa::path(
    post, path = "/v1/auth/reactivate", operation_id = "reactivate", tag = "auth",
    request_body(content = TokenRequest, example = json!({"token": "aka_AAAAAQ"})),
    responses((status = 204, description = "The account is active")),
)]
pub(crate) async fn reactivate(
    State(engine): State<Engine>,
    Client(origin): Client,
    Json(request): Json<TokenRequest>,
) -> Answer<StatusCode> {
    engine.accounts().reactivate(&origin, request).await?;
    Ok(StatusCode::NO_CONTENT)
}
