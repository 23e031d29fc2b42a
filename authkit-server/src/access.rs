//! Who may call a route: a value that every route is registered with, and what a host application mounts on its own.

use crate::{call::Call, problem::Rejection};
pub use authkit_core::operations::Access;
use authkit_core::{Error, Principal, Result, devices::DevicePrincipal, operations, wire::ErrorCode};
use authkit_engine::Engine;
use axum::{
    extract::{FromRef, FromRequestParts},
    response::IntoResponse,
};
use http::{HeaderMap, Request, Response, header, request::Parts};
use std::{
    future::Future,
    marker::PhantomData,
    ops::Deref,
    pin::Pin,
    task::{Context, Poll},
};
use tower::{Layer, Service, ServiceExt};

/// The token of `Authorization: Bearer …` (RFC 6750, section 2.1); `None` without the header.
///
/// # Errors
/// `auth.invalid_token` when the header is there but is not that.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let token = value
        .to_str()
        .ok()
        .filter(|_| values.next().is_none())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim_matches(' '))
        .filter(|token| !token.is_empty());
    match token {
        Some(token) => Ok(Some(token)),
        None => {
            Err(Error::new(ErrorCode::InvalidToken, "The `Authorization` header must be `Bearer` and an access token."))
        }
    }
}

/// Who makes the request. Nothing awaits here unless this node's knowledge of revocations is stale.
///
/// # Errors
/// `auth.unauthenticated` without a token, `auth.invalid_token` for one that does not count.
pub(crate) async fn authenticate(engine: &Engine, headers: &HeaderMap) -> Result<Principal> {
    engine.sessions().authenticate(presented(headers)?).await
}

/// The access token of a request that must bring one.
///
/// # Errors
/// `auth.unauthenticated` without one, `auth.invalid_token` for a header that holds none.
pub(crate) fn presented(headers: &HeaderMap) -> Result<&str> {
    operations::presented(bearer(headers)?)
}

/// The signed-in caller, for handlers of AuthKit and of a host application.
///
/// A host application's router needs state from which the [`Engine`] can be taken ([`FromRef`]); the state may be the
/// engine itself.
///
/// ```
/// use authkit_engine::Engine;
/// use authkit_server::SignedIn;
/// use axum::{Router, routing::get};
///
/// async fn hello(SignedIn(principal): SignedIn) -> String {
///     format!("Hello, {}", principal.user)
/// }
///
/// fn app(engine: Engine) -> Router {
///     Router::new().route("/hello", get(hello)).with_state(engine)
/// }
/// ```
///
/// Without a valid token it answers 401 with a problem document.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Principal);

impl Deref for SignedIn {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.0
    }
}

impl<S> FromRequestParts<S> for SignedIn
where
    S: Send + Sync,
    Engine: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Rejection> {
        if let Some(call) = parts.extensions.get::<Call>() {
            // Our own routes: the layer has decided. A route that was registered as public has no principal.
            return call
                .principal
                .clone()
                .map(Self)
                .ok_or_else(|| Rejection::within(ErrorCode::Unauthenticated.into()));
        }
        if let Some(known) = parts.extensions.get::<Known>() {
            return Ok(Self(known.0.clone()));
        }
        let engine = Engine::from_ref(state);
        let found = authenticate(&engine, &parts.headers).await;
        found.map(Self).map_err(|error| Rejection::outside(error, &parts.headers))
    }
}

/// The device that calls, for handlers of AuthKit and of a host application.
///
/// ```
/// use authkit_engine::Engine;
/// use authkit_server::DeviceCaller;
/// use axum::{Router, routing::post};
///
/// async fn measured(DeviceCaller(device): DeviceCaller, body: String) -> String {
///     format!("{} of {} measured {body}", device.device, device.owner)
/// }
///
/// fn app(engine: Engine) -> Router {
///     Router::new().route("/measurements", post(measured)).with_state(engine)
/// }
/// ```
///
/// It reads the device's row at each request, so that a revoked device is refused at once. Without the valid token of a
/// device it answers 401 with a problem document; a user's token is none.
#[derive(Clone, Copy, Debug)]
pub struct DeviceCaller(pub DevicePrincipal);

impl Deref for DeviceCaller {
    type Target = DevicePrincipal;

    fn deref(&self) -> &DevicePrincipal {
        &self.0
    }
}

