//! The listener: HTTP/1.1 and HTTP/2, TLS when configured, bounded in time and number, and an orderly end.

use crate::{
    AuthKit, ConformanceService, Routes,
    connections::{Impatient, PerAddress, Place},
    mount, operators,
};
use authkit_engine::{Config, Engine};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::Sleep,
};
use tokio_rustls::TlsAcceptor;
use tower::Service;

/// A server that has its listeners, but answers nobody yet.
pub struct Server {
    main: Listener,
    operators: Option<Listener>,
    deadline: Duration,
}

struct Listener {
    socket: TcpListener,
    service: AuthKit,
    /// Answers in the place of `service`.
    conformance: Option<ConformanceService>,
    tls: Option<TlsAcceptor>,
    limits: Limits,
}

#[derive(Clone, Copy)]
struct Limits {
    header: Duration,
    write: Duration,
    connections: usize,
    per_address: usize,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Server {
    /// Takes the configured addresses.
    ///
    /// # Errors
    /// When an address cannot be listened on, development is asked to listen beyond this machine, or the TLS files
    /// cannot be read.
    pub async fn bind(engine: Engine) -> io::Result<Self> {
        let socket = listen(engine.config(), engine.config().listen).await?;
        let routes = Routes::new(engine.config());
        Self::over(engine, socket, routes).await
    }

    /// The same over a socket that listens already, in the place of the configured address.
    ///
    /// # Errors
    /// As above.
    pub async fn from_listener(engine: Engine, socket: std::net::TcpListener) -> io::Result<Self> {
        let routes = Routes::new(engine.config());
        Self::with_routes(engine, socket, routes).await
    }

    /// The same with routes that were made for the engine's configuration.
    ///
    /// # Errors
    /// As above.
    pub async fn with_routes(engine: Engine, socket: std::net::TcpListener, routes: Routes) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Self::over(engine, TcpListener::from_std(socket)?, routes).await
    }

    /// A conformance run's service over a socket that listens already.
    ///
    /// # Errors
    /// As above; a socket that others than this machine reach is refused.
    pub async fn conformance(service: ConformanceService, socket: std::net::TcpListener) -> io::Result<Self> {
        let engine = service.main().await.app.engine;
        let mut server = Self::from_listener(engine, socket).await?;
        server.main.conformance = Some(service);
        Ok(server)
    }

    async fn over(engine: Engine, socket: TcpListener, routes: Routes) -> io::Result<Self> {
        let config = engine.config();
        refuse_beyond(config, socket.local_addr()?)?;
        let limits = Limits {
            header: config.http.header_timeout.duration(),
            write: config.http.write_timeout.duration(),
            connections: config.http.max_connections,
            per_address: config.http.max_connections_per_address,
        };
        let (deadline, own) = (config.shutdown.deadline.duration(), config.operations.listen);
        let tls = tls(config)?;
        let own = match own {
            Some(address) => Some(listen(config, address).await?),
            None => None,
        };
        let main = mount(engine.clone(), routes);
        let operators = operators(engine, &main).zip(own).map(|(service, socket)| Listener {
            socket,
            service,
            conformance: None,
            tls: None,
            limits: Limits { connections: 64, ..limits },
        });
        let main = Listener { socket, service: main, conformance: None, tls, limits };
        Ok(Self { main, operators, deadline })
    }

    /// The address of the main listener.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.main.socket.local_addr().ok()
    }

    #[cfg(test)]
    pub(crate) fn main_service(&mut self) -> &mut AuthKit {
        &mut self.main.service
    }

    /// Where the main listener answers.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.main.tls.is_some() { "https" } else { "http" };
        self.local_addr().map_or_else(String::new, |address| format!("{scheme}://{address}"))
    }

    /// Answers until `shutdown` is ready, then finishes what runs within the deadline.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(self.main.run(stopped.clone(), self.deadline));
        if let Some(operators) = self.operators {
            tasks.spawn(operators.run(stopped.clone(), self.deadline));
        }
        shutdown.await;
        let _ = stop.send(true);
        while tasks.join_next().await.is_some() {}
    }
}

async fn listen(config: &Config, address: SocketAddr) -> io::Result<TcpListener> {
    refuse_beyond(config, address)?;
    let named = |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
    TcpListener::bind(address).await.map_err(named)
}

/// Development is for one's own machine.
fn refuse_beyond(config: &Config, address: SocketAddr) -> io::Result<()> {
    if config.is_development() && !address.ip().to_canonical().is_loopback() {
        let reason = format!("development mode listens on this machine's loopback addresses only, not on {address}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    Ok(())
}

fn tls(config: &Config) -> io::Result<Option<TlsAcceptor>> {
    use tokio_rustls::rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    };

    let Some(files) = &config.tls else { return Ok(None) };
    let wrong = |what: &std::path::Path, error: &dyn std::fmt::Display| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("TLS: {}: {error}", what.display()))
    };
    let chain = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(&files.cert, &error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| wrong(&files.key, &error))?;
    let mut server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| wrong(&files.cert, &error))?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(server))))
}

