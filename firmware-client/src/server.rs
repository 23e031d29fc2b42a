//! Where the server is: its address, and what a QR code says about it.

use crate::{error::Error, http::is_path, text::Text};
use authkit_wire::{
    TenantId,
    device::{ClaimCode, SERVER_KEY},
};
use base64ct::{Base64UrlUnpadded, Encoding};

/// The longest address of a server.
pub const MAX_ADDRESS: usize = 192;

/// A server's public address: `https://host[:port][/path]`, or `http` for tests.
#[derive(Clone)]
pub struct Server {
    text: Text<MAX_ADDRESS>,
    secure: bool,
    /// Where the path begins in the text.
    path: usize,
    port: u16,
}

impl Server {
    /// From its address.
    ///
    /// # Errors
    /// [`Error::Argument`] when it is not such an address: credentials, queries and fragments are refused.
    pub fn parse(address: &str) -> Result<Self, Error> {
        Self::read(address).ok_or(Error::Argument("the server's address"))
    }

    #[inline(never)]
    fn read(address: &str) -> Option<Self> {
        let address = address.strip_suffix('/').unwrap_or(address);
        let (secure, rest) = match address.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, address.strip_prefix("http://")?),
        };
        let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if !prefix.is_empty()
            && (!is_path(prefix) || prefix.contains('?') || prefix.as_bytes().windows(2).any(|pair| pair == b"//"))
        {
            return None;
        }
        // The colon of a port stands behind the bracket of an IPv6 address.
        let (host, port) = match authority.rfind(':') {
            Some(colon) if !authority[colon..].contains(']') => (&authority[..colon], Some(&authority[colon + 1..])),
            _ => (authority, None),
        };
        let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            // Whoever connects reads it whole.
            Some(inner) => {
                inner.contains(':') && inner.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.')
            }
            None => !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.'),
        };
        let port = match port {
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                port.parse().ok().filter(|port| *port > 0)?
            }
            Some(_) => return None,
            None if secure => 443,
            None => 80,
        };
        is_host.then_some(())?;
        Some(Self { text: Text::new(address)?, secure, path: address.len() - prefix.len(), port })
    }

    pub(crate) fn address(&self) -> &str {
        self.text.as_str()
    }

    /// Host and port as the `Host` header has them.
    pub(crate) fn authority(&self) -> &str {
        let scheme = if self.secure { "https://" } else { "http://" };
        &self.address()[scheme.len()..self.path]
    }

    pub(crate) fn host(&self) -> &str {
        let authority = self.authority();
        match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => authority.split(':').next().unwrap_or_default(),
        }
    }

    /// The path that stands before every route.
    pub(crate) fn prefix(&self) -> &str {
        &self.address()[self.path..]
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn secure(&self) -> bool {
        self.secure
    }
}

/// An invitation to become somebody's device. It has no `Debug`: who has the code can claim a device with it.
pub struct Invitation {
    pub(crate) server: Server,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) code: ClaimCode,
    pub(crate) server_key: Option<[u8; SERVER_KEY]>,
}

impl Invitation {
    /// From a code that a person typed. The server's key is kept once it takes the claim. Whose key that is its certificate
    /// proves by a date that the same server signs, so whoever has the key of an old certificate passes: only a QR code
    /// protects against that, or in part [`Settings::not_before`](crate::Settings::not_before).
    #[must_use]
    pub fn new(server: Server, code: ClaimCode) -> Self {
        Self { server, tenant: None, code, server_key: None }
    }

    /// From the text of a QR code, `authkit:claim?server=…&code=…&key=…`, which names the server's key too, and the
    /// tenant where it has no host of its own.
    ///
    /// # Errors
    /// [`Error::Argument`] when it is something else.
    pub fn parse(uri: &str) -> Result<Self, Error> {
        Self::read(uri).ok_or(Error::Argument("the claim URI"))
    }

    #[inline(never)]
    fn read(uri: &str) -> Option<Self> {
        let (mut server, mut tenant, mut code, mut server_key) = (None, None, None, None);
        for pair in uri.strip_prefix("authkit:claim?")?.split('&') {
            let (name, value) = pair.split_once('=')?;
            let mut decoded = [0; MAX_ADDRESS];
            let value = percent_decode(value, &mut decoded)?;
            // A part that stands there twice would mean one thing to this reader and another to the next.
            let twice = match name {
                "server" => server.replace(Server::parse(value).ok()?).is_some(),
                "tenant" => tenant.replace(value.parse::<TenantId>().ok()?).is_some(),
                "code" => code.replace(value.parse::<ClaimCode>().ok()?).is_some(),
                "key" => server_key.replace(decode(value)?).is_some(),
                _ => false,
            };
            if twice {
                return None;
            }
        }
        Some(Self { server: server?, tenant, code: code?, server_key })
    }
}

