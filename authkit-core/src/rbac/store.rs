use super::Role;
use crate::ports::StoreError;
use async_trait::async_trait;
use authkit_wire::{RoleId, TenantId, UserId};
use jiff::Timestamp;

/// A change of roles. Unless said otherwise it touches exactly one row, else the unit conflicts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RoleChange {
    /// Makes the tenant's roles version grow when it is as expected. Every unit that defines or assigns roles starts with
    /// it, so that rules over several roles (no cycle, no deletion in use, nothing beyond the caller) hold under concurrency.
    Advance {
        /// Expected.
        version: i64,
    },
    /// Inserts a role. `Taken` when the tenant has its name.
    Create(Role),
    /// Replaces name, `named_at`, description, parent and permissions of the role whose version is one lower. `Taken` as above.
    Update(Role),
    /// Deletes the role. `Changed` when it is assigned, inherited from, or a system role.
    Delete {
        /// Which.
        id: RoleId,
    },
    /// Assigns the role, if it is not; returns whether.
    Assign {
        /// To whom.
        user: UserId,
        /// Which.
        role: RoleId,
        /// By whom.
        by: Option<UserId>,
        /// When.
        at: Timestamp,
    },
    /// Removes the role, if it is assigned; returns whether.
    Unassign {
        /// From whom.
        user: UserId,
        /// Which.
        role: RoleId,
    },
}

/// Reads of roles.
#[async_trait]
pub trait RoleStore {
    /// The tenant's roles (the oldest first) and the version they have together.
    async fn list_roles(&self, tenant: TenantId) -> Result<(Vec<Role>, i64), StoreError>;

    /// The roles that the user holds directly.
    async fn user_roles(&self, tenant: TenantId, user: UserId) -> Result<Vec<RoleId>, StoreError>;

    /// The roles that each of the users holds directly, in no order.
    async fn roles_of_users(&self, tenant: TenantId, users: &[UserId]) -> Result<Vec<(UserId, RoleId)>, StoreError>;

    /// How many *active* users hold the role directly.
    async fn count_holders(&self, tenant: TenantId, role: RoleId) -> Result<i64, StoreError>;
}
