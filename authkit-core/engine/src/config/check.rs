use super::{Config, Environment, SmtpTls, Span, schema::variable};
use crate::keys;
use authkit_core::wire::Secret;
use std::{fmt, net::IpAddr, path::Path, time::Duration};

/// Something about the configuration that keeps AuthKit from starting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting or variable, for example `rate_limits.enabled`.
    pub name: String,
    /// What is wrong with it, and what to do.
    pub detail: String,
}

impl Problem {
    pub(super) fn new(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { name: name.into(), detail: detail.into() }
    }

    /// The environment variable that sets it.
    #[must_use]
    pub fn variable(&self) -> String {
        if self.name.starts_with("AUTHKIT_") {
            return self.name.clone();
        }
        variable(&self.name.split('.').collect::<Vec<_>>())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.detail)
    }
}

/// A configuration that is refused, with everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is refused:")?;
        for problem in &self.problems {
            write!(f, "\n  - {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// The weakest Argon2id parameters that OWASP's cheat sheet accepts, as pairs of memory in KiB and iterations.
const OWASP: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];

impl Config {
    /// Everything that keeps AuthKit from starting with this configuration: values that make no sense, and in production
    /// every unsafe one, by name and at once.
    ///
    /// # Errors
    /// The problems.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        self.sensible(&mut problems);
        match self.env {
            Environment::Development => self.at_home(&mut problems),
            Environment::Production => problems.extend(self.check_production()),
        }
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }

    /// Values that no environment takes.
    fn sensible(&self, problems: &mut Vec<Problem>) {
        let mut refuse = |wrong: bool, name: &str, detail: &str| {
            if wrong {
                problems.push(Problem::new(name, detail));
            }
        };
        let public_url = self.public_url();
        refuse(host_of(&public_url).is_none(), "public_url", NOT_A_URL);
        refuse(
            public_url.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?', '#'])),
            "public_url",
            "it has more than scheme, host and port; pages and mailed links begin at the root of their host",
        );
        refuse(self.audience.is_empty(), "audience", "it is empty; name the service that takes the tokens");
        refuse(self.issuer.as_deref() == Some(""), "issuer", "it is empty; leave it out to use the public URL");
        let url = self.database_url.expose();
        refuse(
            !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)),
            "database_url",
            "it is neither `sqlite://path`, `sqlite::memory:` nor `postgres://…`",
        );
        refuse(self.database.max_connections == 0, "database.max_connections", "at least 1 is needed");
        for &version in self.keys.master.keys().filter(|version| **version == 0) {
            refuse(true, &format!("keys.master.{version}"), "versions start at 1");
        }
        for (version, text) in &self.keys.master {
            if let Err(error) = keys::parse(text) {
                refuse(true, &format!("keys.master.{version}"), &error);
            }
        }
        let password = &self.password;
        refuse(password.min_length < 8, "password.min_length", "less than 8 characters are no password");
        refuse(password.max_length < 64 || password.max_length > 1_024, "password.max_length", "take 64 to 1024");
        refuse(password.min_length > password.max_length, "password.min_length", "it is more than `max_length`");
        refuse(password.min_score > 4, "password.min_score", "the estimate goes from 0 to 4");
        refuse(password.history > 24, "password.history", "at most 24: each one costs a hash at every change");
        let argon2 = &self.argon2;
        refuse(
            argon2::Params::new(argon2.memory_kib, argon2.iterations, argon2.parallelism, Some(32)).is_err(),
            "argon2",
            "Argon2 does not take these parameters: at least 8 KiB for each lane, 1 iteration, 1 lane",
        );
        refuse(argon2.memory_kib > 1 << 20, "argon2.memory_kib", "more than 1 GiB for each hash is not accepted");
        refuse(argon2.iterations > 64, "argon2.iterations", "more than 64 are not accepted");
        refuse(argon2.threads == Some(0), "argon2.threads", "at least 1 is needed");
        refuse(argon2.queue == 0, "argon2.queue", "at least 1 is needed");
        refuse(self.lockout.failures == 0, "lockout.failures", "at least 1 is needed");
        refuse(
            self.lockout.first_lock > self.lockout.longest_lock,
            "lockout.first_lock",
            "it is more than `longest_lock`",
        );
        let tokens = &self.tokens;
        for (name, span) in [
            ("tokens.access", tokens.access),
            ("tokens.refresh", tokens.refresh),
            ("tokens.key_rotation", tokens.key_rotation),
            ("lockout.window", self.lockout.window),
            ("lockout.first_lock", self.lockout.first_lock),
            ("sessions.fresh", self.sessions.fresh),
            ("links.verify", self.links.verify),
            ("links.reset", self.links.reset),
            ("links.email_change", self.links.email_change),
            ("links.email_undo", self.links.email_undo),
            ("links.mfa", self.links.mfa),
            ("links.deletion_grace", self.links.deletion_grace),
            ("http.header_timeout", self.http.header_timeout),
            ("http.body_timeout", self.http.body_timeout),
            ("http.write_timeout", self.http.write_timeout),
            ("http.request_timeout", self.http.request_timeout),
            ("shutdown.deadline", self.shutdown.deadline),
        ] {
            refuse(span.is_zero(), name, "it cannot be zero");
        }
        refuse(
            tokens.access.duration().as_secs() > 3_600,
            "tokens.access",
            "more than 1h makes revocation a matter of luck",
        );
        refuse(tokens.access > tokens.refresh, "tokens.access", "it outlives `tokens.refresh`");
        refuse(tokens.leeway.duration().as_secs() > 300, "tokens.leeway", "more than 5m accepts long expired tokens");
        refuse(tokens.refresh_overlap.duration().as_secs() > 60, "tokens.refresh_overlap", "more than 1m hides reuse");
        let limits = &self.rate_limits;
        for (name, rate) in [
            ("sign_in", limits.sign_in),
            ("register", limits.register),
            ("mail", limits.mail),
            ("token", limits.token),
            ("write", limits.write),
            ("read", limits.read),
        ] {
            let none = rate.requests == 0 || rate.per.is_zero();
            refuse(none, &format!("rate_limits.{name}"), "both numbers are at least 1");
        }
        refuse(
            self.http.body_limit_kib == 0 || self.http.body_limit_kib > 16_384,
            "http.body_limit_kib",
            "take 1 to 16384",
        );
        refuse(
            self.http.request_timeout.duration() > LONGEST_REQUEST,
            "http.request_timeout",
            "more than 90s outlasts the reservation of an idempotency key, so that a repeat would run beside the first",
        );
        refuse(self.http.max_connections == 0, "http.max_connections", "at least 1 is needed");
        let none = self.http.max_connections_per_address == 0;
        refuse(none, "http.max_connections_per_address", "at least 1 is needed");
        for origin in &self.cors.origins {
            let fine = origin == "*" || (host_of(origin).is_some() && origin.matches('/').count() == 2);
            refuse(
                !fine,
                "cors.origins",
                &format!("`{origin}` is not an origin: scheme, host and port, nothing after it"),
            );
        }
        for url in &self.redirect_urls {
            let fine = host_of(url).is_some() && !url.contains(['*', '?', '#', '\\', '@']) && !url.contains("/..");
            refuse(!fine, "redirect_urls", &format!("`{url}` is not an address without wildcard, query and user name"));
        }
        for host in &self.hosts {
            let fine = !host.is_empty() && !host.contains(['/', ':', '*', '@', ' ']);
            refuse(!fine, "hosts", &format!("`{host}` is not a plain host name; wildcards and ports are not taken"));
        }
        for name in self.profile_fields.keys() {
            let fine =
                name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.is_empty();
            refuse(!fine, "profile_fields", &format!("`{name}` is not a name: letters, digits and `_`, at most 64"));
        }
        if let Some(tls) = &self.tls {
            for (name, path) in [("tls.cert", &tls.cert), ("tls.key", &tls.key)] {
                refuse(!path.is_file(), name, &format!("there is no file `{}`", path.display()));
            }
        }
        for (name, path) in
            [("places.database", &self.places.database), ("password.breached_list", &self.password.breached_list)]
        {
            if let Some(path) = path {
                refuse(!path.is_file(), name, &format!("there is no file `{}`", path.display()));
            }
        }
        if let Some(smtp) = &self.mail.smtp {
            refuse(smtp.host.is_empty(), "mail.smtp.host", "it is empty");
            refuse(
                smtp.tls == SmtpTls::None && !is_loopback(&smtp.host),
                "mail.smtp.tls",
                "`none` sends live links in the clear; use `starttls` or `implicit`",
            );
            refuse(
                smtp.username.is_some() != smtp.password.is_some(),
                "mail.smtp.password",
                "user name and password go together; set both or neither",
            );
            if let Some(path) = &smtp.ca {
                refuse(!path.is_file(), "mail.smtp.ca", &format!("there is no file `{}`", path.display()));
            }
        }
        refuse(mail_domain(&self.mail.from).is_none(), "mail.from", "it is not `address` or `Name <address>`");
        refuse(
            self.operations.listen.is_some_and(|other| other == self.listen && other.port() != 0),
            "operations.listen",
            "it is the address of the server itself",
        );
    }

    /// What development does not take: it trusts everybody who reaches it.
    fn at_home(&self, problems: &mut Vec<Problem>) {
        let elsewhere = "development listens on loopback only, since it shows every mail to everybody who reaches it; \
             listen on 127.0.0.1, or set env = \"production\"";
        if !self.listen.ip().is_loopback() {
            problems.push(Problem::new("listen", elsewhere));
        }
        if self.operations.listen.is_some_and(|listen| !listen.ip().is_loopback()) {
            problems.push(Problem::new("operations.listen", elsewhere));
        }
    }

    /// Everything that production refuses.
    #[must_use]
    pub fn check_production(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut refuse = |wrong: bool, name: &str, detail: &str| {
            if wrong {
                problems.push(Problem::new(name, detail));
            }
        };
        refuse(
            self.keys.master.is_empty(),
            "keys.master",
            "production needs a master key; make one with `openssl rand -hex 32` and set AUTHKIT_KEYS__MASTER__1 or AUTHKIT_KEYS__MASTER__1_FILE",
        );
        for (version, text) in &self.keys.master {
            if let Ok(Some(weakness)) = keys::parse(text).map(|key| keys::weakness(&key)) {
                let detail = format!("it is {weakness}; make a new one with `openssl rand -hex 32`");
                refuse(true, &format!("keys.master.{version}"), &detail);
            }
        }
        match &self.public_url {
            None => refuse(
                true,
                "public_url",
                "production needs the address that people reach, for example https://id.example.com",
            ),
            Some(url) => {
                refuse(!url.starts_with("https://"), "public_url", "production needs https://");
                refuse(
                    host_of(url).is_some_and(is_local),
                    "public_url",
                    "it names this machine; nobody else reaches it",
                );
            }
        }
        refuse(
            self.issuer.as_ref().is_some_and(|issuer| !issuer.starts_with("https://")),
            "issuer",
            "production needs https:// (RFC 9068, section 4)",
        );
        let url = self.database_url.expose();
        refuse(
            url.starts_with("sqlite:") && (url.contains(":memory:") || url.contains("mode=memory")),
            "database_url",
            "a database in memory forgets everything when the process ends; name a file or a PostgreSQL server",
        );
        refuse(
            weak_database_password(&self.database_url),
            "database_url",
            "its password is a default one; choose another (`openssl rand -hex 24`)",
        );
        refuse(
            self.mail.smtp.is_none(),
            "mail.smtp",
            "production needs an SMTP relay (AUTHKIT_MAIL__SMTP__HOST); the development outbox would keep live links readable",
        );
        refuse(
            mail_domain(&self.mail.from).is_some_and(is_local),
            "mail.from",
            "production needs a sender that exists, for example `Example <no-reply@example.com>`",
        );
        refuse(!self.rate_limits.enabled, "rate_limits.enabled", "production does not run without rate limits");
        refuse(
            self.cors.origins.iter().any(|origin| origin == "*"),
            "cors.origins",
            "`*` lets every web page call the API; name the origins",
        );
        refuse(
            self.cors.origins.iter().any(|origin| origin.starts_with("http://")),
            "cors.origins",
            "production takes https:// origins only",
        );
        refuse(
            self.redirect_urls.iter().any(|url| url.starts_with("http://")),
            "redirect_urls",
            "production takes https:// addresses only",
        );
        let argon2 = &self.argon2;
        refuse(
            !OWASP.iter().any(|&(memory, rounds)| argon2.memory_kib >= memory && argon2.iterations >= rounds),
            "argon2",
            "this is weaker than OWASP's floor (19456 KiB, 2 iterations, 1 lane, or an equivalent)",
        );
        let open = self.operations.listen.is_none() && self.operations.token.is_none();
        refuse(
            open && self.serves_metrics(),
            "operations.metrics",
            "production serves metrics on `operations.listen` or with `operations.token` only",
        );
        refuse(
            open && self.serves_docs(),
            "operations.docs",
            "production serves the documentation on `operations.listen` or with `operations.token` only",
        );
        refuse(
            self.operations.token.as_ref().is_some_and(|token| token.expose().len() < 24),
            "operations.token",
            "less than 24 characters can be guessed; make one with `openssl rand -hex 24`",
        );
        refuse(
            self.operations.listen.is_some_and(|listen| !listen.ip().is_loopback()) && self.operations.token.is_none(),
            "operations.listen",
            "on an address that others reach, `operations.token` is needed as well",
        );
        refuse(
            self.trusted_proxies.iter().any(|network| network.prefix_len() == 0),
            "trusted_proxies",
            "this trusts the whole internet to say where requests come from; name the proxies' networks",
        );
        self.keeps_defences(&mut refuse);
        problems
    }

    /// Values that make sense somewhere, for example in a load test, and switch a defence off in production.
    fn keeps_defences(&self, refuse: &mut impl FnMut(bool, &str, &str)) {
        let lockout = &self.lockout;
        refuse(
            lockout.failures > 20,
            "lockout.failures",
            "more than 20 wrong passwords before a lock let people guess",
        );
        refuse(
            lockout.window < Span::minutes(1),
            "lockout.window",
            "less than 1m forgets wrong passwords while they are being guessed",
        );
        refuse(lockout.first_lock < Span::seconds(10), "lockout.first_lock", "less than 10s stops nobody who guesses");
        refuse(
            lockout.longest_lock > Span::hours(1),
            "lockout.longest_lock",
            "more than 1h lets a stranger shut people out for long",
        );
        refuse(
            self.sessions.fresh > Span::hours(1),
            "sessions.fresh",
            "more than 1h is no fresh sign-in; a stolen session could change what protects the account",
        );
        let links = &self.links;
        refuse(
            links.reset > Span::hours(24),
            "links.reset",
            "more than 24h leaves the way into an account in a mailbox",
        );
        refuse(links.mfa > Span::minutes(15), "links.mfa", "more than 15m leaves half a sign-in open");
        refuse(links.verify > Span::hours(7 * 24), "links.verify", "more than 7d leaves proofs in mailboxes");
        let password = &self.password;
        refuse(password.min_score < 1, "password.min_score", "0 takes passwords that are guessed first");
        let limits = &self.rate_limits;
        for (name, rate) in [("sign_in", limits.sign_in), ("register", limits.register), ("mail", limits.mail)] {
            // What may arrive within one minute; the whole number may arrive at once.
            let seconds = rate.per.duration().as_secs_f64().clamp(f64::MIN_POSITIVE, 60.0);
            refuse(
                f64::from(rate.requests) * 60.0 / seconds > 300.0,
                &format!("rate_limits.{name}"),
                "more than 300 in one minute from one address is no limit",
            );
        }
    }
}

