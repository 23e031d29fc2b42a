use crate::PASSWORD;
use authkit_testkit::authenticator;
use jiff::SignedDuration;
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use std::time::Duration;

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, `Null` when it is not JSON.
    pub body: Value,
    /// The body as text.
    pub text: String,
}

impl Answer {
    async fn read(response: reqwest::Response) -> reqwest::Result<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or_default();
        Ok(Self { status, headers, body, text })
    }

    /// Asserts the status.
    #[track_caller]
    #[must_use]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// Asserts a problem's status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.text);
    }
}

/// A client of one server, signed in or not.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    /// The tokens of the session, as last answered.
    pub tokens: Value,
    /// Sent as `X-AuthKit-Tenant`.
    pub tenant: Option<String>,
}

impl Client {
    /// A client that is not signed in.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { http, base: base.to_owned(), tokens: Value::Null, tenant: None }
    }

    /// The same session at another server.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// The access token.
    #[must_use]
    pub fn access(&self) -> &str {
        self.tokens["access_token"].as_str().unwrap_or_default()
    }

    /// The refresh token.
    #[must_use]
    pub fn refresh_token(&self) -> &str {
        self.tokens["refresh_token"].as_str().unwrap_or_default()
    }

    /// The signed-in user's id.
    #[must_use]
    pub fn user_id(&self) -> &str {
        self.tokens["user"]["id"].as_str().unwrap_or_default()
    }

    /// One request; `Err` when no answer came.
    pub async fn try_request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Answer> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if !self.access().is_empty() {
            request = request.bearer_auth(self.access());
        }
        if let Some(tenant) = &self.tenant {
            request = request.header("x-authkit-tenant", tenant);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::read(request.send().await?).await
    }

    /// Sends a page's form with `cookies`, as a browser does.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)], cookies: &str) -> Answer {
        let request = self.http.post(format!("{}{path}", self.base)).header("cookie", cookies).form(fields);
        Answer::read(request.send().await.unwrap()).await.unwrap()
    }

    /// One request.
    pub async fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.try_request(method, path, body, &[]).await.unwrap()
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, None).await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.request(Method::POST, path, Some(&body)).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path, None).await
    }

    /// `PUT` without a body.
    pub async fn put(&self, path: &str) -> Answer {
        self.request(Method::PUT, path, None).await
    }

    /// The newest mail of `kind` to `to`, waiting for its delivery.
    pub async fn mail(&self, to: &str, kind: &str) -> Value {
        self.find_mail(to, kind, Duration::from_secs(20)).await.unwrap_or_else(|| panic!("no {kind} mail to {to}"))
    }

    /// The newest mail of `kind` to `to`, if one arrives in time.
    pub async fn find_mail(&self, to: &str, kind: &str, wait: Duration) -> Option<Value> {
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let encoded = to.replace('+', "%2B");
            let list = self.get(&format!("/v1/dev/outbox?to={encoded}")).await.expect(200);
            if let Some(mail) = list["data"].as_array().unwrap().iter().find(|mail| mail["kind"] == kind) {
                return Some(mail.clone());
            }
            if tokio::time::Instant::now() > deadline {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The token in a mail's link.
    #[must_use]
    pub fn token_of(mail: &Value) -> String {
        let links = mail["links"].as_array().unwrap();
        let link = links.iter().filter_map(Value::as_str).find(|link| link.contains("token=")).expect("a link");
        link.split_once("token=").unwrap().1.split('&').next().unwrap().to_owned()
    }

    /// Registers and proves an account.
    pub async fn register(&self, email: &str) -> Value {
        let _ = self.post("/v1/auth/register", json!({"email": email, "password": PASSWORD})).await.expect(202);
        let mail = self.mail(email, "verify_email").await;
        self.post("/v1/auth/verify-email", json!({"token": Self::token_of(&mail)})).await.expect(200)["user"].clone()
    }

    /// Signs in with the usual password and keeps the tokens.
    pub async fn sign_in(&mut self, email: &str) {
        self.tokens = Value::Null;
        self.tokens = self.post("/v1/auth/login", json!({"email": email, "password": PASSWORD})).await.expect(200);
        assert!(self.tokens["access_token"].is_string(), "{}", self.tokens);
    }

    /// A new account, signed in.
    pub async fn new_user(&self, email: &str) -> Self {
        let mut client = self.clone();
        client.tokens = Value::Null;
        client.register(email).await;
        client.sign_in(email).await;
        client
    }

    /// Uses the refresh token and keeps the new pair.
    pub async fn refresh(&mut self) -> Answer {
        let answer = self.post("/v1/auth/refresh", json!({"refresh_token": self.refresh_token()})).await;
        if answer.status == 200 {
            self.tokens = answer.body.clone();
        }
        answer
    }

    /// Sets TOTP up and returns its secret with the backup codes.
    pub async fn enable_totp(&self) -> (String, Vec<String>) {
        let enrolment = self.post("/v1/me/mfa/totp", json!({})).await.expect(201);
        let secret = enrolment["secret"].as_str().unwrap().to_owned();
        let code = totp_code(&secret, 0);
        let codes = self.post("/v1/me/mfa/totp/confirm", json!({"code": code})).await.expect(200);
        let codes = codes["backup_codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
        (secret, codes)
    }
}

/// The TOTP code of a base32 secret, `steps` away from now.
#[must_use]
pub fn totp_code(secret: &str, steps: i64) -> String {
    #[expect(clippy::disallowed_methods, reason = "the server under test runs on the system's time")]
    let now = jiff::Timestamp::now();
    authenticator::code(secret, now + SignedDuration::from_secs(30 * steps))
}
