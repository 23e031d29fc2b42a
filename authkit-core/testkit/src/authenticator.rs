//! What an authenticator app does with the secret that it was given.

use authkit_core::wire::totp;
use jiff::Timestamp;

/// The TOTP code at the time `at` of a base32 secret, with or without the spaces that it is shown with.
///
/// # Panics
/// When it is not base32, or `at` lies before 1970.
#[must_use]
#[expect(clippy::expect_used, reason = "a test that was given no secret fails")]
pub fn code(secret: &str, at: Timestamp) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut key, mut buffer, mut bits) = (Vec::new(), 0_u32, 0);
    for digit in secret.bytes().filter(|byte| !matches!(byte, b' ' | b'=')) {
        let value = ALPHABET.iter().position(|known| *known == digit).expect("base32");
        buffer = buffer << 5 | value as u32;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            key.push((buffer >> bits) as u8);
        }
    }
    let seconds = u64::try_from(at.as_second()).expect("a time since 1970");
    totp::code(&key, totp::step(seconds)).iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B, and the last six of its digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ";
        for (seconds, digits) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(code(secret, Timestamp::from_second(seconds).unwrap()), digits);
        }
    }
}
