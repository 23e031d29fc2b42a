use crate::rbac::PermissionSet;
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
