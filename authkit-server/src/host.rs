//! Which hosts this server answers for.

use http::{header, request::Parts};
use std::net::{IpAddr, Ipv6Addr};

/// The host that the request names, without its port: the target's authority (HTTP/2), else the `Host` header.
///
/// # Errors
/// When the header is there twice, or is not a host with perhaps a port.
pub(crate) fn of(parts: &Parts) -> Result<Option<&str>, ()> {
    if let Some(authority) = parts.uri.authority() {
        return bare(authority.as_str()).map(Some);
    }
    let mut values = parts.headers.get_all(header::HOST).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => bare(value.to_str().map_err(drop)?).map(Some),
        _ => Err(()),
    }
}

/// `host` without its port: a name, an address or a bracketed IPv6 address, then nothing or `:` and digits (RFC 9110,
/// section 7.2). Nothing else that RFC 3986 lets stand in an authority is taken, a user name above all.
fn bare(host: &str) -> Result<&str, ()> {
    let end = match host.strip_prefix('[') {
        Some(rest) => {
            let inner = rest.split_once(']').ok_or(())?.0;
            inner.parse::<Ipv6Addr>().map_err(drop)?;
            inner.len() + 2
        }
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at(end);
    let named = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_');
    let readable = name.starts_with('[') || !name.is_empty() && name.bytes().all(named);
    let port = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    if readable && port { Ok(name) } else { Err(()) }
}

/// Whether the name means this machine. A web page from elsewhere cannot make a browser send one of these: that is what
/// stops DNS rebinding.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || host.len() > 10 && host.as_bytes()[host.len() - 10..].eq_ignore_ascii_case(b".localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn host(values: &[&str]) -> Result<Option<String>, ()> {
        let mut request = Request::builder().uri("/");
        for value in values {
            request = request.header("host", *value);
        }
        of(&request.body(()).unwrap().into_parts().0).map(|host| host.map(str::to_owned))
    }

    #[test]
    fn a_host_is_read_without_its_port() {
        assert_eq!(host(&["example.com:8080"]), Ok(Some("example.com".into())));
        assert_eq!(host(&["[::1]:8080"]), Ok(Some("[::1]".into())));
        assert_eq!(host(&[]), Ok(None));
        assert_eq!(host(&["a", "b"]), Err(()));
        assert_eq!(host(&["evil.com/x@good.com"]), Err(()));
    }

    #[test]
    fn nothing_stands_around_a_host_but_its_port() {
        for (text, host) in [
            ("localhost", Some("localhost")),
            ("localhost:", Some("localhost")),
            ("127.0.0.1:80", Some("127.0.0.1")),
            ("my_host-1.example.", Some("my_host-1.example.")),
            ("[::1]", Some("[::1]")),
            ("[::1]:", Some("[::1]")),
            ("[::1]:65535", Some("[::1]")),
            ("", None),
            (":80", None),
            ("[::1].evil.com:1", None),
            ("[::1]evil.com", None),
            ("[::1]:1.evil.com", None),
            ("[::1", None),
            ("::1", None),
            ("[]", None),
            ("[[::1]]", None),
            ("[localhost]", None),
            ("[127.0.0.1]", None),
            ("evil.com[::1]", None),
            ("x]", None),
            ("localhost:evil.com", None),
            ("localhost:80:80", None),
            ("localhost:+80", None),
            ("user@localhost", None),
            ("localhost@evil.com", None),
            ("localhost:80@evil.com", None),
            ("[::1]@evil.com", None),
            ("local host", None),
            ("localhost,evil.com", None),
            ("localhost/evil", None),
            ("localhost%2eevil.com", None),
        ] {
            assert_eq!(bare(text).ok(), host, "{text}");
            if let Ok(value) = http::HeaderValue::from_str(text) {
                let request = Request::builder().uri("/").header("host", value).body(()).unwrap();
                assert_eq!(of(&request.into_parts().0).ok().flatten(), host, "{text}");
            }
        }
    }

    #[test]
    fn an_authority_with_a_user_name_is_no_host() {
        let named = |uri: &str| {
            let parts = Request::builder().uri(uri).body(()).unwrap().into_parts().0;
            of(&parts).map(|host| host.map(str::to_owned))
        };
        assert_eq!(named("http://localhost:8080/x"), Ok(Some("localhost".into())));
        assert_eq!(named("http://[::1]:8080/x"), Ok(Some("[::1]".into())));
        assert_eq!(named("http://localhost@evil.com/"), Err(()));
        assert_eq!(named("http://localhost:80@evil.com/"), Err(()));
        assert_eq!(named("http://[::1]@evil.com/"), Err(()));
        assert_eq!(named("http://user:pass@localhost/"), Err(()));
    }

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for yes in ["localhost", "LOCALHOST", "app.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "localhost."] {
            assert!(is_loopback(yes), "{yes}");
        }
        for no in ["example.com", "127.0.0.1.evil.com", "notlocalhost", "10.0.0.1", "0.0.0.0", "", ".localhost"] {
            assert!(!is_loopback(no), "{no}");
        }
    }
}
