//! Access tokens of devices: signed by the same keys as those of users, and never taken for one of them.

use super::{
    KeySet,
    tokens::{sign, signer},
    verify::{Audience, Expiry, Refused, Registered, Text, signed},
};
use crate::{Context, Result, Settings};
use authkit_wire::{DeviceId, Secret, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::json;

/// The scope of every device's token; no user's token has one.
const SCOPE: &str = "device";

/// What a verified token of a device says. Whether the device may still act, its row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceClaims {
    pub(crate) tenant: TenantId,
    pub(crate) device: DeviceId,
    pub(crate) expires_at: Timestamp,
}

impl DeviceClaims {
    /// Whose token it is.
    #[must_use]
    pub const fn device(&self) -> DeviceId {
        self.device
    }
}

/// Makes the access token of a device; with the seconds that it lives.
///
/// # Errors
/// `server.unavailable` when there is no key to sign with.
pub(crate) fn issue(cx: &Context, tenant: TenantId, device: DeviceId) -> Result<(Secret, i64)> {
    let now = cx.now();
    let snapshot = cx.authority.snapshot();
    let key = signer(snapshot.keys(), now)?;
    let (issued, life) = (now.as_second(), cx.settings.tokens.device.as_secs());
    let claims = json!({
        "iss": cx.settings.issuer,
        "aud": cx.settings.audience,
        "sub": device,
        // RFC 9068, section 2.2: the client is the subject where nobody else is.
        "client_id": device,
        "tid": tenant,
        "scope": SCOPE,
        "iat": issued,
        "nbf": issued,
        "exp": issued + life,
        "jti": cx.uuid().simple().to_string(),
    });
    Ok((sign(key, &claims)?, life))
}

/// Verifies signature, purpose, issuer, audience and times of a device's token.
pub(super) fn verify(
    keys: &KeySet,
    settings: &Settings,
    token: &str,
    now: Timestamp,
) -> std::result::Result<DeviceClaims, Refused> {
    let (key, payload) = signed(keys, token)?;
    let claims: RawClaims<'_> = serde_json::from_slice(&payload).map_err(|_| Refused::Invalid)?;
    let RawClaims { iss, aud, iat, nbf, exp, .. } = &claims;
    let registered = Registered { iss, aud, iat: *iat, nbf: *nbf, exp: *exp };
    let expires_at = registered.check(key, settings, settings.tokens.device, now, Expiry::Checked)?;
    if claims.scope.0 != SCOPE || claims.client_id != claims.sub || claims.sid.is_some() {
        return Err(Refused::Invalid);
    }
    let expires_at = Timestamp::from_second(expires_at).map_err(|_| Refused::Invalid)?;
    Ok(DeviceClaims { tenant: claims.tid, device: claims.sub, expires_at })
}

#[derive(Deserialize)]
struct RawClaims<'a> {
    #[serde(borrow)]
    iss: Text<'a>,
    #[serde(borrow)]
    aud: Audience<'a>,
    sub: DeviceId,
    client_id: DeviceId,
    tid: TenantId,
    #[serde(borrow)]
    scope: Text<'a>,
    iat: i64,
    nbf: i64,
    exp: i64,
    #[serde(default)]
    sid: Option<IgnoredAny>,
}
