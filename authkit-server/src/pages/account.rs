use super::{
    Answer, FormState, SignedIn, SignedPost, Visit,
    agent::describe,
    form::{Form, again},
    session::Back,
    visit::Said,
};
use authkit_core::{
    Error, Principal, Result,
    wire::{
        ChangeEmailRequest, DeviceHealth, DeviceId, DeviceStatus, DeviceView, ErrorCode, PasswordChangeRequest, Patch,
        SessionId, SessionView, UpdateMeRequest,
    },
};
use http::StatusCode;
use minijinja::{Value, context, value::Serde};

/// As many sessions as one page of the list holds.
const SESSIONS: u32 = 100;

/// As many devices as one page of the list holds.
const DEVICES: u32 = 100;

/// How many devices that were taken back are shown.
const REMOVED_DEVICES: u32 = 10;

/// One session as the page shows it.
fn row(session: &SessionView) -> Value {
    let device = session.user_agent.as_deref().map_or_else(|| "Unknown device".into(), describe);
    context! { device => device, ..Value::from(Serde(session)) }
}

/// One device as the page shows it.
fn device_row(device: &DeviceView) -> Value {
    let id = device.id.to_string();
    // The first characters tell the time, which devices of one afternoon share.
    let short = id.get(id.len().saturating_sub(8)..).unwrap_or_default().to_owned();
    let (status, good) = match (device.status, device.reported_status) {
        (DeviceStatus::Revoked, _) => ("Removed", false),
        (_, Some(DeviceHealth::Degraded)) => ("Works in part", false),
        (_, Some(DeviceHealth::Failing)) => ("Fails", false),
        _ => ("Active", true),
    };
    let active = device.status == DeviceStatus::Active;
    context! { short => short, state => status, good => good, active => active, ..Value::from(Serde(device)) }
}

/// The owner's devices: those that sign in, then the last ones that were taken back.
async fn devices(visit: &Visit, principal: &Principal) -> Result<Vec<Value>> {
    let list =
        async |status, limit| visit.pages.engine.devices().list(principal, Some(status), None, Some(limit)).await;
    let active = list(DeviceStatus::Active, DEVICES).await?.data;
    let removed = list(DeviceStatus::Revoked, REMOVED_DEVICES).await?.data;
    Ok(active.iter().chain(&removed).map(device_row).collect())
}

/// Everything on the page; `of` names the form that was refused and what it shows.
async fn values(visit: &Visit, principal: &Principal, of: &str, state: Value) -> Result<Value> {
    let pages = &visit.pages;
    let user = pages.engine.accounts().get_me(principal).await?;
    let mfa = pages.engine.mfa().status(principal).await?;
    let sessions = pages.engine.sessions().list(principal, None, Some(SESSIONS)).await?;
    let profile = FormState::with([("name", user.name.clone().unwrap_or_default())]).value();
    let form = |name: &str| if name == of { state.clone() } else { FormState::default().value() };
    Ok(context! {
        user => Value::from(Serde(&user)),
        mfa => Value::from(Serde(&mfa)),
        sessions => sessions.data.iter().map(row).collect::<Vec<_>>(),
        devices => devices(visit, principal).await?,
        profile => if of == "profile" { state.clone() } else { profile },
        password => form("password"),
        email => form("email"),
        alert => form("page"),
    })
}

/// `GET /account`
pub(super) async fn show(SignedIn { visit, principal }: SignedIn) -> Answer {
    match values(&visit, &principal, "", Value::UNDEFINED).await {
        Ok(values) => Ok(visit.page(StatusCode::OK, "account.html", values)),
        Err(error) => Err(visit.refuse(error)),
    }
}

/// After a refusal: the page again, or first the sign-in page when a fresh sign-in is asked for.
async fn refused(visit: Visit, principal: &Principal, of: &str, state: Value, error: &Error) -> Answer {
    if error.code == ErrorCode::StepUpRequired {
        return Ok(visit.step_up(Back::Account));
    }
    match values(&visit, principal, of, state).await {
        Ok(values) => Ok(again(visit, "account.html", values, error)),
        Err(error) => Err(visit.refuse(error)),
    }
}

fn done(mut visit: Visit, said: Said) -> Answer {
    visit.say(said, None);
    Ok(visit.go("/account"))
}

