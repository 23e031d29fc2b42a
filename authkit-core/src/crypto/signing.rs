//! Signatures of access tokens, devices and this server: aws-lc-rs on native targets, jsonwebtoken's RustCrypto on wasm32.

use crate::{SigningAlgorithm, ports::Random};
use authkit_wire::device::{KeyAlgorithm, SERVER_KEY};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use zeroize::Zeroizing;

#[cfg(not(target_arch = "wasm32"))]
use native as backend;
#[cfg(target_arch = "wasm32")]
use wasm as backend;

/// A signing key could not be made, read or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// The key is not one of the algorithm.
    #[error("the signing key cannot be read")]
    Unreadable,
    /// This target has no code for it.
    #[error("this target cannot make or use private keys of the algorithm")]
    Unsupported,
    /// The library refused.
    #[error("the signature could not be made")]
    Failed,
}

/// PKCS#8 (RFC 5958, RFC 8410) of an Ed25519 seed, up to the seed.
const ED25519_PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The private half of a key, ready to sign.
pub struct PrivateKey(backend::Private);

impl PrivateKey {
    /// Makes a key; its PKCS#8.
    ///
    /// # Errors
    /// When the target cannot make keys of the algorithm.
    pub fn generate(algorithm: SigningAlgorithm, random: &dyn Random) -> Result<Zeroizing<Vec<u8>>, SigningError> {
        if algorithm == SigningAlgorithm::EdDsa {
            let mut seed = Zeroizing::new([0; 32]);
            random.fill(&mut *seed);
            return Ok(Zeroizing::new([&ED25519_PKCS8[..], &seed[..]].concat()));
        }
        backend::generate(algorithm)
    }

    /// The Ed25519 key of a seed, and its public half.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn from_seed(seed: &[u8; 32]) -> Result<(Self, [u8; SERVER_KEY]), SigningError> {
        let pkcs8 = Zeroizing::new([&ED25519_PKCS8[..], seed].concat());
        let key = Self::from_pkcs8(SigningAlgorithm::EdDsa, &pkcs8)?;
        let jwk = key.public_jwk()?;
        let public = jwk["x"].as_str().and_then(|x| URL_SAFE_NO_PAD.decode(x).ok());
        let public = public.and_then(|x| x.try_into().ok()).ok_or(SigningError::Unreadable)?;
        Ok((key, public))
    }

    /// Reads PKCS#8.
    ///
    /// # Errors
    /// When it is not a key of the algorithm.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, SigningError> {
        backend::Private::from_pkcs8(algorithm, pkcs8).map(Self)
    }

    /// Signs `message` (RFC 7518, section 3; RFC 8037, section 3.1).
    ///
    /// # Errors
    /// When the library refuses.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        self.0.sign(message)
    }

    /// The public half as a JWK without `kid`, `alg` and `use`.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn public_jwk(&self) -> Result<Value, SigningError> {
        self.0.public_jwk()
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

/// The public half of a key, ready to verify.
pub struct PublicKey(backend::Public);

impl PublicKey {
    /// Reads a public JWK (RFC 7517). `None` when it is not one of `algorithm`.
    #[must_use]
    pub fn from_jwk(algorithm: SigningAlgorithm, jwk: &Value) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        let kind = match algorithm {
            SigningAlgorithm::EdDsa => (Some("OKP"), Some("Ed25519")),
            SigningAlgorithm::Es256 => (Some("EC"), Some("P-256")),
            SigningAlgorithm::Rs256 => (Some("RSA"), None),
        };
        if (text("kty"), text("crv")) != kind {
            return None;
        }
        let parts = match algorithm {
            SigningAlgorithm::EdDsa => Parts::One(bytes("x")?),
            SigningAlgorithm::Es256 => Parts::Two(bytes("x")?, bytes("y")?),
            SigningAlgorithm::Rs256 => Parts::Two(bytes("n")?, bytes("e")?),
        };
        backend::Public::new(algorithm, &parts).map(Self)
    }

    /// Reads a device's key. `None` when it has another length or form than the algorithm's, or is an Ed25519 key of small
    /// order, for which anybody can make signatures.
    #[must_use]
    pub fn from_device(algorithm: KeyAlgorithm, bytes: &[u8]) -> Option<Self> {
        if bytes.len() != algorithm.key_length() {
            return None;
        }
        match algorithm {
            KeyAlgorithm::EdDsa if has_small_order(bytes) => None,
            KeyAlgorithm::EdDsa => backend::Public::new(SigningAlgorithm::EdDsa, &Parts::One(bytes.to_vec())),
            // SEC 1, section 2.3.3: 04 ‖ x ‖ y.
            KeyAlgorithm::Es256 if bytes[0] == 4 => {
                let (x, y) = bytes[1..].split_at(32);
                backend::Public::new(SigningAlgorithm::Es256, &Parts::Two(x.to_vec(), y.to_vec()))
            }
            _ => None,
        }
        .map(Self)
    }

    /// Whether `signature` is this key's over `message`.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify(message, signature)
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PublicKey(..)")
    }
}

