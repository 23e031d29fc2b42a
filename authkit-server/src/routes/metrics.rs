//! `/metrics`

use crate::{
    App,
    access::Access,
    metrics::render,
    rate_limit::RateClass,
    registry::{Api, Spec},
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use utoipa_axum::routes;

pub(crate) fn register(api: &mut Api) {
    api.route(routes!(metrics), Spec::new(Access::Machine, RateClass::Read));
}

/// What Prometheus reads
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "operations",
    responses((status = 200, description = "Prometheus's text format", body = String, content_type = "text/plain")),
)]
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let shared = app.shared.main.as_ref().unwrap_or(&app.shared);
    let routes = shared
        .endpoints
        .iter()
        .map(|endpoint| (endpoint.info.method.as_str(), endpoint.info.path.as_str(), &endpoint.stats));
    let routes = routes.chain([("any", "pages", &shared.pages), ("any", "unmatched", &shared.unmatched)]);
    let text = render(routes, shared.limits.refused());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
