//! Keys and what is done with them: sealing at rest, authenticating, indexing by keyed hash, and signing.

mod keyring;
mod opaque;
mod signing;

pub use keyring::{Keyring, KeyringError, MasterKey, PresentedKey};
pub use opaque::{OpaqueKind, OpaqueToken};
pub use signing::{PrivateKey, PublicKey, SigningError};

use sha2::{Digest, Sha256};

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Hexadecimal digits in lower case. Nothing is copied on the way, so that `Zeroizing` around those of a secret leaves none
/// behind.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn hexadecimal_digits_are_two_for_each_byte() {
        assert_eq!(super::hex(&[0, 9, 10, 0xff]), "00090aff");
    }
}