/// The numbers of a public key.
enum Parts {
    One(Vec<u8>),
    Two(Vec<u8>, Vec<u8>),
}

/// Whether an encoded Edwards point (RFC 8032, section 5.1.2) has an order of at most 8, in any encoding. It is told by
/// its y, without the sign of x: 0, 1, −1 and two more; 0 and 1 also plus p = 2²⁵⁵ − 19 (the others would be too long).
fn has_small_order(point: &[u8]) -> bool {
    const EIGHTH: [[u8; 32]; 2] = [
        [
            199, 23, 106, 112, 61, 77, 216, 79, 186, 60, 11, 118, 13, 16, 103, 15, 42, 32, 83, 250, 44, 57, 204, 198,
            78, 199, 253, 119, 146, 172, 3, 122,
        ],
        [
            38, 232, 149, 143, 194, 178, 39, 176, 69, 195, 244, 137, 242, 239, 152, 240, 213, 223, 172, 5, 211, 198,
            51, 57, 177, 56, 2, 136, 109, 83, 252, 5,
        ],
    ];
    // The low bytes of p − 1, p and p + 1, whose other bits are all ones.
    const AT_P: [u8; 3] = [0xec, 0xed, 0xee];
    let Ok(mut y) = <[u8; 32]>::try_from(point) else { return false };
    y[31] &= 0x7f;
    let small = y[0] <= 1 && y[1..] == [0; 31];
    let at_p = AT_P.contains(&y[0]) && y[1..31] == [0xff; 30] && y[31] == 0x7f;
    small || at_p || EIGHTH.contains(&y)
}

