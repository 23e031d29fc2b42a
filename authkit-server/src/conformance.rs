//! Conformance mode: the whole service over a state that each scenario finds new.

use crate::{
    AuthKit, assemble,
    options::Options,
    routes::{self, Mounted},
};
use authkit_core::Error;
use authkit_engine::{Administrator, Conformance, ConformanceClock, Engine, EngineError, Start};
use axum::{
    Router,
    body::{Body, Bytes},
    response::Response,
};
use http::Request;
use std::{
    convert::Infallible,
    future::Future,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::{Mutex, RwLock};
use tower::Service;

/// [`AuthKit`] with `/conformance/…` beside it: a reset to a fresh state, and a clock that is moved by hand. Like
/// development it answers this machine only; production is refused when its [`Conformance`] is opened.
///
/// Cheap to clone. A reset waits for the requests that run, and takes every clone with it.
#[derive(Clone)]
pub struct ConformanceService(Arc<Inner>);

struct Inner {
    conformance: Conformance,
    current: RwLock<Installation>,
    delivering: Mutex<()>,
}

/// What one reset has made.
struct Installation {
    engine: Engine,
    administrator: Administrator,
    main: AuthKit,
    /// Serves `/conformance/…`. It has an endpoint table of its own: its routes are no part of the contract.
    control: AuthKit,
}

impl std::fmt::Debug for ConformanceService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConformanceService").finish_non_exhaustive()
    }
}

impl Installation {
    async fn new(conformance: &Conformance, start: Start) -> Result<Self, EngineError> {
        let (engine, administrator) = conformance.reset(start).await?;
        let mounted = Mounted { development: false, metrics: false, docs: false };
        let options = Options::new(engine.config());
        let control = assemble(engine.clone(), options, mounted, routes::conformance(), Router::new(), None);
        Ok(Self { main: crate::router(engine.clone()), engine, administrator, control })
    }
}

impl ConformanceService {
    /// The service over a fresh state.
    ///
    /// # Errors
    /// Those of [`Conformance::reset`].
    pub async fn new(conformance: Conformance) -> Result<Self, EngineError> {
        let current = RwLock::new(Box::pin(Installation::new(&conformance, Start::default())).await?);
        Ok(Self(Arc::new(Inner { conformance, current, delivering: Mutex::default() })))
    }

    /// What a request in flight holds.
    #[cfg(test)]
    pub(crate) async fn in_flight(&self) -> impl Sized + '_ {
        self.0.current.read().await
    }

    /// What answers now.
    pub(crate) async fn main(&self) -> AuthKit {
        self.0.current.read().await.main.clone()
    }

    pub(crate) fn clock(&self) -> &ConformanceClock {
        self.0.conformance.clock()
    }

    /// Begins anew, and returns the administrator.
    pub(crate) async fn reset(&self, start: Start) -> Result<Administrator, EngineError> {
        let mut current = self.0.current.write().await;
        // Those that go on without their client.
        current.main.app.shared.detached.finished().await;
        *current = Box::pin(Installation::new(&self.0.conformance, start)).await?;
        Ok(current.administrator.clone())
    }

    /// Moves the clock, and does what a worker would have done by then.
    ///
    /// # Errors
    /// `request.validation_failed` beyond [`ConformanceClock::LATEST`].
    pub(crate) async fn advance(&self, seconds: u32) -> authkit_core::Result<()> {
        let current = self.0.current.write().await;
        let clock = self.clock();
        if i64::from(seconds) > ConformanceClock::LATEST.as_second() - clock.shows().as_second() {
            return Err(out_of_range("advance"));
        }
        clock.advance(seconds);
        current.engine.catch_up().await
    }

    /// Answers one request of `peer`.
    pub(crate) async fn answer<B>(self, mut request: Request<B>, peer: Option<IpAddr>) -> Response
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let path = request.uri().path();
        if path.starts_with("/conformance/") {
            let control = self.0.current.read().await.control.clone();
            request.extensions_mut().insert(self);
            return AuthKit { peer, ..control }.handle(request.map(Body::new)).await;
        }
        // Held until the answer is there, so that no request meets two states.
        let current = self.0.current.read().await;
        // Whoever looks for mail finds all that was caused before.
        if matches!(path, "/v1/dev/outbox" | "/dev/outbox") {
            // One after the other: what is being delivered is not there yet.
            let _turn = self.0.delivering.lock().await;
            if let Err(error) = current.engine.catch_up().await {
                tracing::warn!(%error, "the outbox may not be complete");
            }
        }
        AuthKit { peer, ..current.main.clone() }.handle(request.map(Body::new)).await
    }
}

/// The clock was to show what it does not.
pub(crate) fn out_of_range(field: &str) -> Error {
    let (from, to) = (ConformanceClock::EARLIEST, ConformanceClock::LATEST);
    Error::field(field, "clock.out_of_range", format!("The clock goes from {from} to {to}."))
}

impl<B> Service<Request<B>> for ConformanceService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.answer(request, None).await) })
    }
}
