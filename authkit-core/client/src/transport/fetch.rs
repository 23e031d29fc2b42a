use super::{Transport, TransportError, TransportErrorKind};
use crate::{Answer, Call, Result, base_url::BaseUrl};
use js_sys::{Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, Request, RequestCache, RequestCredentials, RequestInit,
    RequestRedirect, Response,
};

/// HTTP by the `fetch` of a browser, a worker or Node.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    base: BaseUrl,
}

/// Gives the request up when the call is given up.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl HttpTransport {
    /// To the server of that address; `allow_insecure` takes plain `http` to other machines too.
    ///
    /// # Errors
    /// `client.invalid_argument` for an address that cannot be used.
    pub fn connect(base_url: &str, allow_insecure: bool) -> Result<Self> {
        Ok(Self { base: BaseUrl::parse(base_url, allow_insecure)? })
    }

    fn request(&self, call: Call<'_>, abort: &Abort) -> Result<Request, TransportError> {
        let parts = call.http()?;
        let init = RequestInit::new();
        init.set_method(parts.method);
        // Tokens go in a header only, and to no other address than the one that was given.
        init.set_credentials(RequestCredentials::Omit);
        init.set_redirect(RequestRedirect::Manual);
        init.set_cache(RequestCache::NoStore);
        init.set_signal(Some(&abort.0.signal()));
        let headers = Headers::new().map_err(|_| unwritable())?;
        for (name, value) in &parts.headers {
            headers.set(name, value).map_err(|_| unwritable())?;
        }
        init.set_headers(&headers);
        if let Some(body) = &parts.body {
            init.set_body(&Uint8Array::from(body.as_slice()));
        }
        Request::new_with_str_and_init(&self.base.join(&parts.path_and_query), &init).map_err(|_| unwritable())
    }
}

#[async_trait::async_trait(?Send)]
impl Transport for HttpTransport {
    async fn send(&self, call: Call<'_>) -> Result<Answer, TransportError> {
        let abort = Abort(AbortController::new().map_err(|_| unwritable())?);
        let request = self.request(call, &abort)?;
        let response: Response = fetch(&request).await.and_then(JsCast::dyn_into).map_err(|_| lost())?;
        // Of a redirect that is not followed, browsers show nothing but that there was one.
        let hidden = Reflect::get(&response, &"type".into()).is_ok_and(|kind| kind == "opaqueredirect");
        let status = if hidden { 302 } else { response.status() };
        let body = read(&response, status).await?;
        let headers = response.headers();
        Answer::from_http(status, |name| headers.get(name).ok().flatten(), &body)
    }
}

/// The global function, which windows, workers and Node have in different objects.
async fn fetch(request: &Request) -> Result<JsValue, JsValue> {
    let global = js_sys::global();
    let fetch: Function = Reflect::get(&global, &"fetch".into())?.dyn_into()?;
    let promise: Promise = fetch.call1(&global, request)?.dyn_into()?;
    JsFuture::from(promise).await
}

async fn read(response: &Response, status: u16) -> Result<Vec<u8>, TransportError> {
    let mut body = Vec::new();
    let Some(stream) = response.body() else { return Ok(body) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().dyn_into().map_err(|_| lost())?;
    loop {
        let part = JsFuture::from(reader.read()).await.map_err(|_| lost())?;
        let chunk = Reflect::get(&part, &"value".into()).unwrap_or(JsValue::UNDEFINED);
        let Ok(chunk) = chunk.dyn_into::<Uint8Array>() else { return Ok(body) };
        if body.len() + chunk.length() as usize > Answer::BODY_LIMIT {
            return Err(Answer::too_large(status));
        }
        body.extend(chunk.to_vec());
    }
}

fn unwritable() -> TransportError {
    TransportError::new(TransportErrorKind::InvalidRequest, "The call cannot be written as a request.")
}

/// Browsers tell a page neither why nor when a request failed.
fn lost() -> TransportError {
    let message = "The server could not be reached, or does not let this page call it (CORS).";
    TransportError::new(TransportErrorKind::Lost, message)
}
