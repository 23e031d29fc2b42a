use super::{RoleChange, Roles, system::require_another_admin, tries::Tries};
use crate::{
    Error, Origin, Principal, Result,
    accounts::push_hook,
    ports::{Operation, OperationKind, Unit},
    sessions::FeedEvent,
};
use authkit_wire::{ErrorCode, RoleId, UserId};

impl Roles {
    /// Assigns a role. Nothing happens when the user holds it already.
    ///
    /// # Errors
    /// `auth.forbidden` without `roles:assign`; `account.not_found`, `role.not_found`, `role.exceeds_caller`.
    pub async fn assign(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        user: UserId,
        role: RoleId,
    ) -> Result<()> {
        self.set(origin, principal, user, role, true).await
    }

    /// Removes a role from a user. Nothing happens when the user does not hold it.
    ///
    /// # Errors
    /// Those of [`assign`](Self::assign), and `role.last_admin`.
    pub async fn remove(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        user: UserId,
        role: RoleId,
    ) -> Result<()> {
        self.set(origin, principal, user, role, false).await
    }

    async fn set(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        user: UserId,
        role: RoleId,
        held: bool,
    ) -> Result<()> {
        let mut tries = self.tries();
        loop {
            tries.next().await?;
            if self.try_set(&mut tries, origin, principal, user, role, held).await? {
                return Ok(());
            }
        }
    }

    async fn try_set(
        &self,
        tries: &mut Tries<'_>,
        origin: &Origin,
        principal: Option<&Principal>,
        user: UserId,
        role: RoleId,
        held: bool,
    ) -> Result<bool> {
        let basis = self.basis(origin, principal, "roles:assign").await?;
        let user = self.cx.store.find_user(basis.tenant, user).await?;
        let user = user.ok_or_else(|| Error::from(ErrorCode::UserNotFound))?;
        let role = basis.role(role)?;
        basis.require_held(basis.grants(role))?;
        if self.cx.store.user_roles(basis.tenant, user.id).await?.contains(&role.id) == held {
            return Ok(true);
        }
        if !held && role.is_admin() {
            require_another_admin(&self.cx, &user, role.id).await?;
        }
        let (action, change) = if held {
            let (by, at) = (principal.map(|principal| principal.user), self.cx.now());
            ("role.assigned", RoleChange::Assign { user: user.id, role: role.id, by, at })
        } else {
            ("role.removed", RoleChange::Unassign { user: user.id, role: role.id })
        };
        let operation = Operation::new(OperationKind::ChangeRoles, basis.tenant).on(user.id).by(principal);
        let operation = operation.role(role.id).action(action);
        tries.ask(&operation).await?;
        let mut unit = Unit::new()
            .with(RoleChange::Advance { version: basis.table.version() })
            .with(change)
            .with(FeedEvent::UserChanged(basis.tenant, user.id))
            .with(
                basis
                    .entry(self, origin, action)
                    .subject(user.id)
                    .data("role_id", role.id.to_string())
                    .data("role", role.name.as_str())
                    .build(),
            );
        push_hook(&self.cx, &mut unit, &operation);
        Ok(self.commit(basis.tenant, unit).await?.is_ok())
    }
}
