//! Configuration: defaults, then a TOML file, then `AUTHKIT_…` variables; unknown names are refused.

mod check;
mod production;
mod schema;
mod sections;
mod sensible;
mod source;
mod span;

pub use check::{ConfigError, Problem, readable_by_others};
pub use schema::{json_schema, reference};
pub use sections::*;
pub use span::Span;

use authkit_core::{
    DeviceSettings, LinkSettings, LockoutPolicy, PasswordPolicy, ProfileField, ProfileKind, SessionPolicy, Settings,
    SigningAlgorithm, TokenSettings, wire::Secret,
};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
};

/// Everything that can be set. Each setting is also an environment variable: `AUTHKIT_` and its name in upper case, with
/// `__` between levels (`tokens.access` is `AUTHKIT_TOKENS__ACCESS`).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `development` or `production`.
    pub env: Environment,
    /// The address that the server listens on. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where people reach the server: scheme, host and port, no path. Mailed links begin with it, or with the tenant's own
    /// host where it has one. Default: `http://` and `listen`.
    pub public_url: Option<String>,
    /// `iss` of access tokens. Default: the public URL.
    pub issuer: Option<String>,
    /// `aud` of access tokens.
    pub audience: String,
    /// The name that mails and authenticator apps show.
    pub product_name: String,
    /// `sqlite://path`, `sqlite::memory:` or `postgres://user:password@host/database`.
    #[schemars(with = "String", extend("x-secret" = true))]
    pub database_url: Secret,
    /// Host names that the server answers for, besides that of the public URL and those of tenants.
    pub hosts: Vec<String>,
    /// Networks of proxies whose `X-Forwarded-For` counts, for example `10.0.0.0/8`.
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: Vec<IpNet>,
    /// Where links may lead after they were used: exact origin, then the path or beneath it.
    pub redirect_urls: Vec<String>,
    /// The application's profile fields by name: `text`, `number` or `boolean`.
    pub profile_fields: BTreeMap<String, ProfileFieldKind>,
    /// The keys that seal, authenticate and index what is stored.
    pub keys: Keys,
    /// The database's connections.
    pub database: Database,
    /// How new passwords are judged.
    pub password: Password,
    /// Argon2id and its pool.
    pub argon2: Argon2,
    /// Access and refresh tokens.
    pub tokens: Tokens,
    /// When wrong passwords and codes lock an account.
    pub lockout: Lockout,
    /// How many sessions a user may have, and for how long.
    pub sessions: Sessions,
    /// Lifetimes of mailed links.
    pub links: Links,
    /// Devices that sign in with a key of their own.
    pub devices: Devices,
    /// How mail goes out.
    pub mail: MailConfig,
    /// Limits on the number of requests.
    pub rate_limits: RateLimits,
    /// Limits of the HTTP server.
    pub http: Http,
    /// Which other origins' pages may call the API.
    pub cors: Cors,
    /// TLS of the listener.
    pub tls: Option<Tls>,
    /// Metrics and documentation.
    pub operations: Operations,
    /// Where client addresses are on the map.
    pub places: PlacesConfig,
    /// The log.
    pub log: Log,
    /// How the server stops.
    pub shutdown: Shutdown,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            env: Environment::Development,
            listen: SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8080)),
            public_url: None,
            issuer: None,
            audience: "authkit".into(),
            product_name: "AuthKit".into(),
            database_url: "sqlite://data/authkit.db".into(),
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            redirect_urls: Vec::new(),
            profile_fields: BTreeMap::new(),
            keys: Keys::default(),
            database: Database::default(),
            password: Password::default(),
            argon2: Argon2::default(),
            tokens: Tokens::default(),
            lockout: Lockout::default(),
            sessions: Sessions::default(),
            links: Links::default(),
            devices: Devices::default(),
            mail: MailConfig::default(),
            rate_limits: RateLimits::default(),
            http: Http::default(),
            cors: Cors::default(),
            tls: None,
            operations: Operations::default(),
            places: PlacesConfig::default(),
            log: Log::default(),
            shutdown: Shutdown::default(),
        }
    }
}

impl Config {
    /// The defaults of development, over the database at `database_url`.
    #[must_use]
    pub fn development(database_url: &str) -> Self {
        Self { database_url: database_url.into(), ..Self::default() }
    }

    /// Whether this is development.
    #[must_use]
    pub const fn is_development(&self) -> bool {
        matches!(self.env, Environment::Development)
    }

    /// The settings in force as JSON, with `"***"` in the place of every secret.
    #[must_use]
    pub fn redacted(&self) -> serde_json::Value {
        let mut tree = serde_json::to_value(self).unwrap_or_default();
        schema::redact(&mut tree);
        tree
    }

    /// The database's address without its password.
    #[must_use]
    pub fn shown_database_url(&self) -> String {
        schema::without_password(self.database_url.expose()).unwrap_or_else(|| "***".into())
    }

