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

use crate::rate_limit::RateClass;
use authkit_engine::Engine;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    middleware,
    routing::{MethodRouter, get},
};
use http::Method;
use std::{collections::HashMap, sync::LazyLock};

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
    let pages = Pages::new(engine.clone());
    table()
        .into_iter()
        .filter(|page| pages.development() || !page.for_developers)
        .fold(Router::new(), |router, page| router.route(page.path, page.methods))
        .route(render::STYLE_ROUTE, get(render::style))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .route_layer(middleware::from_fn_with_state(pages.clone(), render::finish))
        .with_state(pages)
}

/// A page of the table. There is no post without what it counts as.
struct Page {
    path: &'static str,
    methods: MethodRouter<Pages>,
    /// As what its posts count, if it has any.
    posts: Option<RateClass>,
    /// Whether only a developer may see it.
    for_developers: bool,
}

impl Page {
    fn at(path: &'static str) -> Self {
        Self { path, methods: MethodRouter::new(), posts: None, for_developers: false }
    }

    fn shown<H: Handler<T, Pages>, T: 'static>(self, handler: H) -> Self {
        Self { methods: self.methods.get(handler), ..self }
    }

    fn posted<H: Handler<T, Pages>, T: 'static>(self, handler: H, class: RateClass) -> Self {
        Self { methods: self.methods.post(handler), posts: Some(class), ..self }
    }

    fn for_developers(self) -> Self {
        Self { for_developers: true, ..self }
    }
}

/// Every page.
fn table() -> Vec<Page> {
    vec![
        Page::at("/").shown(welcome::show),
        Page::at("/sign-up").shown(sign_up::show).posted(sign_up::act, RateClass::Register),
        Page::at("/sign-up/sent").shown(sign_up::sent),
        Page::at("/verify-email").shown(links::verify_show).posted(links::verify_act, RateClass::Token),
        Page::at("/verify-email/resend").shown(sign_up::resend_show).posted(sign_up::resend_act, RateClass::Mail),
        Page::at("/sign-in").shown(sign_in::show).posted(sign_in::act, RateClass::SignIn),
        Page::at("/sign-in/mfa").shown(sign_in::mfa_show).posted(sign_in::mfa_act, RateClass::SignIn),
        Page::at("/sign-out").shown(sign_in::out_show).posted(sign_in::out_act, RateClass::Write),
        Page::at("/forgot-password").shown(password::forgot_show).posted(password::forgot_act, RateClass::Mail),
        Page::at("/forgot-password/sent").shown(password::forgot_sent),
        Page::at("/reset-password").shown(password::reset_show).posted(password::reset_act, RateClass::Token),
        Page::at("/confirm-email").shown(links::confirm_show).posted(links::confirm_act, RateClass::Token),
        Page::at("/undo-email").shown(links::undo_show).posted(links::undo_act, RateClass::Token),
        Page::at("/reactivate").shown(links::reactivate_show).posted(links::reactivate_act, RateClass::Token),
        Page::at("/done").shown(links::done),
        Page::at("/account").shown(account::show),
        Page::at("/account/profile").posted(account::profile, RateClass::Write),
        Page::at("/account/password").posted(account::password, RateClass::SignIn),
        Page::at("/account/email").posted(account::email, RateClass::Mail),
        Page::at("/account/sessions/revoke").posted(account::revoke, RateClass::Write),
        Page::at("/account/sessions/revoke-others").posted(account::revoke_others, RateClass::Write),
        Page::at("/account/devices/revoke").posted(account::revoke_device, RateClass::Write),
        Page::at("/account/close").shown(danger::show),
        Page::at("/account/deactivate").posted(danger::deactivate, RateClass::SignIn),
        Page::at("/account/delete").posted(danger::delete, RateClass::SignIn),
        Page::at("/account/mfa").shown(mfa::show),
        Page::at("/account/mfa/start").posted(mfa::start, RateClass::Write),
        Page::at("/account/mfa/setup").shown(mfa::setup_show).posted(mfa::setup_act, RateClass::SignIn),
        Page::at("/account/mfa/codes").shown(mfa::codes),
        Page::at("/account/mfa/regenerate").posted(mfa::regenerate, RateClass::SignIn),
        Page::at("/account/mfa/disable").posted(mfa::disable, RateClass::SignIn),
        Page::at("/dev/outbox").shown(outbox::show).for_developers(),
    ]
}

/// What a request to a page counts as: a post as the operation behind it does.
pub(crate) fn rate_class(method: &Method, path: &str) -> RateClass {
    static POSTS: LazyLock<HashMap<&'static str, RateClass>> =
        LazyLock::new(|| table().into_iter().filter_map(|page| Some((page.path, page.posts?))).collect());
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return RateClass::Read;
    }
    POSTS.get(path).copied().unwrap_or(RateClass::Write)
}

/// What pages work with.
#[derive(Clone, Debug)]
struct Pages {
    /// The API's own: both share what keeps sign-ins of one account apart.
    engine: Engine,
    /// Whether browsers reach the pages over TLS, so that cookies can insist on it.
    secure: bool,
}

impl Pages {
    fn new(engine: Engine) -> Self {
        let secure = engine.context().settings.public_url.starts_with("https://");
        Self { engine, secure }
    }

    /// Whether the installation shows what only a developer may see.
    fn development(&self) -> bool {
        self.engine.context().settings.development_outbox
    }
}
