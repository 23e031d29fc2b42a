use super::{
    Config, Environment,
    schema::{is_known, variable},
};
use std::{fmt, net::IpAddr, path::Path};

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

    /// The environment variable that sets it; `None` when there is no setting of that name.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        if self.name.starts_with("AUTHKIT_") {
            return Some(self.name.clone());
        }
        // A list's item has none of its own: `hosts[0]`.
        let name = self.name.split_once('[').map_or(self.name.as_str(), |(list, _)| list);
        let path: Vec<&str> = name.split('.').collect();
        is_known(&path).then(|| variable(&path))
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
}

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

pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a public name cannot be meant.
pub(super) fn is_local(host: &str) -> bool {
    let unspecified = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
    is_loopback(host) || unspecified || host.ends_with(".localhost")
}

/// The domain of a sender, `address` or `Name <address>`.
pub(super) fn mail_domain(from: &str) -> Option<&str> {
    let address = match from.trim().strip_suffix('>') {
        Some(named) => named.rsplit_once('<')?.1,
        None => from.trim(),
    };
    let (local, domain) = address.rsplit_once('@')?;
    let fine =
        !local.is_empty() && !domain.is_empty() && !address.contains(|c: char| c.is_whitespace() || c.is_control());
    fine.then_some(domain)
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
pub(super) mod tests {
    use super::*;
    use crate::config::Smtp;

    /// A configuration that production takes.
    pub(in crate::config) fn production() -> Config {
        let mut config = Config::development("postgres://authkit:c0rrect-horse@db/authkit");
        config.env = Environment::Production;
        config.listen = "0.0.0.0:8080".parse().expect("an address");
        config.public_url = Some("https://id.example.com".into());
        config.keys.master.insert(1, "9f8a1c5be3d7420616fb0e94d2a87735c1bb40e96ad35f08e2714f9d83c6a05b".into());
        config.mail.smtp = Some(Smtp { host: "smtp.example.com".into(), ..Smtp::default() });
        config.mail.from = "Example <no-reply@example.com>".into();
        config
    }

    /// What is refused, by name.
    pub(in crate::config) fn names(config: &Config) -> Vec<String> {
        config.check().err().map(|error| error.problems.into_iter().map(|p| p.name).collect()).unwrap_or_default()
    }

    #[test]
    fn a_safe_production_and_the_defaults_of_development_are_accepted() {
        assert_eq!(production().check(), Ok(()));
        assert_eq!(Config::default().check(), Ok(()));
        assert_eq!(Config::development("sqlite::memory:").check(), Ok(()));
    }

    #[test]
    fn a_problem_names_its_variable() {
        for (name, variable) in [
            ("rate_limits.enabled", Some("AUTHKIT_RATE_LIMITS__ENABLED")),
            ("keys.master", Some("AUTHKIT_KEYS__MASTER")),
            ("keys.master.2", Some("AUTHKIT_KEYS__MASTER__2")),
            ("mail.smtp", Some("AUTHKIT_MAIL__SMTP")),
            ("cors.origins[0]", Some("AUTHKIT_CORS__ORIGINS")),
            ("AUTHKIT_X", Some("AUTHKIT_X")),
            // A misspelt key of the file is that of no variable.
            ("tokens.acess", None),
            ("token", None),
        ] {
            assert_eq!(Problem::new(name, "").variable().as_deref(), variable, "{name}");
        }
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