impl<S> FromRequestParts<S> for DeviceCaller
where
    S: Send + Sync,
    Engine: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Rejection> {
        if let Some(call) = parts.extensions.get::<Call>() {
            // Our own routes: the layer has decided.
            let device = call.device.map(Self);
            return device.ok_or_else(|| Rejection::within(ErrorCode::Unauthenticated.into()));
        }
        let engine = Engine::from_ref(state);
        let found = async { engine.devices().authenticate(presented(&parts.headers)?).await }.await;
        found.map(Self).map_err(|error| Rejection::outside(error, &parts.headers))
    }
}

/// The name of a permission as a type, for [`Permitted`].
pub trait PermissionName {
    /// `resource:action`
    const NAME: &'static str;
}

/// The signed-in caller, who holds a permission for everything in the tenant.
///
/// ```
/// use authkit_server::{PermissionName, Permitted};
///
/// struct ReadReports;
/// impl PermissionName for ReadReports {
///     const NAME: &'static str = "reports:read";
/// }
///
/// async fn reports(caller: Permitted<ReadReports>) -> String {
///     format!("Reports for {}", caller.user)
/// }
/// ```
///
/// Without a valid token it answers 401, without the permission 403, with a problem document.
#[derive(Clone, Debug)]
pub struct Permitted<P>(Principal, PhantomData<fn() -> P>);

impl<P> Permitted<P> {
    /// The caller.
    #[must_use]
    pub fn into_principal(self) -> Principal {
        self.0
    }
}

impl<P> Deref for Permitted<P> {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.0
    }
}

impl<S, P> FromRequestParts<S> for Permitted<P>
where
    S: Send + Sync,
    P: PermissionName,
    Engine: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Rejection> {
        let SignedIn(principal) = SignedIn::from_request_parts(parts, state).await?;
        match principal.require(P::NAME) {
            Ok(()) => Ok(Self(principal, PhantomData)),
            Err(error) if parts.extensions.get::<Call>().is_some() => Err(Rejection::within(error)),
            Err(error) => Err(Rejection::outside(error, &parts.headers)),
        }
    }
}

/// The caller that [`RequirePermission`] found, for [`SignedIn`] behind it.
#[derive(Clone)]
struct Known(Principal);

/// A tower layer that lets only those through who hold a permission, for a host application's routes.
///
/// ```
/// use authkit_engine::Engine;
/// use authkit_server::RequirePermission;
/// use axum::{Router, routing::get};
///
/// fn app(engine: Engine) -> Router {
///     Router::new()
///         .route("/reports", get(|| async { "reports" }))
///         .route_layer(RequirePermission::new(engine.clone(), "reports:read"))
///         .with_state(engine)
/// }
/// ```
///
/// It answers 401 or 403 with a problem document; [`SignedIn`] behind it costs no second check.
#[derive(Clone, Debug)]
pub struct RequirePermission {
    engine: Engine,
    permission: &'static str,
}

impl RequirePermission {
    /// Asks for `permission` (`resource:action`).
    #[must_use]
    pub const fn new(engine: Engine, permission: &'static str) -> Self {
        Self { engine, permission }
    }
}

impl<S> Layer<S> for RequirePermission {
    type Service = RequirePermissionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequirePermissionService { guard: self.clone(), inner }
    }
}

/// The service of [`RequirePermission`].
#[derive(Clone, Debug)]
pub struct RequirePermissionService<S> {
    guard: RequirePermission,
    inner: S,
}

impl<S, B> Service<Request<B>> for RequirePermissionService<S>
where
    S: Service<Request<B>, Response = Response<axum::body::Body>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::result::Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (guard, inner) = (self.guard.clone(), self.inner.clone());
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let caller = authenticate(&guard.engine, &parts.headers).await;
            match caller.and_then(|caller| caller.require(guard.permission).map(|()| caller)) {
                Ok(caller) => {
                    parts.extensions.insert(Known(caller));
                    inner.oneshot(Request::from_parts(parts, body)).await
                }
                Err(error) => Ok(Rejection::outside(error, &parts.headers).into_response()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_from_one_bearer_header_only() {
        let token = |values: &[&str]| {
            let headers: HeaderMap =
                values.iter().map(|value| (header::AUTHORIZATION, value.parse().unwrap())).collect();
            bearer(&headers).map(|token| token.map(str::to_owned)).map_err(|error| error.code)
        };
        assert_eq!(token(&[]), Ok(None));
        assert_eq!(token(&["Bearer abc"]), Ok(Some("abc".into())));
        assert_eq!(token(&["bearer  abc "]), Ok(Some("abc".into())));
        for wrong in [&["Basic abc"][..], &["abc"], &["Bearer"], &["Bearer  "], &["Bearer abc", "Bearer def"]] {
            assert_eq!(token(wrong), Err(ErrorCode::InvalidToken), "{wrong:?}");
        }
    }
}