/// `POST /account/profile`
pub(super) async fn profile(post: SignedPost) -> Answer {
    let (visit, principal, form) = post.parts();
    let name = form.given("name").map_or(Patch::Clear, Patch::Set);
    let request = UpdateMeRequest { name, locale: Patch::Absent, profile: None, preferences: None };
    match visit.pages.engine.accounts().update_me(&visit.origin, &principal, request, None).await {
        Ok(_) => done(visit, Said::ProfileSaved),
        Err(error) => {
            let state = FormState::refused(&form, &["name"], &["name"], &error).value();
            refused(visit, &principal, "profile", state, &error).await
        }
    }
}

/// Shows a wrong current password beside its field.
pub(super) fn beside_password(form: &Form, name: &'static str, fields: &[&str], error: &Error) -> Value {
    if error.code == ErrorCode::InvalidCredentials {
        let shown = Error::field(name, error.code.as_str(), "That is not your password.");
        return FormState::refused(form, &[], fields, &shown).value();
    }
    FormState::refused(form, &[], fields, error).value()
}

/// `POST /account/password`
pub(super) async fn password(post: SignedPost) -> Answer {
    let (visit, principal, form) = post.parts();
    let request = PasswordChangeRequest {
        current_password: Some(form.secret("current_password")),
        new_password: form.secret("new_password"),
    };
    match visit.pages.engine.accounts().change_password(&visit.origin, &principal, request).await {
        Ok(()) => done(visit, Said::PasswordChanged),
        Err(error) => {
            let state = beside_password(&form, "current_password", &["current_password", "new_password"], &error);
            refused(visit, &principal, "password", state, &error).await
        }
    }
}

/// `POST /account/email`
pub(super) async fn email(post: SignedPost) -> Answer {
    let (visit, principal, form) = post.parts();
    let request = ChangeEmailRequest { new_email: form.text("new_email").to_owned() };
    match visit.pages.engine.accounts().request_email_change(&visit.origin, &principal, request).await {
        Ok(()) => done(visit, Said::EmailRequested),
        Err(error) => {
            let state = FormState::refused(&form, &["new_email"], &["new_email"], &error).value();
            refused(visit, &principal, "email", state, &error).await
        }
    }
}

/// `POST /account/sessions/revoke`
pub(super) async fn revoke(post: SignedPost) -> Answer {
    let (visit, principal, form) = post.parts();
    let ended = match form.text("session").parse::<SessionId>() {
        Ok(id) => visit.pages.engine.sessions().revoke(&visit.origin, &principal, id).await,
        Err(_) => Err(ErrorCode::SessionNotFound.into()),
    };
    match ended {
        // Somebody else was quicker: it is gone all the same.
        Ok(()) => done(visit, Said::SessionEnded),
        Err(error) if error.code == ErrorCode::SessionNotFound => done(visit, Said::SessionEnded),
        Err(error) => {
            let state = FormState::refused(&form, &[], &[], &error).value();
            refused(visit, &principal, "page", state, &error).await
        }
    }
}

/// `POST /account/sessions/revoke-others`
pub(super) async fn revoke_others(post: SignedPost) -> Answer {
    let (visit, principal, form) = post.parts();
    match visit.pages.engine.sessions().revoke_others(&visit.origin, &principal).await {
        Ok(_) => done(visit, Said::OthersEnded),
        Err(error) => {
            let state = FormState::refused(&form, &[], &[], &error).value();
            refused(visit, &principal, "page", state, &error).await
        }
    }
}

/// `POST /account/devices/revoke`
pub(super) async fn revoke_device(post: SignedPost) -> Answer {
    let (visit, principal, form) = post.parts();
    let revoked = match form.text("device").parse::<DeviceId>() {
        Ok(id) => visit.pages.engine.devices().revoke(&visit.origin, &principal, id).await,
        Err(_) => Err(ErrorCode::DeviceNotFound.into()),
    };
    match revoked {
        Ok(()) => done(visit, Said::DeviceRemoved),
        Err(error) => {
            let state = FormState::refused(&form, &[], &[], &error).value();
            refused(visit, &principal, "page", state, &error).await
        }
    }
}
