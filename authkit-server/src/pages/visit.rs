use super::{
    Failure, Pages,
    cookies::{Cookie, Jar},
    render,
    session::{Back, PageSession},
};
use authkit_core::{Error, Origin, Principal};
use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, StatusCode, header, request::Parts};
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};

/// How long a browser keeps the value that its forms are bound to.
const BROWSER_SECONDS: i64 = 30 * 24 * 3600;

/// How long a form may stay open before it is sent.
const FORM_SECONDS: i64 = 24 * 3600;

/// What the next page says of the last action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    Verified,
    SignedOut,
    SignInAgain,
    SignInFirst,
    AttemptOver,
    PasswordReset,
    PasswordChanged,
    ProfileSaved,
    EmailRequested,
    EmailConfirmed,
    EmailUndone,
    SessionEnded,
    OthersEnded,
    DeviceRemoved,
    MfaDisabled,
    Deactivated,
    DeletionScheduled,
    Reactivated,
}

impl Said {
    /// Whether something was achieved; the others only say how it goes on.
    const fn is_success(self) -> bool {
        !matches!(
            self,
            Self::SignInAgain
                | Self::SignInFirst
                | Self::AttemptOver
                | Self::EmailRequested
                | Self::Deactivated
                | Self::DeletionScheduled
        )
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Verified => "Your address is confirmed. You can sign in now.",
            Self::SignedOut => "You are signed out.",
            Self::SignInAgain => "For this we need to know that it is you: please sign in again.",
            Self::SignInFirst => "Please sign in first.",
            Self::AttemptOver => "That sign-in is not valid any more. Please start again.",
            Self::PasswordReset => "Your password is set. Sign in with the new one.",
            Self::PasswordChanged => "Your password is changed, and your other sessions are signed out.",
            Self::ProfileSaved => "Your profile is saved.",
            Self::EmailRequested => "Open the link that we sent to the new address to finish the change.",
            Self::EmailConfirmed => "Your address is changed. Your other sessions are signed out.",
            Self::EmailUndone => {
                "The change of your address is taken back, and all sessions are signed out. The password does not work any more: we sent you a link to set a new one."
            }
            Self::SessionEnded => "That session is signed out.",
            Self::OthersEnded => "Your other sessions are signed out.",
            Self::DeviceRemoved => "That device is removed.",
            Self::MfaDisabled => "Two-step sign-in is off.",
            Self::Deactivated => "Your account is deactivated.",
            Self::DeletionScheduled => "Your account is closed. The link that we sent you brings it back.",
            Self::Reactivated => "Your account is active again. Sign in as before.",
        }
    }
}

/// One request to a page.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) pages: Pages,
    pub(super) origin: Origin,
    pub(super) jar: Jar,
    /// Shows the signed-in navigation.
    pub(super) signed_in: bool,
}

impl Visit {
    /// The tokens of the browser's session.
    pub(super) fn session(&self) -> Option<PageSession> {
        self.jar.open(Cookie::Session, "")
    }

    /// What a browser's forms are bound to: its own random value and, once signed in, its session.
    fn bound(&self) -> Option<String> {
        let browser = self.jar.plain(Cookie::Browser).filter(|value| value.len() == 22)?;
        let session = self.session().map(|page| page.session.to_string());
        Some(format!("{browser}\n{}", session.unwrap_or_default()))
    }

    /// A new token for a form of this browser.
    fn form_token(&mut self) -> String {
        if self.bound().is_none() {
            self.renew_browser();
        }
        let (cx, bound) = (self.pages.engine.context(), self.bound().unwrap_or_default());
        let expires = cx.now().as_second().saturating_add(FORM_SECONDS).to_be_bytes();
        URL_SAFE_NO_PAD.encode(cx.keyring.seal(&*cx.random, "page-form", bound.as_bytes(), &expires))
    }

