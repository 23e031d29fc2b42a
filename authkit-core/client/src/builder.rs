use crate::{
    Client, Error, EventHandler, MemoryStorage, Result, Runtime, TokenStorage, Transport, client::Inner, runtime,
    session::Session,
};
use std::{fmt, sync::Arc, time::Duration};

/// Settings of a [`Client`].
#[must_use]
pub struct Builder {
    #[cfg(feature = "http")]
    base_url: Option<String>,
    #[cfg(feature = "http")]
    allow_insecure: bool,
    transport: Option<Arc<dyn Transport>>,
    storage: Arc<dyn TokenStorage>,
    runtime: Option<Arc<dyn Runtime>>,
    tenant: Option<String>,
    timeout: Duration,
    retries: u32,
    events: Option<Arc<dyn EventHandler>>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            #[cfg(feature = "http")]
            base_url: None,
            #[cfg(feature = "http")]
            allow_insecure: false,
            transport: None,
            storage: Arc::new(MemoryStorage::default()),
            runtime: runtime::default(),
            tenant: None,
            timeout: Duration::from_secs(30),
            retries: 2,
            events: None,
        }
    }

    /// The server's address, for example `https://id.example.com`. Plain `http` is taken for this machine only.
    #[cfg(feature = "http")]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Takes plain `http` to other machines too. Whoever is on the way then reads passwords and tokens.
    #[cfg(feature = "http")]
    pub fn allow_insecure(mut self, allow: bool) -> Self {
        self.allow_insecure = allow;
        self
    }

    /// Another way to AuthKit than HTTP; instead of a base URL.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Where tokens are kept; in memory unless it is said.
    pub fn storage(mut self, storage: impl TokenStorage + 'static) -> Self {
        self.storage = Arc::new(storage);
        self
    }

    /// Time, randomness and background work; of the host unless it is said.
    pub fn runtime(mut self, runtime: impl Runtime + 'static) -> Self {
        self.runtime = Some(Arc::new(runtime));
        self
    }

    /// The tenant, by id or short name, where the server's host does not name it.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// How long one call may take, with its repeats and with a refresh on the way; 30 s unless it is said.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often a call is repeated that failed and may be repeated; twice unless it is said.
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Hears when somebody is signed in, renewed and signed out.
    pub fn on_event(mut self, handler: impl EventHandler + 'static) -> Self {
        self.events = Some(Arc::new(handler));
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// `client.invalid_argument` for a setting that is missing or cannot be used.
    pub fn build(self) -> Result<Client> {
        if let Some(tenant) = &self.tenant
            && (tenant.is_empty() || !tenant.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(Error::invalid_argument("The tenant must be its id or its short name."));
        }
        let Some(runtime) = self.runtime.clone() else {
            return Err(Error::invalid_argument("Give a runtime: this build brings none."));
        };
        let transport = self.the_transport()?;
        Ok(Client::new(Inner {
            transport,
            storage: self.storage,
            runtime,
            tenant: self.tenant,
            timeout: self.timeout,
            retries: self.retries,
            events: self.events,
            session: Session::default(),
        }))
    }

    #[cfg(feature = "http")]
    fn the_transport(&self) -> Result<Arc<dyn Transport>> {
        match (&self.transport, &self.base_url) {
            (Some(transport), None) => Ok(transport.clone()),
            (None, Some(url)) => Ok(Arc::new(crate::HttpTransport::connect(url, self.allow_insecure)?)),
            _ => Err(Error::invalid_argument("Give a base URL or a transport, one of them.")),
        }
    }

    #[cfg(not(feature = "http"))]
    fn the_transport(&self) -> Result<Arc<dyn Transport>> {
        self.transport.clone().ok_or_else(|| Error::invalid_argument("Give a transport."))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("tenant", &self.tenant)
            .field("timeout", &self.timeout)
            .field("retries", &self.retries)
            .finish_non_exhaustive()
    }
}
