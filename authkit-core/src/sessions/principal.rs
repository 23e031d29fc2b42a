use crate::{Context, Result, rbac::PermissionSet};
use authkit_wire::{RoleId, SessionId, TenantId, UserId};
use jiff::Timestamp;
use std::sync::Arc;

/// Who makes a request, as its access token and this node's authority say.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The tenant.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// When it signed in.
    pub auth_time: Timestamp,
    /// How it signed in (RFC 8176).
    pub amr: Arc<[String]>,
    /// When the access token runs out.
    pub expires_at: Timestamp,
    /// The roles in force.
    pub roles: Arc<[RoleId]>,
    /// What those roles grant.
    pub permissions: Arc<PermissionSet>,
}

impl Principal {
    /// Whether the roles grant `permission` on everything.
    #[must_use]
    pub fn has(&self, permission: &str) -> bool {
        let _ = permission;
        todo!()
    }

    /// The roles must grant `permission` on everything.
    ///
    /// # Errors
    /// `auth.forbidden`.
    pub fn require(&self, permission: &str) -> Result<()> {
        let _ = permission;
        todo!()
    }

    /// The roles must grant `permission` on everything, or on what is one's own when `owner` is this user.
    ///
    /// # Errors
    /// `auth.forbidden`.
    pub fn require_for(&self, permission: &str, owner: UserId) -> Result<()> {
        let _ = (permission, owner);
        todo!()
    }

    /// The sign-in must be recent.
    ///
    /// # Errors
    /// `auth.step_up_required`.
    pub fn require_fresh(&self, cx: &Context) -> Result<()> {
        let _ = cx;
        todo!()
    }
}
