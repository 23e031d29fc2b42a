//! `/v1/devices`: what owners do with their devices, what devices do, and administration.

use crate::{
    DeviceCaller, SignedIn,
    access::Access,
    extract::{Client, Json, Params, Path},
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
    let public = Spec::new(Access::Public, RateClass::Token);
    api.route(routes!(challenge), public);
    api.route(routes!(claim), public.fails(&[401, 403]));
    api.route(routes!(token), public.fails(&[401, 403]));

    let device = |rate| Spec::new(Access::Device, rate);
    api.route(routes!(heartbeat), device(RateClass::Write));
    api.route(routes!(get_self), device(RateClass::Read));

    let own = |rate| Spec::new(Access::Own, rate);
    api.route(routes!(create_claim), own(RateClass::Write).fails(&[403]));
    api.route(routes!(void_claim), own(RateClass::Write).idempotent().fails(&[403, 404]));
    api.route(routes!(list), own(RateClass::Read));
    api.route(routes!(get), own(RateClass::Read).fails(&[404]));
    api.route(routes!(update), own(RateClass::Write).idempotent().fails(&[403, 404]));
    api.route(routes!(revoke), own(RateClass::Write).idempotent().fails(&[403, 404]));

    let read = Spec::new(Access::Permission("devices:read"), RateClass::Read);
    api.compressed(routes!(list_all), read);
    let write = Spec::new(Access::Permission("devices:revoke"), RateClass::Write);
    api.route(routes!(revoke_any), write.idempotent().fails(&[404]));
}

/// Ask for a challenge
///
/// For a claim with the key that shall be claimed, for a token with the device's id. The answer is signed by the server's
/// key over its time, the nonce and the challenge (`Statement` of `authkit-wire`), so that a device can believe the time
/// before it believes any certificate. Nothing is kept.
#[utoipa::path(
    post, path = "/v1/devices/challenge", operation_id = "requestDeviceChallenge", tag = "devices",
    request_body(content = DeviceChallengeRequest, example = json!({
        "purpose": "token", "nonce": "AAECAwQFBgcICQoLDA0ODw", "device_id": "dev_0192f0c1a4b87c3d9e5f60718293a4b5"
    })),
    responses((status = 200, description = "The challenge", body = DeviceChallengeView)),
)]
pub(crate) async fn challenge(
    State(engine): State<Engine>,
    Client(origin): Client,
    Json(request): Json<DeviceChallengeRequest>,
) -> Answer<axum::Json<DeviceChallengeView>> {
    Ok(axum::Json(engine.devices().challenge(&origin, &request)?))
}

/// Claim a device
///
/// The device sends the code that its owner was shown, and its signature over the challenge (`Proof` of `authkit-wire`,
/// with the code without hyphens). The same key with the same code gets the same device for a day, should the first
/// answer be lost.
#[utoipa::path(
    post, path = "/v1/devices/claim", operation_id = "claimDevice", tag = "devices",
    request_body(content = ClaimDeviceRequest, example = json!({
        "code": "7KZ0-1ABC-DEFG", "challenge": "akd_AAAAAQ",
        "public_key": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "algorithm": "EdDSA",
        "signature": "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAQ",
        "name": "Greenhouse", "version": "1.4.0"
    })),
    responses((status = 201, description = "The device and its first token", body = ClaimedDeviceView)),
)]
pub(crate) async fn claim(
    State(engine): State<Engine>,
    Client(origin): Client,
    Json(request): Json<ClaimDeviceRequest>,
) -> Answer<(StatusCode, axum::Json<ClaimedDeviceView>)> {
    Ok((StatusCode::CREATED, axum::Json(engine.devices().claim(&origin, request).await?)))
}

/// Get a device's access token
///
/// For the device's signature over the challenge (`Proof` of `authkit-wire`, with the device's id).
#[utoipa::path(
    post, path = "/v1/devices/token", operation_id = "issueDeviceToken", tag = "devices",
    request_body(content = DeviceTokenRequest, example = json!({
        "device_id": "dev_0192f0c1a4b87c3d9e5f60718293a4b5", "challenge": "akd_AAAAAQ",
        "signature": "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAQ"
    })),
    responses((status = 200, description = "The token", body = DeviceTokenView)),
)]
pub(crate) async fn token(
    State(engine): State<Engine>,
    Client(origin): Client,
    Json(request): Json<DeviceTokenRequest>,
) -> Answer<axum::Json<DeviceTokenView>> {
    Ok(axum::Json(engine.devices().token(&origin, request).await?))
}

/// Send a heartbeat
///
/// The device says that it is there, how it is and what it can do. What it leaves out stays as it was.
#[utoipa::path(
    post, path = "/v1/devices/heartbeat", operation_id = "sendHeartbeat", tag = "devices",
    request_body(content = HeartbeatRequest, example = json!({
        "status": "ok", "version": "1.4.0", "capabilities": ["relay", "thermometer"]
    })),
    responses((status = 200, description = "The time, and when the next one is due", body = HeartbeatView)),
)]
pub(crate) async fn heartbeat(
    State(engine): State<Engine>,
    caller: DeviceCaller,
    Json(request): Json<HeartbeatRequest>,
) -> Answer<axum::Json<HeartbeatView>> {
    Ok(axum::Json(engine.devices().heartbeat(&caller, request).await?))
}

