use super::Devices;
pub use crate::sessions::device_tokens::DeviceClaims;
use crate::{Error, Result};
use authkit_wire::{DeviceId, ErrorCode, TenantId, UserId, UserStatus};
use jiff::Timestamp;

/// The device that makes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DevicePrincipal {
    /// The tenant.
    pub tenant: TenantId,
    /// The device.
    pub device: DeviceId,
    /// Whose it is. The device acts as itself, not as its owner.
    pub owner: UserId,
    /// When the access token runs out.
    pub expires_at: Timestamp,
}

impl Devices {
    /// Verifies a device's access token and reads the device, so that revoking it, or switching its owner or tenant off,
    /// counts on every node at once.
    ///
    /// # Errors
    /// `auth.invalid_token`, alike for every reason; `server.unavailable` when nothing can be read.
    pub async fn authenticate(&self, token: &str) -> Result<DevicePrincipal> {
        self.standing(self.verify(token).await?).await
    }

    /// Which device a token is of, without a read: whoever limits requests counts them before the row is read.
    ///
    /// # Errors
    /// Those of [`authenticate`](Self::authenticate).
    pub async fn verify(&self, token: &str) -> Result<DeviceClaims> {
        let cx = &*self.cx;
        cx.authority.device_claims(cx, token).await.map_err(|error| match error.code {
            ErrorCode::InvalidToken => invalid_token(),
            _ => error,
        })
    }

    /// The device of a verified token, if it may still act.
    ///
    /// # Errors
    /// Those of [`authenticate`](Self::authenticate).
    pub async fn standing(&self, claims: DeviceClaims) -> Result<DevicePrincipal> {
        let found = self.cx.store.find_device(claims.tenant, claims.device).await?;
        let standing = found.filter(|(device, owner)| device.is_active() && *owner == UserStatus::Active);
        let (device, _) = standing.ok_or_else(invalid_token)?;
        Ok(DevicePrincipal {
            tenant: claims.tenant,
            device: device.id,
            owner: device.owner,
            expires_at: claims.expires_at,
        })
    }
}

/// The one answer to a token that does not count.
pub(super) fn invalid_token() -> Error {
    Error::new(ErrorCode::InvalidToken, "The device's access token is not valid any more; get a new one.")
}
