//! The personal fields of a record, readable only while the person's key exists.
//!
//! `user id (16) ‖ nonce (12) ‖ AES-256-GCM(JSON)`, bound to the record's id. The user's id says whose key opens it.

use crate::{Context, Origin, accounts::User};
use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, KeyInit as _, Payload},
};
use authkit_wire::{AuditId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

const PURPOSE: &str = "subject-key";

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Personal {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) user_agent: Option<String>,
}

/// A new user's key for its personal fields in the audit log, sealed. It goes into [`User::subject_key`].
#[must_use]
pub fn new_subject_key(cx: &Context) -> Vec<u8> {
    let mut key = Zeroizing::new([0; 32]);
    cx.random.fill(key.as_mut());
    cx.keyring.seal(&*cx.random, PURPOSE, &[], key.as_ref())
}

fn cipher(cx: &Context, user: &User) -> Option<Aes256Gcm> {
    let key = cx.keyring.open(PURPOSE, &[], &user.subject_key).ok()?;
    Aes256Gcm::new_from_slice(&key).ok()
}

/// `None` when there is nothing personal, or the person was erased.
pub(super) fn seal(cx: &Context, user: &User, record: AuditId, origin: &Origin) -> Option<Vec<u8>> {
    if origin.ip.is_none() && origin.user_agent.is_none() {
        return None;
    }
    let plain =
        serde_json::to_vec(&Personal { ip: origin.ip.map(|ip| ip.to_string()), user_agent: origin.user_agent.clone() })
            .ok()?;
    let mut nonce = [0; 12];
    cx.random.fill(&mut nonce);
    let body =
        cipher(cx, user)?.encrypt(&Nonce::from(nonce), Payload { msg: &plain, aad: record.uuid().as_bytes() }).ok()?;
    Some([&user.id.uuid().as_bytes()[..], &nonce, &body].concat())
}

/// Whose key opens it.
pub(super) fn owner(sealed: &[u8]) -> Option<UserId> {
    sealed.first_chunk::<16>().map(|bytes| UserId::new(Uuid::from_bytes(*bytes)))
}

/// `None` when the key is gone.
pub(super) fn open(cx: &Context, user: &User, record: AuditId, sealed: &[u8]) -> Option<Personal> {
    let (nonce, body) = sealed.get(16..)?.split_first_chunk::<12>()?;
    let plain =
        cipher(cx, user)?.decrypt(&Nonce::from(*nonce), Payload { msg: body, aad: record.uuid().as_bytes() }).ok()?;
    serde_json::from_slice(&plain).ok()
}
