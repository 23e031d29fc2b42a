use super::{Device, DeviceClaim};
use crate::ports::{Position, StoreError};
use async_trait::async_trait;
use authkit_wire::{DeviceClaimId, DeviceHealth, DeviceId, DeviceStatus, TenantId, UserId, UserStatus};
use jiff::Timestamp;
use uuid::Uuid;

/// A change of devices, their claims and used challenges. Unless said otherwise it touches exactly one row, else the
/// unit conflicts (`Changed`).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DeviceChange {
    /// Changes nothing. It locks the owner, who must be active and of that `security_version`, so that what is counted
    /// after it in the unit stays so until the commit.
    HoldOwner {
        /// Whom.
        user: UserId,
        /// Expected.
        security_version: i64,
    },
    /// Inserts a claim, unless its owner has `at_most` that are neither used nor run out by its `created_at`. Its owner
    /// is held.
    CreateClaim {
        /// The claim.
        claim: DeviceClaim,
        /// Open claims.
        at_most: u32,
    },
    /// Deletes the owner's claims that are not used; any number of rows.
    VoidClaimsOf {
        /// Whose.
        owner: UserId,
    },
    /// Deletes the owner's claim that is not used.
    VoidClaim {
        /// Which.
        id: DeviceClaimId,
        /// Whose.
        owner: UserId,
    },
    /// Notes the use of the claim that is neither used nor run out at `at`.
    UseClaim {
        /// Which.
        id: DeviceClaimId,
        /// The device that comes of it.
        device: DeviceId,
        /// SHA-256 of its key.
        key_thumbprint: [u8; 32],
        /// When.
        at: Timestamp,
        /// Until when the row is kept.
        keep_until: Timestamp,
    },
    /// Inserts an active device, unless its owner has `at_most` active ones. Its owner is held. `Taken` when another
    /// active device of the tenant has the key. Of the owner's revoked devices the newest `at_most` stay; the others
    /// are deleted.
    Create {
        /// The device.
        device: Box<Device>,
        /// Active devices.
        at_most: u32,
    },
    /// Names the owner's device.
    Rename {
        /// Which.
        id: DeviceId,
        /// Whose.
        owner: UserId,
        /// Its new name.
        name: String,
    },
    /// Takes the active device back.
    Revoke {
        /// Which.
        id: DeviceId,
        /// When.
        at: Timestamp,
    },
    /// Takes all active devices of the owner back; any number of rows.
    RevokeAllOf {
        /// Whose.
        owner: UserId,
        /// When.
        at: Timestamp,
    },
    /// Notes what the active device says; what is `None` stays, and the time never goes back.
    Beat {
        /// Which.
        id: DeviceId,
        /// When.
        at: Timestamp,
        /// How it is.
        status: Option<DeviceHealth>,
        /// The version of its software.
        version: Option<String>,
        /// What it can do.
        capabilities: Option<Vec<String>>,
    },
    /// Notes that the device was heard of, unless something was noted at `unless_since` or later; one row or none.
    Seen {
        /// Which.
        id: DeviceId,
        /// When.
        at: Timestamp,
        /// Since when a note is fresh enough.
        unless_since: Timestamp,
    },
    /// Inserts the use of a challenge of the tenant. `Taken` when it was used before, also at the same moment.
    UseChallenge {
        /// Which.
        id: Uuid,
        /// Until when it counts.
        expires_at: Timestamp,
    },
    /// Deletes claims whose time to be kept is over before `claims`, and challenges that ran out before `challenges`, in
    /// every tenant (`Scope::System`), at most 1,000 of each; any number of rows.
    DeleteExpired {
        /// The time for claims.
        claims: Timestamp,
        /// The time for challenges.
        challenges: Timestamp,
    },
}

/// Which devices a list holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceFilter {
    /// Whose.
    pub owner: Option<UserId>,
    /// In which state.
    pub status: Option<DeviceStatus>,
}

/// Reads of devices. A store without them answers `Unsupported`.
///
/// # Behavior
/// - When a user is deleted, so are the user's devices and claims.
#[async_trait]
pub trait DeviceStore {
    /// The device and the status of its owner.
    async fn find_device(&self, tenant: TenantId, id: DeviceId) -> Result<Option<(Device, UserStatus)>, StoreError> {
        let _ = (tenant, id);
        Err(StoreError::Unsupported)
    }

    /// The active device with the key.
    async fn find_device_by_key(
        &self,
        tenant: TenantId,
        key_thumbprint: &[u8; 32],
    ) -> Result<Option<Device>, StoreError> {
        let _ = (tenant, key_thumbprint);
        Err(StoreError::Unsupported)
    }

    /// Devices, newest first (by id), at most `limit`, after the position. Its key is empty.
    async fn list_devices(
        &self,
        tenant: TenantId,
        filter: DeviceFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Vec<Device>, StoreError> {
        let _ = (tenant, filter, after, limit);
        Err(StoreError::Unsupported)
    }

    /// The claim with the code, whatever its state.
    async fn find_device_claim(&self, tenant: TenantId, code: &[u8; 33]) -> Result<Option<DeviceClaim>, StoreError> {
        let _ = (tenant, code);
        Err(StoreError::Unsupported)
    }
}