impl Listener {
    async fn run(self, mut stopped: watch::Receiver<bool>, deadline: Duration) {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        let per_address = PerAddress::new(self.limits.per_address);
        let running = GracefulShutdown::new();
        let builder = Arc::new(builder(self.limits.header));
        let mut connections = tokio::task::JoinSet::new();
        loop {
            let accepted = tokio::select! {
                _ = stopped.changed() => break,
                accepted = accept(&self.socket, &places) => accepted,
            };
            let (stream, peer, place) = accepted;
            while connections.try_join_next().is_some() {}
            let Some(own) = self.place_of(&per_address, peer.ip()) else {
                tracing::debug!("an address holds as many connections as it may");
                continue;
            };
            let connection = Connection {
                service: self.service.clone(),
                conformance: self.conformance.clone(),
                tls: self.tls.clone(),
                limits: self.limits,
                builder: builder.clone(),
                watcher: running.watcher(),
                peer,
            };
            connections.spawn(connection.serve(stream, (place, own)));
        }
        let service = match &self.conformance {
            Some(conformance) => conformance.main().await,
            None => self.service,
        };
        let detached = service.app.shared.detached.clone();
        drop(self.socket);
        tokio::select! {
            () = async {
                running.shutdown().await;
                // Connections that had not begun to speak yet.
                while connections.join_next().await.is_some() {}
                // Requests that go on without their client.
                detached.finished().await;
            } => {}
            () = tokio::time::sleep(deadline) => {
                tracing::warn!("requests were still running when the deadline for shutting down passed");
            }
        }
    }

    /// A place among those of its address. Proxies that are trusted speak for many, and so does one's own machine while
    /// it develops.
    fn place_of(&self, per_address: &PerAddress, ip: IpAddr) -> Option<Option<Place>> {
        let options = &self.service.app.shared.options;
        let ip = ip.to_canonical();
        if options.development && ip.is_loopback() || options.trusted_proxies.iter().any(|net| net.contains(&ip)) {
            return Some(None);
        }
        per_address.enter(ip).map(Some)
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    socket: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    let place = places.clone().acquire_owned().await.ok();
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            Err(error) => {
                // A connection that broke before it was taken is nothing; running out of descriptors passes.
                if !matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                        | io::ErrorKind::ConnectionRefused
                ) {
                    tracing::warn!(%error, "cannot take a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

fn builder(header: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(header).max_buf_size(64 * 1024).keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(32 * 1024)
        .max_concurrent_streams(128)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

struct Connection {
    service: AuthKit,
    conformance: Option<ConformanceService>,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    builder: Arc<Builder<TokioExecutor>>,
    watcher: hyper_util::server::graceful::Watcher,
    peer: SocketAddr,
}

impl Connection {
    async fn serve(self, stream: TcpStream, places: (Option<OwnedSemaphorePermit>, Option<Place>)) {
        let _ = stream.set_nodelay(true);
        let stream = Impatient::new(stream, self.limits.write);
        match self.tls.clone() {
            None => self.speak(stream).await,
            Some(acceptor) => match tokio::time::timeout(self.limits.header, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => self.speak(stream).await,
                Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                Err(_) => tracing::debug!("TLS handshake took too long"),
            },
        }
        drop(places);
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let (mut service, conformance, peer) = (self.service, self.conformance, Some(self.peer.ip()));
        service.peer = peer;
        let service =
            hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                match conformance.clone() {
                    Some(conformance) => Box::pin(async move { Ok(conformance.answer(request, peer).await) }),
                    None => service.clone().call(request),
                }
            });
        let timer = Box::pin(tokio::time::sleep(self.limits.header));
        let io = TokioIo::new(Greeting { stream, missing: GREETING, timer });
        let connection = self.builder.serve_connection(io, service);
        if let Err(error) = self.watcher.watch(connection).await {
            tracing::debug!(%error, "a connection broke");
        }
    }
}

/// The length of HTTP/2's preface (RFC 9113, section 3.4), which is what it takes to tell the versions apart.
const GREETING: usize = 24;

/// Ends a connection that does not say in time which version of HTTP it speaks: hyper's own timers begin after that.
struct Greeting<S> {
    stream: S,
    missing: usize,
    timer: Pin<Box<Sleep>>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Greeting<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if self.missing == 0 {
            return read;
        }
        if read.is_pending() && self.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.missing = self.missing.saturating_sub(buffer.filled().len() - before);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Greeting<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
