//! Values that no environment takes, and what development does not.

use super::{
    Argon2, Config, Cors, Database, Devices, Http, Keys, Links, Lockout, MailConfig, Password, PlacesConfig, Problem,
    RateLimits, Sessions, Shutdown, Smtp, SmtpTls, Span, Tls, Tokens,
    check::{host_of, is_loopback, mail_domain},
};
use crate::keys;
use authkit_core::{SessionPolicy, accounts::is_redirect_entry, tenants::Idempotency};
use std::{path::Path, time::Duration};

const NOT_A_URL: &str = "it is not an address such as https://id.example.com";

/// Well within the time for which an idempotency key is reserved.
const LONGEST_REQUEST: Duration = Duration::from_secs(Idempotency::RUNNING.as_secs().unsigned_abs() * 3 / 4);

/// Collects what is refused.
struct Refusals<'a>(&'a mut Vec<Problem>);

impl Refusals<'_> {
    fn when(&mut self, wrong: bool, name: &str, detail: &str) {
        if wrong {
            self.0.push(Problem::new(name, detail));
        }
    }

    fn zero(&mut self, span: Span, name: &str) {
        self.when(span.is_zero(), name, "it cannot be zero");
    }

    fn none(&mut self, wrong: bool, name: &str) {
        self.when(wrong, name, "at least 1 is needed");
    }

    fn no_file(&mut self, path: &Path, name: &str) {
        self.when(!path.is_file(), name, &format!("there is no file `{}`", path.display()));
    }
}

impl Config {
    /// Values that no environment takes.
    pub(super) fn sensible(&self, problems: &mut Vec<Problem>) {
        let refuse = &mut Refusals(problems);
        self.sensible_addresses(refuse);
        self.database.sensible(refuse);
        self.keys.sensible(refuse);
        self.password.sensible(refuse);
        self.argon2.sensible(refuse);
        self.lockout.sensible(refuse);
        self.tokens.sensible(refuse);
        self.sessions.sensible(refuse);
        self.links.sensible(refuse);
        self.devices.sensible(refuse);
        self.rate_limits.sensible(refuse);
        self.http.sensible(refuse);
        self.cors.sensible(refuse);
        self.sensible_lists(refuse);
        if let Some(tls) = &self.tls {
            tls.sensible(refuse);
        }
        self.places.sensible(refuse);
        self.mail.sensible(refuse);
        refuse.when(
            self.operations.listen.is_some_and(|other| other == self.listen && other.port() != 0),
            "operations.listen",
            "it is the address of the server itself",
        );
        self.shutdown.sensible(refuse);
    }

    fn sensible_addresses(&self, refuse: &mut Refusals<'_>) {
        let public_url = self.public_url();
        refuse.when(host_of(&public_url).is_none(), "public_url", NOT_A_URL);
        refuse.when(
            public_url.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?', '#'])),
            "public_url",
            "it has more than scheme, host and port; pages and mailed links begin at the root of their host",
        );
        refuse.when(self.audience.is_empty(), "audience", "it is empty; name the service that takes the tokens");
        refuse.when(self.issuer.as_deref() == Some(""), "issuer", "it is empty; leave it out to use the public URL");
        let url = self.database_url.expose();
        refuse.when(
            !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)),
            "database_url",
            "it is neither `sqlite://path`, `sqlite::memory:` nor `postgres://…`",
        );
    }

    fn sensible_lists(&self, refuse: &mut Refusals<'_>) {
        for url in &self.redirect_urls {
            refuse.when(
                !is_redirect_entry(url),
                "redirect_urls",
                &format!("`{url}` is no address to send people to: use https, a host and a plain path"),
            );
        }
        for host in &self.hosts {
            let fine = !host.is_empty() && !host.contains(['/', ':', '*', '@', ' ']);
            let detail = format!("`{host}` is not a plain host name; wildcards and ports are not taken");
            refuse.when(!fine, "hosts", &detail);
        }
        for name in self.profile_fields.keys() {
            let fine =
                name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.is_empty();
            let detail = format!("`{name}` is not a name: letters, digits and `_`, at most 64");
            refuse.when(!fine, "profile_fields", &detail);
        }
    }

    /// What development does not take: it trusts everybody who reaches it.
    pub(super) fn at_home(&self, problems: &mut Vec<Problem>) {
        let elsewhere = "development listens on loopback only, since it shows every mail to everybody who reaches it; \
             listen on 127.0.0.1, or set env = \"production\"";
        if !self.listen.ip().is_loopback() {
            problems.push(Problem::new("listen", elsewhere));
        }
        if self.operations.listen.is_some_and(|listen| !listen.ip().is_loopback()) {
            problems.push(Problem::new("operations.listen", elsewhere));
        }
    }
}

