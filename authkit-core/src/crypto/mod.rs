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
