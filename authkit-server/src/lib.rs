//! AuthKit over HTTP: routes, OpenAPI document, pages and server over an [`Engine`].
//!
//! - [`router`] makes everything a tower service over `http` types, for any framework.
//! - [`SignedIn`], [`Permitted`], [`DeviceCaller`] and [`RequirePermission`] guard a host application's own routes.
//! - [`Server`] runs it on the configured listener.
//!
//! ```no_run
//! use authkit_engine::{Config, Engine};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::builder(Config::development("sqlite::memory:")).build().await?;
//! let app: axum::Router = axum::Router::new()
//!     .route("/", axum::routing::get(|| async { "my application" }))
//!     .fallback_service(authkit_server::router(engine));
//! # Ok(())
//! # }
//! ```

mod access;
mod call;
mod client_ip;
mod conditional;
mod conformance;
mod connections;
mod cors;
mod detached;
mod extract;
mod host;
mod idempotency;
mod layer;
mod metrics;
mod options;
mod pages;
mod problem;
mod quotas;
mod rate_limit;
mod registry;
mod routes;
mod serve;

#[cfg(test)]
mod tests;

pub use access::{
    Access, DeviceCaller, PermissionName, Permitted, RequirePermission, RequirePermissionService, SignedIn,
};
pub use conformance::ConformanceService;
pub use layer::AuthKit;
pub use metrics::install_recorder;
pub use problem::Rejection;
pub use rate_limit::RateClass;
pub use registry::RouteInfo;
pub use serve::Server;

use authkit_core::wire::PermissionsView;
use authkit_engine::{Config, Engine};
use axum::{Router, extract::FromRef};
use bytes::Bytes;
use call::TraceIds;
use options::Options;
use registry::{Api, Endpoint, Methods};
use routes::Mounted;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// What handlers and the combined layer work with.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) shared: Arc<Shared>,
}

impl FromRef<App> for Engine {
    fn from_ref(app: &App) -> Self {
        app.engine.clone()
    }
}

/// What is made once for all requests.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) limits: rate_limit::RateLimits,
    pub(crate) traces: TraceIds,
    pub(crate) table: matchit::Router<Methods>,
    /// The main listener, when this is the operator's: its requests and its document are shown.
    pub(crate) main: Option<Arc<Shared>>,
    pub(crate) endpoints: Vec<Arc<Endpoint>>,
    pub(crate) pages: metrics::RouteStats,
    pub(crate) unmatched: metrics::RouteStats,
    pub(crate) permissions: Bytes,
    /// Requests that run whether or not their client waits.
    pub(crate) detached: detached::Detached,
    mounted: Mounted,
    document: OnceLock<Document>,
}

/// The OpenAPI document as it is served.
pub(crate) struct Document {
    pub(crate) json: Bytes,
    pub(crate) tag: String,
}

impl Shared {
    /// Made when it is first asked for: few do, and a start should not wait for it.
    pub(crate) fn document(&self) -> &Document {
        self.document.get_or_init(|| {
            let json = Bytes::from(serde_json::to_vec(&routes::api(self.mounted).document()).unwrap_or_default());
            let tag = conditional::tag_of(&json);
            Document { json, tag }
        })
    }
}

/// The routes of the API for a configuration. They take milliseconds to make and need no engine, so that a program can
/// make them while its engine opens the database.
pub struct Routes {
    mounted: Mounted,
    api: Api,
}

impl Routes {
    /// Those that `config` serves.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let options = Options::new(config);
        let here = !options.own_listener;
        let mounted =
            Mounted { development: options.development, metrics: options.metrics && here, docs: options.docs && here };
        Self { mounted, api: routes::api(mounted) }
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes").finish_non_exhaustive()
    }
}

/// Everything of AuthKit over HTTP, as a tower service: API, pages and, where they belong, documentation and metrics.
#[must_use]
pub fn router(engine: Engine) -> AuthKit {
    let routes = Routes::new(engine.config());
    mount(engine, routes)
}

/// The same over routes that were made for the engine's configuration.
pub(crate) fn mount(engine: Engine, routes: Routes) -> AuthKit {
    let (options, pages) = (Options::new(engine.config()), pages::router(&engine));
    assemble(engine, options, routes.mounted, routes.api, pages, None)
}

/// What the operator's own listener serves; `None` when there is none.
pub(crate) fn operators(engine: Engine, main: &AuthKit) -> Option<AuthKit> {
    let options = Options::new(engine.config());
    if !options.own_listener {
        return None;
    }
    let mounted = Mounted { development: false, metrics: options.metrics, docs: options.docs };
    Some(assemble(engine, options, mounted, routes::operators(mounted), Router::new(), Some(&main.app.shared)))
}

/// `main` is there for the operator's own listener, which shows the counts and the document of the main one.
fn assemble(
    engine: Engine,
    options: Options,
    mounted: Mounted,
    api: Api,
    pages: Router,
    main: Option<&Arc<Shared>>,
) -> AuthKit {
    let permissions = PermissionsView { data: engine.roles().permissions() };
    let mut random = [0; 16];
    engine.context().random.fill(&mut random);
    let shared = Shared {
        limits: rate_limit::RateLimits::new(&engine.config().rate_limits, engine.context()),
        options,
        traces: TraceIds::new(random),
        table: api.table(),
        main: main.map(Arc::clone),
        endpoints: api.endpoints,
        pages: metrics::RouteStats::default(),
        unmatched: metrics::RouteStats::default(),
        detached: detached::Detached::default(),
        mounted,
        document: OnceLock::new(),
        permissions: Bytes::from(serde_json::to_vec(&permissions).unwrap_or_default()),
    };
    let app = App { engine, shared: Arc::new(shared) };
    let router = api.router.with_state(app.clone()).merge(pages);
    AuthKit { app, router, peer: None }
}

/// Every route of the contract, with who may call it.
#[must_use]
pub fn routes() -> Vec<RouteInfo> {
    routes::api(Mounted::ALL).endpoints.iter().map(|endpoint| endpoint.info.clone()).collect()
}

/// The OpenAPI 3.1 document of the whole contract, as committed in `docs/openapi.json`.
#[must_use]
pub fn openapi_json() -> String {
    let mut text = serde_json::to_string_pretty(&routes::api(Mounted::ALL).document()).unwrap_or_default();
    text.push('\n');
    text
}
