//! Roles and permissions.

mod model;
mod permissions;
mod set;
mod store;
mod table;

pub use model::Role;
pub use permissions::{Permission, Permissions};
pub use set::{Grant, GrantScope, PermissionSet};
pub use store::{RoleChange, RoleStore};
pub use table::RoleTable;

use crate::{Context, Origin, Principal, Result};
use authkit_wire::*;
use std::sync::Arc;

/// Operations on roles.
#[derive(Clone, Debug)]
pub struct Roles {
    cx: Arc<Context>,
}

impl Roles {
    /// The service over `cx`.
    #[must_use]
    pub const fn new(cx: Arc<Context>) -> Self {
        Self { cx }
    }

    /// The tenant's roles, by name; `parent` keeps those that inherit from it directly.
    pub async fn list(
        &self,
        principal: &Principal,
        parent: Option<RoleId>,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<RoleView>> {
        todo!()
    }

    /// One role.
    pub async fn get(&self, tenant: TenantId, id: RoleId) -> Result<RoleView> {
        todo!()
    }

    /// The role of that name.
    pub async fn find_by_name(&self, tenant: TenantId, name: &str) -> Result<Option<RoleView>> {
        todo!()
    }

    /// Makes a role. `principal` is `None` for an operator, who may grant everything.
    pub async fn create(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        request: CreateRoleRequest,
    ) -> Result<RoleView> {
        todo!()
    }

    /// Changes a role.
    pub async fn update(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        id: RoleId,
        request: UpdateRoleRequest,
        if_match: Option<i64>,
    ) -> Result<RoleView> {
        todo!()
    }

    /// Deletes a role that nobody holds and nothing inherits from.
    pub async fn delete(&self, origin: &Origin, principal: Option<&Principal>, id: RoleId) -> Result<()> {
        todo!()
    }

    /// Assigns a role.
    pub async fn assign(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        user: UserId,
        role: RoleId,
    ) -> Result<()> {
        todo!()
    }

    /// Removes a role from a user.
    pub async fn remove(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        user: UserId,
        role: RoleId,
    ) -> Result<()> {
        todo!()
    }

    /// Every permission that exists, by resource.
    #[must_use]
    pub fn permissions(&self) -> Vec<PermissionGroupView> {
        todo!()
    }

    /// Decides, and says which role and grant decided.
    pub async fn check(&self, principal: &Principal, request: CheckPermissionRequest) -> Result<DecisionView> {
        todo!()
    }
}
