use crate::{Error, Result};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Where a server is. Stricter than what URL parsers take, so that this check and the one that sends read the same.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl {
    /// Scheme, host, port and prefix, without a slash at the end.
    text: String,
    #[cfg(not(target_arch = "wasm32"))]
    loopback: bool,
}

impl BaseUrl {
    /// Reads `https://host[:port][/prefix]`; `http` only for this machine, or when it is allowed.
    pub(crate) fn parse(text: &str, allow_insecure: bool) -> Result<Self> {
        let wrong = |rule: &str| Err(Error::invalid_argument(format!("The base URL {rule}.")));
        let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
        let (secure, rest) = match (lower.starts_with("https://"), lower.starts_with("http://")) {
            (true, _) => (true, &text[8..]),
            (_, true) => (false, &text[7..]),
            _ => return wrong("must begin with https:// (or http:// on this machine)"),
        };
        let (authority, prefix) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let Some(loopback) = host(authority) else {
            return wrong("must name a host, in ASCII and without a user, and may name a port");
        };
        let prefix = prefix.trim_end_matches('/');
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        if !prefix.bytes().all(plain) || prefix.split('/').skip(1).any(|part| matches!(part, "" | "." | "..")) {
            return wrong("may have a plain path, but no query and no fragment");
        }
        if !secure && !loopback && !allow_insecure {
            return wrong(
                "must begin with https://: passwords and tokens would travel for everybody to read. For a network that is protected otherwise there is `allow_insecure(true)`",
            );
        }
        let scheme = if secure { "https" } else { "http" };
        Ok(Self {
            text: format!("{scheme}://{authority}{prefix}"),
            #[cfg(not(target_arch = "wasm32"))]
            loopback,
        })
    }

    pub(crate) fn join(&self, path_and_query: &str) -> String {
        format!("{}{path_and_query}", self.text)
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) const fn is_loopback(&self) -> bool {
        self.loopback
    }
}

/// Whether the host is this machine; `None` when it is no host.
fn host(authority: &str) -> Option<bool> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            let loopback = address.parse::<Ipv6Addr>().ok()?.is_loopback();
            return is_port(port).then_some(loopback);
        }
        None => authority.find(':').map_or((authority, ""), |colon| authority.split_at(colon)),
    };
    let name = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if !is_port(port) || !host.split('.').all(name) {
        return None;
    }
    // Whatever ends in a number is an address for URL parsers, in forms (`127.1`, `0x7f000001`) that hide what it is.
    let last = host.rsplit('.').next()?;
    if last.bytes().all(|byte| byte.is_ascii_digit()) || last.to_ascii_lowercase().starts_with("0x") {
        return Some(host.parse::<Ipv4Addr>().ok()?.is_loopback());
    }
    Some(host.eq_ignore_ascii_case("localhost"))
}

fn is_port(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix(':')
            .is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_this_machine_are_taken() {
        for (text, url) in [
            ("https://id.example.com", "https://id.example.com/v1/me"),
            ("HTTPS://id.example.com:8443/auth/", "https://id.example.com:8443/auth/v1/me"),
            ("http://localhost:8080/", "http://localhost:8080/v1/me"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/me"),
            ("http://127.9.9.9", "http://127.9.9.9/v1/me"),
            ("http://[::1]:8080", "http://[::1]:8080/v1/me"),
        ] {
            assert_eq!(BaseUrl::parse(text, false).unwrap().join("/v1/me"), url);
        }
    }

    #[test]
    fn plain_http_elsewhere_must_be_allowed() {
        for text in [
            "http://id.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://[::2]",
            "http://0.0.0.0",
        ] {
            assert!(BaseUrl::parse(text, false).unwrap_err().message.contains("allow_insecure"), "{text}");
            assert!(BaseUrl::parse(text, true).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_two_parsers_could_read_differently_is_refused() {
        for text in [
            "",
            "https",
            "https://",
            "//localhost",
            "ftp://localhost",
            "https://user@id.example.com",
            "http://127.0.0.1@id.example.com",
            "http://127.0.0.1\\@id.example.com",
            "http://localhost#@id.example.com",
            "http://localhost?@id.example.com",
            "https://id.example.com/?a=b",
            "https://id.example.com/#a",
            "https://id.example.com/a b",
            "https://id.example.com/../a",
            "https://id.example.com/a//b",
            "https://id.example.com/%2e%2e/a",
            "https://id.example.com:0",
            "https://id.example.com:99999",
            "https://id.example.com:+80",
            "https://id..example.com",
            "https://b\u{fc}cher.example",
            "http://127.1",
            "http://0x7f000001",
            "http://2130706433",
            "http://[127.0.0.1]",
            "http://[::1",
            "https://id.example.com\r\nx: y",
            " https://id.example.com",
        ] {
            assert!(BaseUrl::parse(text, true).is_err(), "{text}");
        }
    }
}
