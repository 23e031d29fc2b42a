use authkit_core::wire::Secret;
use std::time::Duration;

/// TLS towards the relay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte (RFC 8314, section 3.3).
    Implicit,
    /// The connection is upgraded (RFC 3207); a relay that does not is refused before anything is said.
    #[default]
    StartTls,
    /// Plain text: for a relay on the same machine only.
    None,
}

impl SmtpTls {
    /// The port that is usual for it.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Implicit => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

/// How to reach the relay.
#[derive(Clone, Debug)]
pub struct SmtpConfig {
    /// Its host; its certificate must be of this name.
    pub host: String,
    /// Its port; `None` for the usual one.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// Certificates (PEM) that are trusted beside those of the system.
    pub ca: Option<Vec<u8>>,
    /// The user, when it asks for one.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The sender: `address` or `Name <address>`.
    pub from: String,
    /// How long connecting and handing one mail over may take together.
    pub timeout: Duration,
}

impl SmtpConfig {
    /// Without a user, with the usual port of STARTTLS, and 30 seconds for each mail.
    #[must_use]
    pub fn new(host: impl Into<String>, from: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: None,
            tls: SmtpTls::default(),
            ca: None,
            username: None,
            password: None,
            from: from.into(),
            timeout: Duration::from_secs(30),
        }
    }
}
