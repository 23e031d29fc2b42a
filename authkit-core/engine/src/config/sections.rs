//! The sections of the configuration. The comments here become its documentation.

use super::Span;
use authkit_core::wire::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

/// Where AuthKit runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// On one's own machine: loopback only, mail to the outbox, keys generated.
    #[default]
    Development,
    /// For others: every unsafe setting is refused at the start.
    Production,
}

macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty = $default:expr,)* })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    )+};
}

sections! {
    /// The keys that seal, authenticate and index what is stored.
    Keys {
        /// Master keys by version: 32 random bytes each, as 64 hexadecimal digits or base64 (`openssl rand -hex 32`).
        /// The highest version seals; keep the older ones as long as data sealed under them exists, and the lowest for ever:
        /// it indexes addresses. Without one, development generates a key and keeps it beside the database.
        #[schemars(with = "BTreeMap<String, String>", extend("x-secret" = true))]
        master: BTreeMap<u32, Secret> = BTreeMap::new(),
        /// Where development keeps its generated key on SQLite. Default: beside the database, `<database>.key`.
        file: Option<PathBuf> = None,
    }
    /// The database's connections.
    Database {
        /// Connections at most (SQLite: readers; there is always one writer).
        max_connections: u32 = 16,
        /// How long a request waits for a connection.
        acquire_timeout: Span = Span::seconds(5),
        /// Whether `serve` brings the schema up to date by itself. Default: in development only; in production
        /// run `authkit migrate` first.
        auto_migrate: Option<bool> = None,
    }
    /// How new passwords are judged.
    Password {
        /// Characters after NFC, at least.
        min_length: usize = 10,
        /// Characters after NFC, at most.
        max_length: usize = 128,
        /// Estimated strength (zxcvbn, 0 to 4), at least.
        min_score: u8 = 2,
        /// Whether a lower-case letter is required.
        require_lowercase: bool = false,
        /// Whether an upper-case letter is required.
        require_uppercase: bool = false,
        /// Whether a digit is required.
        require_digit: bool = false,
        /// Whether a character that is neither letter nor digit is required.
        require_symbol: bool = false,
        /// How many earlier passwords cannot be used again, the current one included.
        history: u32 = 5,
        /// A file of SHA-1 or SHA-256 hashes of breached passwords, one in hexadecimal on each line, sorted, as Have I Been
        /// Pwned publishes them (`HASH:COUNT`). It is searched on disk. Without it the built-in list of common passwords is used alone.
        breached_list: Option<PathBuf> = None,
    }
    /// Argon2id (RFC 9106) and the pool of threads that runs it. Stored hashes with other values are renewed at sign-in.
    Argon2 {
        /// Memory in KiB.
        memory_kib: u32 = 19_456,
        /// Iterations.
        iterations: u32 = 2,
        /// Lanes.
        parallelism: u32 = 1,
        /// Threads that hash. Each holds `memory_kib` once it has worked. Default: the number of processors.
        threads: Option<usize> = None,
        /// Hashes that may wait; further sign-ins are answered 503 with `Retry-After` at once.
        queue: usize = 128,
    }
    /// Access and refresh tokens.
    Tokens {
        /// Signature algorithm of keys made from now on: `EdDSA`, `ES256` or `RS256`.
        algorithm: Algorithm = Algorithm::EdDsa,
        /// Life of an access token.
        access: Span = Span::minutes(15),
        /// Life of a device's access token.
        device: Span = Span::minutes(10),
        /// Life of an unused refresh token.
        refresh: Span = Span::days(30),
        /// How long the immediately previous refresh token answers with the same successor pair.
        refresh_overlap: Span = Span::seconds(10),
        /// The same for a repeat with the first request's `Idempotency-Key`, while the successor is unused.
        refresh_replay: Span = Span::hours(24),
        /// Allowed difference between clocks.
        leeway: Span = Span::seconds(30),
        /// A signing key is replaced after this time.
        key_rotation: Span = Span::days(90),
    }
    /// When wrong passwords and codes lock an account.
    Lockout {
        /// Failures that lock.
        failures: u32 = 5,
        /// Time in which they count.
        window: Span = Span::minutes(15),
        /// The first lock; each further one lasts twice as long.
        first_lock: Span = Span::minutes(1),
        /// The longest lock.
        longest_lock: Span = Span::minutes(15),
    }
    /// How many sessions a user may have, and for how long.
    Sessions {
        /// Sessions of one user; the oldest goes when one more is opened. 0 for no limit.
        max_per_user: u32 = 50,
        /// Ends a session that was not used for so long. `0s` for never.
        idle_timeout: Span = Span::seconds(0),
        /// Ends a session so long after its sign-in. `0s` for never.
        absolute_timeout: Span = Span::days(180),
        /// How recent a sign-in must be for what needs a fresh one.
        fresh: Span = Span::minutes(10),
    }
    /// Lifetimes of mailed links and of a sign-in that waits for its second factor.
    Links {
        /// The proof of a registration.
        verify: Span = Span::hours(24),
        /// A password reset.
        reset: Span = Span::hours(1),
        /// The proof of a new address.
        email_change: Span = Span::hours(24),
        /// The old address's way back.
        email_undo: Span = Span::hours(72),
        /// A sign-in that waits for its second factor.
        mfa: Span = Span::minutes(5),
        /// How long an account that was put up for deletion may be opened again by its owner.
        deletion_grace: Span = Span::days(30),
    }
    /// Devices that sign in with a key of their own.
    Devices {
        /// How long a claim code counts.
        claim: Span = Span::minutes(15),
        /// Devices of one user at most, revoked ones not counted.
        max_per_user: u32 = 100,
        /// How often a device is to send a heartbeat.
        heartbeat: Span = Span::minutes(1),
    }
    /// How mail goes out.
    MailConfig {
        /// The sender, `address` or `Name <address>`.
        from: String = "AuthKit <no-reply@localhost>".into(),
        /// The SMTP relay. Without one, development keeps mail in its outbox.
        smtp: Option<Smtp> = None,
    }
    /// The SMTP relay.
    Smtp {
        /// Its host name.
        host: String = "localhost".into(),
        /// Its port. Default: 587, with `tls = "implicit"` 465, with `tls = "none"` 25.
        port: Option<u16> = None,
        /// The user name, when it asks for one.
        username: Option<String> = None,
        /// The password of that user.
        #[schemars(with = "Option<String>", extend("x-secret" = true))]
        password: Option<Secret> = None,
        /// `starttls` (required, never optional), `implicit`, or `none` (for a relay on this machine only).
        tls: SmtpTls = SmtpTls::StartTls,
        /// Certificates (PEM) that are trusted beside those of the system, for a relay with a private one.
        ca: Option<PathBuf> = None,
        /// How long a conversation may take.
        timeout: Span = Span::seconds(30),
    }
    /// Limits on the number of requests, by client address (IPv6 by /64) and by user.
    RateLimits {
        /// Whether they are in force. Production refuses `false`.
        enabled: bool = true,
        /// Signing in: password and second factor.
        sign_in: Rate = Rate::new(30, 60),
        /// Registering.
        register: Rate = Rate::new(10, 60),
        /// What sends a mail: forgot, resend, address change.
        mail: Rate = Rate::new(10, 60),
        /// What presents a token: refresh, verify, reset.
        token: Rate = Rate::new(120, 60),
        /// Everything else that changes something.
        write: Rate = Rate::new(300, 60),
        /// Everything else.
        read: Rate = Rate::new(1_200, 60),
    }
    /// Limits of the HTTP server.
    Http {
        /// The largest request body in KiB; a larger one is answered 413.
        body_limit_kib: usize = 64,
        /// How long a request's head may take to arrive.
        header_timeout: Span = Span::seconds(10),
        /// How long a request's body may take to arrive; then 408.
        body_timeout: Span = Span::seconds(10),
        /// How long an answer may take to be made, at most 90s; then 503.
        request_timeout: Span = Span::seconds(30),
        /// How long a client may take nothing of an answer; then its connection is closed.
        write_timeout: Span = Span::seconds(30),
        /// Connections at most.
        max_connections: usize = 4_096,
        /// Connections of one client address at most (IPv6 by /64); further ones are closed. Trusted proxies may have any
        /// number, and so may this machine in development.
        max_connections_per_address: usize = 256,
    }
    /// Which other origins' pages may call the API.
    Cors {
        /// Origins, exactly as browsers send them (`https://app.example.com`). Production refuses `*`. None of them may
        /// read development's outbox.
        origins: Vec<String> = Vec::new(),
    }
    /// TLS of the listener. Leave it out behind a proxy that ends TLS.
    Tls {
        /// The certificate chain, PEM.
        cert: PathBuf = PathBuf::new(),
        /// Its private key, PEM.
        key: PathBuf = PathBuf::new(),
    }
    /// Metrics and documentation, which are nobody's business but the operator's.
    Operations {
        /// A listener of their own for `/metrics`, `/api/openapi.json` and `/api/docs`, for example `127.0.0.1:9090`.
        listen: Option<SocketAddr> = None,
        /// A bearer token that they ask for.
        #[schemars(with = "Option<String>", extend("x-secret" = true))]
        token: Option<Secret> = None,
        /// Whether `/metrics` is served. Default: in development, and in production when `listen` or `token` is set.
        metrics: Option<bool> = None,
        /// Whether `/api/docs` and `/api/openapi.json` are served. Default: like `metrics`.
        docs: Option<bool> = None,
    }
    /// Where client addresses are on the map.
    PlacesConfig {
        /// A city database in MaxMind's format (`.mmdb`). Without one, sessions show no place.
        database: Option<PathBuf> = None,
    }
    /// The log, on standard error.
    Log {
        /// `json`, `text`, or `auto`: JSON in production, text in development.
        format: LogFormat = LogFormat::Auto,
        /// What is logged, in the syntax of `RUST_LOG`.
        level: String = "info".into(),
    }
    /// How the server stops.
    Shutdown {
        /// How long running requests may go on after SIGTERM or SIGINT.
        deadline: Span = Span::seconds(25),
    }
}

/// Signature algorithm of access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037).
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA on P-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSA with SHA-256, 3072 bits.
    #[serde(rename = "RS256")]
    Rs256,
}

/// TLS towards the SMTP relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// Upgrade the connection, and refuse a relay that does not.
    StartTls,
    /// TLS from the first byte.
    Implicit,
    /// Plain text.
    None,
}

/// The log's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// JSON in production, text in development.
    Auto,
    /// One JSON object on each line.
    Json,
    /// For reading.
    Text,
}

/// The JSON type of a declared profile field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProfileFieldKind {
    /// At most 1,000 characters.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
}

/// So many requests in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Requests.
    pub requests: u32,
    /// In this time.
    pub per: Span,
}

impl Rate {
    /// `requests` in so many `seconds`.
    #[must_use]
    pub const fn new(requests: u32, seconds: u64) -> Self {
        Self { requests, per: Span::seconds(seconds) }
    }
}