    /// Where people reach the server, without a trailing slash.
    #[must_use]
    pub fn public_url(&self) -> String {
        match &self.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.listen),
        }
    }

    /// `iss` of access tokens.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.issuer.clone().unwrap_or_else(|| self.public_url())
    }

    /// Whether `/metrics` is served.
    #[must_use]
    pub fn serves_metrics(&self) -> bool {
        self.operations.metrics.unwrap_or_else(|| self.operations_by_default())
    }

    /// Whether the API's documentation is served.
    #[must_use]
    pub fn serves_docs(&self) -> bool {
        self.operations.docs.unwrap_or_else(|| self.operations_by_default())
    }

    const fn operations_by_default(&self) -> bool {
        self.is_development() || self.operations.listen.is_some() || self.operations.token.is_some()
    }

    /// Whether mail is kept readable instead of sent: in development without a relay.
    #[must_use]
    pub const fn keeps_mail(&self) -> bool {
        self.is_development() && self.mail.smtp.is_none()
    }

    /// Whether the schema is brought up to date at the start.
    #[must_use]
    pub fn migrates(&self) -> bool {
        self.database.auto_migrate.unwrap_or_else(|| self.is_development())
    }

    /// The host names that the server answers for, in lower case and without port.
    #[must_use]
    pub fn host_names(&self) -> Vec<String> {
        let url = self.public_url();
        let own = check::host_of(&url).map(str::to_owned);
        own.into_iter().chain(self.hosts.iter().cloned()).map(|host| host.to_ascii_lowercase()).collect()
    }

    /// The policies and limits that the domain works with.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let positive = |span: Span| (!span.is_zero()).then(|| span.signed());
        Settings {
            public_url: self.public_url(),
            issuer: self.issuer(),
            audience: self.audience.clone(),
            password: PasswordPolicy {
                min_length: self.password.min_length,
                max_length: self.password.max_length,
                min_score: self.password.min_score,
                require_lowercase: self.password.require_lowercase,
                require_uppercase: self.password.require_uppercase,
                require_digit: self.password.require_digit,
                require_symbol: self.password.require_symbol,
                history: self.password.history,
            },
            tokens: TokenSettings {
                algorithm: match self.tokens.algorithm {
                    Algorithm::EdDsa => SigningAlgorithm::EdDsa,
                    Algorithm::Es256 => SigningAlgorithm::Es256,
                    Algorithm::Rs256 => SigningAlgorithm::Rs256,
                },
                access: self.tokens.access.signed(),
                device: self.tokens.device.signed(),
                refresh: self.tokens.refresh.signed(),
                refresh_overlap: self.tokens.refresh_overlap.signed(),
                refresh_replay: self.tokens.refresh_replay.signed(),
                leeway: self.tokens.leeway.signed(),
                key_rotation: self.tokens.key_rotation.signed(),
            },
            lockout: LockoutPolicy {
                failures: self.lockout.failures.into(),
                window: self.lockout.window.signed(),
                first_lock: self.lockout.first_lock.signed(),
                longest_lock: self.lockout.longest_lock.signed(),
            },
            sessions: SessionPolicy {
                max_per_user: (self.sessions.max_per_user > 0).then_some(self.sessions.max_per_user),
                idle_timeout: positive(self.sessions.idle_timeout),
                absolute_timeout: positive(self.sessions.absolute_timeout),
                fresh: self.sessions.fresh.signed(),
            },
            links: LinkSettings {
                verify: self.links.verify.signed(),
                reset: self.links.reset.signed(),
                email_change: self.links.email_change.signed(),
                email_undo: self.links.email_undo.signed(),
                mfa: self.links.mfa.signed(),
                deletion_grace: self.links.deletion_grace.signed(),
            },
            devices: DeviceSettings {
                claim: self.devices.claim.signed(),
                max_per_user: self.devices.max_per_user,
                heartbeat: self.devices.heartbeat.signed(),
            },
            product_name: self.product_name.clone(),
            redirect_urls: self.redirect_urls.clone(),
            profile_fields: self
                .profile_fields
                .iter()
                .map(|(name, kind)| ProfileField {
                    name: name.clone(),
                    kind: match kind {
                        ProfileFieldKind::Text => ProfileKind::Text,
                        ProfileFieldKind::Number => ProfileKind::Number,
                        ProfileFieldKind::Boolean => ProfileKind::Boolean,
                    },
                })
                .collect(),
            development_outbox: self.keeps_mail(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let mut config = Config::development("postgres://user:hunter2@db/x");
        config.keys.master.insert(1, "00112233".into());
        config.operations.token = Some("opaque-operator".into());
        let shown = format!("{config:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("00112233") && !shown.contains("opaque-operator"));
        config.mail.smtp = Some(Smtp { password: Some("relay-password".into()), ..Smtp::default() });
        let shown = config.redacted();
        assert_eq!(shown["keys"]["master"]["1"], "***");
        assert_eq!(shown["mail"]["smtp"]["password"], "***");
        assert_eq!(shown["operations"]["token"], "***");
        assert_eq!(shown["database_url"], "postgres://user:***@db/x");
    }

    #[test]
    fn defaults_are_those_of_the_domain() {
        let (ours, domain) = (Config::default().settings(), Settings::default());
        assert_eq!(format!("{ours:?}"), format!("{:?}", Settings { development_outbox: true, ..domain }));
    }
}
