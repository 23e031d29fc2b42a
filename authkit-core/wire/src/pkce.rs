//! Proof key for code exchange (RFC 7636) without a heap.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

/// Characters of a verifier and of a challenge: 32 bytes in base64url.
pub const LENGTH: usize = 43;

/// The verifier of `random` bytes (RFC 7636, section 4.1).
///
/// ```
/// use authkit_wire::pkce;
/// let verifier = pkce::verifier(&[7; 32]);
/// assert!(pkce::verifies(&verifier, &pkce::challenge(&verifier)));
/// ```
#[must_use]
pub fn verifier(random: &[u8; 32]) -> [u8; LENGTH] {
    encode(random)
}

/// The `S256` challenge of a verifier (RFC 7636, section 4.2). `plain` is not offered.
#[must_use]
pub fn challenge(verifier: &[u8]) -> [u8; LENGTH] {
    encode(&Sha256::digest(verifier).into())
}

/// Whether `challenge` was made of `verifier` (RFC 7636, section 4.6), in constant time.
#[must_use]
pub fn verifies(verifier: &[u8], challenge: &[u8]) -> bool {
    use subtle::ConstantTimeEq;
    self::challenge(verifier).ct_eq(challenge).into()
}

fn encode(bytes: &[u8; 32]) -> [u8; LENGTH] {
    let mut text = [0; LENGTH];
    // 32 bytes are always 43 characters.
    let _ = Base64UrlUnpadded::encode(bytes, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_rfc_7636_appendix_b() {
        let random = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191,
            240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let verifier = verifier(&random);
        assert_eq!(&verifier, b"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(&challenge(&verifier), b"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(verifies(&verifier, b"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
        assert!(!verifies(&verifier, b"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN"));
        assert!(!verifies(&verifier, b""));
    }
}