fn okp(x: &[u8]) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(x) })
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use super::*;
    use aws_lc_rs::{
        encoding::AsDer,
        rand::SystemRandom,
        rsa::{KeySize, PublicKeyComponents},
        signature::{
            ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
            ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
        },
    };

    pub(super) enum Private {
        Ed(Ed25519KeyPair),
        Ec(EcdsaKeyPair),
        Rsa(RsaKeyPair),
    }

    pub(super) fn generate(algorithm: SigningAlgorithm) -> Result<Zeroizing<Vec<u8>>, SigningError> {
        match algorithm {
            // Made from the randomness port by the caller.
            SigningAlgorithm::EdDsa => Err(SigningError::Unsupported),
            SigningAlgorithm::Es256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                    .map(|document| Zeroizing::new(document.as_ref().to_vec()))
                    .map_err(|_| SigningError::Failed)
            }
            SigningAlgorithm::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa3072).map_err(|_| SigningError::Failed)?;
                let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().map_err(|_| SigningError::Failed)?;
                Ok(Zeroizing::new(der.as_ref().to_vec()))
            }
        }
    }

    impl Private {
        pub(super) fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, SigningError> {
            match algorithm {
                SigningAlgorithm::EdDsa => Ed25519KeyPair::from_pkcs8(pkcs8).map(Self::Ed),
                SigningAlgorithm::Es256 => {
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map(Self::Ec)
                }
                SigningAlgorithm::Rs256 => RsaKeyPair::from_pkcs8(pkcs8).map(Self::Rsa),
            }
            .map_err(|_| SigningError::Unreadable)
        }

        pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
            match self {
                Self::Ed(pair) => pair.try_sign(message).map(|signature| signature.as_ref().to_vec()),
                Self::Ec(pair) => pair.sign(&SystemRandom::new(), message).map(|signature| signature.as_ref().to_vec()),
                Self::Rsa(pair) => {
                    let mut signature = vec![0; pair.public_modulus_len()];
                    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).map(|()| signature)
                }
            }
            .map_err(|_| SigningError::Failed)
        }

        pub(super) fn public_jwk(&self) -> Result<Value, SigningError> {
            Ok(match self {
                Self::Ed(pair) => okp(pair.public_key().as_ref()),
                Self::Ec(pair) => {
                    // SEC 1, section 2.3.3: 04 ‖ x ‖ y.
                    let point = pair.public_key().as_ref();
                    let (Some(4), Some(x), Some(y)) = (point.first(), point.get(1..33), point.get(33..65)) else {
                        return Err(SigningError::Unreadable);
                    };
                    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
                    json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
                }
                Self::Rsa(pair) => {
                    let public = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                    let (n, e) = (URL_SAFE_NO_PAD.encode(public.n), URL_SAFE_NO_PAD.encode(public.e));
                    json!({ "kty": "RSA", "n": n, "e": e })
                }
            })
        }
    }

    pub(super) struct Public(ParsedPublicKey);

    impl Public {
        pub(super) fn new(algorithm: SigningAlgorithm, parts: &Parts) -> Option<Self> {
            match (algorithm, parts) {
                (SigningAlgorithm::EdDsa, Parts::One(x)) => ParsedPublicKey::new(&ED25519, x).ok(),
                (SigningAlgorithm::Es256, Parts::Two(x, y)) => {
                    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [&[4], &x[..], y].concat()).ok()
                }
                (SigningAlgorithm::Rs256, Parts::Two(n, e)) => {
                    PublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()
                }
                _ => None,
            }
            .map(Self)
        }

        pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
            self.0.verify_sig(message, signature).is_ok()
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod wasm {
    use super::*;
    use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto, jwk::AlgorithmParameters, jwk::Jwk};

    pub(super) struct Private(EncodingKey);

    pub(super) fn generate(_: SigningAlgorithm) -> Result<Zeroizing<Vec<u8>>, SigningError> {
        Err(SigningError::Unsupported)
    }

    const fn named(algorithm: SigningAlgorithm) -> Algorithm {
        match algorithm {
            SigningAlgorithm::EdDsa => Algorithm::EdDSA,
            SigningAlgorithm::Es256 => Algorithm::ES256,
            SigningAlgorithm::Rs256 => Algorithm::RS256,
        }
    }

    impl Private {
        pub(super) fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, SigningError> {
            match algorithm {
                SigningAlgorithm::EdDsa => Ok(Self(EncodingKey::from_ed_der(pkcs8))),
                _ => Err(SigningError::Unsupported),
            }
        }

        pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
            let text = crypto::sign(message, &self.0, Algorithm::EdDSA).map_err(|_| SigningError::Failed)?;
            URL_SAFE_NO_PAD.decode(text).map_err(|_| SigningError::Failed)
        }

        pub(super) fn public_jwk(&self) -> Result<Value, SigningError> {
            let jwk = Jwk::from_encoding_key(&self.0, Algorithm::EdDSA).map_err(|_| SigningError::Failed)?;
            let AlgorithmParameters::OctetKeyPair(pair) = jwk.algorithm else { return Err(SigningError::Failed) };
            Ok(okp(&URL_SAFE_NO_PAD.decode(pair.x).map_err(|_| SigningError::Failed)?))
        }
    }

    pub(super) struct Public(Algorithm, DecodingKey);

    impl Public {
        pub(super) fn new(algorithm: SigningAlgorithm, parts: &Parts) -> Option<Self> {
            let key = match (algorithm, parts) {
                (SigningAlgorithm::EdDsa, Parts::One(x)) => DecodingKey::from_ed_der(x),
                (SigningAlgorithm::Es256, Parts::Two(x, y)) => DecodingKey::from_ec_der(&[&[4], &x[..], y].concat()),
                (SigningAlgorithm::Rs256, Parts::Two(n, e)) => DecodingKey::from_rsa_raw_components(n, e),
                _ => return None,
            };
            Some(Self(named(algorithm), key))
        }

        pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
            crypto::verify(&URL_SAFE_NO_PAD.encode(signature), message, &self.1, self.0).unwrap_or(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::SeededRandom;

    #[test]
    fn each_algorithm_verifies_its_own_signatures_and_no_others() {
        let random = SeededRandom::new(1);
        for algorithm in [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256, SigningAlgorithm::Rs256] {
            let pkcs8 = PrivateKey::generate(algorithm, &random).unwrap();
            let private = PrivateKey::from_pkcs8(algorithm, &pkcs8).unwrap();
            let public = PublicKey::from_jwk(algorithm, &private.public_jwk().unwrap()).unwrap();
            let mut signature = private.sign(b"message").unwrap();
            assert!(public.verify(b"message", &signature), "{algorithm:?}");
            assert!(!public.verify(b"massage", &signature), "{algorithm:?}");
            assert!(!public.verify(b"message", &signature[1..]), "{algorithm:?}");
            assert!(!public.verify(b"message", b""), "{algorithm:?}");
            signature[7] ^= 1;
            assert!(!public.verify(b"message", &signature), "{algorithm:?}");
        }
    }

    #[test]
    fn a_key_is_not_read_as_another_algorithms() {
        let random = SeededRandom::new(1);
        let pkcs8 = PrivateKey::generate(SigningAlgorithm::EdDsa, &random).unwrap();
        let jwk = PrivateKey::from_pkcs8(SigningAlgorithm::EdDsa, &pkcs8).unwrap().public_jwk().unwrap();
        assert!(PublicKey::from_jwk(SigningAlgorithm::Es256, &jwk).is_none());
        assert!(PublicKey::from_jwk(SigningAlgorithm::Rs256, &jwk).is_none());
        assert_eq!(PrivateKey::from_pkcs8(SigningAlgorithm::Es256, &pkcs8).err(), Some(SigningError::Unreadable));
    }

    #[test]
    fn a_devices_key_is_read_in_its_own_form_only() {
        let random = SeededRandom::new(1);
        let point = |name: &str, jwk: &Value| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        for (signing, algorithm) in
            [(SigningAlgorithm::EdDsa, KeyAlgorithm::EdDsa), (SigningAlgorithm::Es256, KeyAlgorithm::Es256)]
        {
            let pkcs8 = PrivateKey::generate(signing, &random).unwrap();
            let private = PrivateKey::from_pkcs8(signing, &pkcs8).unwrap();
            let jwk = private.public_jwk().unwrap();
            let bytes = match algorithm {
                KeyAlgorithm::EdDsa => point("x", &jwk),
                _ => [vec![4], point("x", &jwk), point("y", &jwk)].concat(),
            };
            let public = PublicKey::from_device(algorithm, &bytes).unwrap();
            assert!(public.verify(b"message", &private.sign(b"message").unwrap()));
            assert!(PublicKey::from_device(algorithm, &bytes[1..]).is_none());
            assert!(PublicKey::from_device(algorithm, &[&bytes[..], &[0]].concat()).is_none());
        }
        // Compressed, at infinity, and beside the curve.
        let mut bytes = [7; 65];
        for first in [0, 2, 3, 4] {
            bytes[0] = first;
            assert!(PublicKey::from_device(KeyAlgorithm::Es256, &bytes).is_none(), "{first}");
        }
    }

    #[test]
    fn a_device_key_of_small_order_is_none() {
        for y in [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ] {
            let byte = |at: usize| u8::from_str_radix(&y[2 * at..2 * at + 2], 16).unwrap();
            let mut point: Vec<u8> = (0..32).map(byte).collect();
            for _ in 0..2 {
                assert!(PublicKey::from_device(KeyAlgorithm::EdDsa, &point).is_none(), "{y}");
                point[31] ^= 0x80;
            }
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_private_key() {
        let pkcs8 = PrivateKey::generate(SigningAlgorithm::EdDsa, &SeededRandom::new(1)).unwrap();
        let private = PrivateKey::from_pkcs8(SigningAlgorithm::EdDsa, &pkcs8).unwrap();
        assert_eq!(format!("{private:?}"), "PrivateKey(..)");
    }
}
