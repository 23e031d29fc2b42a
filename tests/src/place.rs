//! Where scenarios run: a service in this process, or a server in conformance mode.

use crate::RouterTransport;
use authkit_client::{CallOptions, Client, HttpTransport, Transport};
use authkit_engine::Conformance;
use authkit_server::ConformanceService;
use reqwest::Method;
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt as _;

/// Where scenarios run.
#[derive(Clone)]
pub enum Place {
    /// A service in this process.
    Inside(ConformanceService),
    /// A server in conformance mode.
    At(String, reqwest::Client, Devices),
}

/// What plays the devices of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Devices {
    /// What a device has to do, put together here.
    Reference,
    /// The client that runs on devices.
    Firmware,
}

impl Place {
    /// A service in this process over `conformance`.
    pub async fn inside(conformance: Conformance) -> Self {
        Self::Inside(ConformanceService::new(conformance).await.unwrap())
    }

    /// The server at `url`.
    #[must_use]
    pub fn at(url: &str) -> Self {
        Self::At(url.to_owned(), reqwest::Client::builder().no_proxy().build().unwrap(), Devices::Reference)
    }

    /// The same, with the client that runs on devices.
    #[must_use]
    pub fn with_firmware(self) -> Self {
        match self {
            Self::At(url, client, _) => Self::At(url, client, Devices::Firmware),
            inside @ Self::Inside(_) => inside,
        }
    }

    /// The way of AuthKit's client to it.
    #[must_use]
    pub fn transport(&self) -> Arc<dyn Transport> {
        match self {
            Self::Inside(service) => Arc::new(RouterTransport(service.clone())),
            Self::At(url, _, _) => Arc::new(HttpTransport::connect(url, false).unwrap()),
        }
    }

    /// A client of it, with token storage of its own.
    #[must_use]
    pub fn client(&self, tenant: Option<&str>) -> Client {
        let builder = Client::builder().transport(self.transport());
        tenant.into_iter().fold(builder, |builder, tenant| builder.tenant(tenant)).build().unwrap()
    }

    /// Sends a request; status and body of the answer.
    ///
    /// # Errors
    /// When none comes.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: Option<Value>,
    ) -> Result<(u16, Value), String> {
        let method: Method = method.parse().map_err(|_| format!("{method} is no method"))?;
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(body.map(|body| body.to_string()).unwrap_or_default()).map_err(|e| e.to_string())?;
        let (status, bytes) = match self {
            Self::Inside(service) => {
                let response = service.clone().oneshot(request).await.map_err(|error| error.to_string())?;
                let status = response.status().as_u16();
                let body = http_body_util::BodyExt::collect(response.into_body()).await.map_err(|e| e.to_string())?;
                (status, body.to_bytes())
            }
            Self::At(url, client, _) => {
                let (parts, body) = request.into_parts();
                let sent = client.request(parts.method, format!("{url}{path}")).headers(parts.headers).body(body);
                let response = sent.send().await.map_err(|error| error.to_string())?;
                (response.status().as_u16(), response.bytes().await.map_err(|error| error.to_string())?)
            }
        };
        Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    /// One of the routes that only conformance mode has, or the outbox.
    ///
    /// # Errors
    /// When it does not succeed.
    pub async fn control(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, String> {
        match self.send(method, path, &[], body).await? {
            (200, answer) => Ok(answer),
            (status, problem) => Err(format!("{method} {path}: {status} {problem}")),
        }
    }
}

/// Calls an operation; an error is the JSON that bindings see.
pub(crate) async fn call(client: &Client, name: &str, arguments: &Value, key: Option<&str>) -> Result<Value, Value> {
    let options = key.into_iter().fold(CallOptions::default(), |options, key| options.idempotency_key(key));
    client.call_with(name, arguments.clone(), options).await.map_err(|error| error.to_json())
}
