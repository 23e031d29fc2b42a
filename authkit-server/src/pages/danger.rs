//! Closing an account.

use super::{
    Answer, FormState, SignedIn, SignedPost, Visit, account::beside_password, cookies::Cookie, form::again,
    render::lasting, session::Back, visit::Said,
};
use authkit_core::{
    Error, Result,
    wire::{ErrorCode, PasswordConfirmRequest},
};
use http::StatusCode;
use minijinja::{Value, context};

fn values(visit: &Visit, of: &str, state: Value) -> Value {
    let form = |name: &str| if name == of { state.clone() } else { FormState::default().value() };
    let grace = lasting(visit.pages.engine.context().settings.links.deletion_grace);
    context! { deactivate => form("deactivate"), delete => form("delete"), grace => grace }
}

/// `GET /account/close`
pub(super) async fn show(SignedIn { visit, .. }: SignedIn) -> Answer {
    let values = values(&visit, "", Value::UNDEFINED);
    Ok(visit.page(StatusCode::OK, "close.html", values))
}

/// `POST /account/deactivate`
pub(super) async fn deactivate(post: SignedPost) -> Answer {
    let (visit, principal, form) = post.parts();
    let request = PasswordConfirmRequest { password: Some(form.secret("password")) };
    let done = visit.pages.engine.accounts().deactivate_me(&visit.origin, &principal, request).await;
    finish(visit, "deactivate", Said::Deactivated, done, |error| {
        beside_password(&form, "password", &["password"], error)
    })
}

/// `POST /account/delete`
pub(super) async fn delete(post: SignedPost) -> Answer {
    let (visit, principal, form) = post.parts();
    let request = PasswordConfirmRequest { password: Some(form.secret("password")) };
    let done = visit.pages.engine.accounts().delete_me(&visit.origin, &principal, request).await;
    finish(visit, "delete", Said::DeletionScheduled, done, |error| {
        beside_password(&form, "password", &["password"], error)
    })
}

fn finish(mut visit: Visit, of: &str, said: Said, done: Result<()>, state: impl FnOnce(&Error) -> Value) -> Answer {
    match done {
        Ok(()) => {
            visit.jar.clear(Cookie::Session);
            visit.say(said, None);
            Ok(visit.go("/done"))
        }
        Err(error) if error.code == ErrorCode::StepUpRequired => Ok(visit.step_up(Back::Close)),
        Err(error) => {
            let values = values(&visit, of, state(&error));
            Ok(again(visit, "close.html", values, &error))
        }
    }
}
