use super::{PrivateKey, SigningError};
use crate::ports::Random;
use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, KeyInit as _, Payload},
};
use authkit_wire::device::SERVER_KEY;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::{collections::BTreeMap, fmt};
use zeroize::Zeroizing;

/// A 256-bit master key.
pub type MasterKey = Zeroizing<[u8; 32]>;

/// Something sealed could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// It names a key version that is not configured.
    #[error("sealed under key version {0}, which is not configured")]
    UnknownVersion(u32),
    /// It was changed, cut, or sealed for another purpose.
    #[error("sealed data does not authenticate")]
    Forged,
}

struct Version {
    seal: Aes256Gcm,
    mac: Hmac<Sha256>,
    replay: Zeroizing<[u8; 32]>,
}

/// The installation's key versions. Subkeys for sealing and authentication are derived from each master key with
/// HKDF-SHA-256 (RFC 5869); new data uses the newest version, old data opens under the version that it names.
pub struct Keyring {
    versions: BTreeMap<u32, Version>,
    current: u32,
    index: Hmac<Sha256>,
    index_version: u32,
    server: (PrivateKey, [u8; SERVER_KEY]),
}

fn derive(master: &[u8; 32], label: &str) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    // 32 bytes are always a possible output length.
    let _ = Hkdf::<Sha256>::new(Some(b"authkit"), master).expand(label.as_bytes(), key.as_mut());
    key
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

impl Keyring {
    /// The ring over `masters`, version by version. The highest version seals; the lowest one indexes, so that
    /// rotation leaves the lookup of addresses as it is.
    ///
    /// Returns `None` when `masters` is empty.
    #[must_use]
    pub fn new(masters: &BTreeMap<u32, MasterKey>) -> Option<Self> {
        let (&index_version, oldest) = masters.first_key_value()?;
        let (&current, _) = masters.last_key_value()?;
        let versions = masters
            .iter()
            .map(|(&number, master)| {
                let seal = Aes256Gcm::new(&(*derive(master, "seal")).into());
                (number, Version { seal, mac: hmac(&*derive(master, "mac")), replay: derive(master, "replay") })
            })
            .collect();
        // A seed of 32 bytes is always a key.
        let server = PrivateKey::from_seed(&derive(oldest, "device server")).ok()?;
        Some(Self { versions, current, index: hmac(&*derive(oldest, "index")), index_version, server })
    }

    /// The Ed25519 key by which devices know this installation. Like the index it is the oldest master key's, so that
    /// every node has it and rotation leaves it as it is.
    #[must_use]
    pub const fn server_key(&self) -> &[u8; SERVER_KEY] {
        &self.server.1
    }

    /// Signs what devices are told with that key.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn sign_for_devices(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        self.server.0.sign(message)
    }

    /// The version that new data uses.
    #[must_use]
    pub const fn current(&self) -> u32 {
        self.current
    }

    /// Seals `plain` with AES-256-GCM. `purpose` and `bound` (the row it belongs to) must be the same to open it.
    pub fn seal(&self, random: &dyn Random, purpose: &str, bound: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; 12];
        random.fill(&mut nonce);
        let mut sealed = self.current.to_be_bytes().to_vec();
        sealed.extend_from_slice(&nonce);
        let payload = Payload { msg: plain, aad: &associated(purpose, bound) };
        #[expect(clippy::expect_used, reason = "AES-GCM refuses only messages of 64 GiB and more")]
        let body =
            self.versions[&self.current].seal.encrypt(&Nonce::from(nonce), payload).expect("shorter than 64 GiB");
        sealed.extend_from_slice(&body);
        sealed
    }

    /// Opens what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// When it names an unknown key version, was changed, or was sealed for another `purpose` or `bound`.
    pub fn open(&self, purpose: &str, bound: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        let (number, rest) = sealed.split_first_chunk::<4>().ok_or(KeyringError::Forged)?;
        let (nonce, body) = rest.split_first_chunk::<12>().ok_or(KeyringError::Forged)?;
        let number = u32::from_be_bytes(*number);
        let version = self.versions.get(&number).ok_or(KeyringError::UnknownVersion(number))?;
        version
            .seal
            .decrypt(&Nonce::from(*nonce), Payload { msg: body, aad: &associated(purpose, bound) })
            .map(Zeroizing::new)
            .map_err(|_| KeyringError::Forged)
    }

    /// HMAC-SHA-256 of `parts` under key `version`, each part preceded by its length. `None` for an unknown version.
    #[must_use]
    pub fn mac(&self, version: u32, purpose: &str, parts: &[&[u8]]) -> Option<[u8; 32]> {
        Some(keyed(&self.versions.get(&version)?.mac, purpose, parts))
    }

    /// HMAC-SHA-256 under the newest version.
    #[must_use]
    pub fn mac_current(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        keyed(&self.versions[&self.current].mac, purpose, parts)
    }

    /// A keyed hash for finding rows by a value that is not stored in the clear. It stays the same when keys are added,
    /// and as long as the oldest one is configured. Its first byte is the lowest byte of that one's version.
    #[must_use]
    pub fn index(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 33] {
        let mut index = [self.index_version as u8; 33];
        index[1..].copy_from_slice(&keyed(&self.index, purpose, parts));
        index
    }

    /// A sealing key that only the holder of `secret` can derive again (and only here): for answers that are
    /// replayed to the presenter of a token that is itself stored hashed.
    #[must_use]
    pub fn presented(&self, version: u32, secret: &[u8]) -> Option<PresentedKey> {
        let salt = &self.versions.get(&version)?.replay;
        let mut key = Zeroizing::new([0; 32]);
        let _ = Hkdf::<Sha256>::new(Some(&salt[..]), secret).expand(b"authkit replay", key.as_mut());
        Some(PresentedKey(Aes256Gcm::new(&(*key).into())))
    }
}

