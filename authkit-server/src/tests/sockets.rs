//! The listener over real sockets on this machine.

use super::Site;
use crate::Server;
use authkit_engine::Config;
use authkit_testkit::{databases::Db, on_both_engines};
use axum::{Router, routing::get};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, oneshot},
    task::JoinHandle,
};

on_both_engines! {
    one_address_has_a_limited_number_of_connections
    a_client_that_reads_nothing_is_given_up
    stopping_finishes_a_keyed_request_whose_client_has_gone
    stopping_finishes_what_runs_and_takes_nothing_new
    stopping_gives_up_at_the_deadline
    a_connection_that_does_not_speak_in_time_is_closed
    a_handshake_that_takes_too_long_is_given_up
    headers_beyond_64_kib_are_refused
    connections_beyond_the_limit_wait_for_a_place
    tls_is_spoken_with_the_configured_certificate
    development_does_not_listen_beyond_this_machine
    the_operators_listener_serves_metrics_and_nothing_else
}

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    /// A request to `/slow` has begun.
    begun: Arc<Notify>,
    /// Lets it end.
    end: Arc<Notify>,
}

async fn start(db: Db, change: impl FnOnce(&mut Config)) -> Running {
    let site = Site::with(db, |config| {
        config.listen = "127.0.0.1:0".parse().unwrap();
        config.public_url = Some("http://localhost".into());
        config.rate_limits.enabled = false;
        change(config);
    })
    .await;
    let mut server = Server::bind(site.engine.clone()).await.unwrap();
    let (begun, end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begin, finish) = (begun.clone(), end.clone());
    let slow = Router::new().route(
        "/slow",
        get(async move || {
            begin.notify_one();
            finish.notified().await;
            "done"
        }),
    );
    let slow = slow.route("/large", get(async || vec![b'x'; 64 << 20]));
    let service = server.main_service();
    service.router = service.router.clone().merge(slow);
    let address = server.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    Running { address, stop, served, begun, end }
}

/// Waits until it is so, not for ever.
async fn soon(what: &str, is_so: impl AsyncFn() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(5), wait).await.is_ok(), "not so: {what}");
}

async fn answer_of(mut stream: TcpStream, path: &str) -> String {
    ask(&mut stream, path).await;
    rest(&mut stream).await
}

