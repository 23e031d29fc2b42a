//! The whole router in process, over an engine on SQLite and on PostgreSQL.

mod access;
mod conformance;
mod contract;
mod devices;
mod embedding;
mod errors;
mod flows;
mod hosts;
mod limits;
mod openapi_client;
mod operations;
mod repeats;
mod sockets;
mod traces;

use crate::{AuthKit, router};
use authkit_core::{
    memory::{InlineHasher, SystemRandom},
    wire::{TokensView, UserView},
};
use authkit_engine::{Config, Engine, EngineBuilder};
use authkit_testkit::{
    databases::{Database, Db},
    device::FakeDevice,
    factories::Factory,
    fakes::{RecordingMailer, TestClock},
};
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

/// 2026-01-01T00:00:00Z
const START: i64 = 1_767_225_600;

/// A server in process.
pub(super) struct Site {
    pub(super) engine: Engine,
    pub(super) service: AuthKit,
    pub(super) factory: Factory,
    pub(super) clock: TestClock,
    pub(super) mailer: RecordingMailer,
    _database: Arc<Database>,
}

pub(super) fn database(db: Db) -> Database {
    db.create(async |url| drop(Config::development(&url).migrate(|_| {}).await.unwrap()))
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    /// The code of a problem document, which must be whole.
    #[track_caller]
    pub(super) fn code(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16(), "{problem}");
        assert_eq!(problem["trace_id"].as_str().map(str::len), Some(32), "{problem}");
        assert_eq!(problem["trace_id"], self.headers["x-trace-id"].to_str().unwrap(), "{problem}");
        assert!(problem["title"].is_string() && problem["detail"].is_string() && problem["type"].is_string());
        problem["code"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(super) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    #[track_caller]
    pub(super) fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status.as_u16(), self.code().as_str()),
            (status, code),
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        self
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
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
        Self::over(Arc::new(database(db)), change, build).await
    }

    /// A node of the installation in `database`.
    pub(super) async fn over(
        database: Arc<Database>,
        change: impl FnOnce(&mut Config),
        build: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Self {
        let mut config = Config::development(&database.url);
        config.rate_limits.enabled = false;
        change(&mut config);
        let clock = TestClock::new(jiff::Timestamp::from_second(START).unwrap());
        let mailer = RecordingMailer::default();
        let builder = Engine::builder(config)
            .clock(clock.clone())
            .mailer(mailer.clone())
            .hasher(InlineHasher::new(8, 1).unwrap())
            .migrate(true);
        let engine = build(builder).build().await.unwrap();
        let factory = Factory::new(engine.context().clone());
        Self { service: router(engine.clone()), engine, factory, clock, mailer, _database: database }
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.service.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(super) async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.call(Method::GET, path, token, None).await
    }

    pub(super) async fn post(&self, path: &str, token: Option<&str>, body: Value) -> Answer {
        self.call(Method::POST, path, token, Some(body)).await
    }

    pub(super) async fn call(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        self.send(request(method, path, token, body)).await
    }

    /// A user who is signed in.
    pub(super) async fn signed_in(&self, email: &str) -> (UserView, TokensView) {
        let user = self.factory.user_at(email).await.unwrap();
        let (tokens, _) = self.factory.sign_in(email).await.unwrap();
        (user, tokens)
    }

    /// An administrator who is signed in; the access token.
    pub(super) async fn admin(&self) -> String {
        self.factory.administrator("root@example.org").await.unwrap();
        self.factory.sign_in("root@example.org").await.unwrap().0.access_token.expose().to_owned()
    }

    /// An open claim of the user whose token it is, a device that was claimed with another one, and that device's token.
    pub(super) async fn claimed_device(&self, user: &str) -> (String, String, String) {
        let open = self.post("/v1/devices/claims", Some(user), json!({})).await.is(201).json();
        let made = self.post("/v1/devices/claims", Some(user), json!({})).await.is(201).json();
        let mut device = FakeDevice::new(&SystemRandom).unwrap();
        let claimed = self.claim(&mut device, made["code"].as_str().unwrap()).await.is(201).json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&open["id"]), text(&claimed["device"]["id"]), text(&claimed["access_token"]))
    }

    /// The device asks for a challenge and answers it with the code.
    pub(super) async fn claim(&self, device: &mut FakeDevice, code: &str) -> Answer {
        let asked = serde_json::to_value(device.ask_to_claim()).unwrap();
        let challenge = self.post("/v1/devices/challenge", None, asked).await.is(200).json();
        let request = device.claim(code, &serde_json::from_value(challenge).unwrap()).unwrap();
        self.post("/v1/devices/claim", None, serde_json::to_value(request).unwrap()).await
    }

    /// The device asks for a challenge and answers it for a token.
    pub(super) async fn device_token(&self, device: &mut FakeDevice, id: &str) -> Answer {
        let id = id.parse().unwrap();
        let asked = serde_json::to_value(device.ask_for_token(id)).unwrap();
        let challenge = self.post("/v1/devices/challenge", None, asked).await.is(200).json();
        let request = device.token(id, &serde_json::from_value(challenge).unwrap()).unwrap();
        self.post("/v1/devices/token", None, serde_json::to_value(request).unwrap()).await
    }

    /// The text of the newest mail of `kind`.
    pub(super) async fn mailed_text(&self, to: &str, kind: &str) -> String {
        self.factory.deliver(&self.mailer).await.unwrap();
        self.mailer.find(to, kind).unwrap_or_else(|| panic!("no {kind} to {to}")).text
    }

    /// The token that was mailed.
    pub(super) async fn mailed(&self, to: &str, kind: &str) -> String {
        self.factory.deliver(&self.mailer).await.unwrap();
        self.mailer.token(to, kind).unwrap_or_else(|| panic!("no {kind} to {to}")).expose().to_owned()
    }
}

pub(super) fn request(method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost:8080");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    match body {
        Some(body) => {
            let text = body.to_string();
            request
                .header("content-type", "application/json")
                .header("content-length", text.len())
                .body(Body::from(text))
                .unwrap()
        }
        None => request.body(Body::empty()).unwrap(),
    }
}
