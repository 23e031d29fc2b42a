//! TLS 1.3 by `embedded-tls`, without a heap. There is no way to leave the verification out.

use crate::{
    ports::{Connect, ConnectError, Dial, Endpoint, Random, SecureTransport},
    records::Records,
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
/// - The server's certificate is signed by the authority itself, with ECDSA on P-256 and SHA-256, and names the host among
///   its DNS names. What the server sends beside it is refused: `embedded-tls` 0.19 does not tell an authority's
///   certificate from a server's, so that with a chain every server of the authority could vouch for every name.
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
        let (from, until) = validity(certificate).ok_or(TlsError::InvalidCertificate)?;
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
fn validity(certificate: &[u8]) -> Option<(u64, u64)> {
    let mut outer = Der(certificate);
    let mut signed = Der(Der(outer.take(0x30)?).take(0x30)?);
    if signed.0.first() == Some(&0xa0) {
        signed.take(0xa0)?;
    }
    // Serial number, algorithm, issuer.
    signed.take(0x02)?;
    signed.take(0x30)?;
    signed.take(0x30)?;
    let mut dates = Der(signed.take(0x30)?);
    Some((dates.time()?, dates.time()?))
}

/// What is left to read.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next element, which has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
            0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), rest.get(2..)?),
            _ => return None,
        };
        self.0 = rest.get(length..)?;
        rest.get(..length).filter(|_| found == tag)
    }

    /// A UTCTime or GeneralizedTime in the only form that RFC 5280 allows each.
    fn time(&mut self) -> Option<u64> {
        let (tag, years) = match self.0.first()? {
            0x17 => (0x17, 2),
            _ => (0x18, 4),
        };
        let (year, rest) = self.take(tag)?.split_at_checked(years)?;
        let year = match number(year)? {
            year @ 0..50 if years == 2 => 2000 + year,
            year if years == 2 => 1900 + year,
            year => year,
        };
        let (digits, zone) = rest.split_at_checked(10)?;
        if zone != b"Z" {
            return None;
        }
        let mut parts = digits.chunks(2).map(number);
        let mut part = || parts.next().flatten();
        let (month, day, hour, minute, second) = (part()?, part()?, part()?, part()?, part()?);
        let in_range = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
        let days = days_since_1970(year, month, day).filter(|_| in_range)?;
        Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0')))
}

/// Days of the Gregorian calendar, counting years from March so that a leap day is a year's last.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    days.checked_sub(719_469)
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_tls::SignatureScheme;

    fn utc(text: &str) -> Option<u64> {
        Der(&[&[0x17, text.len() as u8], text.as_bytes()].concat()).time()
    }

    fn general(text: &str) -> Option<u64> {
        Der(&[&[0x18, text.len() as u8], text.as_bytes()].concat()).time()
    }

    #[test]
    fn dates_are_seconds_since_1970() {
        assert_eq!(utc("700101000000Z"), Some(0));
        assert_eq!(utc("000229235959Z"), Some(951_868_799));
        assert_eq!(utc("261129081448Z"), Some(1_795_940_088));
        assert_eq!(utc("491231235959Z"), Some(2_524_607_999));
        assert_eq!(general("20500101000000Z"), Some(2_524_608_000));
        assert_eq!(general("99991231235959Z"), Some(253_402_300_799));
        for wrong in
            ["", "261129081448", "261129081448+0100", "2611290814Z", "261329081448Z", "26112908144xZ", "261129241448Z"]
        {
            assert_eq!(utc(wrong), None, "{wrong}");
        }
        assert_eq!(general("19691231235959Z"), None);
    }

    #[test]
    fn der_that_says_more_than_there_is_gives_nothing() {
        for wrong in [&[][..], &[0x30], &[0x30, 0x80], &[0x30, 0x82, 1], &[0x30, 5, 1], &[0x30, 0x83, 0, 0, 1, 0]] {
            assert_eq!(Der(wrong).take(0x30), None, "{wrong:?}");
            assert_eq!(validity(wrong), None);
        }
        assert_eq!(Der(&[0x30, 0x81, 1, 7, 9]).take(0x30), Some(&[7][..]));
        assert_eq!(Der(&[0x31, 0]).take(0x30), None);
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
