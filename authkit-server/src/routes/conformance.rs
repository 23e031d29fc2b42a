//! `/conformance/…`: what runs scenarios. Routed by [`ConformanceService`] only, and no part of the contract.

use crate::{
    ConformanceService,
    access::Access,
    conformance::out_of_range,
    extract::{Json, OptionalJson},
    problem::Answer,
    rate_limit::RateClass,
    registry::{Api, Spec},
};
use authkit_core::{
    Error,
    wire::{ErrorCode, Secret},
};
use authkit_engine::{ConformanceClock, Start};
use axum::Extension;
use http::{HeaderMap, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(crate) fn register(api: &mut Api) {
    let anybody = Spec::new(Access::Public, RateClass::Unlimited);
    api.route(routes!(reset), anybody);
    api.route(routes!(advance), anybody);
    api.route(routes!(clock), anybody);
}

/// Where the fresh state begins.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ResetRequest {
    /// The time, from 1970 to the year 3000; the system's when absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    now: Option<Timestamp>,
    /// What randomness begins with; always the same when absent.
    seed: Option<u64>,
}

/// How far the clock is moved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdvanceRequest {
    /// Seconds, forwards, to the year 3000 at most.
    advance: u32,
}

/// The server's time.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClockView {
    /// RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    /// The same in whole seconds since 1970, for one-time passwords.
    unix: i64,
}

/// The administrator of the fresh state, and its time.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResetView {
    email: String,
    password: Secret,
    #[serde(flatten)]
    clock: ClockView,
}

fn shown(service: &ConformanceService) -> ClockView {
    let now = service.clock().shows();
    ClockView { now, unix: now.as_second() }
}

/// A web page can send here without being able to read the answer, and a browser says so. None may, whatever
/// `cors.origins` says.
fn refuse_pages(headers: &HeaderMap) -> Answer<()> {
    if headers.contains_key(header::ORIGIN) {
        let detail = "A web page may not do that; let the program that runs the scenarios do it.";
        return Err(Error::new(ErrorCode::Forbidden, detail).into());
    }
    Ok(())
}

/// Begin anew
#[utoipa::path(
    post, path = "/conformance/reset", operation_id = "reset",
    request_body(content = Option<ResetRequest>),
    responses((status = 200, description = "The administrator of the fresh state", body = ResetView)),
)]
pub(crate) async fn reset(
    Extension(service): Extension<ConformanceService>,
    headers: HeaderMap,
    OptionalJson(request): OptionalJson<ResetRequest>,
) -> Answer<axum::Json<ResetView>> {
    refuse_pages(&headers)?;
    let ResetRequest { now, seed } = request.unwrap_or_default();
    if now.is_some_and(|now| now < ConformanceClock::EARLIEST || now > ConformanceClock::LATEST) {
        return Err(out_of_range("now").into());
    }
    let administrator = service.reset(Start { now, seed }).await.map_err(Error::internal)?;
    let clock = shown(&service);
    Ok(axum::Json(ResetView { email: administrator.email, password: administrator.password, clock }))
}

/// Move the clock
///
/// Answers once everything is done that a worker would have done by then.
#[utoipa::path(
    post, path = "/conformance/clock", operation_id = "advanceClock",
    request_body(content = AdvanceRequest),
    responses((status = 200, description = "The new time", body = ClockView)),
)]
pub(crate) async fn advance(
    Extension(service): Extension<ConformanceService>,
    headers: HeaderMap,
    Json(request): Json<AdvanceRequest>,
) -> Answer<axum::Json<ClockView>> {
    refuse_pages(&headers)?;
    service.advance(request.advance).await?;
    Ok(axum::Json(shown(&service)))
}

/// The server's time
#[utoipa::path(
    get, path = "/conformance/clock", operation_id = "getClock",
    responses((status = 200, description = "The time", body = ClockView)),
)]
pub(crate) async fn clock(Extension(service): Extension<ConformanceService>) -> axum::Json<ClockView> {
    axum::Json(shown(&service))
}
