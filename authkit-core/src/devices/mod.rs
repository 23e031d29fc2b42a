//! Devices: claimed by their owner with a code, and signing in with a key of their own instead of a password.
//!
//! What device and server sign for each other is in [`wire::device`](authkit_wire::device). A challenge is a text that
//! authenticates itself, so asking for one writes nothing; its use is a unique row, so that it counts once.

mod challenge;
mod claim;
mod claims;
mod guesses;
mod heartbeat;
mod manage;
mod model;
mod principal;
mod proof;
mod store;
mod text;
mod token;

#[cfg(test)]
mod tests;

pub use model::{Device, DeviceClaim, UsedClaim};
pub use principal::{DeviceClaims, DevicePrincipal};
pub use store::{DeviceChange, DeviceFilter, DeviceStore};

use crate::Context;
use jiff::SignedDuration;
use std::sync::Arc;

/// Open claims of one user, at most.
const OPEN_CLAIMS: u32 = 10;

/// How long a used claim answers the device that used it: a power cut may have taken the first answer.
const REPEATS: SignedDuration = SignedDuration::from_hours(24);

/// How much longer than it counts the use of a challenge is remembered, should a clock be set back.
pub(crate) const CHALLENGES_KEPT: SignedDuration = SignedDuration::from_mins(10);

/// Devices and what they do.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> authkit_core::Result<()> {
/// use authkit_core::{Origin, Settings, devices::Devices, memory, tenants::DEFAULT_TENANT};
/// use authkit_core::wire::{DeviceChallengeRequest, DeviceId, device::Purpose};
///
/// let cx = memory::context(memory::SystemClock, memory::SystemRandom, Settings::default()).await?;
/// let request = DeviceChallengeRequest {
///     purpose: Purpose::Token,
///     nonce: "AAECAwQFBgcICQoLDA0ODw".into(),
///     public_key: None,
///     algorithm: None,
///     device_id: Some(DeviceId::new(cx.uuid())),
/// };
/// // Alike for devices that exist and others.
/// let challenge = Devices::new(cx).challenge(&Origin::local(DEFAULT_TENANT), &request)?;
/// assert!(challenge.challenge.starts_with("akd_"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Devices {
    cx: Arc<Context>,
}

impl Devices {
    /// The service over `cx`.
    #[must_use]
    pub const fn new(cx: Arc<Context>) -> Self {
        Self { cx }
    }
}
