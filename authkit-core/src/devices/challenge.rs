//! Challenges: texts that authenticate themselves, so that strangers can ask for any number and nothing is written.

use super::{
    Devices,
    proof::{SentKey, base64url, bytes},
};
use crate::{Context, Error, Origin, Result, crypto::sha256, later};
use authkit_wire::{
    DeviceChallengeRequest, DeviceChallengeView, DeviceId, TenantId,
    device::{CHALLENGE_SECONDS, KeyAlgorithm, MAX_MESSAGE, NONCE, Purpose, Statement},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// The readable start. It also separates these tags from those of opaque tokens.
const PREFIX: &str = "akd_";

/// Key version, tenant, id, time of issue in microseconds, purpose, hash of the subject.
const BODY: usize = 4 + 16 + 16 + 8 + 1 + 32;
const TAG: usize = 16;

/// Whom a challenge is for: a key that shall be claimed, or a device.
pub(super) struct Subject {
    purpose: Purpose,
    hash: [u8; 32],
}

impl Subject {
    pub(super) fn key(algorithm: KeyAlgorithm, key: &[u8]) -> Self {
        Self { purpose: Purpose::Claim, hash: sha256(&[algorithm.as_str().as_bytes(), b"\n", key].concat()) }
    }

    pub(super) fn device(id: DeviceId) -> Self {
        Self { purpose: Purpose::Token, hash: sha256(id.to_string().as_bytes()) }
    }
}

/// A challenge that counts, unless it was used.
pub(super) struct Challenge {
    pub(super) id: Uuid,
    pub(super) expires_at: Timestamp,
}

const fn life() -> SignedDuration {
    SignedDuration::from_secs(CHALLENGE_SECONDS as i64)
}

/// A fresh challenge.
fn make(cx: &Context, tenant: TenantId, subject: &Subject) -> String {
    let mut body = Vec::with_capacity(BODY + TAG);
    body.extend(cx.keyring.current().to_be_bytes());
    body.extend(tenant.uuid().as_bytes());
    body.extend(cx.uuid().as_bytes());
    body.extend(cx.now().as_microsecond().to_be_bytes());
    body.push(subject.purpose.byte());
    body.extend(subject.hash);
    let tag = cx.keyring.mac_current(PREFIX, &[&body]);
    body.extend(&tag[..TAG]);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(body))
}

/// Reads a presented challenge. `None` when this installation did not make it, or for another tenant, purpose or
/// subject, or too long ago. A clock that was set back since makes it one of the future, which does not count either.
pub(super) fn read(cx: &Context, tenant: TenantId, subject: &Subject, text: &str) -> Option<Challenge> {
    let sent = bytes::<{ BODY + TAG }>(text.strip_prefix(PREFIX)?)?;
    let (body, tag) = sent.split_at(BODY);
    let version = u32::from_be_bytes(body[..4].try_into().ok()?);
    let expected = cx.keyring.mac(version, PREFIX, &[body])?;
    bool::from(expected[..TAG].ct_eq(tag)).then_some(())?;
    let is_for = [&tenant.uuid().as_bytes()[..], &[subject.purpose.byte()], &subject.hash].concat();
    if [&body[4..20], &body[44..]].concat() != is_for {
        return None;
    }
    let issued = Timestamp::from_microsecond(i64::from_be_bytes(body[36..44].try_into().ok()?)).ok()?;
    let now = cx.now();
    let counts = issued <= later(now, cx.settings.tokens.leeway) && now < later(issued, life());
    counts.then_some(Challenge { id: Uuid::from_slice(&body[20..36]).ok()?, expires_at: later(issued, life()) })
}

impl Devices {
    /// A challenge, and the time, signed with the device's nonce. It writes and reads nothing, so that it is the same
    /// for devices that exist and others.
    ///
    /// # Errors
    /// `request.validation_failed`.
    pub fn challenge(&self, origin: &Origin, request: &DeviceChallengeRequest) -> Result<DeviceChallengeView> {
        let cx = &*self.cx;
        let nonce = bytes::<NONCE>(&request.nonce)
            .ok_or_else(|| Error::field("nonce", "nonce.invalid", "Send 16 random bytes as base64url."))?;
        let challenge = make(cx, origin.tenant, &subject(request)?);
        // Before 1970 there is nothing to sign.
        let server_time = cx.now().as_second().max(0);
        let statement = Statement { server_time: server_time.unsigned_abs(), nonce: &nonce, challenge: &challenge };
        let mut buffer = [0; MAX_MESSAGE];
        let length = statement.write(&mut buffer).map_err(Error::internal)?;
        let signature = cx.keyring.sign_for_devices(&buffer[..length]).map_err(Error::internal)?;
        Ok(DeviceChallengeView {
            challenge,
            server_time,
            server_key: base64url(cx.keyring.server_key()),
            signature: base64url(&signature),
        })
    }
}

fn subject(request: &DeviceChallengeRequest) -> Result<Subject> {
    let missing = |field| Error::field(field, "missing_field", "This field is required for the purpose.");
    let unexpected = |field| Error::field(field, "unexpected_field", "This field does not belong to the purpose.");
    let DeviceChallengeRequest { purpose, public_key, algorithm, device_id, .. } = request;
    match purpose {
        Purpose::Claim => {
            let algorithm = algorithm.ok_or_else(|| missing("algorithm"))?;
            let key = SentKey::read(algorithm, public_key.as_deref().ok_or_else(|| missing("public_key"))?)?;
            if device_id.is_some() {
                return Err(unexpected("device_id"));
            }
            Ok(Subject::key(algorithm, &key.bytes))
        }
        _ if public_key.is_some() => Err(unexpected("public_key")),
        _ if algorithm.is_some() => Err(unexpected("algorithm")),
        _ => Ok(Subject::device(device_id.ok_or_else(|| missing("device_id"))?)),
    }
}