impl Database {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        refuse.none(self.max_connections == 0, "database.max_connections");
    }
}

impl Keys {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        for (version, text) in &self.master {
            let name = format!("keys.master.{version}");
            refuse.when(*version == 0, &name, "versions start at 1");
            if let Err(error) = keys::parse(text) {
                refuse.when(true, &name, &error);
            }
        }
    }
}

impl Password {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        refuse.when(self.min_length < 8, "password.min_length", "less than 8 characters are no password");
        refuse.when(self.max_length < 64 || self.max_length > 1_024, "password.max_length", "take 64 to 1024");
        refuse.when(self.min_length > self.max_length, "password.min_length", "it is more than `max_length`");
        refuse.when(self.min_score > 4, "password.min_score", "the estimate goes from 0 to 4");
        refuse.when(self.history > 24, "password.history", "at most 24: each one costs a hash at every change");
        if let Some(path) = &self.breached_list {
            refuse.no_file(path, "password.breached_list");
        }
    }
}

impl Argon2 {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        refuse.when(
            argon2::Params::new(self.memory_kib, self.iterations, self.parallelism, Some(32)).is_err(),
            "argon2",
            "Argon2 does not take these parameters: at least 8 KiB for each lane, 1 iteration, 1 lane",
        );
        refuse.when(self.memory_kib > 1 << 20, "argon2.memory_kib", "more than 1 GiB for each hash is not accepted");
        refuse.when(self.iterations > 64, "argon2.iterations", "more than 64 are not accepted");
        refuse.none(self.threads == Some(0), "argon2.threads");
        refuse.none(self.queue == 0, "argon2.queue");
    }
}

impl Lockout {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        refuse.none(self.failures == 0, "lockout.failures");
        refuse.when(self.first_lock > self.longest_lock, "lockout.first_lock", "it is more than `longest_lock`");
        refuse.zero(self.window, "lockout.window");
        refuse.zero(self.first_lock, "lockout.first_lock");
    }
}

impl Tokens {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        refuse.zero(self.access, "tokens.access");
        refuse.zero(self.device, "tokens.device");
        refuse.zero(self.refresh, "tokens.refresh");
        refuse.zero(self.key_rotation, "tokens.key_rotation");
        refuse.when(
            self.access.duration().as_secs() > 3_600,
            "tokens.access",
            "more than 1h makes revocation a matter of luck",
        );
        refuse.when(
            self.device.duration().as_secs() > 3_600,
            "tokens.device",
            "more than 1h makes verifiers that only know the keys believe revoked devices for long",
        );
        refuse.when(self.access > self.refresh, "tokens.access", "it outlives `tokens.refresh`");
        let detail = "more than 5m accepts long expired tokens";
        refuse.when(self.leeway.duration().as_secs() > 300, "tokens.leeway", detail);
        let detail = "more than 1m hides reuse";
        refuse.when(self.refresh_overlap.duration().as_secs() > 60, "tokens.refresh_overlap", detail);
    }
}

impl Sessions {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        refuse.zero(self.fresh, "sessions.fresh");
        refuse.when(
            !self.idle_timeout.is_zero() && self.idle_timeout.signed() < SessionPolicy::SHORTEST_IDLE,
            "sessions.idle_timeout",
            "less than 3m cannot be kept, since activity is noted by the minute; take `0s` for never",
        );
    }
}

