use super::Totp;
use crate::ports::StoreError;
use async_trait::async_trait;
use authkit_wire::{TenantId, UserId};
use jiff::Timestamp;

/// A change of second factors. Unless said otherwise it touches exactly one row, else the unit conflicts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MfaChange {
    /// Puts an unconfirmed authenticator in the place of an unconfirmed one or of none. `Changed` when one is confirmed.
    Enrol(Totp),
    /// Confirms the unconfirmed authenticator whose sealed secret is `secret`, with its first accepted step.
    Confirm {
        /// Whose.
        user: UserId,
        /// Expected.
        secret: Vec<u8>,
        /// The accepted step.
        step: i64,
    },
    /// Accepts `step` when it is later than every accepted one of the confirmed authenticator.
    AcceptStep {
        /// Whose.
        user: UserId,
        /// The accepted step.
        step: i64,
    },
    /// Removes authenticator and backup codes; any number of rows.
    Remove {
        /// Whose.
        user: UserId,
    },
    /// Replaces all backup codes.
    ReplaceBackupCodes {
        /// Whose.
        user: UserId,
        /// HMACs of the new codes.
        codes: Vec<[u8; 32]>,
        /// When.
        at: Timestamp,
    },
    /// Uses up (deletes) the code.
    UseBackupCode {
        /// Whose.
        user: UserId,
        /// HMAC of the code.
        code: [u8; 32],
    },
}

/// Reads of second factors.
#[async_trait]
pub trait MfaStore {
    /// The user's authenticator, confirmed or not.
    async fn find_totp(&self, tenant: TenantId, user: UserId) -> Result<Option<Totp>, StoreError>;

    /// How many backup codes are left.
    async fn count_backup_codes(&self, tenant: TenantId, user: UserId) -> Result<i64, StoreError>;
}
