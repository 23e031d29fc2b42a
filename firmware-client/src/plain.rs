//! Plain text, for tests and for servers on the same machine or bench.

use crate::ports::{Connect, ConnectError, Dial, Endpoint, SecureTransport};
use core::net::{IpAddr, Ipv4Addr};
use embedded_io_async::{ErrorType, Read, Write};

/// Connects without TLS, so that **anybody on the way reads the device's tokens**. It takes `http` addresses only, and of
/// those only `localhost` and loopback, private and link-local addresses; everything else is
/// [`ConnectError::Insecure`].
pub struct PlainTextForTests<D>(
    /// Opens the TCP connections.
    pub D,
);

/// A connection that is secure by nothing but where it goes.
pub struct PlainText<T>(T);

impl<D: Dial> Connect for PlainTextForTests<D> {
    type Connection<'a>
        = PlainText<D::Connection<'a>>
    where
        D: 'a;

    async fn connect(&mut self, endpoint: &Endpoint<'_>) -> Result<Self::Connection<'_>, ConnectError> {
        if endpoint.secure || !is_near(endpoint.host) {
            return Err(ConnectError::Insecure);
        }
        self.0.dial(endpoint.host, endpoint.port).await.map(PlainText)
    }
}

fn is_near(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => is_near_v4(address),
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(address) => is_near_v4(address),
            None => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
        },
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

fn is_near_v4(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.is_private() || address.is_link_local()
}

impl<T: ErrorType> ErrorType for PlainText<T> {
    type Error = T::Error;
}

impl<T: Read> Read for PlainText<T> {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, T::Error> {
        self.0.read(into).await
    }
}

impl<T: Write> Write for PlainText<T> {
    async fn write(&mut self, from: &[u8]) -> Result<usize, T::Error> {
        self.0.write(from).await
    }

    async fn flush(&mut self) -> Result<(), T::Error> {
        self.0.flush().await
    }
}

impl<T: Read + Write> SecureTransport for PlainText<T> {}

#[cfg(test)]
mod tests {
    use super::is_near;

    #[test]
    fn only_addresses_that_are_near_take_plain_text() {
        for near in ["localhost", "LOCALHOST", "127.0.0.1", "10.0.2.2", "192.168.1.7", "172.16.0.1", "169.254.0.1"] {
            assert!(is_near(near), "{near}");
        }
        for near in ["::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1"] {
            assert!(is_near(near), "{near}");
        }
        for far in
            ["example.com", "8.8.8.8", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8", "localhost.example.com", ""]
        {
            assert!(!is_near(far), "{far}");
        }
    }
}
