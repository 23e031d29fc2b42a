//! `/v1/admin/audit`

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
use utoipa_axum::routes;

pub(crate) fn register(api: &mut Api) {
    let read = Spec::new(Access::Permission("audit:read"), RateClass::Read);
    api.compressed(routes!(list), read);
    api.route(routes!(get), read.fails(&[404]));
}

/// Records of the audit log
///
/// The newest first.
#[utoipa::path(
    get, path = "/v1/admin/audit", operation_id = "listAudit", tag = "admin",
    params(
        ("action" = Option<String>, Query, description = "This action, or with a trailing `.` every action that starts so",
            min_length = 1, max_length = 256),
        ("actor" = Option<String>, Query, description = "Who did it", min_length = 1, max_length = 256),
        ("subject" = Option<String>, Query, description = "To whom or what", min_length = 1, max_length = 256),
        ("outcome" = Option<AuditOutcome>, Query, description = "Whether it succeeded"),
        ("from" = Option<String>, Query, description = "At or after (RFC 3339)", format = DateTime),
        ("until" = Option<String>, Query, description = "Before (RFC 3339)", format = DateTime),
        ("limit" = Option<u32>, Query, description = "Items on the page; 25 without it", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page", body = Page<AuditView>)),
)]
pub(crate) async fn list(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    params: Params,
) -> Answer<axum::Json<Page<AuditView>>> {
    let filter = params.audit_filter()?;
    Ok(axum::Json(engine.audit().list(&origin, &caller, filter, params.cursor(), params.limit()?).await?))
}

/// One record of the audit log
#[utoipa::path(
    get, path = "/v1/admin/audit/{id}", operation_id = "getAudit", tag = "admin",
    params(("id" = AuditId, Path, description = "The record")),
    responses((status = 200, description = "The record", body = AuditView)),
)]
pub(crate) async fn get(
    State(engine): State<Engine>,
    Client(origin): Client,
    caller: SignedIn,
    Path(id): Path<AuditId>,
) -> Answer<axum::Json<AuditView>> {
    Ok(axum::Json(engine.audit().get(&origin, &caller, id).await?))
}
