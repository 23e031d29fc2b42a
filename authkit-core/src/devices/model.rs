use super::proof::base64url;
use authkit_wire::{
    DeviceClaimId, DeviceHealth, DeviceId, DeviceStatus, DeviceView, TenantId, UserId, device::KeyAlgorithm,
};
use jiff::Timestamp;

/// A device of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Whose it is.
    pub owner: UserId,
    /// What its owner calls it.
    pub name: String,
    /// How it signs.
    pub algorithm: KeyAlgorithm,
    /// Its public key: 32 bytes for `EdDSA`, 65 for `ES256`.
    pub public_key: Vec<u8>,
    /// SHA-256 of the public key. Of the active devices of a tenant no two have the same.
    pub key_thumbprint: [u8; 32],
    /// Whether it may get tokens. A revoked device stays one: its key comes back only as a new device.
    pub status: DeviceStatus,
    /// The version of its software, as it said last.
    pub version: Option<String>,
    /// What it can do, as it said last.
    pub capabilities: Vec<String>,
    /// How it is, as it said last.
    pub reported_status: Option<DeviceHealth>,
    /// When it was claimed.
    pub created_at: Timestamp,
    /// When it was last heard of, to the minute.
    pub last_seen_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

impl Device {
    /// Whether it may get tokens, as far as it is up to the device.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == DeviceStatus::Active
    }

    /// What its owner sees.
    #[must_use]
    pub fn view(self) -> DeviceView {
        DeviceView {
            id: self.id,
            owner_id: self.owner,
            name: self.name,
            algorithm: self.algorithm,
            key_thumbprint: base64url(&self.key_thumbprint),
            status: self.status,
            version: self.version,
            capabilities: self.capabilities,
            reported_status: self.reported_status,
            created_at: self.created_at,
            last_seen_at: self.last_seen_at,
            revoked_at: self.revoked_at,
        }
    }
}

/// An invitation for one device to become its maker's.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceClaim {
    /// Its id.
    pub id: DeviceClaimId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Whose the device will be.
    pub owner: UserId,
    /// What the owner calls the device.
    pub name: Option<String>,
    /// Keyed hash of the code.
    pub code: [u8; 33],
    /// The owner's `security_version` when it was made: a claim does not outlive a change of credentials.
    pub security_version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when the code counts.
    pub expires_at: Timestamp,
    /// By what it was used.
    pub used: Option<UsedClaim>,
    /// Until when the row is kept.
    pub keep_until: Timestamp,
}

/// The use of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedClaim {
    /// When.
    pub at: Timestamp,
    /// The device that came of it.
    pub device: DeviceId,
    /// SHA-256 of the key that used it.
    pub key_thumbprint: [u8; 32],
}

impl std::fmt::Debug for DeviceClaim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceClaim").field("id", &self.id).field("used", &self.used).finish_non_exhaustive()
    }
}
