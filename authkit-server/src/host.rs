//! Which hosts this server answers for.

use http::{header, request::Parts};
use std::net::IpAddr;

/// The host that the request names, without its port: the target's authority (HTTP/2), else the `Host` header.
///
/// # Errors
/// When the header is there twice, or is not a host.
pub(crate) fn of(parts: &Parts) -> Result<Option<&str>, ()> {
    if let Some(authority) = parts.uri.authority() {
        return Ok(Some(without_port(authority.as_str())));
    }
    let mut values = parts.headers.get_all(header::HOST).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) if !text.is_empty() && !text.contains(['/', '@', ' ', ',', '?', '#', '\\']) => {
                Ok(Some(without_port(text)))
            }
            _ => Err(()),
        },
        _ => Err(()),
    }
}

fn without_port(host: &str) -> &str {
    match host.rfind(']') {
        Some(end) => &host[..=end],
        None => host.split(':').next().unwrap_or(host),
    }
}

/// Whether the name means this machine. A web page from elsewhere cannot make a browser send one of these: that is what
/// stops DNS rebinding.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let bare = host.trim_start_matches('[').trim_end_matches(']');
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
    fn only_names_of_this_machine_are_loopback() {
        for yes in ["localhost", "LOCALHOST", "app.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "localhost."] {
            assert!(is_loopback(yes), "{yes}");
        }
        for no in ["example.com", "127.0.0.1.evil.com", "notlocalhost", "10.0.0.1", "0.0.0.0", "", ".localhost"] {
            assert!(!is_loopback(no), "{no}");
        }
    }
}
