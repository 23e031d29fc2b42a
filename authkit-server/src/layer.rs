//! The one combined layer: everything that is the same for all routes, in one service. A stack of ordinary layers would
//! cost half of a small route's throughput.

use crate::{
    App,
    access::{self, Access},
    call::{Call, TraceId},
    client_ip::client_ip,
    cors, extract, host, idempotency, pages,
    problem::{self, Failure, Pending},
    rate_limit::{Key, Standing},
    registry::Endpoint,
};
use authkit_core::{
    Error, Principal, Result,
    devices::DeviceClaims,
    tenants::{DEFAULT_TENANT, require_named},
    wire::{ErrorCode, TenantId},
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, Method, Request, header, request::Parts};
use http_body::Body as _;
use std::{
    borrow::Cow,
    convert::Infallible,
    future::Future,
    net::{IpAddr, SocketAddr},
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use subtle::ConstantTimeEq;
use tower::Service;
use tracing::Instrument;

const TENANT: HeaderName = HeaderName::from_static("x-authkit-tenant");

/// AuthKit over HTTP: a tower service over `http` types, cheap to clone.
///
/// An axum application mounts it with `fallback_service`, or with `nest_service` beneath a prefix, where only the API
/// works: the pages' own links and forms begin at the root. Any other framework calls it. The
/// connection's peer is taken from axum's [`ConnectInfo`]`<SocketAddr>` extension; without one, requests count as local.
#[derive(Clone)]
pub struct AuthKit {
    pub(crate) app: App,
    pub(crate) router: Router,
    /// The peer of the connection, when it is AuthKit's own server that took it.
    pub(crate) peer: Option<IpAddr>,
}

impl std::fmt::Debug for AuthKit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthKit").finish_non_exhaustive()
    }
}

impl<B> Service<Request<B>> for AuthKit
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::result::Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.handle(request.map(Body::new)).await) })
    }
}

/// What the layer finds out on the way and needs for the answer.
#[derive(Default)]
struct Findings {
    standing: Option<Standing>,
    allowed_origin: Option<HeaderValue>,
}

/// Who brings a token that counts.
enum Verified {
    Nobody,
    User(Principal),
    /// Its row is still to be read.
    Device(DeviceClaims),
}

impl AuthKit {
    /// Whether this is the operator's own listener.
    fn is_operators(&self) -> bool {
        self.app.shared.main.is_some()
    }

    pub(crate) async fn handle(self, request: Request<Body>) -> Response {
        let started = Instant::now();
        let (parts, body) = request.into_parts();
        let shared = &*self.app.shared;
        let trace = shared.traces.of(&parts.headers);
        let method = parts.method.clone();
        let route = shared.table.at(parts.uri.path()).ok().map(|found| found.value);
        let endpoint = route.and_then(|route| route.endpoint(&method)).map(|endpoint| &**endpoint);
        let api = route.is_some();
        let readable = api && !is_for_this_machine(parts.uri.path());
        let page = !api && pages::wanted(&parts.headers);
        let mut findings = Findings::default();

        // So that whatever is logged on the way can be found by the trace, panics too. What is logged below names it
        // itself: that is cheaper.
        let span = tracing::error_span!("request", trace_id = trace.as_str());
        let answer = self.answer(parts, body, endpoint, api, trace, &mut findings).instrument(span);
        let mut response = match AssertUnwindSafe(answer).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => Failure(error).into_response(),
            Err(panic) => {
                // A message made at run time may hold what somebody sent: only fixed ones are shown.
                let what = panic.downcast_ref::<&'static str>().copied();
                tracing::error!(trace_id = trace.as_str(), panic = what, "a handler panicked");
                Failure(ErrorCode::Internal.into()).into_response()
            }
        };
        if page {
            pages::describe(self.app.engine.context(), &mut response, trace.as_str());
        }
        describe(&mut response, trace);

