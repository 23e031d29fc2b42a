//! Roles and permissions.

mod assign;
mod decide;
mod define;
mod model;
mod permissions;
mod reach;
mod rules;
mod set;
mod store;
mod system;
mod table;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod tests;
mod tries;

pub use model::{Role, RoleFilter};
pub use permissions::{Permission, Permissions};
pub(crate) use reach::require_reach;
pub use set::{Grant, GrantScope, PermissionSet};
pub use store::{RoleChange, RoleStore};
pub use system::ADMIN;
pub(crate) use system::keep_an_admin;
pub use table::RoleTable;

use crate::{
    Context, Error, Principal, Result,
    paging::Paging,
    ports::{Position, Scope, StoreError, Unit},
};
use async_lock::Mutex;
use authkit_wire::*;
use std::sync::Arc;

/// Operations on roles.
///
/// Each write reads the tenant's roles, decides, and commits a unit that begins with
/// [`RoleChange::Advance`]: whatever it decided on is still so when it commits, else it decides again.
#[derive(Clone, Debug)]
pub struct Roles {
    cx: Arc<Context>,
    turns: Arc<Mutex<()>>,
}

impl Roles {
    /// The service over `cx`.
    #[must_use]
    pub fn new(cx: Arc<Context>) -> Self {
        Self { cx, turns: Arc::default() }
    }

    /// The tenant's roles, by name; `filter` keeps those that are asked for.
    ///
    /// # Errors
    /// `auth.forbidden` without `roles:read`, `request.invalid_filter`, and those of cursors and limits.
    pub async fn list(
        &self,
        principal: &Principal,
        filter: RoleFilter,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<RoleView>> {
        principal.require("roles:read")?;
        if filter.name.as_ref().is_some_and(|start| !(1..=rules::LONGEST_NAME).contains(&start.chars().count())) {
            let detail = format!("`name` has 1 to {} characters.", rules::LONGEST_NAME);
            return Err(Error::new(ErrorCode::InvalidFilter, detail));
        }
        let paging = Paging::new(&self.cx, principal.tenant, "roles", &format!("{filter:?}"), cursor, limit)?;
        let (mut roles, _) = self.cx.store.list_roles(principal.tenant).await?;
        roles.retain(|role| filter.keeps(role));
        if let Some(after) = &paging.after {
            roles.retain(|role| (&role.name, role.id.uuid()) > (&after.key, after.id));
        }
        roles.sort_unstable_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        roles.truncate(paging.fetch() as usize);
        let position = |role: &Role| Position { key: role.name.clone(), id: role.id.uuid() };
        Ok(paging.page(&self.cx, roles, position, |role| role.view()))
    }

    /// One role.
    ///
    /// # Errors
    /// `auth.forbidden` without `roles:read`; `role.not_found`.
    pub async fn get(&self, principal: &Principal, id: RoleId) -> Result<RoleView> {
        principal.require("roles:read")?;
        Ok(self.find(principal.tenant, id).await?.view())
    }

    /// The version of a role, which a write may be based on.
    ///
    /// # Errors
    /// `auth.forbidden` without `roles:write`; `role.not_found`.
    pub async fn version(&self, principal: &Principal, id: RoleId) -> Result<i64> {
        principal.require("roles:write")?;
        Ok(self.find(principal.tenant, id).await?.version)
    }

    async fn find(&self, tenant: TenantId, id: RoleId) -> Result<Role> {
        let (roles, _) = self.cx.store.list_roles(tenant).await?;
        roles.into_iter().find(|role| role.id == id).ok_or_else(|| ErrorCode::RoleNotFound.into())
    }

    /// The role of that name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn find_by_name(&self, tenant: TenantId, name: &str) -> Result<Option<RoleView>> {
        let (roles, _) = self.cx.store.list_roles(tenant).await?;
        Ok(roles.iter().find(|role| role.name == name).map(Role::view))
    }

    /// Every permission that exists, by resource.
    #[must_use]
    pub fn permissions(&self) -> Vec<PermissionGroupView> {
        self.cx.permissions.views()
    }

    /// The tenant's roles as they are in the store now.
    async fn table(&self, tenant: TenantId) -> Result<RoleTable> {
        let (roles, version) = self.cx.store.list_roles(tenant).await?;
        Ok(RoleTable::new(roles, version, &self.cx.permissions))
    }

    /// Whether the unit was committed; it was not when something that it expects has changed.
    async fn commit(&self, tenant: TenantId, unit: Unit) -> Result<Result<(), usize>> {
        match self.cx.commit(Scope::Tenant(tenant), unit).await {
            Ok(_) => Ok(Ok(())),
            Err(StoreError::Conflict { change, .. }) => Ok(Err(change)),
            Err(error) => Err(error.into()),
        }
    }
}
