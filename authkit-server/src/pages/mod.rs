//! Plain pages for every flow: no script, one stylesheet, the same services as the API.
//!
//! GET shows, POST acts and redirects. What a page refuses, the core refused; what a page shows, the owner of its
//! cookie may see.
//!
//! - [`Visit`] is one request: its cookies, its origin and who is signed in.
//! - [`Post`] and [`SignedPost`] are the only ways to a form's fields, and they refuse a forged form first.

mod account;
mod agent;
mod cookies;
mod danger;
mod failure;
mod form;
mod links;
mod mfa;
mod outbox;
mod password;
mod render;
mod session;
mod sign_in;
mod sign_up;
mod visit;
mod welcome;

#[cfg(test)]
mod tests;

use authkit_core::{
    Context, accounts::Accounts, auth::SignIn, mfa::Mfa, notices::Notices, sessions::Sessions, tenants::Tenants,
};
use authkit_engine::Engine;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use std::sync::Arc;

use failure::Failure;
use form::{FormState, Post, SignedPost};
use visit::{SignedIn, Visit};

pub(crate) use render::{describe, wanted};

/// What a handler answers.
type Answer = Result<axum::response::Response, Failure>;

/// A form is never larger.
const MAX_FORM: usize = 32 * 1024;

/// The pages over `engine`.
pub(crate) fn router(engine: &Engine) -> Router {
    // The engine's own sign-in: pages and API share what keeps sign-ins of one account apart.
    routes(Pages::new(engine.context().clone(), engine.sign_in().clone()))
}

fn routes(pages: Pages) -> Router {
    let router = Router::new()
        .route("/", get(welcome::show))
        .route("/sign-up", get(sign_up::show).post(sign_up::act))
        .route("/sign-up/sent", get(sign_up::sent))
        .route("/verify-email", get(links::verify_show).post(links::verify_act))
        .route("/verify-email/resend", get(sign_up::resend_show).post(sign_up::resend_act))
        .route("/sign-in", get(sign_in::show).post(sign_in::act))
        .route("/sign-in/mfa", get(sign_in::mfa_show).post(sign_in::mfa_act))
        .route("/sign-out", get(sign_in::out_show).post(sign_in::out_act))
        .route("/forgot-password", get(password::forgot_show).post(password::forgot_act))
        .route("/forgot-password/sent", get(password::forgot_sent))
        .route("/reset-password", get(password::reset_show).post(password::reset_act))
        .route("/confirm-email", get(links::confirm_show).post(links::confirm_act))
        .route("/undo-email", get(links::undo_show).post(links::undo_act))
        .route("/reactivate", get(links::reactivate_show).post(links::reactivate_act))
        .route("/done", get(links::done))
        .route("/account", get(account::show))
        .route("/account/profile", post(account::profile))
        .route("/account/password", post(account::password))
        .route("/account/email", post(account::email))
        .route("/account/sessions/revoke", post(account::revoke))
        .route("/account/sessions/revoke-others", post(account::revoke_others))
        .route("/account/close", get(danger::show))
        .route("/account/deactivate", post(danger::deactivate))
        .route("/account/delete", post(danger::delete))
        .route("/account/mfa", get(mfa::show))
        .route("/account/mfa/start", post(mfa::start))
        .route("/account/mfa/setup", get(mfa::setup_show).post(mfa::setup_act))
        .route("/account/mfa/codes", get(mfa::codes))
        .route("/account/mfa/regenerate", post(mfa::regenerate))
        .route("/account/mfa/disable", post(mfa::disable))
        .route(render::STYLE_ROUTE, get(render::style));
    let development = Router::new().route("/dev/outbox", get(outbox::show));
    let router = if pages.development() { router.merge(development) } else { router };
    router
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .route_layer(middleware::from_fn_with_state(pages.clone(), render::finish))
        .with_state(pages)
}

/// The services that pages call.
#[derive(Clone, Debug)]
struct Pages(Arc<Services>);

#[derive(Debug)]
struct Services {
    cx: Arc<Context>,
    accounts: Accounts,
    sign_in: SignIn,
    mfa: Mfa,
    sessions: Sessions,
    notices: Notices,
    tenants: Tenants,
    /// Whether browsers reach the pages over TLS, so that cookies can insist on it.
    secure: bool,
}

impl Pages {
    fn new(cx: Arc<Context>, sign_in: SignIn) -> Self {
        let secure = cx.settings.public_url.starts_with("https://");
        Self(Arc::new(Services {
            accounts: Accounts::new(cx.clone()),
            sign_in,
            mfa: Mfa::new(cx.clone()),
            sessions: Sessions::new(cx.clone()),
            notices: Notices::new(cx.clone()),
            tenants: Tenants::new(cx.clone()),
            cx,
            secure,
        }))
    }

    /// Whether the installation shows what only a developer may see.
    fn development(&self) -> bool {
        self.cx.settings.development_outbox
    }
}

impl std::ops::Deref for Pages {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.0
    }
}