        let headers = response.headers_mut();
        headers.reserve(shared.options.headers.len() + 4);
        for (name, value) in &shared.options.headers {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        headers.insert(TraceId::HEADER, trace.header());
        if let Some(standing) = findings.standing {
            standing.write(headers);
        }
        if readable && shared.options.answers_other_origins() {
            headers.append(header::VARY, HeaderValue::from_static("origin"));
            if let Some(origin) = findings.allowed_origin {
                cors::allow(headers, origin);
            }
        }
        let (status, took) = (response.status().as_u16(), started.elapsed());
        let (stats, template) = match endpoint {
            Some(endpoint) => (&endpoint.stats, endpoint.info.path.as_str()),
            None if status == 404 || status == 405 => (&shared.unmatched, "unmatched"),
            None => (&shared.pages, "pages"),
        };
        stats.count(status, took);
        tracing::info!(
            target: "authkit::access",
            trace_id = trace.as_str(),
            method = known(&method),
            route = template,
            status,
            micros = took.as_micros() as u64,
            "answered"
        );
        response
    }

    async fn answer(
        &self,
        mut parts: Parts,
        body: Body,
        endpoint: Option<&Endpoint>,
        api: bool,
        trace: TraceId,
        findings: &mut Findings,
    ) -> Result<Response> {
        let shared = &self.app.shared;
        let options = &shared.options;
        let peer = self.peer.or_else(|| parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()));
        let any_host = self.is_operators() || endpoint.is_some_and(|endpoint| endpoint.any_host);
        let named = self.check_host(&parts, peer, any_host)?;
        if api
            && !is_for_this_machine(parts.uri.path())
            && let Some(origin) = parts.headers.get(header::ORIGIN)
        {
            findings.allowed_origin = options.allowed_origin(origin);
            if cors::is_preflight(&parts) {
                return Ok(cors::preflight(&findings.allowed_origin));
            }
        }
        self.check_length(&parts)?;
        // A query is of no meaning to operations and documents.
        let params = match (endpoint, parts.uri.query()) {
            (Some(endpoint), Some(query)) if !query.is_empty() && endpoint.in_tenant => {
                Some(extract::Params::read(query, &endpoint.info.query)?)
            }
            _ => None,
        };
        let ip = client_ip(peer, &parts.headers, &options.trusted_proxies);
        let (tenant, names_tenant) = match endpoint {
            // Operations and documents belong to no tenant.
            Some(endpoint) if !endpoint.in_tenant => (DEFAULT_TENANT, false),
            _ => self.tenant(&parts, named.as_deref())?,
        };
        let access = endpoint.map_or(Access::Public, |endpoint| endpoint.info.access);
        let class = match endpoint {
            Some(endpoint) => endpoint.info.rate_class,
            None => pages::rate_class(&parts.method, parts.uri.path()),
        };
        let found = self.verify(access, &parts).await;
        // A signed-in request counts under its user or device, any other, refused ones too, under its address.
        let key = match &found {
            Ok(Verified::User(principal)) => Key::User(principal.user),
            Ok(Verified::Device(claims)) => Key::Device(claims.device()),
            _ => Key::of_ip(ip),
        };
        shared.limits.check(class, key, &mut findings.standing)?;
        let (principal, device) = match (found, endpoint) {
            (Err(error), Some(endpoint)) if endpoint.ends_session && error.code == ErrorCode::InvalidToken => {
                let tenant = names_tenant.then_some(tenant);
                let again = Box::pin(self.answer_again(&parts, body, endpoint, tenant)).await;
                return again.ok_or(error);
            }
            (found, _) => match found? {
                Verified::Nobody => (None, None),
                Verified::User(principal) => (Some(principal), None),
                Verified::Device(claims) => (None, Some(self.app.engine.devices().standing(claims).await?)),
            },
        };
        let call = Call { trace, tenant, names_tenant, ip, principal, device, body: options.body };
        if let Some(own) = call.caller_tenant() {
            require_named(names_tenant.then_some(tenant), own)?;
        }
        if let (Some(principal), Access::Permission(permission)) = (&call.principal, access) {
            principal.require(permission)?;
        }
        let body = match endpoint {
            Some(endpoint) if endpoint.no_body && !body.is_end_stream() => {
                Box::pin(extract::nothing(&parts.headers, body, options.body)).await?;
                Body::empty()
            }
            _ => body,
        };
        if endpoint.is_none() {
            parts.extensions.insert(call.origin(&parts.headers));
        }
        let key = match endpoint.filter(|endpoint| endpoint.info.idempotent) {
            Some(_) => idempotency::key(&parts.headers)?.map(str::to_owned),
            None => None,
        };
        let kept = key.is_some().then(|| call.clone());
        parts.extensions.insert(call);
        if let Some(params) = params {
            parts.extensions.insert(params);
        }
        let request = Request::from_parts(parts, body);
        match (endpoint, key, kept) {
            (Some(endpoint), Some(key), Some(call)) => {
                let (router, deadline) = (self.router.clone(), options.request_timeout);
                let route = endpoint.name();
                let run = |request| run(router, request, deadline);
                // Boxed, so that the many requests without a key do not carry its state.
                Box::pin(idempotency::run(&self.app, &call, &route, key, request, run)).await
            }
            _ => Ok(run(self.router.clone(), request, options.request_timeout).await),
        }
    }

    /// The first answer to a request that ended the session which asks, to its repeat.
    async fn answer_again(
        &self,
        parts: &Parts,
        body: Body,
        endpoint: &Endpoint,
        tenant: Option<TenantId>,
    ) -> Option<Response> {
        if !parts.headers.contains_key(idempotency::KEY) {
            return None;
        }
        let token = access::bearer(&parts.headers).ok()??;
        let holder = self.app.engine.sessions().holder(token)?;
        if tenant.is_some_and(|tenant| tenant != holder.0) {
            return None;
        }
        let limits = self.app.shared.options.body;
        let body = if endpoint.no_body {
            extract::nothing(&parts.headers, body, limits).await.ok()?;
            Bytes::new()
        } else {
            extract::read(body, limits).await.ok()?
        };
        idempotency::again(&self.app, holder, &endpoint.name(), parts, &body).await
    }

    /// The host that the request names, if this server answers for it; `None` for one of the installation's own, which
    /// names no tenant.
    fn check_host<'a>(&self, parts: &'a Parts, peer: Option<IpAddr>, any_host: bool) -> Result<Option<Cow<'a, str>>> {
        let options = &self.app.shared.options;
        let refused = |detail: &str| Err(Error::new(ErrorCode::UntrustedHost, detail));
        let Ok(host) = host::of(parts) else { return refused("The `Host` header is not readable.") };
        if options.development {
            // A page from elsewhere, opened in a browser on this machine, must not reach the outbox (DNS rebinding).
            if host.is_some_and(|host| !host::is_loopback(host)) {
                return refused("Development mode answers for this machine's own names only, such as `localhost`.");
            }
            if peer.is_some_and(|peer| !peer.to_canonical().is_loopback()) {
                return refused("Development mode answers this machine only.");
            }
        }
        let Some(host) = host else {
            // HTTP/1.1 and 2 name one (RFC 9112, section 3.2); a host application's own calls need not.
            let trusted = any_host || peer.is_none();
            return if trusted { Ok(None) } else { refused("The request names no host.") };
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        if options.hosts.iter().any(|own| own.eq_ignore_ascii_case(host)) {
            return Ok(None);
        }
        let named = if host.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(host.to_ascii_lowercase())
        } else {
            Cow::Borrowed(host)
        };
        let known = any_host || options.development || self.app.engine.tenants().names_host(&named);
        if known { Ok(Some(named)) } else { refused("This server does not answer for that host.") }
    }

    /// The tenant found before sign-in, and whether the request names it.
    fn tenant(&self, parts: &Parts, host: Option<&str>) -> Result<(TenantId, bool)> {
        let mut headers = parts.headers.get_all(TENANT).iter();
        let header = match (headers.next(), headers.next()) {
            (None, _) => None,
            (Some(value), None) => Some(value.to_str().map_err(|_| Error::from(ErrorCode::TenantMismatch))?),
            // Which of them counts is nothing to guess.
            (Some(_), Some(_)) => return Err(ErrorCode::TenantMismatch.into()),
        };
        let tenants = self.app.engine.tenants();
        let explicit = header.is_some() || host.is_some_and(|host| tenants.names_host(host));
        Ok((tenants.resolve(host, header)?, explicit))
    }

    /// Refuses a body that says itself that it is too large.
    fn check_length(&self, parts: &Parts) -> Result<()> {
        let options = &self.app.shared.options;
        if let Some(length) = parts.headers.get(header::CONTENT_LENGTH) {
            let length = length.to_str().ok().and_then(|text| text.parse::<u64>().ok());
            if length.is_none_or(|length| length > options.body.bytes as u64) {
                return Err(Error::new(
                    ErrorCode::BodyTooLarge,
                    format!("The body may have at most {} KiB.", options.body.bytes / 1024),
                ));
            }
        }
        Ok(())
    }

    /// Whose token the request brings, where the route has to know. It reads nothing, unless this node's knowledge of
    /// revocations is stale.
    async fn verify(&self, access: Access, parts: &Parts) -> Result<Verified> {
        let (engine, headers) = (&self.app.engine, &parts.headers);
        match access {
            Access::Public => Ok(Verified::Nobody),
            Access::Machine => self.check_operator(parts).map(|()| Verified::Nobody),
            Access::Device => engine.devices().verify(access::presented(headers)?).await.map(Verified::Device),
            Access::SignedIn | Access::Own | Access::Permission(_) => {
                access::authenticate(engine, headers).await.map(Verified::User)
            }
        }
    }

    /// The operator's token, where one is set. Without one, only development and the operator's own listener answer.
    fn check_operator(&self, parts: &Parts) -> Result<()> {
        let options = &self.app.shared.options;
        match &options.operator_token {
            Some(token) => {
                let sent = access::bearer(&parts.headers)?.ok_or(ErrorCode::Unauthenticated)?;
                if bool::from(sent.as_bytes().ct_eq(token.expose().as_bytes())) {
                    Ok(())
                } else {
                    Err(ErrorCode::InvalidToken.into())
                }
            }
            None if options.development || self.is_operators() => Ok(()),
            None => Err(ErrorCode::Unauthenticated.into()),
        }
    }
}

