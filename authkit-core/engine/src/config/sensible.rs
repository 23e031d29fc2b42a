//! Values that no environment takes, and what development does not.

use super::{
    Config, Problem, SmtpTls,
    check::{host_of, is_loopback, mail_domain},
};
use crate::keys;
use authkit_core::{SessionPolicy, accounts::is_redirect_entry};
use std::time::Duration;

const NOT_A_URL: &str = "it is not an address such as https://id.example.com";

/// Well within the two minutes for which an idempotency key is reserved.
const LONGEST_REQUEST: Duration = Duration::from_secs(90);

impl Config {
    /// Values that no environment takes.
    pub(super) fn sensible(&self, problems: &mut Vec<Problem>) {
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
            ("tokens.device", tokens.device),
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
            ("devices.claim", self.devices.claim),
            ("devices.heartbeat", self.devices.heartbeat),
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
        refuse(
            tokens.device.duration().as_secs() > 3_600,
            "tokens.device",
            "more than 1h makes verifiers that only know the keys believe revoked devices for long",
        );
        let idle = self.sessions.idle_timeout;
        refuse(
            !idle.is_zero() && idle.signed() < SessionPolicy::SHORTEST_IDLE,
            "sessions.idle_timeout",
            "less than 3m cannot be kept, since activity is noted by the minute; take `0s` for never",
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
            refuse(
                !is_redirect_entry(url),
                "redirect_urls",
                &format!("`{url}` is no address to send people to: use https, a host and a plain path"),
            );
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        Smtp, Span,
        check::tests::{names, production},
    };

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
