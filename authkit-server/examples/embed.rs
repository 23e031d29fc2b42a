//! AuthKit inside another axum application: `cargo run -p authkit-server --example embed`, then open
//! <http://127.0.0.1:3000/sign-up>. docs/guide/embedding.md explains it part by part.

use authkit_core::{
    ports::{Hooks, TokenSubject},
    rbac::Permission,
};
use authkit_engine::{Config, Engine};
use authkit_server::{PermissionName, Permitted, SignedIn};
use axum::{Router, routing::get};
use std::{net::SocketAddr, time::Duration};

/// What this application adds to AuthKit: a claim in every access token.
#[derive(Debug)]
struct OurHooks;

impl Hooks for OurHooks {
    fn claims(&self, subject: &TokenSubject<'_>) -> serde_json::Map<String, serde_json::Value> {
        let plan = if subject.roles.iter().any(|role| role == "customer") { "paid" } else { "free" };
        [("plan".to_owned(), plan.into())].into_iter().collect()
    }
}

/// A permission of this application, as a type that a handler asks for.
struct ReadReports;

impl PermissionName for ReadReports {
    const NAME: &'static str = "reports:read";
}

/// Anybody who is signed in.
async fn hello(SignedIn(principal): SignedIn) -> String {
    format!("Hello, {}\n", principal.user)
}

/// Only those who hold the permission.
async fn reports(caller: Permitted<ReadReports>) -> String {
    format!("Reports for {}\n", caller.user)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = SocketAddr::from(([127, 0, 0, 1], 3000));
    let config = Config {
        public_url: Some(format!("http://{address}")),
        product_name: "Reports".into(),
        ..Config::development("sqlite::memory:")
    };
    let engine = Engine::builder(config)
        .hooks(OurHooks)
        .permissions([Permission::new("reports:read", "Read reports")])
        .build()
        .await?;
    let worker = engine.start_worker();

    let app = Router::new()
        .route("/hello", get(hello))
        .route("/reports", get(reports))
        .with_state(engine.clone())
        .fallback_service(authkit_server::router(engine));

    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    worker.stop(Duration::from_secs(10)).await;
    Ok(())
}
