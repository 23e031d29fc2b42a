//! How long to wait before the next try.

use crate::{error::Error, ports::Random};

/// Exponential waiting with full jitter: each wait is a random part of a limit that doubles, so that a fleet that lost its
/// server together does not come back together.
///
/// ```
/// # use authkit_firmware_client::{Backoff, Error, Random, RandomError};
/// # struct Chip;
/// # impl Random for Chip {
/// #     fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> { bytes.fill(0x80); Ok(()) }
/// # }
/// let mut backoff = Backoff::new(1_000, 60_000);
/// let first = backoff.after(Error::Network, &mut Chip);
/// assert!(first <= 1_000);
/// assert!(backoff.after(Error::Busy { retry_after: Some(30) }, &mut Chip) >= 30_000);
/// backoff.succeeded();
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    base: u64,
    most: u64,
    limit: u64,
}

impl Backoff {
    /// The first limit and the largest one, in milliseconds.
    #[must_use]
    pub const fn new(base: u64, most: u64) -> Self {
        Self { base, most, limit: base }
    }

    /// Milliseconds to wait after this failure; never less than what the server asked for.
    pub fn after(&mut self, error: Error, random: &mut impl Random) -> u64 {
        let mut bytes = [0; 4];
        // Without randomness the whole limit is waited: too long is harmless.
        let part = random.fill(&mut bytes).map_or(u32::MAX, |()| u32::from_le_bytes(bytes));
        let jittered = u64::try_from((u128::from(self.limit) * u128::from(part)) >> 32).unwrap_or(self.limit);
        self.limit = self.limit.saturating_mul(2).min(self.most);
        match error.retry_after() {
            Some(seconds) => jittered.saturating_add(u64::from(seconds) * 1_000),
            None => jittered,
        }
    }

    /// The largest limit, for what only a person can change: [`Error::Refused`].
    #[must_use]
    pub const fn longest(&self) -> u64 {
        self.most
    }

    /// Begins anew.
    pub fn succeeded(&mut self) {
        self.limit = self.base;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::RandomError;

    struct Fixed(u8);
    impl Random for Fixed {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn waits_double_up_to_the_most_and_begin_anew_after_success() {
        let mut backoff = Backoff::new(1_000, 5_000);
        let waits = [(); 5].map(|()| backoff.after(Error::Network, &mut Fixed(0xff)));
        assert_eq!(waits, [999, 1_999, 3_999, 4_999, 4_999]);
        backoff.succeeded();
        assert_eq!(backoff.after(Error::Network, &mut Fixed(0x80)), 501);
        assert_eq!(backoff.after(Error::Network, &mut Fixed(0)), 0);
        assert_eq!(backoff.after(Error::Busy { retry_after: Some(7) }, &mut Fixed(0)), 7_000);
        assert_eq!(backoff.longest(), 5_000);
    }
}
