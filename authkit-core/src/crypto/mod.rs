//! Keys and the three things done with them: sealing at rest, authenticating, and indexing by keyed hash.

mod keyring;
mod opaque;

pub use keyring::{Keyring, KeyringError, MasterKey};
pub use opaque::{OpaqueKind, OpaqueToken};

use sha2::{Digest, Sha256};

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