/// The device that asks
#[utoipa::path(
    get, path = "/v1/devices/self", operation_id = "getOwnDevice", tag = "devices",
    responses((status = 200, description = "The device", body = DeviceView)),
)]
pub(crate) async fn get_self(State(engine): State<Engine>, caller: DeviceCaller) -> Answer<axum::Json<DeviceView>> {
    Ok(axum::Json(engine.devices().get_self(&caller).await?))
}

/// Make a claim code
///
/// For one device, which becomes the caller's. The code is shown once and counts for fifteen minutes unless that is
/// configured otherwise.
#[utoipa::path(
    post, path = "/v1/devices/claims", operation_id = "createDeviceClaim", tag = "devices",
    request_body(content = CreateDeviceClaimRequest, example = json!({"name": "Greenhouse"})),
    responses((status = 201, description = "The code, shown once", body = DeviceClaimView)),
)]
pub(crate) async fn create_claim(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Json(request): Json<CreateDeviceClaimRequest>,
) -> Answer<(StatusCode, axum::Json<DeviceClaimView>)> {
    Ok((StatusCode::CREATED, axum::Json(engine.devices().create_claim(&origin, &caller, request).await?)))
}

/// Void a claim code
///
/// One that was used is none any more: revoke the device.
#[utoipa::path(
    delete, path = "/v1/devices/claims/{id}", operation_id = "voidDeviceClaim", tag = "devices",
    params(("id" = DeviceClaimId, Path, description = "The claim")),
    responses((status = 204, description = "It does not count any more")),
)]
pub(crate) async fn void_claim(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Path(id): Path<DeviceClaimId>,
) -> Answer<StatusCode> {
    engine.devices().void_claim(&origin, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The user's devices
///
/// The newest first, revoked ones too.
#[utoipa::path(
    get, path = "/v1/devices", operation_id = "listDevices", tag = "devices",
    params(
        ("limit" = Option<u32>, Query, description = "Items on the page; 25 without it", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page", body = Page<DeviceView>)),
)]
pub(crate) async fn list(
    State(engine): State<Engine>,
    caller: SignedIn,
    params: Params,
) -> Answer<axum::Json<Page<DeviceView>>> {
    Ok(axum::Json(engine.devices().list(&caller, None, params.cursor(), params.limit()?).await?))
}

/// One device of the user
#[utoipa::path(
    get, path = "/v1/devices/{id}", operation_id = "getDevice", tag = "devices",
    params(("id" = DeviceId, Path, description = "The device")),
    responses((status = 200, description = "The device", body = DeviceView)),
)]
pub(crate) async fn get(
    State(engine): State<Engine>,
    caller: SignedIn,
    Path(id): Path<DeviceId>,
) -> Answer<axum::Json<DeviceView>> {
    Ok(axum::Json(engine.devices().get(&caller, id).await?))
}

/// Rename a device
#[utoipa::path(
    patch, path = "/v1/devices/{id}", operation_id = "updateDevice", tag = "devices",
    params(("id" = DeviceId, Path, description = "The device")),
    request_body(content = UpdateDeviceRequest, example = json!({"name": "Greenhouse, north"})),
    responses((status = 200, description = "The device", body = DeviceView)),
)]
pub(crate) async fn update(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Path(id): Path<DeviceId>,
    Json(request): Json<UpdateDeviceRequest>,
) -> Answer<axum::Json<DeviceView>> {
    Ok(axum::Json(engine.devices().rename(&origin, &caller, id, request).await?))
}

/// Revoke a device
///
/// At once and for good. It stays in the list; its key can be claimed anew with a new code, as a new device.
#[utoipa::path(
    delete, path = "/v1/devices/{id}", operation_id = "revokeDevice", tag = "devices",
    params(("id" = DeviceId, Path, description = "The device")),
    responses((status = 204, description = "It is revoked")),
)]
pub(crate) async fn revoke(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Path(id): Path<DeviceId>,
) -> Answer<StatusCode> {
    engine.devices().revoke(&origin, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The devices of the tenant
///
/// The newest first.
#[utoipa::path(
    get, path = "/v1/admin/devices", operation_id = "listUserDevices", tag = "admin",
    params(
        ("owner_id" = Option<UserId>, Query, description = "Whose"),
        ("status" = Option<DeviceStatus>, Query, description = "Their status"),
        ("limit" = Option<u32>, Query, description = "Items on the page; 25 without it", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page", body = Page<DeviceView>)),
)]
pub(crate) async fn list_all(
    State(engine): State<Engine>,
    caller: SignedIn,
    params: Params,
) -> Answer<axum::Json<Page<DeviceView>>> {
    let filter = params.device_filter()?;
    Ok(axum::Json(engine.devices().list_all(&caller, filter, params.cursor(), params.limit()?).await?))
}

/// Revoke a user's device
#[utoipa::path(
    delete, path = "/v1/admin/devices/{id}", operation_id = "revokeUserDevice", tag = "admin",
    params(("id" = DeviceId, Path, description = "The device")),
    responses((status = 204, description = "It is revoked")),
)]
pub(crate) async fn revoke_any(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Path(id): Path<DeviceId>,
) -> Answer<StatusCode> {
    engine.devices().revoke_any(&origin, Some(&caller), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
