//! A browser without script over the pages in process.

use super::super::router;
use crate::tests;
use authkit_core::{
    Context, Origin, Principal,
    memory::SystemRandom,
    notices::Notices,
    tenants::DEFAULT_TENANT,
    wire::{CreateDeviceClaimRequest, DeviceId, LoginRequest, LoginView, OutboxMailView},
};
use authkit_engine::{Config, EngineBuilder};
use authkit_testkit::{authenticator, databases::Db, device::FakeDevice, fakes::TestClock};
use axum::{Router, body::Body};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use std::{collections::BTreeMap, sync::Arc};
use tower::ServiceExt;

pub(super) const PASSWORD: &str = "correct horse battery staple 7";

/// An installation whose pages, without the layer around them, the browsers of a test open.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) cx: Arc<Context>,
    pub(super) clock: TestClock,
    router: Router,
    whole: Arc<tests::Site>,
}

impl Site {
    pub(super) async fn new(db: Db) -> Self {
        Self::with(db, |_| {}).await
    }

    pub(super) async fn with(db: Db, change: impl FnOnce(&mut Config)) -> Self {
        Self::building(db, change, |builder| builder).await
    }

    pub(super) async fn building(
        db: Db,
        change: impl FnOnce(&mut Config),
        build: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Self {
        let whole = tests::Site::building(db, change, build).await;
        let (cx, clock) = (whole.engine.context().clone(), whole.clock.clone());
        Self { router: router(&whole.engine), cx, clock, whole: Arc::new(whole) }
    }

    pub(super) fn browser(&self) -> Browser {
        Browser { site: self.clone(), cookies: BTreeMap::new(), attributes: BTreeMap::new() }
    }

    /// The mails to `to`, newest first.
    pub(super) async fn mails(&self, to: &str) -> Vec<OutboxMailView> {
        self.whole.factory.deliver(&self.whole.mailer).await.unwrap();
        Notices::new(self.cx.clone()).development_outbox(DEFAULT_TENANT, Some(to)).await.unwrap()
    }

    /// Who has `email`, outside any browser.
    pub(super) async fn owner(&self, email: &str) -> Principal {
        let request = LoginRequest { email: email.into(), password: PASSWORD.into() };
        let LoginView::Tokens(tokens) =
            self.whole.engine.sign_in().login(&Origin::local(DEFAULT_TENANT), request).await.unwrap()
        else {
            panic!("no second factor is set up")
        };
        self.whole.engine.sessions().authenticate(tokens.access_token.expose()).await.unwrap()
    }

    /// A device called `name` that `owner` has claimed.
    pub(super) async fn device(&self, owner: &Principal, name: &str) -> DeviceId {
        let (devices, origin) = (self.whole.engine.devices(), Origin::local(DEFAULT_TENANT));
        let claim = CreateDeviceClaimRequest { name: Some(name.into()) };
        let claim = devices.create_claim(&origin, owner, claim).await.unwrap();
        let mut device = FakeDevice::new(&SystemRandom).unwrap();
        let challenge = devices.challenge(&origin, &device.ask_to_claim()).unwrap();
        let request = device.claim(claim.code.expose(), &challenge).unwrap();
        devices.claim(&origin, request).await.unwrap().device.id
    }

    /// The path of the newest mailed link of `kind` to `to`.
    pub(super) async fn link(&self, to: &str, kind: &str) -> String {
        let mails = self.mails(to).await;
        let mail = mails.iter().find(|mail| mail.kind == kind).unwrap_or_else(|| panic!("no {kind} to {to}"));
        mail.links[0].strip_prefix(&self.cx.settings.public_url).unwrap().to_owned()
    }
}

/// A page as a browser got it.
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Page {
    /// Where the answer sends the browser.
    pub(super) fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    /// What stands between `before` and `after`.
    pub(super) fn between(&self, before: &str, after: &str) -> String {
        let rest = self.text.split_once(before).unwrap_or_else(|| panic!("no {before} in {}", self.text)).1;
        rest.split_once(after).unwrap().0.to_owned()
    }

    pub(super) fn form_token(&self) -> String {
        self.between("name=\"form_token\" value=\"", "\"")
    }

    #[track_caller]
    pub(super) fn shows(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "no {text:?} in {} {}", self.status, self.text);
        self
    }

