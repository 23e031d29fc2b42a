use super::{
    Answer, FormState, SignedIn, SignedPost, Visit,
    account::beside_password,
    cookies::Cookie,
    form::{Form, again, beside_code},
    session::Back,
    sign_in::factor,
    visit::Said,
};
use authkit_core::{
    Error, Principal,
    wire::{ErrorCode, MfaReauthRequest, Secret, TotpConfirmRequest},
};
use axum::response::Response;
use http::StatusCode;
use minijinja::{Value, context, value::Serde};
use serde::{Deserialize, Serialize};

/// How long an enrolment or a set of codes waits for its page.
const WAIT_SECONDS: i64 = 600;

/// A secret that is shown until it is confirmed. The core shows it once; the browser's sealed cookie keeps it meanwhile.
#[derive(Debug, Serialize, Deserialize)]
struct Enrolment {
    secret: Secret,
    uri: Secret,
}

async fn values(visit: &Visit, principal: &Principal, of: &str, state: Value) -> Result<Value, Error> {
    let mfa = visit.pages.engine.mfa().status(principal).await?;
    let form = |name: &str| if name == of { state.clone() } else { FormState::default().value() };
    Ok(context! {
        mfa => Value::from(Serde(&mfa)),
        page => form("page"),
        disable => form("disable"),
        regenerate => form("regenerate"),
        open => of,
    })
}

async fn page(visit: Visit, principal: &Principal, of: &str, state: Value, error: Option<&Error>) -> Answer {
    match (values(&visit, principal, of, state).await, error) {
        (Ok(values), None) => Ok(visit.page(StatusCode::OK, "mfa.html", values)),
        (Ok(values), Some(error)) => Ok(again(visit, "mfa.html", values, error)),
        (Err(error), _) => Err(visit.refuse(error)),
    }
}

/// `GET /account/mfa`
pub(super) async fn show(SignedIn { visit, principal }: SignedIn) -> Answer {
    page(visit, &principal, "", Value::UNDEFINED, None).await
}

/// `POST /account/mfa/start`
pub(super) async fn start(post: SignedPost) -> Answer {
    let bound = post.signed.bound();
    let (mut visit, principal, form) = post.parts();
    match visit.pages.engine.mfa().enrol_totp(&visit.origin, &principal).await {
        Ok(enrolment) => {
            let kept = Enrolment { secret: enrolment.secret, uri: enrolment.otpauth_uri };
            visit.jar.seal(Cookie::Enrolment, &bound, &kept, WAIT_SECONDS);
            Ok(visit.go("/account/mfa/setup"))
        }
        Err(error) if error.code == ErrorCode::StepUpRequired => Ok(visit.step_up(Back::Mfa)),
        Err(error) => {
            let state = FormState::refused(&form, &[], &[], &error).value();
            page(visit, &principal, "page", state, Some(&error)).await
        }
    }
}

fn setup_values(enrolment: &Enrolment, state: &FormState) -> Result<Value, Error> {
    let secret = enrolment.secret.expose().as_bytes();
    let groups: Vec<_> = secret.chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    Ok(context! {
        secret => groups.join(" "),
        uri => enrolment.uri.expose(),
        qr => authkit_core::mfa::qr_svg(enrolment.uri.expose())?,
        form => state.value(),
    })
}

/// `GET /account/mfa/setup`
pub(super) async fn setup_show(signed: SignedIn) -> Answer {
    let Some(enrolment) = signed.visit.jar.open::<Enrolment>(Cookie::Enrolment, &signed.bound()) else {
        return Ok(signed.visit.go("/account/mfa"));
    };
    let values = setup_values(&enrolment, &FormState::default())?;
    Ok(signed.visit.page(StatusCode::OK, "mfa_setup.html", values))
}

/// `POST /account/mfa/setup`
pub(super) async fn setup_act(post: SignedPost) -> Answer {
    let bound = post.signed.bound();
    let (mut visit, principal, form) = post.parts();
    let Some(enrolment) = visit.jar.open::<Enrolment>(Cookie::Enrolment, &bound) else {
        return Ok(visit.go("/account/mfa"));
    };
    let request = TotpConfirmRequest { code: form.code("code") };
    match visit.pages.engine.mfa().confirm_totp(&visit.origin, &principal, request).await {
        Ok(view) => {
            visit.jar.clear(Cookie::Enrolment);
            Ok(hand_out(visit, &bound, &view.backup_codes))
        }
        Err(error) if error.code == ErrorCode::StepUpRequired => Ok(visit.step_up(Back::Mfa)),
        Err(error) => {
            let state = FormState::refused(&form, &[], &["code"], &beside_code(&error, "code"));
            Ok(again(visit, "mfa_setup.html", setup_values(&enrolment, &state)?, &error))
        }
    }
}

fn hand_out(mut visit: Visit, bound: &str, codes: &[Secret]) -> Response {
    visit.jar.seal(Cookie::Codes, bound, &codes, WAIT_SECONDS);
    visit.go("/account/mfa/codes")
}

/// `GET /account/mfa/codes`: shows new backup codes once.
pub(super) async fn codes(signed: SignedIn) -> Answer {
    let bound = signed.bound();
    let mut visit = signed.visit;
    let Some(codes) = visit.jar.open::<Vec<String>>(Cookie::Codes, &bound) else {
        return Ok(visit.go("/account/mfa"));
    };
    visit.jar.clear(Cookie::Codes);
    Ok(visit.page(StatusCode::OK, "mfa_codes.html", context! { codes => codes }))
}

fn reauth(form: &Form) -> MfaReauthRequest {
    let (method, code) = factor(form);
    MfaReauthRequest { password: form.secret("password"), method, code }
}

async fn refused(visit: Visit, principal: &Principal, of: &str, form: &Form, error: Error) -> Answer {
    if error.code == ErrorCode::StepUpRequired {
        return Ok(visit.step_up(Back::Mfa));
    }
    let field = if form.given("backup_code").is_some() { "backup_code" } else { "code" };
    let state = beside_password(form, "password", &["password", "code", "backup_code"], &beside_code(&error, field));
    page(visit, principal, of, state, Some(&error)).await
}

/// `POST /account/mfa/regenerate`
pub(super) async fn regenerate(post: SignedPost) -> Answer {
    let bound = post.signed.bound();
    let (visit, principal, form) = post.parts();
    match visit.pages.engine.mfa().regenerate_backup_codes(&visit.origin, &principal, reauth(&form)).await {
        Ok(view) => Ok(hand_out(visit, &bound, &view.backup_codes)),
        Err(error) => refused(visit, &principal, "regenerate", &form, error).await,
    }
}

/// `POST /account/mfa/disable`
pub(super) async fn disable(post: SignedPost) -> Answer {
    let (mut visit, principal, form) = post.parts();
    match visit.pages.engine.mfa().disable_totp(&visit.origin, &principal, reauth(&form)).await {
        Ok(()) => {
            visit.say(Said::MfaDisabled, None);
            Ok(visit.go("/account/mfa"))
        }
        Err(error) => refused(visit, &principal, "disable", &form, error).await,
    }
}
