//! What production refuses: every unsafe value, by name and at once.

use super::{
    Config, Problem, Span,
    check::{host_of, is_local, mail_domain},
};
use crate::keys;
use authkit_core::wire::Secret;

/// The weakest Argon2id parameters that OWASP's cheat sheet accepts, as pairs of memory in KiB and iterations.
const OWASP: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];

impl Config {
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
        refuse(self.devices.claim > Span::hours(24), "devices.claim", "more than 24h leaves claim codes lying about");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        Environment, Rate, SmtpTls,
        check::tests::{names, production},
    };

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
            ("devices.claim", |c| c.devices.claim = Span::hours(25)),
            ("devices.heartbeat", |c| c.devices.heartbeat = Span::seconds(0)),
            ("tokens.device", |c| c.tokens.device = Span::minutes(61)),
            ("password.min_length", |c| c.password.min_length = 7),
            ("password.min_score", |c| c.password.min_score = 0),
            ("tokens.access", |c| c.tokens.access = Span::minutes(61)),
            ("tokens.access", |c| c.tokens.refresh = Span::minutes(1)),
            ("tokens.leeway", |c| c.tokens.leeway = Span::seconds(301)),
            ("tokens.refresh_overlap", |c| c.tokens.refresh_overlap = Span::seconds(61)),
            ("cors.origins", |c| c.cors.origins = vec!["http://app.example.com".into()]),
            ("redirect_urls", |c| c.redirect_urls = vec!["http://localhost:3000/".into()]),
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
        config.devices.claim = Span::hours(24);
        config.tokens.device = Span::hours(1);
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
}