fn percent_decode<'b>(text: &str, into: &'b mut [u8]) -> Option<&'b str> {
    let (mut bytes, mut length) = (text.bytes(), 0);
    while let Some(byte) = bytes.next() {
        *into.get_mut(length)? = match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                (digit(bytes.next())? * 16 + digit(bytes.next())?) as u8
            }
            other => other,
        };
        length += 1;
    }
    core::str::from_utf8(&into[..length]).ok()
}

/// Exactly `N` bytes from unpadded base64url.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let length = Base64UrlUnpadded::decode(text, &mut bytes).ok()?.len();
    (length == N).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        for (address, secure, authority, host, port, prefix) in [
            ("https://id.example.com", true, "id.example.com", "id.example.com", 443, ""),
            ("https://id.example.com/", true, "id.example.com", "id.example.com", 443, ""),
            ("http://10.0.2.2:8080", false, "10.0.2.2:8080", "10.0.2.2", 8080, ""),
            ("https://[2001:db8::1]:8443/auth/kit/", true, "[2001:db8::1]:8443", "2001:db8::1", 8443, "/auth/kit"),
            ("https://[::1]", true, "[::1]", "::1", 443, ""),
        ] {
            let server = Server::parse(address).unwrap();
            let parts = (server.secure(), server.authority(), server.host(), server.port(), server.prefix());
            assert_eq!(parts, (secure, authority, host, port, prefix), "{address}");
        }
    }

    #[test]
    fn an_address_that_could_mean_another_host_is_refused() {
        for wrong in [
            "",
            "ftp://a",
            "https://",
            "https:///a",
            "https://a b",
            "https://user@a",
            "https://a:b@c",
            "https://a?x",
            "https://a#x",
            "https://a:0",
            "https://a:65536",
            "https://a:+1",
            "https://a:",
            "https://[::1",
            "https://[a]",
            "https://::1",
            "https://a\r\nX: y",
            "https://a/b?c",
            "https://a//b",
            "https://a/b c",
            "https://ä",
            "HTTPS://a",
        ] {
            assert!(Server::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(Server::parse(&format!("https://{}", "a".repeat(MAX_ADDRESS))).is_err());
    }

    #[test]
    fn a_claim_uri_names_server_code_and_key() {
        let mut room = [0; 64];
        let key = Base64UrlUnpadded::encode(&[7; 32], &mut room).unwrap();
        let uri = format!("authkit:claim?server=https%3A%2F%2Fid.example.com%2Fx&code=7KZ0-1abc-DEFG&key={key}");
        let invitation = Invitation::parse(&uri).unwrap();
        assert_eq!(invitation.server.address(), "https://id.example.com/x");
        assert_eq!(invitation.code.as_str(), "7KZ01ABCDEFG");
        assert_eq!(invitation.server_key, Some([7; 32]));
        assert!(invitation.tenant.is_none());
        let tenant = "ten_0192f0c1a4b87c3d9e5f60718293a4b5";
        let invitation = Invitation::parse(&format!("{uri}&tenant={tenant}")).unwrap();
        assert_eq!(invitation.tenant, Some(tenant.parse().unwrap()));
        assert!(Invitation::parse(&format!("{uri}&later=1")).is_ok(), "what is added later is passed over");
        for wrong in [
            uri.replace("authkit:", "http:"),
            uri.replace("server=https", "server=ftp"),
            uri.replace("&code=7KZ0-1abc-DEFG", ""),
            uri.replace("7KZ0", "7KZ"),
            uri.replace(key, &key[1..]),
            uri.replace("%3A", "%3"),
            uri.replace("%3A", "%GG"),
            format!("{uri}&server=https%3A%2F%2Fevil.example"),
            format!("{uri}&key={key}"),
            format!("{uri}&tenant=other"),
            format!("{uri}&"),
        ] {
            assert!(Invitation::parse(&wrong).is_err(), "{wrong}");
        }
    }
}
