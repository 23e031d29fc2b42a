use super::{Transport, TransportError, TransportErrorKind};
use crate::{Answer, Call, Error, Result, base_url::BaseUrl};
use reqwest::{
    Client, Method,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use std::{error::Error as _, time::Duration};

/// A server that does not even accept a connection is not there; sooner than a call gives up, so that it can try again.
const CONNECT: Duration = Duration::from_secs(10);

/// HTTP over rustls.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    base: BaseUrl,
    http: Client,
}

impl HttpTransport {
    /// To the server of that address; `allow_insecure` takes plain `http` to other machines too.
    ///
    /// # Errors
    /// `client.invalid_argument` for an address that cannot be used.
    pub fn connect(base_url: &str, allow_insecure: bool) -> Result<Self> {
        let base = BaseUrl::parse(base_url, allow_insecure)?;
        let mut http = Client::builder()
            .user_agent(concat!("authkit-client/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(CONNECT);
        // What stays on this machine needs no proxy, which would read it.
        if base.is_loopback() {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| {
            Error::new(crate::code::ENVIRONMENT, format!("HTTPS cannot be used here: {}", cause(&error)))
        })?;
        Ok(Self { base, http })
    }
}

#[async_trait::async_trait]
impl Transport for HttpTransport {
    async fn send(&self, call: Call<'_>) -> Result<Answer, TransportError> {
        let parts = call.http()?;
        let method = Method::from_bytes(parts.method.as_bytes()).map_err(|_| unwritable())?;
        let mut headers = HeaderMap::with_capacity(parts.headers.len());
        for (name, value) in parts.headers {
            let mut value = HeaderValue::try_from(value).map_err(|_| unwritable())?;
            value.set_sensitive(name == "authorization");
            headers.insert(HeaderName::from_static(name), value);
        }
        let mut request = self.http.request(method, self.base.join(&parts.path_and_query)).headers(headers);
        if let Some(body) = parts.body {
            request = request.body(body);
        }
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > Answer::BODY_LIMIT {
                return Err(Answer::too_large(status));
            }
            body.extend_from_slice(&chunk);
        }
        let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        Answer::from_http(status, header, &body)
    }
}

fn unwritable() -> TransportError {
    TransportError::new(TransportErrorKind::InvalidRequest, "The call cannot be written as an HTTP request.")
}

fn failed(error: reqwest::Error) -> TransportError {
    if error.is_builder() {
        return unwritable();
    }
    if error.is_connect() {
        let message = format!("The server could not be reached: {}.", cause(&error));
        return TransportError::new(TransportErrorKind::NotSent, message);
    }
    let message = format!("The connection was lost before the answer came: {}.", cause(&error));
    TransportError::new(TransportErrorKind::Lost, message)
}

/// The innermost cause, which says what happened and does not quote the URL.
fn cause(error: &reqwest::Error) -> String {
    let Some(mut cause) = error.source() else { return "no cause is known".to_owned() };
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
