use super::{Keyring, sha256};
use crate::ports::Random;
use authkit_wire::{Secret, TenantId};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// What an opaque token is for. A token of one kind never passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OpaqueKind {
    /// Continues a session; `id` is the session.
    Refresh,
    /// Proves a registration; `id` is the registration.
    Verify,
    /// Resets a password.
    Reset,
    /// Proves a new address.
    EmailChange,
    /// Takes an address change back.
    EmailUndo,
    /// Holds an attempt that waits for its second factor.
    Mfa,
    /// Activates an account again that its owner switched off.
    Reactivate,
}

impl OpaqueKind {
    /// The readable start of such a token, so that scanners find a leaked one.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Refresh => "akr_",
            Self::Verify => "akv_",
            Self::Reset => "akp_",
            Self::EmailChange => "ake_",
            Self::EmailUndo => "aku_",
            Self::Mfa => "akm_",
            Self::Reactivate => "aka_",
        }
    }
}

/// An opaque token: `prefix ‖ base64url(version ‖ tenant ‖ id ‖ 256 random bits ‖ 128-bit tag)`.
///
/// The tag authenticates everything before it under the installation's key. So a forged token is refused without any
/// read, a token names its row and its tenant, and an *old* refresh token is told from a made-up one
/// although only the newest hash is stored. The database holds [`hash`](Self::hash) only.
pub struct OpaqueToken {
    /// The tenant of its row.
    pub tenant: TenantId,
    /// The row.
    pub id: Uuid,
    /// The version of the key that authenticates it.
    pub version: u32,
    text: Secret,
}

const BODY: usize = 4 + 16 + 16 + 32;
const TAG: usize = 16;

impl OpaqueToken {
    /// A fresh token for the row `id`.
    pub fn generate(keyring: &Keyring, random: &dyn Random, kind: OpaqueKind, tenant: TenantId, id: Uuid) -> Self {
        let mut bytes = [0; BODY + TAG];
        let version = keyring.current();
        bytes[..4].copy_from_slice(&version.to_be_bytes());
        bytes[4..20].copy_from_slice(tenant.uuid().as_bytes());
        bytes[20..36].copy_from_slice(id.as_bytes());
        random.fill(&mut bytes[36..BODY]);
        let tag = keyring.mac_current(kind.prefix(), &[&bytes[..BODY]]);
        bytes[BODY..].copy_from_slice(&tag[..TAG]);
        let text = format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(bytes));
        Self { tenant, id, version, text: text.into() }
    }

    /// Reads a presented token. `None` when it is not one that this installation made for `kind`.
    #[must_use]
    pub fn parse(keyring: &Keyring, kind: OpaqueKind, text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(kind.prefix())?;
        let mut bytes = [0; BODY + TAG];
        // Padding, other alphabets and trailing bits are refused: a token has one spelling.
        if URL_SAFE_NO_PAD.decode_slice(encoded, &mut bytes).ok()? != BODY + TAG {
            return None;
        }
        let version = u32::from_be_bytes(bytes[..4].try_into().ok()?);
        let tag = keyring.mac(version, kind.prefix(), &[&bytes[..BODY]])?;
        bool::from(tag[..TAG].ct_eq(&bytes[BODY..])).then_some(())?;
        Some(Self {
            tenant: TenantId::new(Uuid::from_slice(&bytes[4..20]).ok()?),
            id: Uuid::from_slice(&bytes[20..36]).ok()?,
            version,
            text: text.into(),
        })
    }

    /// The token as its holder gets it.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.text
    }

    /// What the store keeps: SHA-256 of the text.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.text.expose().as_bytes())
    }

    /// Whether this is the token that `hash` was stored of, in constant time.
    #[must_use]
    pub fn matches(&self, hash: &[u8]) -> bool {
        self.hash().ct_eq(hash).into()
    }
}

impl std::fmt::Debug for OpaqueToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpaqueToken").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::SeededRandom;
    use std::collections::BTreeMap;

    #[test]
    fn a_token_is_read_back_and_nothing_else_is() {
        let ring = Keyring::new(&BTreeMap::from([(1, [7; 32].into())])).expect("one key");
        let random = SeededRandom::new(1);
        let (tenant, id) = (TenantId::new(Uuid::from_u128(1)), Uuid::from_u128(2));
        let token = OpaqueToken::generate(&ring, &random, OpaqueKind::Reset, tenant, id);
        let text = token.secret().expose().to_owned();
        let read = OpaqueToken::parse(&ring, OpaqueKind::Reset, &text).expect("its own");
        assert_eq!((read.tenant, read.id, read.matches(&token.hash())), (tenant, id, true));
        assert_eq!(format!("{read:?}"), format!("OpaqueToken {{ id: {id:?}, .. }}"));

        assert!(OpaqueToken::parse(&ring, OpaqueKind::Refresh, &text.replace("akp_", "akr_")).is_none());
        assert!(OpaqueToken::parse(&ring, OpaqueKind::Reset, &format!("{text}=")).is_none());
        assert!(OpaqueToken::parse(&ring, OpaqueKind::Reset, &text[..text.len() - 1]).is_none());
        for at in 4..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert!(OpaqueToken::parse(&ring, OpaqueKind::Reset, &changed).is_none(), "changed at {at}");
        }
    }
}