    /// Whether `token` was made for a form of this browser in its present session, not too long ago.
    pub(super) fn owns_form(&self, token: &str) -> bool {
        let Some(bound) = self.bound() else { return false };
        let Ok(sealed) = URL_SAFE_NO_PAD.decode(token) else { return false };
        let cx = self.pages.engine.context();
        let Ok(plain) = cx.keyring.open("page-form", bound.as_bytes(), &sealed) else { return false };
        <[u8; 8]>::try_from(&plain[..]).is_ok_and(|expires| cx.now().as_second() < i64::from_be_bytes(expires))
    }

    /// Finds the request in the log.
    pub(super) fn trace(&self) -> &str {
        self.origin.trace_id.as_deref().unwrap_or_default()
    }

    /// Gives the browser a new value, so that forms from before are void.
    pub(super) fn renew_browser(&mut self) {
        let mut value = [0; 16];
        self.pages.engine.context().random.fill(&mut value);
        self.jar.put(Cookie::Browser, &URL_SAFE_NO_PAD.encode(value), BROWSER_SECONDS);
    }

    /// Has the next page say something, with a link to go on to.
    pub(super) fn say(&mut self, said: Said, link: Option<String>) {
        self.jar.seal(Cookie::Notice, "", &(said, link), 120);
    }

    /// The page `template` with `values`.
    pub(super) fn page(mut self, status: StatusCode, template: &str, values: Value) -> Response {
        let said = self.jar.open::<(Said, Option<String>)>(Cookie::Notice, "");
        self.jar.clear(Cookie::Notice);
        let frame = context! {
            form_token => self.form_token(),
            signed_in => self.signed_in,
            said => said.as_ref().map(|(said, _)| said.text()),
            said_good => said.as_ref().is_some_and(|(said, _)| said.is_success()),
            said_link => said.and_then(|(_, link)| link),
            ..render::frame(self.pages.engine.context())
        };
        let mut answer = render::html(status, template, context! { ..values, ..frame });
        self.jar.write(answer.headers_mut());
        answer
    }

    /// Sends the browser on to one of our own pages, with a GET.
    pub(super) fn go(mut self, to: &'static str) -> Response {
        let mut answer = (StatusCode::SEE_OTHER, [(header::LOCATION, HeaderValue::from_static(to))]).into_response();
        self.jar.write(answer.headers_mut());
        answer
    }

    /// Asks for a fresh sign-in that comes back to `back`.
    pub(super) fn step_up(mut self, back: Back) -> Response {
        self.say(Said::SignInAgain, None);
        self.go(back.sign_in())
    }

    /// A page of its own for what no form can show.
    pub(super) fn refuse(self, error: Error) -> Failure {
        let failure = Failure::from(error);
        let mut answer = failure.into_response();
        let mut jar = self.jar;
        jar.write(answer.headers_mut());
        answer.into()
    }
}

impl FromRequestParts<Pages> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Failure> {
        let origin = match parts.extensions.get::<Origin>() {
            Some(origin) => origin.clone(),
            None => Origin::local(pages.engine.tenants().resolve(None, None)?),
        };
        let jar = Jar::new(pages, &parts.headers);
        let mut visit = Self { pages: pages.clone(), origin, jar, signed_in: false };
        visit.signed_in = visit.session().is_some();
        Ok(visit)
    }
}

/// A request by somebody who is signed in; anybody else is sent to the sign-in page.
#[derive(Debug)]
pub(super) struct SignedIn {
    pub(super) visit: Visit,
    pub(super) principal: Principal,
}

impl SignedIn {
    /// Finds out who is signed in.
    pub(super) async fn of(mut visit: Visit, back: Back) -> Result<Self, Failure> {
        match visit.principal().await {
            Ok(Some(principal)) => {
                visit.signed_in = true;
                Ok(Self { visit, principal })
            }
            Ok(None) => {
                visit.signed_in = false;
                visit.say(Said::SignInFirst, None);
                Err(visit.go(back.sign_in()).into())
            }
            Err(error) => Err(visit.refuse(error)),
        }
    }

    /// The session's name, that cookies of this session are bound to.
    pub(super) fn bound(&self) -> String {
        self.principal.session.to_string()
    }
}

impl FromRequestParts<Pages> for SignedIn {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Failure> {
        let back = Back::of(parts.uri.path());
        Self::of(Visit::from_request_parts(parts, pages).await?, back).await
    }
}
