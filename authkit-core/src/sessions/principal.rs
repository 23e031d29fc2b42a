use crate::{Context, Error, Result, rbac::PermissionSet};
use authkit_wire::{ErrorCode, RoleId, SessionId, TenantId, UserId};
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
        self.permissions.allows(permission)
    }

    /// The roles must grant `permission` on everything.
    ///
    /// # Errors
    /// `auth.forbidden`.
    pub fn require(&self, permission: &str) -> Result<()> {
        if self.has(permission) { Ok(()) } else { Err(forbidden(permission)) }
    }

    /// The roles must grant `permission` on everything, or on what is one's own when `owner` is this user.
    ///
    /// # Errors
    /// `auth.forbidden`.
    pub fn require_for(&self, permission: &str, owner: UserId) -> Result<()> {
        let granted = self.permissions.decide(permission, self.user, Some(owner));
        granted.map(|_| ()).ok_or_else(|| forbidden(permission))
    }

    /// The sign-in must be recent.
    ///
    /// # Errors
    /// `auth.step_up_required`.
    pub fn require_fresh(&self, cx: &Context) -> Result<()> {
        let age = cx.now().duration_since(self.auth_time);
        if age <= cx.settings.sessions.fresh && -age <= cx.settings.tokens.leeway {
            return Ok(());
        }
        let minutes = cx.settings.sessions.fresh.as_mins().max(1);
        Err(Error::new(
            ErrorCode::StepUpRequired,
            format!("This needs a sign-in within the last {minutes} minutes; sign in again."),
        ))
    }
}

/// The answer to whoever lacks `permission`.
pub(crate) fn forbidden(permission: &str) -> Error {
    Error::new(ErrorCode::Forbidden, format!("This needs the permission `{permission}`."))
}
