//! `/v1/dev/outbox`: what would have been mailed. Routed in development mode only.

use crate::{
    access::Access,
    extract::{Client, Params},
    problem::Answer,
    rate_limit::RateClass,
    registry::{Api, Spec},
};
use authkit_core::wire::OutboxView;
use authkit_engine::Engine;
use axum::extract::State;
use utoipa_axum::routes;

pub(crate) fn register(api: &mut Api) {
    api.route(routes!(list), Spec::new(Access::Public, RateClass::Read));
}

/// Mails that development kept
///
/// The newest first.
#[utoipa::path(
    get, path = "/v1/dev/outbox", operation_id = "listOutbox", tag = "development",
    params(("to" = Option<String>, Query, description = "Only those to this address")),
    responses((status = 200, description = "The mails", body = OutboxView)),
)]
pub(crate) async fn list(
    State(engine): State<Engine>,
    Client(origin): Client,
    params: Params,
) -> Answer<axum::Json<OutboxView>> {
    let data = engine.notices().development_outbox(origin.tenant, params.text("to")).await?;
    Ok(axum::Json(OutboxView { data }))
}
