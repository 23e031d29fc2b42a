use super::{
    Answer, FormState, Post, Visit,
    form::again,
    links::{Link, reset_is_over},
    render::lasting,
    sign_up::refused,
    visit::Said,
};
use authkit_core::{
    crypto::OpaqueKind,
    wire::{EmailRequest, ErrorCode, PasswordResetRequest},
};
use axum::extract::Query;
use http::StatusCode;
use minijinja::context;

/// `GET /forgot-password`
pub(super) async fn forgot_show(visit: Visit) -> Answer {
    Ok(visit.page(StatusCode::OK, "forgot.html", context! { form => FormState::default().value() }))
}

/// `POST /forgot-password`: alike whatever the address.
pub(super) async fn forgot_act(Post { visit, form }: Post) -> Answer {
    let request = EmailRequest { email: form.text("email").to_owned() };
    match visit.pages.engine.accounts().forgot_password(&visit.origin, request).await {
        Ok(()) => Ok(visit.go("/forgot-password/sent")),
        Err(error) => {
            let values = refused(&form, &["email"], &["email"], &error);
            Ok(again(visit, "forgot.html", values, &error))
        }
    }
}

/// `GET /forgot-password/sent`
pub(super) async fn forgot_sent(visit: Visit) -> Answer {
    let lasts = lasting(visit.pages.engine.context().settings.links.reset);
    let values = context! {
        sent => true,
        title => "Check your mail",
        text => format!(
            "If there is an account with this address, a mail with a link to set a new password is on its way. \
             The link works for {lasts}."
        ),
        again => "/forgot-password",
    };
    Ok(visit.page(StatusCode::OK, "sent.html", values))
}

/// `GET /reset-password?token=`
pub(super) async fn reset_show(visit: Visit, Query(link): Query<Link>) -> Answer {
    match visit.pages.engine.accounts().token_is_valid(&visit.origin, OpaqueKind::Reset, &link.token).await {
        Ok(true) => {
            let values = context! { form => FormState::default().value(), token => link.token.expose() };
            Ok(visit.page(StatusCode::OK, "reset.html", values))
        }
        Ok(false) => Ok(reset_is_over(visit)),
        Err(error) => Err(visit.refuse(error)),
    }
}

/// `POST /reset-password`
pub(super) async fn reset_act(Post { mut visit, form }: Post) -> Answer {
    let token = form.secret("token");
    let request = PasswordResetRequest { token: token.clone(), new_password: form.secret("new_password") };
    match visit.pages.engine.accounts().reset_password(&visit.origin, request).await {
        Ok(()) => {
            visit.say(Said::PasswordReset, None);
            Ok(visit.go("/sign-in"))
        }
        Err(error) if error.code == ErrorCode::InvalidOneTimeToken => Ok(reset_is_over(visit)),
        Err(error) => {
            let values = refused(&form, &[], &["new_password"], &error);
            Ok(again(visit, "reset.html", context! { token => token.expose(), ..values }, &error))
        }
    }
}