/// Well within the two minutes for which an idempotency key is reserved.
const LONGEST_REQUEST: Duration = Duration::from_secs(90);

const NOT_A_URL: &str = "it is not an address such as https://id.example.com";

/// The host of an absolute http(s) address, without port. `None` when it is none, or holds a user name.
pub(super) fn host_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split_once(']')?.0,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    let fine = !host.is_empty()
        && !authority.contains(['@', '\\'])
        && !url.contains(|c: char| c.is_whitespace() || c.is_control());
    fine.then_some(host)
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a public name cannot be meant.
fn is_local(host: &str) -> bool {
    let unspecified = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
    is_loopback(host) || unspecified || host.ends_with(".localhost")
}

fn mail_domain(from: &str) -> Option<&str> {
    let address = match from.trim().strip_suffix('>') {
        Some(named) => named.rsplit_once('<')?.1,
        None => from.trim(),
    };
    let (local, domain) = address.rsplit_once('@')?;
    let fine =
        !local.is_empty() && !domain.is_empty() && !address.contains(|c: char| c.is_whitespace() || c.is_control());
    fine.then_some(domain)
}

/// Whether the password in a PostgreSQL address is one that everybody tries first.
fn weak_database_password(url: &Secret) -> bool {
    let Some((_, rest)) = url.expose().split_once("://") else { return false };
    let Some((user_info, _)) = rest.split('/').next().and_then(|authority| authority.rsplit_once('@')) else {
        return false;
    };
    let Some((user, password)) = user_info.split_once(':') else { return false };
    let common =
        ["postgres", "password", "authkit", "admin", "secret", "changeme", "change-me", "example", "root", "test"];
    password == user || common.contains(&password.to_ascii_lowercase().as_str())
}

