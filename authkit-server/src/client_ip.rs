//! The client's address, through trusted proxies only.

use http::HeaderMap;
use ipnet::IpNet;
use std::net::IpAddr;

/// The client's address: the peer's, or when the peer is a trusted proxy, the last address of `X-Forwarded-For` that is
/// not one. Whatever stands to the left of it was sent by the client and proves nothing.
pub(crate) fn client_ip(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = peer.map(|ip| ip.to_canonical())?;
    if trusted.is_empty() || !is_trusted(peer, trusted) {
        return Some(peer);
    }
    let mut client = peer;
    for value in headers.get_all("x-forwarded-for").iter().rev() {
        let Ok(text) = value.to_str() else { return Some(client) };
        for hop in text.rsplit(',') {
            // Something unreadable ends the chain at the last proxy that vouched for an address.
            let Some(ip) = parse(hop.trim()) else { return Some(client) };
            client = ip;
            if !is_trusted(ip, trusted) {
                return Some(client);
            }
        }
    }
    Some(client)
}

fn is_trusted(ip: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&ip))
}

/// An address, perhaps with a port or in brackets, as proxies write it.
fn parse(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .or_else(|_| text.parse::<std::net::SocketAddr>().map(|socket| socket.ip()))
        .or_else(|_| text.trim_start_matches('[').trim_end_matches(']').parse())
        .ok()
        .map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        client_ip(Some(peer.parse().unwrap()), &headers, &trusted).unwrap().to_string()
    }

    #[test]
    fn an_untrusted_peer_cannot_name_another_address() {
        assert_eq!(of("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(of("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn behind_trusted_proxies_the_last_untrusted_hop_counts() {
        let trusted = ["10.0.0.0/8", "fd00::/8"];
        assert_eq!(of("10.0.0.1", &["198.51.100.1"], &trusted), "198.51.100.1");
        // The client wrote the first one.
        assert_eq!(of("10.0.0.1", &["1.2.3.4, 198.51.100.1, 10.0.0.7"], &trusted), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["1.2.3.4", "198.51.100.1"], &trusted), "198.51.100.1");
        assert_eq!(of("fd00::1", &["[2001:db8::5]:4711"], &trusted), "2001:db8::5");
        assert_eq!(of("::ffff:10.0.0.1", &["198.51.100.1:99"], &trusted), "198.51.100.1");
    }

    #[test]
    fn an_unreadable_hop_ends_the_chain() {
        assert_eq!(of("10.0.0.1", &["198.51.100.1, unknown"], &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
    }
}