    #[track_caller]
    pub(super) fn hides(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text:?} in {}", self.text);
        self
    }

    #[track_caller]
    pub(super) fn goes_to(&self, path: &str) -> &Self {
        assert_eq!((self.status, self.location()), (StatusCode::SEE_OTHER, path), "{}", self.text);
        self
    }
}

/// One browser with its cookies.
pub(super) struct Browser {
    pub(super) site: Site,
    pub(super) cookies: BTreeMap<String, String>,
    /// The attributes that each cookie was last set with.
    pub(super) attributes: BTreeMap<String, String>,
}

impl Browser {
    pub(super) async fn send(&mut self, request: http::request::Builder, body: String) -> Page {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request
            .header(header::COOKIE, cookies.join("; "))
            .header(header::ACCEPT, "text/html")
            .body(Body::from(body))
            .unwrap();
        let answer: Response<Body> = self.site.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        for set in parts.headers.get_all(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (pair, attributes) = set.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.attributes.insert(name.to_owned(), attributes.to_owned());
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Page { status: parts.status, headers: parts.headers, text }
    }

    pub(super) async fn get(&mut self, path: &str) -> Page {
        self.send(Request::get(path), String::new()).await
    }

    /// Posts `fields` as they are.
    pub(super) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let encode = |text: &str| -> String {
            text.bytes()
                .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
                .collect()
        };
        let body: Vec<_> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, body.join("&")).await
    }

    /// Opens the page `from` and sends a form of it.
    pub(super) async fn submit(&mut self, from: &str, to: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.get(from).await.form_token();
        let fields: Vec<_> = fields.iter().copied().chain([("form_token", token.as_str())]).collect();
        self.post(to, &fields).await
    }

    pub(super) async fn sign_up(&mut self, email: &str) {
        let fields = [("email", email), ("password", PASSWORD), ("name", "Ada")];
        self.submit("/sign-up", "/sign-up", &fields).await.goes_to("/sign-up/sent");
        let link = self.site.link(email, "verify_email").await;
        let token = self.get(&link).await.between("name=\"token\" value=\"", "\"");
        self.submit(&link, "/verify-email", &[("token", &token)]).await.goes_to("/done");
    }

    pub(super) async fn sign_in(&mut self, email: &str, password: &str) -> Page {
        self.submit("/sign-in", "/sign-in", &[("email", email), ("password", password), ("back", "account")]).await
    }

    /// Signed up and signed in.
    pub(super) async fn account(site: &Site, email: &str) -> Self {
        let mut browser = site.browser();
        browser.sign_up(email).await;
        browser.sign_in(email, PASSWORD).await.goes_to("/account");
        browser
    }

    /// Turns two-step sign-in on; returns the secret and the backup codes.
    pub(super) async fn enable_mfa(&mut self) -> (String, Vec<String>) {
        self.submit("/account/mfa", "/account/mfa/start", &[]).await.goes_to("/account/mfa/setup");
        let secret = self.get("/account/mfa/setup").await.between("<code>", "</code>");
        let code = self.code(&secret);
        self.submit("/account/mfa/setup", "/account/mfa/setup", &[("code", &code)]).await.goes_to("/account/mfa/codes");
        let page = self.get("/account/mfa/codes").await;
        let codes = page.text.split("<li><code>").skip(1).map(|rest| rest.split_once('<').unwrap().0.to_owned());
        (secret, codes.collect())
    }

    /// What the authenticator app shows now.
    pub(super) fn code(&self, secret: &str) -> String {
        authenticator::code(secret, self.site.cx.now())
    }
}
