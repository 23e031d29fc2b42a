use super::{Grant, Roles};
use crate::{Error, Principal, Result};
use authkit_wire::{CheckPermissionRequest, DecisionView, ErrorCode, FieldError, UserStatus};

impl Roles {
    /// Decides, and says which role and grant decided. A permission that is granted for one's own objects counts
    /// when `owner_id` is the user in question.
    ///
    /// # Errors
    /// `role.unknown_permission`; for another user `auth.forbidden` without `permissions:check`, and `account.not_found`.
    pub async fn check(&self, principal: &Principal, request: CheckPermissionRequest) -> Result<DecisionView> {
        let CheckPermissionRequest { permission, user_id, owner_id } = request;
        let other = user_id.filter(|user| *user != principal.user);
        if other.is_some() {
            principal.require("permissions:check")?;
        }
        if self.cx.permissions.get(&permission).is_none() {
            let mut error = Error::from(ErrorCode::UnknownPermission);
            error.fields = vec![FieldError::new(
                "permission",
                ErrorCode::UnknownPermission.as_str(),
                "Name one of the listed permissions as `resource:action`.",
            )];
            return Err(error);
        }
        let Some(user) = other else {
            return Ok(view(principal.permissions.decide(&permission, principal.user, owner_id)));
        };
        let found = self.cx.store.find_user(principal.tenant, user).await?;
        let found = found.ok_or_else(|| Error::from(ErrorCode::UserNotFound))?;
        if found.status != UserStatus::Active {
            return Ok(view(None));
        }
        let roles = self.cx.store.user_roles(principal.tenant, user).await?;
        let set = self.table(principal.tenant).await?.permissions_of(&roles);
        Ok(view(set.decide(&permission, user, owner_id)))
    }
}

fn view(grant: Option<&Grant>) -> DecisionView {
    DecisionView { allowed: grant.is_some(), via: grant.map(Grant::via) }
}