async fn one_address_has_a_limited_number_of_connections(db: Db) {
    let change = |config: &mut Config| {
        super::hosts::production(config);
        config.hosts.push("localhost".into());
        config.http.max_connections_per_address = 2;
    };
    let running = start(db, change).await;
    let mut first = TcpStream::connect(running.address).await.unwrap();
    ask(&mut first, "/slow").await;
    running.begun.notified().await;
    let second = TcpStream::connect(running.address).await.unwrap();
    let third = TcpStream::connect(running.address).await.unwrap();
    assert_eq!(answer_of(third, "/health/live").await, "");
    assert!(answer_of(second, "/health/live").await.starts_with("HTTP/1.1 200"));
    // The second one's place is free again, as soon as the server has seen it go.
    soon("a place is free", async || {
        !answer_of(TcpStream::connect(running.address).await.unwrap(), "/health/live").await.is_empty()
    })
    .await;
    running.end.notify_one();

    let running = start(db, |config| {
        change(config);
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    let mut proxied = Vec::new();
    for _ in 0..4 {
        proxied.push(TcpStream::connect(running.address).await.unwrap());
    }
    for stream in proxied {
        assert!(answer_of(stream, "/health/live").await.starts_with("HTTP/1.1 200"));
    }
}

async fn a_client_that_reads_nothing_is_given_up(db: Db) {
    let running = start(db, |config| {
        config.http.write_timeout = "150ms".parse().unwrap();
        config.http.max_connections = 1;
    })
    .await;
    let mut deaf = TcpStream::connect(running.address).await.unwrap();
    ask(&mut deaf, "/large").await;
    let next = TcpStream::connect(running.address).await.unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(5), answer_of(next, "/health/live")).await;
    assert!(answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")), "it holds its place");
}

async fn stopping_finishes_a_keyed_request_whose_client_has_gone(db: Db) {
    let (begun, end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let hook = Waits { begun: begun.clone(), end: end.clone() };
    let site = Site::building(
        db,
        |config| {
            config.listen = "127.0.0.1:0".parse().unwrap();
            config.rate_limits.enabled = false;
        },
        |builder| builder.hooks(hook),
    )
    .await;
    let server = Server::bind(site.engine.clone()).await.unwrap();
    let address = server.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    let body = r#"{"email":"ada@example.org","password":"a quiet orange tram 17"}"#;
    let head =
        "POST /v1/auth/register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: k";
    let mut gone = TcpStream::connect(address).await.unwrap();
    gone.write_all(format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
    begun.notified().await;
    drop(gone);
    stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!served.is_finished(), "it left a request behind");
    end.notify_one();
    served.await.unwrap();
    assert!(site.mailed("ada@example.org", "verify_email").await.starts_with("akv_"));
}

/// Keeps an operation waiting.
#[derive(Debug)]
struct Waits {
    begun: Arc<Notify>,
    end: Arc<Notify>,
}

#[async_trait::async_trait]
impl authkit_core::ports::Hooks for Waits {
    async fn before(
        &self,
        _: &authkit_core::ports::Operation,
        _: Option<&authkit_core::ports::NewAccount<'_>>,
    ) -> Result<(), authkit_core::ports::Refusal> {
        self.begun.notify_one();
        self.end.notified().await;
        Ok(())
    }
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
}

async fn rest<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn stopping_finishes_what_runs_and_takes_nothing_new(db: Db) {
    let running = start(db, |_| {}).await;
    let mut slow = TcpStream::connect(running.address).await.unwrap();
    ask(&mut slow, "/slow").await;
    running.begun.notified().await;
    running.stop.send(()).unwrap();
    let answer = tokio::spawn(async move { rest(&mut slow).await });
    soon("nothing new is taken", async || TcpStream::connect(running.address).await.is_err()).await;
    running.end.notify_one();
    let answer = answer.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
    running.served.await.unwrap();
}

async fn stopping_gives_up_at_the_deadline(db: Db) {
    let running = start(db, |config| config.shutdown.deadline = "100ms".parse().unwrap()).await;
    let mut slow = TcpStream::connect(running.address).await.unwrap();
    ask(&mut slow, "/slow").await;
    running.begun.notified().await;
    running.stop.send(()).unwrap();
    running.served.await.unwrap();
    assert!(!rest(&mut slow).await.contains("done"));
}

async fn a_connection_that_does_not_speak_in_time_is_closed(db: Db) {
    let running = start(db, |config| config.http.header_timeout = "150ms".parse().unwrap()).await;
    for said in ["", "P", "PRI * HT", "GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Slow: "] {
        let began = Instant::now();
        let mut slow = TcpStream::connect(running.address).await.unwrap();
        slow.write_all(said.as_bytes()).await.unwrap();
        let closed = tokio::time::timeout(Duration::from_secs(5), rest(&mut slow)).await;
        assert!(closed.is_ok(), "{said:?} holds its connection");
        assert!(began.elapsed() >= Duration::from_millis(100), "{said:?}");
    }
    let mut quick = TcpStream::connect(running.address).await.unwrap();
    ask(&mut quick, "/health/live").await;
    assert!(rest(&mut quick).await.starts_with("HTTP/1.1 200"));
}

async fn a_handshake_that_takes_too_long_is_given_up(db: Db) {
    let running = start(db, |config| {
        config.http.header_timeout = "150ms".parse().unwrap();
        config.tls = Some(certificate());
    })
    .await;
    for said in [&b""[..], b"\x16\x03\x01"] {
        let mut slow = TcpStream::connect(running.address).await.unwrap();
        slow.write_all(said).await.unwrap();
        let closed = tokio::time::timeout(Duration::from_secs(5), slow.read(&mut [0])).await;
        assert!(closed.is_ok(), "{said:?} holds its connection");
    }
}

async fn headers_beyond_64_kib_are_refused(db: Db) {
    let running = start(db, |_| {}).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let long = "x".repeat(128 * 1024);
    let request =
        format!("GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Long: {long}\r\n\r\n");
    // The server may close before it has read all of it.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
}

async fn connections_beyond_the_limit_wait_for_a_place(db: Db) {
    let running = start(db, |config| config.http.max_connections = 1).await;
    let mut first = TcpStream::connect(running.address).await.unwrap();
    ask(&mut first, "/slow").await;
    running.begun.notified().await;
    let mut second = TcpStream::connect(running.address).await.unwrap();
    ask(&mut second, "/health/live").await;
    let mut byte = [0];
    assert!(tokio::time::timeout(Duration::from_millis(100), second.read(&mut byte)).await.is_err());
    running.end.notify_one();
    assert!(rest(&mut first).await.ends_with("done"));
    assert!(rest(&mut second).await.contains("ok"));
}

fn certificate() -> authkit_engine::config::Tls {
    let file = |name: &str| format!("{}/src/tests/tls/{name}", env!("CARGO_MANIFEST_DIR")).into();
    authkit_engine::config::Tls { cert: file("cert.pem"), key: file("key.pem") }
}

async fn tls_is_spoken_with_the_configured_certificate(db: Db) {
    use tokio_rustls::{
        TlsConnector,
        rustls::{
            ClientConfig, RootCertStore,
            crypto::aws_lc_rs,
            pki_types::{CertificateDer, pem::PemObject},
        },
    };

    let running = start(db, |config| config.tls = Some(certificate())).await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(include_bytes!("tls/cert.pem")).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let plain = TcpStream::connect(running.address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, plain).await.unwrap();
    ask(&mut stream, "/health/live").await;
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 200"));
}

async fn development_does_not_listen_beyond_this_machine(db: Db) {
    let site = Site::new(db).await;
    let socket = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let refused = Server::from_listener(site.engine, socket).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
}

async fn the_operators_listener_serves_metrics_and_nothing_else(db: Db) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let running = start(db, |config| config.operations.listen = Some(free)).await;
    for (address, path, status) in [
        (running.address, "/v1/me", 401),
        (free, "/metrics", 200),
        (free, "/api/openapi.json", 200),
        (free, "/health/live", 200),
        (free, "/v1/me", 404),
        (free, "/sign-in", 404),
        (running.address, "/metrics", 404),
        (running.address, "/api/docs/", 404),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        ask(&mut stream, path).await;
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
        if path == "/metrics" && status == 200 {
            // What is shown is what the main listener was asked.
            assert!(answer.contains(r#"route="/v1/me",status="401"} 1"#), "{answer}");
        }
    }
}