/// A key derived from a presented token.
pub struct PresentedKey(Aes256Gcm);

impl PresentedKey {
    /// Seals `plain`.
    pub fn seal(&self, random: &dyn Random, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; 12];
        random.fill(&mut nonce);
        #[expect(clippy::expect_used, reason = "AES-GCM refuses only messages of 64 GiB and more")]
        let body = self.0.encrypt(&Nonce::from(nonce), plain).expect("shorter than 64 GiB");
        [&nonce[..], &body].concat()
    }

    /// Opens what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// When it was changed or sealed under another token.
    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        let (nonce, body) = sealed.split_first_chunk::<12>().ok_or(KeyringError::Forged)?;
        self.0.decrypt(&Nonce::from(*nonce), body).map(Zeroizing::new).map_err(|_| KeyringError::Forged)
    }
}

fn associated(purpose: &str, bound: &[u8]) -> Vec<u8> {
    [&(purpose.len() as u32).to_be_bytes()[..], purpose.as_bytes(), bound].concat()
}

fn keyed(mac: &Hmac<Sha256>, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = mac.clone();
    for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("current", &self.current).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::SeededRandom;

    fn ring(versions: &[u32]) -> Keyring {
        let masters = versions.iter().map(|&v| (v, Zeroizing::new([v as u8; 32]))).collect();
        Keyring::new(&masters).expect("not empty")
    }

    #[test]
    fn sealed_data_opens_only_for_its_purpose_and_row() {
        let (ring, random) = (ring(&[1]), SeededRandom::new(1));
        let sealed = ring.seal(&random, "totp", b"usr_1", b"secret");
        assert_eq!(ring.open("totp", b"usr_1", &sealed).as_deref().map(Vec::as_slice), Ok(&b"secret"[..]));
        assert_eq!(ring.open("totp", b"usr_2", &sealed), Err(KeyringError::Forged));
        assert_eq!(ring.open("mail", b"usr_1", &sealed), Err(KeyringError::Forged));
        assert_eq!(ring.open("tot", b"pusr_1", &sealed), Err(KeyringError::Forged));
        assert_eq!(ring.open("totp", b"usr_1", &sealed[..10]), Err(KeyringError::Forged));
    }

    #[test]
    fn rotation_keeps_old_data_readable_and_the_index_stable() {
        let (old, new, random) = (ring(&[1]), ring(&[1, 2]), SeededRandom::new(1));
        let sealed = old.seal(&random, "totp", b"", b"secret");
        assert!(new.open("totp", b"", &sealed).is_ok());
        assert_eq!(old.index("email", &[b"a"]), new.index("email", &[b"a"]));
        assert_eq!(old.server_key(), new.server_key());
        assert_ne!(old.server_key(), ring(&[2]).server_key());
        let fresh = new.seal(&random, "totp", b"", b"secret");
        assert_eq!(old.open("totp", b"", &fresh), Err(KeyringError::UnknownVersion(2)));
    }

    #[test]
    fn what_devices_are_told_verifies_under_the_servers_key() {
        let ring = ring(&[1]);
        let signature = ring.sign_for_devices(b"told").expect("signs");
        let public = super::super::PublicKey::from_device(authkit_wire::device::KeyAlgorithm::EdDsa, ring.server_key());
        assert!(public.is_some_and(|key| key.verify(b"told", &signature) && !key.verify(b"tolt", &signature)));
    }

    #[test]
    fn parts_cannot_be_shifted_into_each_other() {
        let ring = ring(&[1]);
        assert_ne!(ring.mac_current("x", &[b"ab", b"c"]), ring.mac_current("x", &[b"a", b"bc"]));
    }
}
