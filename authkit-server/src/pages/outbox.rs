use super::{Answer, Visit};
use axum::extract::Query;
use http::{HeaderValue, StatusCode, header};
use minijinja::{Value, context, value::Serde};
use serde::Deserialize;

/// Mails bring their own styles; on this page they may apply, since it exists in development only.
const POLICY: &str = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// Which mails to show.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    #[serde(default)]
    to: String,
}

/// `GET /dev/outbox?to=`: the mails that development mode keeps.
pub(super) async fn show(visit: Visit, Query(filter): Query<Filter>) -> Answer {
    let to = filter.to.trim();
    let wanted = Some(to).filter(|to| !to.is_empty());
    let mails = match visit.pages.engine.notices().development_outbox(visit.origin.tenant, wanted).await {
        Ok(mails) => mails,
        Err(error) => return Err(visit.refuse(error)),
    };
    let values = context! { mails => Value::from(Serde(&mails)), to => to };
    let mut answer = visit.page(StatusCode::OK, "outbox.html", values);
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok(answer)
}
