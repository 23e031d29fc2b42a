//! TLS 1.3 by `embedded-tls`, without a heap. There is no way to leave the verification out.

use crate::{
    ports::{Connect, ConnectError, Dial, Endpoint, Random, SecureTransport},
    records::Records,
};
use der::{
    Decode, Reader, SliceReader, Tag, Tagged,
    asn1::{AnyRef, GeneralizedTime, UtcTime},
};
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use embedded_tls::{
    Aes128GcmSha256, Certificate, CertificateEntryRef, CertificateRef, CertificateVerifyRef, CryptoProvider,
    CryptoRngCore, NoClock, Sha256, TlsConfig, TlsConnection, TlsContext, TlsError, TlsVerifier, pki::CertVerifier,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use zeroize::Zeroizing;

/// The least bytes for what is read: the largest record of TLS, since few servers heed a wish for smaller ones.
pub const READ_BUFFER: usize = 16_640;

/// The least bytes for what is written.
pub const WRITE_BUFFER: usize = 2_048;

/// The longest certificate of a server.
const CERTIFICATE: usize = 2_048;

type Suite = Aes128GcmSha256;

/// Connects with TLS 1.3, and only to servers whose certificate one authority of yours has signed.
///
/// # Behavior
/// - The server's certificate is signed by the authority itself, with ECDSA on P-256 and SHA-256. It names the host among
///   its first three DNS names (`*.` stands for one label) or as its common name, in at most 64 bytes. What it is to be
///   used for is not asked, so the authority should sign servers alone.
/// - What the server sends beside it is refused: `embedded-tls` 0.19 does not tell an authority's certificate from a
///   server's, so that with a chain every server of the authority could vouch for every name.
/// - Its dates count as soon as the time is known ([`Endpoint::now`]).
/// - A server that proves nothing is refused, also when it leaves the proof out.
/// - `http` is [`ConnectError::Insecure`].
pub struct Tls<'b, D, R> {
    dial: D,
    random: R,
    authority: &'b [u8],
    read: &'b mut [u8],
    write: &'b mut [u8],
}

impl<'b, D: Dial, R: Random> Tls<'b, D, R> {
    /// Over connections of `dial`, with the authority's certificate (DER), and buffers of [`READ_BUFFER`] and
    /// [`WRITE_BUFFER`] bytes.
    pub fn new(dial: D, random: R, authority: &'b [u8], read: &'b mut [u8], write: &'b mut [u8]) -> Self {
        Self { dial, random, authority, read, write }
    }
}

impl<D: Dial, R: Random> Connect for Tls<'_, D, R> {
    type Connection<'a>
        = TlsStream<'a, D::Connection<'a>>
    where
        Self: 'a;

    async fn connect(&mut self, endpoint: &Endpoint<'_>) -> Result<Self::Connection<'_>, ConnectError> {
        if !endpoint.secure {
            return Err(ConnectError::Insecure);
        }
        let mut seed = Zeroizing::new([0; 32]);
        // Without randomness there is no secret to agree on; it may come.
        self.random.fill(seed.as_mut()).map_err(|_| ConnectError::Unreachable)?;
        let socket = self.dial.dial(endpoint.host, endpoint.port).await?;
        let verifier = Verifier::new(self.authority, endpoint.now);
        let mut provider = Provider { random: ChaCha20Rng::from_seed(*seed), verifier };
        let config = TlsConfig::new().with_server_name(endpoint.host);
        let mut connection = TlsConnection::new(Records::new(socket), self.read, self.write);
        connection.open(TlsContext::new(&config, &mut provider)).await.map_err(|error| match error {
            TlsError::Io(ErrorKind::InvalidData) => ConnectError::Untrusted,
            // `IoError` is the end of the stream.
            TlsError::Io(_) | TlsError::IoError | TlsError::ConnectionClosed | TlsError::MissingHandshake => {
                ConnectError::Unreachable
            }
            _ => ConnectError::Untrusted,
        })?;
        provider.verifier.proved()?;
        Ok(TlsStream(connection))
    }
}