/// Runs the routes within the deadline.
async fn run(mut router: Router, request: Request<Body>, deadline: Duration) -> Response {
    match tokio::time::timeout(deadline, router.call(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_) => Failure(
            Error::new(ErrorCode::Unavailable, "The answer took too long to make.").retry_after(Duration::from_secs(1)),
        )
        .into_response(),
    }
}

/// Turns a failure, and the router's own refusals, into a problem document.
fn describe(response: &mut Response, trace: TraceId) {
    if let Some(Pending(error)) = response.extensions_mut().remove::<Pending>() {
        problem::log(&error, trace.as_str());
        *response = problem::render(&error, trace.as_str());
    } else if response.status().as_u16() >= 400 && !speaks_for_itself(response) {
        let allow = response.headers_mut().remove(header::ALLOW);
        *response = problem::render(&problem::of_status(response.status()), trace.as_str());
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
}

/// Pages show errors in their own way.
fn speaks_for_itself(response: &Response) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html") || kind == "application/problem+json")
}

/// What no page of another origin may read, whatever `cors.origins` says: the outbox holds live links, and who has the
/// control of conformance mode has everything. A browser on this machine would bring either to any page that it shows.
fn is_for_this_machine(path: &str) -> bool {
    ["/v1/dev/", "/dev/", "/conformance/"].iter().any(|prefix| path.starts_with(prefix))
}

/// The method for the log: one of the usual ones, so that nobody writes into it.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
