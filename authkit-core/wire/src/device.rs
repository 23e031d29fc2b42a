//! What a device and the server sign for each other, byte by byte, without a heap.
//!
//! 1. The device asks for a challenge and sends a nonce of its own. The server answers with the challenge, the time, and
//!    its signature over both and the nonce ([`Statement`]). The device knows the server's key from the QR code of its
//!    claim, or keeps the one of the first contact; time that is not signed by it is not believed.
//! 2. The device signs the challenge for one purpose at that server ([`Proof`]), which shows that it has its key. A
//!    challenge counts once and for [`CHALLENGE_SECONDS`].
//!
//! Every field has its length before it or a fixed one, so that no two messages are the same bytes.

use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};

/// How long a challenge counts.
pub const CHALLENGE_SECONDS: u64 = 60;

/// The longest message that [`Statement::write`] and [`Proof::write`] make.
pub const MAX_MESSAGE: usize = 512;

/// The longest challenge.
pub const MAX_CHALLENGE: usize = 256;

/// The longest subject of a proof: an id or a claim code.
pub const MAX_SUBJECT: usize = 64;

/// Bytes of the device's nonce.
pub const NONCE: usize = 16;

/// Bytes of the server's Ed25519 key.
pub const SERVER_KEY: usize = 32;

/// What a challenge is for. One that was made for the one is refused for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = DevicePurpose))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Purpose {
    /// Becoming somebody's device with a claim code; the subject of the proof is the code.
    Claim,
    /// Getting an access token; the subject of the proof is the device's id.
    Token,
}

impl Purpose {
    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Token => "token",
        }
    }

    /// Its byte in signed messages.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Claim => 1,
            Self::Token => 2,
        }
    }
}

/// How a device signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = DeviceKeyAlgorithm))]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// Ed25519 (RFC 8032); the public key is its 32 bytes.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA on P-256 with SHA-256, `r ‖ s` (RFC 7518, section 3.4); the public key is uncompressed SEC 1, 65 bytes.
    #[serde(rename = "ES256")]
    Es256,
}

impl KeyAlgorithm {
    /// Its name (RFC 7518, RFC 8037).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }

    /// From its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::EdDsa, Self::Es256].into_iter().find(|algorithm| algorithm.as_str() == text)
    }

    /// Bytes of a public key.
    #[must_use]
    pub const fn key_length(self) -> usize {
        match self {
            Self::EdDsa => 32,
            Self::Es256 => 65,
        }
    }
}

/// A part is longer than it may be, or the buffer is shorter than the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of the message is too long")
    }
}

impl core::error::Error for TooLong {}

/// What the server signs with its Ed25519 key: this challenge is mine, it answers your nonce, and this is the time.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// Seconds since 1970.
    pub server_time: u64,
    /// What the device sent.
    pub nonce: &'a [u8; NONCE],
    /// The challenge as it is on the wire.
    pub challenge: &'a str,
}

impl Statement<'_> {
    /// Writes the message into `buffer`; its length.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn write(&self, buffer: &mut [u8]) -> Result<usize, TooLong> {
        let mut message = Message { buffer, length: 0 };
        message.put(b"authkit device statement v1\n")?;
        message.put(&self.server_time.to_be_bytes())?;
        message.put(self.nonce)?;
        message.put_counted(self.challenge, MAX_CHALLENGE)?;
        Ok(message.length)
    }
}

/// What a device signs with its own key: I have this key, and I use this challenge for this, at this server.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    /// What for.
    pub purpose: Purpose,
    /// Whose challenge it is, so that another server cannot pass it on.
    pub server_key: &'a [u8; SERVER_KEY],
    /// The claim code without hyphens, or the device's id.
    pub subject: &'a str,
    /// The challenge as it is on the wire.
    pub challenge: &'a str,
}

impl Proof<'_> {
    /// Writes the message into `buffer`; its length.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn write(&self, buffer: &mut [u8]) -> Result<usize, TooLong> {
        let mut message = Message { buffer, length: 0 };
        message.put(b"authkit device proof v1\n")?;
        message.put(&[self.purpose.byte()])?;
        message.put(self.server_key)?;
        message.put_counted(self.subject, MAX_SUBJECT)?;
        message.put_counted(self.challenge, MAX_CHALLENGE)?;
        Ok(message.length)
    }
}

struct Message<'a> {
    buffer: &'a mut [u8],
    length: usize,
}

impl Message<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        let end = self.length + bytes.len();
        self.buffer.get_mut(self.length..end).ok_or(TooLong)?.copy_from_slice(bytes);
        self.length = end;
        Ok(())
    }

    fn put_counted(&mut self, text: &str, most: usize) -> Result<(), TooLong> {
        if text.len() > most {
            return Err(TooLong);
        }
        self.put(&(text.len() as u16).to_be_bytes())?;
        self.put(text.as_bytes())
    }
}

/// Symbols of a claim code.
const SYMBOLS: usize = 12;

