//! Time-based one-time passwords (RFC 6238 over HMAC-SHA-1, six digits, 30 seconds) without a heap.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// Seconds that one code is shown.
pub const PERIOD: u64 = 30;

/// The time step (RFC 6238, section 4.2) of `unix_seconds`.
#[must_use]
pub const fn step(unix_seconds: u64) -> u64 {
    unix_seconds / PERIOD
}

/// The six ASCII digits for `step` (RFC 4226, section 5.3).
#[must_use]
pub fn code(secret: &[u8], step: u64) -> [u8; 6] {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else { return *b"------" };
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest[19] & 0x0f);
    let mut number =
        u32::from_be_bytes([digest[offset] & 0x7f, digest[offset + 1], digest[offset + 2], digest[offset + 3]])
            % 1_000_000;
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    digits
}

/// The step that `candidate` is the code of: the one at `unix_seconds`, the one before or the one after
/// (RFC 6238, section 5.2). The comparison takes the same time whatever the candidate.
#[must_use]
pub fn matching_step(secret: &[u8], unix_seconds: u64, candidate: &str) -> Option<u64> {
    let now = step(unix_seconds);
    let mut found = None;
    for step in [now.saturating_sub(1), now, now + 1] {
        if bool::from(code(secret, step).ct_eq(candidate.as_bytes())) {
            found = Some(step);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        for (time, expected) in [
            (59, b"287082"),
            (1_111_111_109, b"081804"),
            (1_111_111_111, b"050471"),
            (1_234_567_890, b"005924"),
            (2_000_000_000, b"279037"),
            (20_000_000_000, b"353130"),
        ] {
            assert_eq!(&code(SECRET, step(time)), expected);
        }
    }

    #[test]
    fn one_step_either_side_is_accepted_and_no_more() {
        let at = |s: u64| core::str::from_utf8(&code(SECRET, s)).map(|c| matching_step(SECRET, 100 * PERIOD, c));
        assert_eq!(at(98), Ok(None));
        assert_eq!(at(99), Ok(Some(99)));
        assert_eq!(at(100), Ok(Some(100)));
        assert_eq!(at(101), Ok(Some(101)));
        assert_eq!(at(102), Ok(None));
        assert_eq!(matching_step(SECRET, 59, ""), None);
    }
}
