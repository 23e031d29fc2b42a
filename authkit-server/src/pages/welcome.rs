use super::{Answer, Visit};
use http::StatusCode;
use minijinja::context;

/// `GET /`: where to look in development; otherwise the door.
pub(super) async fn show(visit: Visit) -> Answer {
    if visit.pages.development() {
        return Ok(visit.page(StatusCode::OK, "welcome.html", context! {}));
    }
    let door = if visit.signed_in { "/account" } else { "/sign-in" };
    Ok(visit.go(door))
}
