//! `/health/…`: probes.

use crate::{
    access::Access,
    problem::Answer,
    rate_limit::RateClass,
    registry::{Api, Spec},
};
use authkit_core::{Error, wire::ErrorCode};
use authkit_engine::Engine;
use axum::extract::State;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(crate) fn register(api: &mut Api) {
    let public = Spec::new(Access::Public, RateClass::Unlimited);
    api.route(routes!(live), public);
    api.route(routes!(ready), public);
}

/// A probe's answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct HealthView {
    /// `ok`
    status: &'static str,
}

/// Whether the process answers
#[utoipa::path(
    get, path = "/health/live", operation_id = "live", tag = "operations",
    responses((status = 200, description = "It does", body = HealthView, example = json!({"status": "ok"}))),
)]
pub(crate) async fn live() -> axum::Json<HealthView> {
    axum::Json(HealthView { status: "ok" })
}

/// Whether requests should be sent here
///
/// The database answers, and this node hears of revocations in time.
#[utoipa::path(
    get, path = "/health/ready", operation_id = "ready", tag = "operations",
    responses((status = 200, description = "They should", body = HealthView, example = json!({"status": "ok"}))),
)]
pub(crate) async fn ready(State(engine): State<Engine>) -> Answer<axum::Json<HealthView>> {
    match tokio::time::timeout(Duration::from_secs(2), engine.ready()).await {
        Ok(Ok(())) => Ok(axum::Json(HealthView { status: "ok" })),
        Ok(Err(reason)) => {
            tracing::warn!(%reason, "not ready");
            Err(unready(reason.to_string()))
        }
        Err(_) => Err(unready("the database does not answer in time".to_owned())),
    }
    .map_err(Into::into)
}

fn unready(reason: String) -> Error {
    Error::new(ErrorCode::Unavailable, format!("Not ready: {reason}.")).retry_after(Duration::from_secs(1))
}
