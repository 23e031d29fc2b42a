use super::{
    Answer, FormState, Post, Visit,
    cookies::Cookie,
    form::{Form, again, beside_code},
    session::Back,
    sign_up::refused,
    visit::Said,
};
use authkit_core::wire::{ErrorCode, LoginRequest, LoginView, MfaMethod, MfaVerifyRequest, Secret, TokensView};
use axum::{extract::Query, response::Response};
use http::StatusCode;
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};

/// Where to go afterwards, by name.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Target {
    #[serde(default)]
    back: String,
}

/// A first factor that was right; its token never appears in an address.
#[derive(Debug, Serialize, Deserialize)]
struct Attempt {
    token: Secret,
    methods: Vec<MfaMethod>,
    back: Back,
}

/// `GET /sign-in`
pub(super) async fn show(visit: Visit, Query(target): Query<Target>) -> Answer {
    let values = context! { form => FormState::default().value(), back => Back::named(&target.back).name() };
    Ok(visit.page(StatusCode::OK, "sign_in.html", values))
}

/// `POST /sign-in`
pub(super) async fn act(Post { mut visit, form }: Post) -> Answer {
    let back = Back::named(form.text("back"));
    let request = LoginRequest { email: form.text("email").to_owned(), password: form.secret("password") };
    match visit.pages.engine.sign_in().login(&visit.origin, request).await {
        Ok(LoginView::Tokens(tokens)) => Ok(signed_in(visit, &tokens, back).await),
        Ok(LoginView::MfaRequired(required)) => {
            let attempt = Attempt { token: required.mfa_token, methods: required.methods, back };
            let seconds = visit.pages.engine.context().settings.links.mfa.as_secs();
            visit.jar.seal(Cookie::Attempt, "", &attempt, seconds);
            Ok(visit.go("/sign-in/mfa"))
        }
        Err(error) => {
            let values = refused(&form, &["email"], &["email", "password"], &error);
            Ok(again(visit, "sign_in.html", context! { back => back.name(), ..values }, &error))
        }
    }
}

/// Puts the tokens into the browser's cookie and voids what was there before: another session of this browser, forms
/// that a stranger could have planted.
async fn signed_in(mut visit: Visit, tokens: &TokensView, back: Back) -> Response {
    if let Some(before) = visit.session() {
        // The new session stands whether or not the old one could be ended.
        let _ = visit.pages.engine.sessions().logout(&visit.origin, None, Some(&before.refresh)).await;
    }
    visit.jar.clear(Cookie::Attempt);
    visit.renew_browser();
    visit.keep(tokens);
    visit.go(back.path())
}

fn mfa_values(attempt: &Attempt, form: Value) -> Value {
    context! {
        totp => attempt.methods.contains(&MfaMethod::Totp),
        backup_code => attempt.methods.contains(&MfaMethod::BackupCode),
        form => form,
    }
}

fn over(mut visit: Visit) -> Response {
    visit.jar.clear(Cookie::Attempt);
    visit.say(Said::AttemptOver, None);
    visit.go("/sign-in")
}

/// `GET /sign-in/mfa`
pub(super) async fn mfa_show(visit: Visit) -> Answer {
    let Some(attempt) = visit.jar.open::<Attempt>(Cookie::Attempt, "") else { return Ok(over(visit)) };
    let values = mfa_values(&attempt, FormState::default().value());
    Ok(visit.page(StatusCode::OK, "sign_in_mfa.html", values))
}

/// `POST /sign-in/mfa`
pub(super) async fn mfa_act(Post { visit, form }: Post) -> Answer {
    let Some(attempt) = visit.jar.open::<Attempt>(Cookie::Attempt, "") else { return Ok(over(visit)) };
    let (method, code) = factor(&form);
    let request = MfaVerifyRequest { mfa_token: attempt.token.clone(), method, code };
    match visit.pages.engine.sign_in().verify_mfa(&visit.origin, request).await {
        Ok(tokens) => Ok(signed_in(visit, &tokens, attempt.back).await),
        Err(error) if error.code == ErrorCode::InvalidMfaToken => Ok(over(visit)),
        Err(error) => {
            let field = if method == MfaMethod::BackupCode { "backup_code" } else { "code" };
            let state = FormState::refused(&form, &[], &[field], &beside_code(&error, field));
            let values = mfa_values(&attempt, state.value());
            Ok(again(visit, "sign_in_mfa.html", values, &error))
        }
    }
}

/// The second factor of a form: a code of the app, or else a backup code.
pub(super) fn factor(form: &Form) -> (MfaMethod, Secret) {
    if form.given("backup_code").is_some() {
        (MfaMethod::BackupCode, form.code("backup_code"))
    } else {
        (MfaMethod::Totp, form.code("code"))
    }
}

/// `GET /sign-out`: asks, since opening an address must not sign anybody out.
pub(super) async fn out_show(visit: Visit) -> Answer {
    Ok(visit.page(StatusCode::OK, "sign_out.html", context! {}))
}

/// `POST /sign-out`
pub(super) async fn out_act(Post { mut visit, .. }: Post) -> Answer {
    if let Some(page) = visit.session() {
        let ended =
            visit.pages.engine.sessions().logout(&visit.origin, Some(page.access.expose()), Some(&page.refresh)).await;
        if let Err(error) = ended {
            return Err(visit.refuse(error));
        }
    }
    for cookie in [Cookie::Session, Cookie::Attempt, Cookie::Enrolment, Cookie::Codes] {
        visit.jar.clear(cookie);
    }
    visit.renew_browser();
    visit.say(Said::SignedOut, None);
    Ok(visit.go("/sign-in"))
}
