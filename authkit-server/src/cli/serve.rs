//! `authkit serve`

use super::{
    Failure, Outcome, Output, engine, log,
    output::{BOLD, CYAN, GREEN, RED, paint},
};
use authkit_engine::{Config, Conformance};
use authkit_server::{ConformanceService, Routes, Server};
use std::{
    net::{SocketAddr, TcpListener},
    process::ExitCode,
    time::Duration,
};
use tokio::time::Instant;

pub(crate) async fn run(mut config: Config, listen: Option<SocketAddr>, conformance: bool, output: &Output) -> Outcome {
    if let Some(listen) = listen {
        config.listen = listen;
    }
    // What `serve` keeps by default is never what a conformance run deletes.
    if conformance && config.database_url.expose() == Config::default().database_url.expose() {
        config.database_url = "sqlite::memory:".into();
    }
    config.check()?;
    if conformance {
        Conformance::allowed(&config)?;
    }
    log::server(&config).map_err(Failure::new)?;
    // Before the engine is built: a free port is known by then, so that mailed links name it.
    let socket = TcpListener::bind(config.listen).map_err(|error| {
        let next = "another server may be running; choose another address with --listen, port 0 takes a free port";
        Failure::new(format!("cannot listen on {}: {error}", config.listen)).next(next)
    })?;
    config.listen = socket.local_addr().map_err(|error| Failure::new(format!("no address to listen on: {error}")))?;
    if conformance {
        return Box::pin(scenarios(config, socket, output)).await;
    }
    let ahead = config.clone();
    let routes = tokio::task::spawn_blocking(move || Routes::new(&ahead));
    let engine = engine(config).await?;
    let routes = routes.await.map_err(|error| Failure::new(format!("no routes: {error}")))?;
    let server = Server::with_routes(engine.clone(), socket, routes).await.map_err(unserved)?;
    let worker = engine.start_worker();
    let url = server.url();
    output.result(&serde_json::json!({ "listening": url }), || welcome(engine.config(), &url));
    tracing::info!(url, environment = ?engine.config().env, "listening");

    let (asked, when) = tokio::sync::oneshot::channel();
    let served = server.run(async move {
        let name = signal().await;
        let _ = asked.send(Instant::now());
        tracing::info!(signal = name, "stopping: no new connections, running requests may finish");
    });
    served.await;
    let until = when.await.unwrap_or_else(|_| Instant::now()) + engine.config().shutdown.deadline.duration();
    worker.stop(until.saturating_duration_since(Instant::now())).await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

fn unserved(error: std::io::Error) -> Failure {
    Failure::new(format!("cannot serve: {error}"))
}

/// `authkit serve --conformance`
async fn scenarios(config: Config, socket: TcpListener, output: &Output) -> Outcome {
    let database = config.shown_database_url();
    let service = ConformanceService::new(Conformance::open(config).await?).await?;
    let server = Server::conformance(service, socket).await.map_err(unserved)?;
    let url = server.url();
    output.result(&serde_json::json!({ "listening": url, "conformance": true }), || {
        [
            format!("{} {}", paint(BOLD, "AuthKit"), env!("CARGO_PKG_VERSION")),
            format!("{} {}", paint(GREEN, "listening on"), paint(BOLD, &url)),
            paint(
                RED,
                "CONFORMANCE MODE: every token can be foretold, nothing is limited, anybody here sets the clock.",
            ),
            paint(RED, format!("Each POST {url}/conformance/reset deletes everything in {database}.")),
        ]
        .join("\n")
    });
    tracing::warn!(url, database, "conformance mode: tokens can be foretold, and every reset deletes the database");
    let asked = async {
        let name = signal().await;
        tracing::info!(signal = name, "stopping");
    };
    server.run(asked).await;
    Ok(ExitCode::SUCCESS)
}

/// Where to look, and what to do first. The line `listening on …` is what scripts wait for.
fn welcome(config: &Config, url: &str) -> String {
    let mut lines = vec![format!("{} {}", paint(BOLD, "AuthKit"), env!("CARGO_PKG_VERSION"))];
    lines.push(format!("{} {}", paint(GREEN, "listening on"), paint(BOLD, url)));
    let mut entry = |name: &str, value: String| lines.push(format!("  {} {value}", paint(CYAN, format!("{name:9}"))));
    if config.is_development() {
        entry("mode", "development: this machine only".into());
        entry("pages", format!("{url}/"));
        if config.keeps_mail() {
            entry("mail", format!("{url}/dev/outbox"));
        }
    } else {
        entry("mode", "production".into());
        entry("public", config.public_url());
    }
    if config.serves_docs() {
        let place = config.operations.listen.map_or_else(|| url.to_owned(), |listen| format!("http://{listen}"));
        entry("API", format!("{place}/api/docs"));
    }
    if config.is_development() {
        let program = std::env::args().next().unwrap_or_else(|| "authkit".into());
        lines.push(
            "The first administrator (in another terminal, with the same settings; type a password, then Enter):"
                .into(),
        );
        // No password to copy: whoever copied it would have the one that everybody can read.
        lines.push(format!(
            "  read -rs PASSWORD && printf %s \"$PASSWORD\" | {program} user create --email you@example.com --password-stdin --role admin"
        ));
        lines.push("Ctrl-C stops.".into());
    }
    lines.join("\n")
}

/// A second signal within this time is the same request.
const AGAIN: Duration = Duration::from_millis(500);

/// Waits for SIGTERM or SIGINT; a second one, later, ends the process at once.
async fn signal() -> &'static str {
    let name = next_signal().await;
    tokio::spawn(async {
        // What signals a process group often signals the process itself as well.
        tokio::time::sleep(AGAIN).await;
        next_signal().await;
        tracing::warn!("asked to stop twice: ending at once");
        log::flush();
        std::process::exit(130);
    });
    name
}

#[cfg(unix)]
async fn next_signal() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = tokio::signal::ctrl_c() => "SIGINT",
        },
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
            "SIGINT"
        }
    }
}

#[cfg(not(unix))]
async fn next_signal() -> &'static str {
    let _ = tokio::signal::ctrl_c().await;
    "Ctrl-C"
}
