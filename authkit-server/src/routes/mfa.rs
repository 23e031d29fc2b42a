//! `/v1/me/mfa/…`: the signed-in user's second factors.

use crate::{
    SignedIn,
    access::Access,
    extract::{Client, Json},
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
    api.route(routes!(status), own(RateClass::Read));
    api.route(routes!(enrol_totp), own(RateClass::Write).fails(&[403]));
    api.route(routes!(confirm_totp), own(RateClass::SignIn).fails(&[403]));
    api.route(routes!(disable_totp), own(RateClass::SignIn).idempotent().fails(&[403]));
    api.route(routes!(backup_codes), own(RateClass::SignIn).fails(&[403]));
}

/// What second factors the user has
#[utoipa::path(
    get, path = "/v1/me/mfa", operation_id = "getMfa", tag = "mfa",
    responses((status = 200, description = "The factors", body = MfaStatusView,
        example = json!({"totp": true, "backup_codes_left": 8, "backup_codes_low": false}))),
)]
pub(crate) async fn status(State(engine): State<Engine>, caller: SignedIn) -> Answer<axum::Json<MfaStatusView>> {
    Ok(axum::Json(engine.mfa().status(&caller).await?))
}

/// Start with TOTP
///
/// Makes a secret that asks for nothing until it is confirmed. Needs a sign-in within the last ten minutes.
#[utoipa::path(
    post, path = "/v1/me/mfa/totp", operation_id = "enrolTotp", tag = "mfa",
    responses((status = 201, description = "The secret, shown once", body = TotpEnrolmentView)),
)]
pub(crate) async fn enrol_totp(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
) -> Answer<(StatusCode, axum::Json<TotpEnrolmentView>)> {
    Ok((StatusCode::CREATED, axum::Json(engine.mfa().enrol_totp(&origin, &caller).await?)))
}

/// Confirm TOTP
///
/// With a code of the new authenticator. The ten backup codes are shown this once; the other sessions end.
#[utoipa::path(
    post, path = "/v1/me/mfa/totp/confirm", operation_id = "confirmTotp", tag = "mfa",
    request_body(content = TotpConfirmRequest, example = json!({"code": "123456"})),
    responses((status = 200, description = "TOTP is active", body = BackupCodesView)),
)]
pub(crate) async fn confirm_totp(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Json(request): Json<TotpConfirmRequest>,
) -> Answer<axum::Json<BackupCodesView>> {
    Ok(axum::Json(engine.mfa().confirm_totp(&origin, &caller, request).await?))
}

/// Remove TOTP
///
/// With the password and a code. The backup codes go too.
#[utoipa::path(
    post, path = "/v1/me/mfa/totp/disable", operation_id = "disableTotp", tag = "mfa",
    request_body(content = MfaReauthRequest, example = json!({
        "password": "a quiet orange tram", "method": "totp", "code": "123456"
    })),
    responses((status = 204, description = "TOTP is removed")),
)]
pub(crate) async fn disable_totp(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Json(request): Json<MfaReauthRequest>,
) -> Answer<StatusCode> {
    engine.mfa().disable_totp(&origin, &caller, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make new backup codes
///
/// With the password and a code. The old ones are void.
#[utoipa::path(
    post, path = "/v1/me/mfa/backup-codes", operation_id = "regenerateBackupCodes", tag = "mfa",
    request_body(content = MfaReauthRequest, example = json!({
        "password": "a quiet orange tram", "method": "totp", "code": "123456"
    })),
    responses((status = 200, description = "Ten new codes, shown once", body = BackupCodesView)),
)]
pub(crate) async fn backup_codes(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Json(request): Json<MfaReauthRequest>,
) -> Answer<axum::Json<BackupCodesView>> {
    Ok(axum::Json(engine.mfa().regenerate_backup_codes(&origin, &caller, request).await?))
}