/// Crockford's base 32: no I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What a person reads from one screen and types into another: 60 bits as twelve symbols, shown in groups of four.
///
/// ```
/// use authkit_wire::device::ClaimCode;
/// let code: ClaimCode = "7kzo-1abc-defg".parse()?;
/// assert_eq!(code.as_str(), "7KZ01ABCDEFG");
/// # Ok::<(), authkit_wire::device::ClaimCodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClaimCode([u8; SYMBOLS]);

/// The text was not a claim code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimCodeError;

impl fmt::Display for ClaimCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claim code has twelve letters and digits")
    }
}

impl core::error::Error for ClaimCodeError {}

impl ClaimCode {
    /// The code of `random` bytes.
    #[must_use]
    pub fn new(random: [u8; 8]) -> Self {
        let bits = u64::from_be_bytes(random);
        let mut symbols = [0; SYMBOLS];
        for (place, symbol) in symbols.iter_mut().enumerate() {
            *symbol = ALPHABET[(bits >> (5 * place) & 31) as usize];
        }
        Self(symbols)
    }

    /// The symbols without hyphens: what is hashed and signed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // ASCII by construction.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for ClaimCode {
    type Err = ClaimCodeError;

    /// In any case, with hyphens and spaces anywhere, and with what people misread: O for 0, I and L for 1.
    fn from_str(text: &str) -> Result<Self, ClaimCodeError> {
        let mut symbols = [0; SYMBOLS];
        let mut length = 0;
        for byte in text.bytes().filter(|byte| !matches!(byte, b'-' | b' ')) {
            let symbol = match byte.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            let place = symbols.get_mut(length).filter(|_| ALPHABET.contains(&symbol)).ok_or(ClaimCodeError)?;
            *place = symbol;
            length += 1;
        }
        if length == SYMBOLS { Ok(Self(symbols)) } else { Err(ClaimCodeError) }
    }
}

impl fmt::Display for ClaimCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.as_str();
        write!(f, "{}-{}-{}", &text[..4], &text[4..8], &text[8..])
    }
}

impl fmt::Debug for ClaimCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{format, string::ToString, vec::Vec};

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code = ClaimCode::new([0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0]);
        let shown = code.to_string();
        assert_eq!(shown.len(), 14);
        assert_eq!(shown.parse(), Ok(code));
        assert_eq!(shown.to_lowercase().replace('-', " ").parse(), Ok(code));
        assert_eq!("oil0-1111-aaaa".parse::<ClaimCode>().map(|code| code.to_string()), Ok("0110-1111-AAAA".into()));
        for wrong in ["", "0110-1111-AAA", "0110-1111-AAAAA", "0110-1111-AAAU", "0110-1111-AAAÄ"] {
            assert_eq!(wrong.parse::<ClaimCode>(), Err(ClaimCodeError), "{wrong}");
        }
        assert_eq!(format!("{code:?}"), "ClaimCode(..)");
    }

    fn proof(purpose: Purpose, server_key: [u8; 32], subject: &str, challenge: &str) -> Vec<u8> {
        let mut buffer = [0; MAX_MESSAGE];
        let length = Proof { purpose, server_key: &server_key, subject, challenge }.write(&mut buffer).unwrap();
        buffer[..length].to_vec()
    }

    #[test]
    fn names_on_the_wire_are_those_in_json() {
        for purpose in [Purpose::Claim, Purpose::Token] {
            assert_eq!(serde_json::to_value(purpose).unwrap(), purpose.as_str());
        }
        for algorithm in [KeyAlgorithm::EdDsa, KeyAlgorithm::Es256] {
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.as_str());
            assert_eq!(KeyAlgorithm::parse(algorithm.as_str()), Some(algorithm));
        }
    }

    #[test]
    fn no_two_proofs_are_the_same_bytes() {
        let messages = [
            proof(Purpose::Claim, [1; 32], "ab", "c"),
            proof(Purpose::Claim, [1; 32], "a", "bc"),
            proof(Purpose::Token, [1; 32], "ab", "c"),
            proof(Purpose::Claim, [2; 32], "ab", "c"),
        ];
        for (place, one) in messages.iter().enumerate() {
            assert!(messages[..place].iter().all(|other| other != one));
        }
    }

    #[test]
    fn parts_at_their_longest_fit_and_longer_ones_are_refused() {
        let (subject, challenge) = ("s".repeat(MAX_SUBJECT), "c".repeat(MAX_CHALLENGE));
        assert!(proof(Purpose::Token, [0; 32], &subject, &challenge).len() <= MAX_MESSAGE);
        let mut buffer = [0; MAX_MESSAGE];
        let statement = |challenge: &str, buffer: &mut [u8]| {
            Statement { server_time: u64::MAX, nonce: &[0; NONCE], challenge }.write(buffer)
        };
        assert!(statement(&challenge, &mut buffer).is_ok());
        assert_eq!(statement(&(challenge.clone() + "c"), &mut buffer), Err(TooLong));
        assert_eq!(statement(&challenge, &mut buffer[..100]), Err(TooLong));
    }
}