/// An open connection to a server that proved its name.
pub struct TlsStream<'a, T: Read + Write>(TlsConnection<'a, Records<T>, Suite>);

impl<T: Read + Write> ErrorType for TlsStream<'_, T> {
    type Error = TlsError;
}

impl<T: Read + Write> Read for TlsStream<'_, T> {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, TlsError> {
        self.0.read(into).await
    }
}

impl<T: Read + Write> Write for TlsStream<'_, T> {
    async fn write(&mut self, from: &[u8]) -> Result<usize, TlsError> {
        self.0.write(from).await
    }

    async fn flush(&mut self) -> Result<(), TlsError> {
        self.0.flush().await
    }
}

impl<T: Read + Write> SecureTransport for TlsStream<'_, T> {}

struct Provider<'a> {
    random: ChaCha20Rng,
    verifier: Verifier<'a>,
}

impl CryptoProvider for Provider<'_> {
    type CipherSuite = Suite;
    type Signature = &'static [u8];

    fn rng(&mut self) -> impl CryptoRngCore {
        &mut self.random
    }

    fn verifier(&mut self) -> Result<&mut impl TlsVerifier<Suite>, TlsError> {
        Ok(&mut self.verifier)
    }
}

/// How much the server has proved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    Nothing,
    /// It sent a certificate that counts.
    Certificate,
    /// It has the key of that certificate, in this handshake.
    Key,
}

struct Verifier<'a> {
    inner: CertVerifier<'a, Suite, NoClock, CERTIFICATE>,
    now: Option<u64>,
    proof: Proof,
}

impl<'a> Verifier<'a> {
    fn new(authority: &'a [u8], now: Option<u64>) -> Self {
        Self { inner: CertVerifier::new(Certificate::X509(authority)), now, proof: Proof::Nothing }
    }

    /// After the handshake: `embedded-tls` takes one without a certificate, or without a signature, for a good one.
    fn proved(&self) -> Result<(), ConnectError> {
        if self.proof == Proof::Key { Ok(()) } else { Err(ConnectError::Untrusted) }
    }
}

impl TlsVerifier<Suite> for Verifier<'_> {
    fn set_hostname_verification(&mut self, host: &str) -> Result<(), TlsError> {
        self.inner.set_hostname_verification(host)
    }

    fn verify_certificate(&mut self, transcript: &Sha256, chain: CertificateRef<'_>) -> Result<(), TlsError> {
        let &[CertificateEntryRef::X509(certificate)] = chain.entries.as_slice() else {
            return Err(TlsError::InvalidCertificate);
        };
        if self.proof != Proof::Nothing {
            return Err(TlsError::InvalidHandshake);
        }
        self.inner.verify_certificate(transcript, chain)?;
        // Signed by the authority, so nobody else has chosen these bytes.
        let (from, until) = validity(certificate).map_err(|_| TlsError::InvalidCertificate)?;
        if self.now.is_some_and(|now| now < from || now > until) {
            return Err(TlsError::InvalidCertificate);
        }
        self.proof = Proof::Certificate;
        Ok(())
    }

    fn verify_signature(&mut self, verify: CertificateVerifyRef<'_>) -> Result<(), TlsError> {
        if self.proof != Proof::Certificate {
            return Err(TlsError::InvalidHandshake);
        }
        self.inner.verify_signature(verify)?;
        self.proof = Proof::Key;
        Ok(())
    }
}

