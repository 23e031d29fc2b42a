use super::Principal;
use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use std::sync::Arc;

/// A power of two.
const SLOTS: usize = 4096;

/// Tokens that were verified a moment ago. Each has one slot that its digest names; a newer one takes it over.
pub(super) struct VerifiedTokens {
    slots: Box<[ArcSwapOption<Verified>]>,
}

/// A verified token.
#[derive(Debug)]
pub(super) struct Verified {
    /// SHA-256 of the whole token.
    pub(super) digest: [u8; 32],
    /// Of the snapshot that it was verified against.
    pub(super) generation: u64,
    /// Of what was known of its user.
    pub(super) ticket: u64,
    /// From when on it counts.
    pub(super) not_before: Timestamp,
    /// Until when it counts.
    pub(super) until: Timestamp,
    /// Who presents it.
    pub(super) principal: Principal,
}

impl VerifiedTokens {
    fn slot(&self, digest: &[u8; 32]) -> &ArcSwapOption<Verified> {
        &self.slots[usize::from(u16::from_le_bytes([digest[0], digest[1]])) % SLOTS]
    }

    /// The token of that digest, when it is the last one in its slot.
    pub(super) fn get<T>(&self, digest: &[u8; 32], take: impl FnOnce(&Verified) -> Option<T>) -> Option<T> {
        let slot = self.slot(digest).load();
        slot.as_deref().filter(|verified| verified.digest == *digest).and_then(take)
    }

    /// Keeps a verified token.
    pub(super) fn put(&self, verified: Verified) {
        let slot = self.slot(&verified.digest);
        slot.store(Some(Arc::new(verified)));
    }
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self { slots: std::iter::repeat_with(ArcSwapOption::empty).take(SLOTS).collect() }
    }
}

impl std::fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VerifiedTokens(..)")
    }
}
