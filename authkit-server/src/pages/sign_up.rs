use super::{
    Answer, FormState, Post, Visit,
    form::{Form, again},
    render::lasting,
};
use authkit_core::{
    Error,
    wire::{EmailRequest, RegisterRequest},
};
use http::StatusCode;
use minijinja::{Value, context};

/// `GET /sign-up`
pub(super) async fn show(visit: Visit) -> Answer {
    Ok(visit.page(StatusCode::OK, "sign_up.html", context! { form => FormState::default().value() }))
}

/// `POST /sign-up`: alike for free and taken addresses.
pub(super) async fn act(Post { visit, form }: Post) -> Answer {
    let request = RegisterRequest {
        email: form.text("email").to_owned(),
        password: form.secret("password"),
        name: form.given("name"),
        locale: None,
        profile: None,
        redirect_url: None,
    };
    match visit.pages.engine.accounts().register(&visit.origin, request).await {
        Ok(_) => Ok(visit.go("/sign-up/sent")),
        Err(error) => {
            let values = refused(&form, &["email", "name"], &["email", "password", "name"], &error);
            Ok(again(visit, "sign_up.html", values, &error))
        }
    }
}

/// `GET /sign-up/sent`
pub(super) async fn sent(visit: Visit) -> Answer {
    let lasts = lasting(visit.pages.engine.context().settings.links.verify);
    let values = context! {
        sent => true,
        title => "Check your mail",
        text => format!("We sent you a mail with a link. Open it to confirm your address; the link works for {lasts}."),
        again => "/verify-email/resend",
    };
    Ok(visit.page(StatusCode::OK, "sent.html", values))
}

/// `GET /verify-email/resend`
pub(super) async fn resend_show(visit: Visit) -> Answer {
    Ok(visit.page(StatusCode::OK, "resend.html", context! { form => FormState::default().value() }))
}

/// `POST /verify-email/resend`: alike whatever the address.
pub(super) async fn resend_act(Post { visit, form }: Post) -> Answer {
    let request = EmailRequest { email: form.text("email").to_owned() };
    match visit.pages.engine.accounts().resend_verification(&visit.origin, request).await {
        Ok(()) => Ok(visit.go("/sign-up/sent")),
        Err(error) => {
            let values = refused(&form, &["email"], &["email"], &error);
            Ok(again(visit, "resend.html", values, &error))
        }
    }
}

pub(super) fn refused(form: &Form, keep: &[&'static str], fields: &[&str], error: &Error) -> Value {
    context! { form => FormState::refused(form, keep, fields, error).value() }
}
