//! Pages behind the links of mails. Opening one changes nothing, since mail scanners open links too.

use super::{Answer, Post, Visit, form::again, visit::Said};
use authkit_core::{
    Result,
    crypto::OpaqueKind,
    wire::{ErrorCode, Secret, TokenRequest},
};
use axum::extract::Query;
use http::StatusCode;
use minijinja::{Value, context};
use serde::Deserialize;

/// What a mailed link carries.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    pub(super) token: Secret,
}

struct Page {
    kind: OpaqueKind,
    action: &'static str,
    title: &'static str,
    text: &'static str,
    button: &'static str,
}

const VERIFY: Page = Page {
    kind: OpaqueKind::Verify,
    action: "/verify-email",
    title: "Confirm your address",
    text: "Press the button to confirm your address. Your account exists from then on.",
    button: "Confirm address",
};

const CONFIRM: Page = Page {
    kind: OpaqueKind::EmailChange,
    action: "/confirm-email",
    title: "Confirm your new address",
    text: "Press the button to move your account to this address. Your other sessions will be signed out.",
    button: "Use this address",
};

const UNDO: Page = Page {
    kind: OpaqueKind::EmailUndo,
    action: "/undo-email",
    title: "Take the change back",
    text: "Was it not you who changed the address of your account? Press the button to get your old address back. \
           All sessions will be signed out; change your password afterwards.",
    button: "Restore my address",
};

const REACTIVATE: Page = Page {
    kind: OpaqueKind::Reactivate,
    action: "/reactivate",
    title: "Get your account back",
    text: "Press the button to activate your account again. Then sign in as before.",
    button: "Activate my account",
};

impl Page {
    fn values(&self, token: &Secret) -> Value {
        context! {
            action => self.action, title => self.title, text => self.text, button => self.button,
            token => token.expose(), form => super::FormState::default().value(),
        }
    }

    async fn show(&self, visit: Visit, token: &Secret) -> Answer {
        match visit.pages.engine.accounts().token_is_valid(&visit.origin, self.kind, token).await {
            Ok(true) => Ok(visit.page(StatusCode::OK, "link.html", self.values(token))),
            Ok(false) => Ok(self.over(visit)),
            Err(error) => Err(visit.refuse(error)),
        }
    }

    /// The link was used, has expired or was never one.
    fn over(&self, visit: Visit) -> axum::response::Response {
        let resend = matches!(self.kind, OpaqueKind::Verify).then_some("/verify-email/resend");
        let forgot = matches!(self.kind, OpaqueKind::Reset).then_some("/forgot-password");
        let values = context! {
            title => "This link is not valid any more",
            text => "It was used already, it has expired, or a newer one was sent.",
            again => resend.or(forgot),
        };
        visit.page(StatusCode::GONE, "sent.html", values)
    }

    fn answer(&self, visit: Visit, token: &Secret, done: Result<()>) -> Answer {
        match done {
            Ok(()) => Ok(visit.go("/done")),
            Err(error) if error.code == ErrorCode::InvalidOneTimeToken => Ok(self.over(visit)),
            Err(error) => {
                let values = context! { alert => error.detail.as_str(), ..self.values(token) };
                Ok(again(visit, "link.html", values, &error))
            }
        }
    }
}

/// What a link that is over says; also for the reset page.
pub(super) fn reset_is_over(visit: Visit) -> axum::response::Response {
    Page { kind: OpaqueKind::Reset, ..VERIFY }.over(visit)
}

/// `GET /verify-email?token=`
pub(super) async fn verify_show(visit: Visit, Query(link): Query<Link>) -> Answer {
    VERIFY.show(visit, &link.token).await
}

/// `POST /verify-email`
pub(super) async fn verify_act(Post { mut visit, form }: Post) -> Answer {
    let token = form.secret("token");
    let verified =
        visit.pages.engine.accounts().verify_email(&visit.origin, TokenRequest { token: token.clone() }).await;
    let done = verified.map(|verified| visit.say(Said::Verified, verified.redirect_url));
    VERIFY.answer(visit, &token, done)
}

/// `GET /confirm-email?token=`
pub(super) async fn confirm_show(visit: Visit, Query(link): Query<Link>) -> Answer {
    CONFIRM.show(visit, &link.token).await
}

/// `POST /confirm-email`
pub(super) async fn confirm_act(Post { mut visit, form }: Post) -> Answer {
    let token = form.secret("token");
    let request = TokenRequest { token: token.clone() };
    let done = visit.pages.engine.accounts().confirm_email_change(&visit.origin, request).await;
    let done = done.map(|()| visit.say(Said::EmailConfirmed, None));
    CONFIRM.answer(visit, &token, done)
}

/// `GET /undo-email?token=`
pub(super) async fn undo_show(visit: Visit, Query(link): Query<Link>) -> Answer {
    UNDO.show(visit, &link.token).await
}

/// `POST /undo-email`
pub(super) async fn undo_act(Post { mut visit, form }: Post) -> Answer {
    let token = form.secret("token");
    let request = TokenRequest { token: token.clone() };
    let done = visit.pages.engine.accounts().undo_email_change(&visit.origin, request).await;
    let done = done.map(|()| visit.say(Said::EmailUndone, None));
    UNDO.answer(visit, &token, done)
}

/// `GET /reactivate?token=`
pub(super) async fn reactivate_show(visit: Visit, Query(link): Query<Link>) -> Answer {
    REACTIVATE.show(visit, &link.token).await
}

/// `POST /reactivate`
pub(super) async fn reactivate_act(Post { mut visit, form }: Post) -> Answer {
    let token = form.secret("token");
    let request = TokenRequest { token: token.clone() };
    let done = visit.pages.engine.accounts().reactivate(&visit.origin, request).await;
    let done = done.map(|()| visit.say(Said::Reactivated, None));
    REACTIVATE.answer(visit, &token, done)
}

/// `GET /done`: what the last action did, and where to go on. Another site's address is a link that is shown, never a
/// redirect.
pub(super) async fn done(visit: Visit) -> Answer {
    Ok(visit.page(StatusCode::OK, "done.html", context! {}))
}