impl Links {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        refuse.zero(self.verify, "links.verify");
        refuse.zero(self.reset, "links.reset");
        refuse.zero(self.email_change, "links.email_change");
        refuse.zero(self.email_undo, "links.email_undo");
        refuse.zero(self.mfa, "links.mfa");
        refuse.zero(self.deletion_grace, "links.deletion_grace");
    }
}

impl Devices {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        refuse.zero(self.claim, "devices.claim");
        refuse.zero(self.heartbeat, "devices.heartbeat");
    }
}

impl RateLimits {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        for (name, rate) in [
            ("sign_in", self.sign_in),
            ("register", self.register),
            ("mail", self.mail),
            ("token", self.token),
            ("write", self.write),
            ("read", self.read),
        ] {
            let none = rate.requests == 0 || rate.per.is_zero();
            refuse.when(none, &format!("rate_limits.{name}"), "both numbers are at least 1");
        }
    }
}

impl Http {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        refuse.zero(self.header_timeout, "http.header_timeout");
        refuse.zero(self.body_timeout, "http.body_timeout");
        refuse.zero(self.write_timeout, "http.write_timeout");
        refuse.zero(self.request_timeout, "http.request_timeout");
        let wrong = self.body_limit_kib == 0 || self.body_limit_kib > 16_384;
        refuse.when(wrong, "http.body_limit_kib", "take 1 to 16384");
        let detail = format!(
            "more than {}s outlasts the reservation of an idempotency key, so that a repeat would run beside the first",
            LONGEST_REQUEST.as_secs()
        );
        refuse.when(self.request_timeout.duration() > LONGEST_REQUEST, "http.request_timeout", &detail);
        refuse.none(self.max_connections == 0, "http.max_connections");
        refuse.none(self.max_connections_per_address == 0, "http.max_connections_per_address");
    }
}

impl Cors {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        for origin in &self.origins {
            let fine = origin == "*" || (host_of(origin).is_some() && origin.matches('/').count() == 2);
            let detail = format!("`{origin}` is not an origin: scheme, host and port, nothing after it");
            refuse.when(!fine, "cors.origins", &detail);
        }
    }
}

impl Tls {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        refuse.no_file(&self.cert, "tls.cert");
        refuse.no_file(&self.key, "tls.key");
    }
}

impl PlacesConfig {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        if let Some(path) = &self.database {
            refuse.no_file(path, "places.database");
        }
    }
}

impl MailConfig {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        if let Some(smtp) = &self.smtp {
            smtp.sensible(refuse);
        }
        let detail = "it is not `address` or `Name <address>`";
        refuse.when(mail_domain(&self.from).is_none(), "mail.from", detail);
    }
}

impl Smtp {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        refuse.when(self.host.is_empty(), "mail.smtp.host", "it is empty");
        refuse.when(
            self.tls == SmtpTls::None && !is_loopback(&self.host),
            "mail.smtp.tls",
            "`none` sends live links in the clear; use `starttls` or `implicit`",
        );
        refuse.when(
            self.username.is_some() != self.password.is_some(),
            "mail.smtp.password",
            "user name and password go together; set both or neither",
        );
        if let Some(path) = &self.ca {
            refuse.no_file(path, "mail.smtp.ca");
        }
    }
}

impl Shutdown {
    fn sensible(&self, refuse: &mut Refusals<'_>) {
        refuse.zero(self.deadline, "shutdown.deadline");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::check::tests::{names, production};

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
        config.sessions.idle_timeout = Span::minutes(2);
        // Nobody could be sent there: the rule of the address itself is narrower than a host and a path.
        config.redirect_urls = vec!["https://app.example.com/a b".into()];
        config.cors.origins = vec!["https://a.example/path".into()];
        config.lockout.failures = 0;
        config.tls = Some(crate::config::Tls { cert: "/nowhere".into(), key: "/nowhere".into() });
        let names = names(&config);
        for name in [
            "database_url",
            "password.min_length",
            "tokens.access",
            "argon2.queue",
            "sessions.idle_timeout",
            "redirect_urls",
            "cors.origins",
            "lockout.failures",
            "tls.cert",
            "tls.key",
        ] {
            assert!(names.iter().any(|found| found == name), "{name} is missing in {names:?}");
        }
    }
}
