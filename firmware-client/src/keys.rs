//! The device's own key pair, made on it and never leaving it.

use crate::{error::Error, ports::Random};
use authkit_wire::device::{KeyAlgorithm, SERVER_KEY};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

/// Bytes of a secret key of either kind.
pub(crate) const SEED: usize = 32;

/// Bytes of a signature of either kind.
const SIGNATURE: usize = 64;

/// How the device signs its proofs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// Ed25519.
    #[default]
    Ed25519,
    /// ECDSA on P-256.
    #[cfg(feature = "p256")]
    P256,
}

impl KeyKind {
    pub(crate) const fn algorithm(self) -> KeyAlgorithm {
        match self {
            Self::Ed25519 => KeyAlgorithm::EdDsa,
            #[cfg(feature = "p256")]
            Self::P256 => KeyAlgorithm::Es256,
        }
    }

    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            #[cfg(feature = "p256")]
            Self::P256 => 2,
        }
    }

    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Ed25519),
            #[cfg(feature = "p256")]
            2 => Some(Self::P256),
            _ => None,
        }
    }
}

/// A secret key, wiped when it goes.
#[derive(Clone)]
pub(crate) struct DeviceKey {
    pub(crate) kind: KeyKind,
    pub(crate) seed: Zeroizing<[u8; SEED]>,
}

impl DeviceKey {
    #[inline(never)]
    pub(crate) fn generate(kind: KeyKind, random: &mut impl Random) -> Result<Self, Error> {
        let mut seed = Zeroizing::new([0; SEED]);
        random.fill(seed.as_mut())?;
        // A generator that is stuck gives every device the same key.
        if seed.iter().all(|byte| *byte == seed[0]) {
            return Err(Error::Random);
        }
        let key = Self { kind, seed };
        #[cfg(feature = "p256")]
        if kind == KeyKind::P256 {
            // One draw in 2³² is no scalar of the curve; the caller may draw again.
            key.scalar()?;
        }
        Ok(key)
    }

    #[cfg(feature = "p256")]
    fn scalar(&self) -> Result<p256::ecdsa::SigningKey, Error> {
        p256::ecdsa::SigningKey::from_slice(self.seed.as_ref()).map_err(|_| Error::Random)
    }

    /// The public key as it is on the wire, written into `into`.
    #[inline(never)]
    pub(crate) fn public<'b>(&self, into: &'b mut [u8; 65]) -> Result<&'b [u8], Error> {
        match self.kind {
            KeyKind::Ed25519 => {
                let public = SigningKey::from_bytes(&self.seed).verifying_key().to_bytes();
                let place = &mut into[..public.len()];
                place.copy_from_slice(&public);
                Ok(place)
            }
            #[cfg(feature = "p256")]
            KeyKind::P256 => {
                let point = self.scalar()?.verifying_key().to_sec1_point(false);
                let place = into.get_mut(..point.len()).ok_or(Error::TooLarge)?;
                place.copy_from_slice(point.as_bytes());
                Ok(place)
            }
        }
    }

    #[inline(never)]
    pub(crate) fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE], Error> {
        match self.kind {
            KeyKind::Ed25519 => Ok(SigningKey::from_bytes(&self.seed).sign(message).to_bytes()),
            #[cfg(feature = "p256")]
            KeyKind::P256 => {
                use p256::ecdsa::signature::Signer as _;
                let signature: p256::ecdsa::Signature =
                    self.scalar()?.try_sign(message).map_err(|_| Error::Protocol("the device's own signature"))?;
                Ok(signature.to_bytes().into())
            }
        }
    }
}

/// Whether the server signed the message. Keys and signatures of small order do not count.
#[inline(never)]
pub(crate) fn verify(server_key: &[u8; SERVER_KEY], message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
    VerifyingKey::from_bytes(server_key)
        .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::RandomError;

    /// Gives the same byte for ever.
    struct Stuck(u8);

    impl Random for Stuck {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn a_generator_that_is_stuck_gives_no_key() {
        for byte in [0, 0xff, 0x5a] {
            assert_eq!(DeviceKey::generate(KeyKind::default(), &mut Stuck(byte)).err(), Some(Error::Random));
        }
    }
}