/// The dates of a certificate (RFC 5280, section 4.1) in seconds since 1970. `embedded-tls` asks for the time by a
/// function that knows nothing, so they are read here.
fn validity(certificate: &[u8]) -> der::Result<(u64, u64)> {
    let mut outer = contents(AnyRef::from_der(certificate)?)?;
    let mut signed = contents(AnyRef::decode(&mut outer)?)?;
    // The version is there or not; then serial number, algorithm, issuer.
    if Tag::peek(&signed)?.is_context_specific() {
        AnyRef::decode(&mut signed)?;
    }
    for _ in 0..3 {
        AnyRef::decode(&mut signed)?;
    }
    let mut dates = contents(AnyRef::decode(&mut signed)?)?;
    Ok((time(&mut dates)?, time(&mut dates)?))
}

fn contents(sequence: AnyRef<'_>) -> der::Result<SliceReader<'_>> {
    sequence.tag().assert_eq(Tag::Sequence)?;
    SliceReader::new(sequence.value())
}

fn time<'a>(reader: &mut impl Reader<'a>) -> der::Result<u64> {
    let since_1970 = match Tag::peek(reader)? {
        Tag::UtcTime => UtcTime::decode(reader)?.to_unix_duration(),
        _ => GeneralizedTime::decode(reader)?.to_unix_duration(),
    };
    Ok(since_1970.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_tls::SignatureScheme;

    fn read(tag: u8, text: &str) -> Option<u64> {
        let der = [&[tag, text.len() as u8], text.as_bytes()].concat();
        time(&mut SliceReader::new(&der).unwrap()).ok()
    }

    #[test]
    fn dates_are_seconds_since_1970() {
        let (utc, general) = (|text| read(0x17, text), |text| read(0x18, text));
        assert_eq!(utc("700101000000Z"), Some(0));
        assert_eq!(utc("000229235959Z"), Some(951_868_799));
        assert_eq!(utc("261129081448Z"), Some(1_795_940_088));
        assert_eq!(utc("491231235959Z"), Some(2_524_607_999));
        assert_eq!(general("20500101000000Z"), Some(2_524_608_000));
        assert_eq!(general("99991231235959Z"), Some(253_402_300_799));
        for wrong in ["", "261129081448", "261129081448+0100", "2611290814Z", "261329081448Z", "26112908144xZ"] {
            assert_eq!(utc(wrong), None, "{wrong}");
        }
        assert_eq!(general("19691231235959Z"), None);
    }

    #[test]
    fn der_that_is_no_certificate_has_no_dates() {
        for wrong in [&[][..], &[0x30], &[0x30, 0x80], &[0x30, 0x82, 1], &[0x30, 5, 1], &[0x31, 0], &[0x30, 2, 0x30, 0]]
        {
            assert!(validity(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_handshake_without_certificate_or_signature_proves_nothing() {
        let mut verifier = Verifier::new(&[], None);
        assert_eq!(verifier.proved(), Err(ConnectError::Untrusted));
        verifier.proof = Proof::Certificate;
        assert_eq!(verifier.proved(), Err(ConnectError::Untrusted));
        verifier.proof = Proof::Key;
        assert_eq!(verifier.proved(), Ok(()));
    }

    /// `embedded-tls` would end in a panic.
    #[test]
    fn a_signature_before_a_certificate_is_refused() {
        let mut verifier = Verifier::new(&[], None);
        let verify = CertificateVerifyRef { signature_scheme: SignatureScheme::EcdsaSecp256r1Sha256, signature: &[] };
        assert!(matches!(verifier.verify_signature(verify), Err(TlsError::InvalidHandshake)));
        assert!(verifier.proof == Proof::Nothing);
    }

    /// The name of the one, the key of the other.
    #[test]
    fn a_second_certificate_is_refused() {
        for before in [Proof::Certificate, Proof::Key] {
            let mut verifier = Verifier::new(&[], None);
            verifier.proof = before;
            let mut chain = CertificateRef::with_context(&[]);
            chain.add(CertificateEntryRef::X509(&[])).unwrap();
            let refused = verifier.verify_certificate(&Sha256::default(), chain);
            assert!(matches!(refused, Err(TlsError::InvalidHandshake)), "{refused:?}");
        }
    }
}
