//! The proof that a device has its key, and the texts in which keys and signatures travel.

use crate::{Context, Error, Result, crypto::PublicKey};
use authkit_wire::{
    ErrorCode,
    device::{KeyAlgorithm, MAX_MESSAGE, Proof, Purpose},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Bytes of a signature, of either algorithm.
const SIGNATURE: usize = 64;

pub(super) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// `N` bytes of base64url without padding, in its one spelling.
pub(super) fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    // The length first, so that nothing long is decoded.
    (text.len() == (N * 4).div_ceil(3)).then(|| URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()).flatten()
}

/// A device's key as it was sent.
pub(super) struct SentKey {
    pub(super) bytes: Vec<u8>,
    pub(super) key: PublicKey,
}

impl SentKey {
    /// # Errors
    /// `request.validation_failed`.
    pub(super) fn read(algorithm: KeyAlgorithm, text: &str) -> Result<Self> {
        let read = || {
            let fits = text.len() == (algorithm.key_length() * 4).div_ceil(3);
            let bytes = fits.then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten()?;
            Some(Self { key: PublicKey::from_device(algorithm, &bytes)?, bytes })
        };
        let detail = "Send 32 bytes for EdDSA, or an uncompressed point of P-256 (65 bytes) for ES256, as base64url.";
        read().ok_or_else(|| Error::field("public_key", "key.invalid", detail))
    }
}

/// Whether `signature` is the key's over the proof.
pub(super) fn verify(
    cx: &Context,
    key: &PublicKey,
    purpose: Purpose,
    subject: &str,
    challenge: &str,
    signature: &str,
) -> bool {
    let Some(signature) = bytes::<SIGNATURE>(signature) else { return false };
    let proof = Proof { purpose, server_key: cx.keyring.server_key(), subject, challenge };
    let mut buffer = [0; MAX_MESSAGE];
    match proof.write(&mut buffer) {
        Ok(length) => key.verify(&buffer[..length], &signature),
        Err(_) => false,
    }
}

/// The one answer to a wrong signature, a challenge that does not count, and a device that may not sign in.
pub(super) fn refused() -> Error {
    Error::new(ErrorCode::InvalidDeviceProof, "Ask for a new challenge and sign it with the device's key.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_one_spelling() {
        assert_eq!(bytes::<2>("AAA"), Some([0, 0]));
        for wrong in ["AAB", "AAA=", "AA", "AAAA", "A+A", ""] {
            assert_eq!(bytes::<2>(wrong), None, "{wrong}");
        }
    }
}
