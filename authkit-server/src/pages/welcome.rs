use super::{Answer, Visit, session::PageSession};
use crate::pages::cookies::Cookie;
use http::StatusCode;
use minijinja::context;

/// `GET /`: where to look in development; otherwise the door.
pub(super) async fn show(visit: Visit) -> Answer {
    if visit.pages.development() {
        return Ok(visit.page(StatusCode::OK, "welcome.html", context! {}));
    }
    let known = visit.jar.open::<PageSession>(Cookie::Session, "").is_some();
    Ok(visit.go(if known { "/account" } else { "/sign-in" }))
}
