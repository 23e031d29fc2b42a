//! AuthKit's client without a socket.

use authkit_client::{Answer, Call, Transport, TransportError, TransportErrorKind};
use http::{Request, Response};
use http_body_util::BodyExt;
use std::convert::Infallible;
use tower::{Service, ServiceExt as _};

/// Brings calls to a service in this process, such as `authkit_server::router`.
#[derive(Clone, Debug)]
pub struct RouterTransport<S>(pub S);

#[async_trait::async_trait]
impl<S, B> Transport for RouterTransport<S>
where
    S: Service<Request<String>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + Sync,
    B: BodyExt<Data: Send> + Send,
{
    async fn send(&self, call: Call<'_>) -> Result<Answer, TransportError> {
        let parts = call.http()?;
        let mut request = Request::builder().method(parts.method).uri(parts.path_and_query);
        for (name, value) in parts.headers {
            request = request.header(name, value);
        }
        let unwritable = |_| TransportError::new(TransportErrorKind::InvalidRequest, "The call is no HTTP request.");
        let body = parts.body.map(|body| String::from_utf8(body).unwrap()).unwrap_or_default();
        let Ok(response) = self.0.clone().oneshot(request.body(body).map_err(unwritable)?).await;
        let (head, body) = response.into_parts();
        let lost = |_| TransportError::new(TransportErrorKind::Lost, "The answer broke off.");
        let body = body.collect().await.map_err(lost)?.to_bytes();
        let header = |name: &str| head.headers.get(name)?.to_str().ok().map(str::to_owned);
        Answer::from_http(head.status.as_u16(), header, &body)
    }
}
