//! The client's TLS against rustls: who is let in, and who is not.

use authkit_firmware_client::{Connect, ConnectError, Endpoint, READ_BUFFER, Tls, WRITE_BUFFER};
use authkit_tests::firmware::{HostRandom, Tcp, run};
use embedded_io_async::{Read as _, Write as _};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::Arc,
};
use tokio_rustls::rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    version::TLS13,
};

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// 2026-06-01, within what certificates here count for.
const NOW: u64 = 1_780_272_000;

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn params(names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2027, 1, 1));
    params
}

fn authority() -> Issuer {
    let mut params = params(&[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, key()).unwrap()
}

/// A server with this chain, which answers what it hears once.
fn serve(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> u16 {
    serve_with(chain, key, b"")
}

/// As if somebody on the way put these bytes in after the handshake.
fn serve_with(chain: Vec<CertificateDer<'static>>, key: &KeyPair, between: &'static [u8]) -> u16 {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let config = ServerConfig::builder_with_protocol_versions(&[&TLS13]).with_no_client_auth();
    let config = Arc::new(config.with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
        let mut heard = [0; 64];
        if let Ok(count) = stream.read(&mut heard) {
            stream.sock.write_all(between).unwrap();
            let _ = stream.write_all(&heard[..count]);
        }
    });
    port
}

/// Says something to the server at `port` as `localhost`. Nothing, where no whole answer comes.
fn talk(authority: &Issuer, port: u16, now: Option<u64>) -> Result<Vec<u8>, ConnectError> {
    let (mut read, mut write) = (vec![0; READ_BUFFER], vec![0; WRITE_BUFFER]);
    let mut tls = Tls::new(Tcp, HostRandom, authority.der(), &mut read, &mut write);
    run(async {
        let endpoint = Endpoint { host: "localhost", port, secure: true, now };
        let mut stream = tls.connect(&endpoint).await?;
        stream.write_all(b"hello").await.unwrap();
        stream.flush().await.unwrap();
        let mut answer = vec![0; 5];
        Ok(stream.read_exact(&mut answer).await.map_or(Vec::new(), |()| answer))
    })
}

#[test]
fn a_server_of_the_authority_is_talked_to() {
    let (authority, own) = (authority(), key());
    let leaf = params(&["other.example", "localhost"]).signed_by(&own, &authority).unwrap();
    for now in [None, Some(NOW)] {
        let port = serve(vec![leaf.der().clone()], &own);
        assert_eq!(talk(&authority, port, now), Ok(b"hello".to_vec()));
    }
}

/// A message that belongs into the handshake: encrypted extensions, none. It needs no key.
#[test]
fn a_record_in_the_clear_after_the_handshake_ends_the_connection_and_not_the_device() {
    let (authority, own) = (authority(), key());
    let leaf = params(&["localhost"]).signed_by(&own, &authority).unwrap();
    let port = serve_with(vec![leaf.der().clone()], &own, &[22, 3, 3, 0, 6, 8, 0, 0, 2, 0, 0]);
    assert_eq!(talk(&authority, port, Some(NOW)), Ok(Vec::new()));
}

#[test]
fn a_connection_that_ends_in_the_handshake_is_a_network_that_failed() {
    let authority = authority();
    // Nothing, a part of a record's header, a part of its body.
    for begun in [&[][..], &[22, 3], &[22, 3, 3, 0, 90, 2]] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let _ = socket.read(&mut [0; 1024]).unwrap();
            socket.write_all(begun).unwrap();
        });
        assert_eq!(talk(&authority, port, Some(NOW)), Err(ConnectError::Unreachable), "{begun:?}");
    }
}

#[test]
fn another_authority_and_another_name_are_refused() {
    let (ours, own) = (authority(), key());
    let foreign = params(&["localhost"]).signed_by(&own, &authority()).unwrap();
    assert_eq!(talk(&ours, serve(vec![foreign.der().clone()], &own), None), Err(ConnectError::Untrusted));
    let itself = params(&["localhost"]).self_signed(&own).unwrap();
    assert_eq!(talk(&ours, serve(vec![itself.der().clone()], &own), None), Err(ConnectError::Untrusted));
    let other = params(&["example.com"]).signed_by(&own, &ours).unwrap();
    assert_eq!(talk(&ours, serve(vec![other.der().clone()], &own), None), Err(ConnectError::Untrusted));
}

#[test]
fn dates_count_as_soon_as_the_time_is_known() {
    let (authority, own) = (authority(), key());
    let leaf = params(&["localhost"]).signed_by(&own, &authority).unwrap();
    let year = 365 * 86_400;
    for now in [NOW - year, NOW + year] {
        let port = serve(vec![leaf.der().clone()], &own);
        assert_eq!(talk(&authority, port, Some(now)), Err(ConnectError::Untrusted));
    }
}

/// Another server of the same authority makes itself an authority.
#[test]
fn a_server_cannot_vouch_for_another() {
    let authority = authority();
    let evil = CertifiedIssuer::signed_by(params(&["evil.example"]), key(), &authority).unwrap();
    let own = key();
    let leaf = params(&["localhost"]).signed_by(&own, &evil).unwrap();
    let port = serve(vec![leaf.der().clone(), evil.der().clone()], &own);
    assert_eq!(talk(&authority, port, Some(NOW)), Err(ConnectError::Untrusted));
}

#[test]
fn plain_text_is_not_spoken() {
    let authority = authority();
    let (mut read, mut write) = (vec![0; READ_BUFFER], vec![0; WRITE_BUFFER]);
    let mut tls = Tls::new(Tcp, HostRandom, authority.der(), &mut read, &mut write);
    let endpoint = Endpoint { host: "localhost", port: 9, secure: false, now: None };
    assert_eq!(run(tls.connect(&endpoint)).err(), Some(ConnectError::Insecure));
}
