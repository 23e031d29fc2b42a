use super::SigningKey;
use crate::{
    Settings, SigningAlgorithm,
    crypto::{Keyring, PrivateKey, PublicKey, SigningError},
    ports::Random,
};
use authkit_wire::KeyId;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// What seals private keys, bound to the key's id.
const PURPOSE: &str = "signing-key";

/// The signing keys as this node uses them: read, opened and prepared once. Revoked keys are not among them.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    keys: Vec<Key>,
}

/// A prepared key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// `kid`.
    pub(super) id: KeyId,
    /// `alg`.
    pub(super) alg: &'static str,
    /// The first segment of the tokens that AuthKit signs with it.
    pub(super) header: Arc<str>,
    active_at: Timestamp,
    retired_at: Option<Timestamp>,
    public: Arc<PublicKey>,
    private: Option<Arc<PrivateKey>>,
    jwk: Arc<Value>,
}

impl KeySet {
    /// Prepares `stored`, taking over what `known` has of the same keys.
    pub(super) fn new(stored: &[SigningKey], keyring: &Keyring, known: &Self) -> Self {
        let live = stored.iter().filter(|key| key.revoked_at.is_none());
        let keys = live.filter_map(|key| match known.find(key.id) {
            Some(known) => Some(Key { active_at: key.active_at, retired_at: key.retired_at, ..known.clone() }),
            None => Key::read(key, keyring),
        });
        Self { keys: keys.collect() }
    }

    /// Whether both hold the same keys in the same state.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let state = |key: &Key| (key.id, key.active_at, key.retired_at);
        self.keys.iter().map(state).eq(other.keys.iter().map(state))
    }

    /// The key that signs at `now`.
    pub(super) fn signer(&self, now: Timestamp) -> Option<&Key> {
        let usable = self.keys.iter().filter(|key| {
            key.private.is_some() && key.active_at <= now && key.retired_at.is_none_or(|retired| now < retired)
        });
        usable.max_by_key(|key| (key.active_at, key.id))
    }

    /// The key whose tokens start with `header`.
    pub(super) fn by_header(&self, header: &str) -> Option<&Key> {
        self.keys.iter().find(|key| *key.header == *header)
    }

    /// The key of that `kid`.
    pub(super) fn find(&self, id: KeyId) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// The JWK set (RFC 7517, section 5): keys whose tokens may still count at `now`, and those to come.
    pub(super) fn jwks(&self, settings: &Settings, now: Timestamp) -> Value {
        let live = self.keys.iter().filter(|key| !is_spent(key.retired_at, settings, now));
        json!({ "keys": live.map(|key| &*key.jwk).collect::<Vec<_>>() })
    }
}

impl Key {
    fn read(stored: &SigningKey, keyring: &Keyring) -> Option<Self> {
        let jwk: Value = serde_json::from_str(&stored.public).unwrap_or_default();
        let Some(public) = PublicKey::from_jwk(stored.algorithm, &jwk) else {
            tracing::error!(key = %stored.id, "the stored public key cannot be read; its tokens are refused");
            return None;
        };
        let private = open_private(stored, keyring);
        if private.is_none() {
            tracing::error!(key = %stored.id, "the private key cannot be opened with the configured master keys");
        }
        let alg = stored.algorithm.as_str();
        let header = format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":"{}"}}"#, stored.id);
        Some(Self {
            id: stored.id,
            alg,
            header: URL_SAFE_NO_PAD.encode(header).into(),
            active_at: stored.active_at,
            retired_at: stored.retired_at,
            public: Arc::new(public),
            private: private.map(Arc::new),
            jwk: Arc::new(jwk),
        })
    }

    /// Whether `signature` is this key's over `message`.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify(message, signature)
    }

    /// Whether the key was in use at `second`, give or take `leeway` seconds. So a key that has retired, and whose
    /// private half leaks from a backup, makes no new tokens.
    pub(super) fn was_in_use(&self, second: i64, leeway: i64) -> bool {
        self.active_at.as_second() <= second.saturating_add(leeway)
            && self.retired_at.is_none_or(|retired| second <= retired.as_second().saturating_add(leeway))
    }

    /// Signs `message`.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        self.private.as_ref().ok_or(SigningError::Unreadable)?.sign(message)
    }
}

/// Whether nothing that a key signed before it retired can count any more.
pub(super) fn is_spent(retired_at: Option<Timestamp>, settings: &Settings, now: Timestamp) -> bool {
    let last = settings.tokens.access.max(settings.tokens.device) + settings.tokens.leeway * 2;
    retired_at.is_some_and(|retired| retired.saturating_add(last).is_ok_and(|gone| gone <= now))
}

/// The private half of a stored key, when it can be opened.
pub(super) fn open_private(stored: &SigningKey, keyring: &Keyring) -> Option<PrivateKey> {
    let pkcs8 = keyring.open(PURPOSE, stored.id.uuid().as_bytes(), &stored.private).ok()?;
    PrivateKey::from_pkcs8(stored.algorithm, &pkcs8).ok()
}

/// Makes a key that signs from `active_at` on.
pub(super) fn make_key(
    keyring: &Keyring,
    random: &dyn Random,
    id: KeyId,
    algorithm: SigningAlgorithm,
    now: Timestamp,
    active_at: Timestamp,
) -> Result<SigningKey, SigningError> {
    let pkcs8 = PrivateKey::generate(algorithm, random)?;
    let mut jwk = PrivateKey::from_pkcs8(algorithm, &pkcs8)?.public_jwk()?;
    if let Some(members) = jwk.as_object_mut() {
        members.insert("kid".into(), id.to_string().into());
        members.insert("alg".into(), algorithm.as_str().into());
        members.insert("use".into(), "sig".into());
    }
    Ok(SigningKey {
        id,
        algorithm,
        private: keyring.seal(random, PURPOSE, id.uuid().as_bytes(), &pkcs8),
        public: jwk.to_string(),
        created_at: now,
        active_at,
        retired_at: None,
        revoked_at: None,
    })
}