/// Whether a file is readable by others than its owner (always `false` where permissions do not exist).
#[must_use]
pub fn readable_by_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Rate, Smtp};

    fn production() -> Config {
        let mut config = Config::development("postgres://authkit:c0rrect-horse@db/authkit");
        config.env = Environment::Production;
        config.listen = "0.0.0.0:8080".parse().expect("an address");
        config.public_url = Some("https://id.example.com".into());
        config.keys.master.insert(1, "9f8a1c5be3d7420616fb0e94d2a87735c1bb40e96ad35f08e2714f9d83c6a05b".into());
        config.mail.smtp = Some(Smtp { host: "smtp.example.com".into(), ..Smtp::default() });
        config.mail.from = "Example <no-reply@example.com>".into();
        config
    }

    fn names(config: &Config) -> Vec<String> {
        config.check().err().map(|error| error.problems.into_iter().map(|p| p.name).collect()).unwrap_or_default()
    }

    #[test]
    fn a_safe_production_and_the_defaults_of_development_are_accepted() {
        assert_eq!(production().check(), Ok(()));
        assert_eq!(Config::default().check(), Ok(()));
        assert_eq!(Config::development("sqlite::memory:").check(), Ok(()));
    }

    #[test]
    fn production_refuses_every_unsafe_default_at_once_and_by_name() {
        let mut config = Config { env: Environment::Production, ..Config::development("sqlite::memory:") };
        config.rate_limits.enabled = false;
        config.cors.origins = vec!["*".into()];
        config.argon2.memory_kib = 8;
        config.operations.metrics = Some(true);
        config.operations.docs = Some(true);
        config.trusted_proxies = vec!["0.0.0.0/0".parse().expect("a network")];
        config.lockout.failures = 1_000_000;
        config.lockout.window = Span::seconds(1);
        config.lockout.first_lock = Span::seconds(1);
        config.lockout.longest_lock = Span::hours(24);
        config.sessions.fresh = Span::hours(24 * 365);
        config.links.reset = Span::hours(24 * 30);
        config.links.mfa = Span::hours(24);
        config.links.verify = Span::hours(24 * 30);
        config.password.min_length = 1;
        config.password.min_score = 0;
        config.tokens.access = Span::hours(24);
        config.rate_limits.sign_in = Rate::new(1_000_000, 1);
        config.rate_limits.register = Rate::new(301, 60);
        config.rate_limits.mail = Rate::new(1_000, 3_600);
        let names = names(&config);
        for name in [
            "keys.master",
            "public_url",
            "database_url",
            "mail.smtp",
            "mail.from",
            "rate_limits.enabled",
            "cors.origins",
            "argon2",
            "operations.metrics",
            "operations.docs",
            "trusted_proxies",
            "lockout.failures",
            "lockout.window",
            "lockout.first_lock",
            "lockout.longest_lock",
            "sessions.fresh",
            "links.reset",
            "links.mfa",
            "links.verify",
            "password.min_length",
            "password.min_score",
            "tokens.access",
            "rate_limits.sign_in",
            "rate_limits.register",
            "rate_limits.mail",
        ] {
            assert!(names.iter().any(|found| found == name), "{name} is missing in {names:?}");
        }
    }

    #[test]
    fn each_unsafe_setting_alone_is_refused_in_production() {
        type Break = fn(&mut Config);
        let cases: &[(&str, Break)] = &[
            ("keys.master", |c| c.keys.master.clear()),
            ("keys.master.1", |c| drop(c.keys.master.insert(1, "00".repeat(32).into()))),
            ("keys.master.1", |c| drop(c.keys.master.insert(1, "not a key".into()))),
            ("public_url", |c| c.public_url = Some("http://id.example.com".into())),
            ("public_url", |c| c.public_url = Some("https://127.0.0.1".into())),
            ("public_url", |c| c.public_url = Some("https://example.com/id".into())),
            ("public_url", |c| c.public_url = Some("https://example.com?x".into())),
            ("public_url", |c| c.public_url = None),
            ("issuer", |c| c.issuer = Some("http://id.example.com".into())),
            ("database_url", |c| c.database_url = "sqlite::memory:".into()),
            ("database_url", |c| c.database_url = "postgres://postgres:postgres@db/x".into()),
            ("mail.smtp", |c| c.mail.smtp = None),
            ("mail.smtp.tls", |c| c.mail.smtp.get_or_insert_default().tls = SmtpTls::None),
            ("rate_limits.enabled", |c| c.rate_limits.enabled = false),
            ("cors.origins", |c| c.cors.origins = vec!["*".into()]),
            ("argon2", |c| c.argon2.iterations = 1),
            ("operations.docs", |c| c.operations.docs = Some(true)),
            ("operations.token", |c| c.operations.token = Some("short".into())),
            ("operations.listen", |c| c.operations.listen = "0.0.0.0:9090".parse().ok()),
            ("hosts", |c| c.hosts = vec!["*".into()]),
            ("lockout.failures", |c| c.lockout.failures = 21),
            ("lockout.window", |c| c.lockout.window = Span::seconds(59)),
            ("lockout.first_lock", |c| c.lockout.first_lock = Span::seconds(9)),
            ("lockout.longest_lock", |c| c.lockout.longest_lock = Span::minutes(61)),
            ("sessions.fresh", |c| c.sessions.fresh = Span::minutes(61)),
            ("links.reset", |c| c.links.reset = Span::hours(25)),
            ("links.mfa", |c| c.links.mfa = Span::minutes(16)),
            ("links.deletion_grace", |c| c.links.deletion_grace = Span::seconds(0)),
            ("http.request_timeout", |c| c.http.request_timeout = Span::seconds(91)),
            ("links.verify", |c| c.links.verify = Span::hours(7 * 24 + 1)),
            ("password.min_length", |c| c.password.min_length = 7),
            ("password.min_score", |c| c.password.min_score = 0),
            ("tokens.access", |c| c.tokens.access = Span::minutes(61)),
            ("tokens.access", |c| c.tokens.refresh = Span::minutes(1)),
            ("tokens.leeway", |c| c.tokens.leeway = Span::seconds(301)),
            ("tokens.refresh_overlap", |c| c.tokens.refresh_overlap = Span::seconds(61)),
            ("cors.origins", |c| c.cors.origins = vec!["http://app.example.com".into()]),
            ("redirect_urls", |c| c.redirect_urls = vec!["http://app.example.com/".into()]),
            ("audience", |c| c.audience.clear()),
            ("password.max_length", |c| c.password.max_length = 63),
            ("argon2.memory_kib", |c| c.argon2.memory_kib = (1 << 20) + 1),
            ("rate_limits.sign_in", |c| c.rate_limits.sign_in = Rate::new(0, 60)),
            ("rate_limits.sign_in", |c| c.rate_limits.sign_in = Rate::new(6, 1)),
            ("rate_limits.register", |c| c.rate_limits.register = Rate::new(301, 60)),
            ("rate_limits.mail", |c| c.rate_limits.mail = Rate::new(301, 3_600)),
        ];
        for (at, &(name, change)) in cases.iter().enumerate() {
            let mut config = production();
            change(&mut config);
            // The relay of the TLS case is a real one.
            if let Some(smtp) = &mut config.mail.smtp {
                smtp.host = "smtp.example.com".into();
            }
            assert_eq!(names(&config), [name], "case {at}");
        }
    }

    #[test]
    fn the_least_and_the_most_that_production_takes() {
        let mut config = production();
        config.lockout.failures = 20;
        config.lockout.window = Span::minutes(1);
        config.lockout.first_lock = Span::seconds(10);
        config.lockout.longest_lock = Span::hours(1);
        config.sessions.fresh = Span::hours(1);
        config.links.reset = Span::hours(24);
        config.links.mfa = Span::minutes(15);
        config.links.verify = Span::hours(7 * 24);
        config.password.min_length = 8;
        config.password.min_score = 1;
        config.tokens.access = Span::hours(1);
        config.http.request_timeout = Span::seconds(90);
        config.public_url = Some("https://id.example.com:8443/".into());
        config.rate_limits.sign_in = Rate::new(300, 60);
        config.rate_limits.register = Rate::new(5, 1);
        config.rate_limits.mail = Rate::new(300, 3_600);
        assert_eq!(config.check(), Ok(()));
    }

    #[test]
    fn plain_smtp_is_for_loopback_relays() {
        let mut config = production();
        config.mail.smtp = Some(Smtp { host: "127.0.0.1".into(), tls: SmtpTls::None, ..Smtp::default() });
        assert_eq!(config.check(), Ok(()));
    }

    #[test]
    fn development_is_loopback_only() {
        let mut config = Config { listen: "0.0.0.0:8080".parse().expect("an address"), ..Config::default() };
        config.operations.listen = "192.0.2.1:9090".parse().ok();
        assert_eq!(names(&config), ["listen", "operations.listen"]);
    }

    #[test]
    fn senseless_values_are_refused_everywhere() {
        let mut config = Config::development("mysql://x");
        config.password.min_length = 4;
        config.tokens.access = Span::hours(2);
        config.argon2.queue = 0;
        config.redirect_urls = vec!["https://*.example.com/".into()];
        config.cors.origins = vec!["https://a.example/path".into()];
        config.lockout.failures = 0;
        config.tls = Some(crate::config::Tls { cert: "/nowhere".into(), key: "/nowhere".into() });
        let names = names(&config);
        for name in [
            "database_url",
            "password.min_length",
            "tokens.access",
            "argon2.queue",
            "redirect_urls",
            "cors.origins",
            "lockout.failures",
            "tls.cert",
            "tls.key",
        ] {
            assert!(names.iter().any(|found| found == name), "{name} is missing in {names:?}");
        }
    }

    #[test]
    fn a_problem_names_its_variable() {
        assert_eq!(Problem::new("rate_limits.enabled", "").variable(), "AUTHKIT_RATE_LIMITS__ENABLED");
        assert_eq!(Problem::new("AUTHKIT_X", "").variable(), "AUTHKIT_X");
    }

    #[test]
    fn hosts_are_read_from_addresses() {
        for (url, host) in [
            ("https://id.example.com", Some("id.example.com")),
            ("http://127.0.0.1:8080/x", Some("127.0.0.1")),
            ("http://[::1]:8080", Some("::1")),
            ("https://user@evil.example", None),
            ("https://", None),
            ("ftp://x", None),
            ("https://a b", None),
        ] {
            assert_eq!(host_of(url), host, "{url}");
        }
    }
}
