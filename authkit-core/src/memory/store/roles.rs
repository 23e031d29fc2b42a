use super::{CHANGED, MemoryStore, Outcome, State, TAKEN, Undo, count, insert, inserts, one, own, system};
use crate::{
    ports::{Scope, StoreError},
    rbac::{Role, RoleChange, RoleStore},
    tenants::{Tenant, TenantChange, TenantStore},
};
use async_trait::async_trait;
use authkit_wire::{RoleId, TenantId, UserId, UserStatus};

impl State {
    pub(super) fn apply_role(&mut self, scope: Scope, change: RoleChange) -> Outcome {
        match change {
            RoleChange::Advance { version } => {
                let current = self.roles_version.entry(own(scope)?).or_default();
                let expected = *current == version;
                *current += 1;
                one(expected)
            }
            RoleChange::Create(role) => {
                inserts(scope, role.tenant)?;
                if self.has_role_name(&role) {
                    return Err(TAKEN);
                }
                self.has_parent(&role)?;
                insert(&mut self.roles, (role.tenant, role.id), role)
            }
            RoleChange::Update(role) => {
                inserts(scope, role.tenant)?;
                let key = (role.tenant, role.id);
                if self.roles.get(&key).is_none_or(|row| row.version + 1 != role.version) {
                    return Err(CHANGED);
                }
                if self.has_role_name(&role) {
                    return Err(TAKEN);
                }
                self.has_parent(&role)?;
                let row = self.roles.get_mut(&key).ok_or(CHANGED)?;
                *row = Role { system: row.system, created_at: row.created_at, ..role };
                Ok(1)
            }
            RoleChange::Delete { id } => {
                let tenant = own(scope)?;
                let used = self.assignments.iter().any(|row| row.0 == tenant && row.2 == id)
                    || self.roles.values().any(|row| row.tenant == tenant && row.parent == Some(id));
                let free = !used && self.roles.get(&(tenant, id)).is_some_and(|row| !row.system);
                one(free && self.roles.remove(&(tenant, id)).is_some())
            }
            RoleChange::Assign { user, role, by: _, at: _ } => {
                let tenant = own(scope)?;
                self.has_user(tenant, user)?;
                self.has_role(tenant, role)?;
                Ok(self.assignments.insert((tenant, user, role)).into())
            }
            RoleChange::Unassign { user, role } => Ok(self.assignments.remove(&(own(scope)?, user, role)).into()),
        }
    }

    pub(super) fn apply_tenant(&mut self, scope: Scope, change: TenantChange) -> Outcome {
        system(scope)?;
        let (tenant, replaces) = match change {
            TenantChange::Create(tenant) => (tenant, false),
            TenantChange::Update(tenant) => (tenant, true),
        };
        let current = self.tenants.get(&tenant.id);
        if replaces && current.is_none_or(|row| row.version + 1 != tenant.version) {
            return Err(CHANGED);
        }
        let clashes = self
            .tenants
            .values()
            .filter(|row| row.id != tenant.id)
            .any(|row| row.slug == tenant.slug || row.hosts.iter().any(|host| tenant.hosts.contains(host)));
        if clashes || (!replaces && current.is_some()) {
            return Err(TAKEN);
        }
        let created_at = current.map_or(tenant.created_at, |row| row.created_at);
        self.tenants.insert(tenant.id, Tenant { created_at, ..tenant });
        Ok(1)
    }

    fn has_role_name(&self, role: &Role) -> bool {
        self.roles.values().any(|row| row.tenant == role.tenant && row.name == role.name && row.id != role.id)
    }

    fn has_role(&self, tenant: TenantId, role: RoleId) -> Result<(), Undo> {
        if self.roles.contains_key(&(tenant, role)) { Ok(()) } else { Err(CHANGED) }
    }

    fn has_parent(&self, role: &Role) -> Result<(), Undo> {
        role.parent.map_or(Ok(()), |parent| self.has_role(role.tenant, parent))
    }

    pub(super) fn roles_of(&self, tenant: TenantId, user: UserId) -> Vec<RoleId> {
        self.assignments.iter().filter(|row| row.0 == tenant && row.1 == user).map(|row| row.2).collect()
    }
}

#[async_trait]
impl RoleStore for MemoryStore {
    async fn list_roles(&self, tenant: TenantId) -> Result<(Vec<Role>, i64), StoreError> {
        let state = self.read();
        let mut roles: Vec<Role> = state.roles.values().filter(|row| row.tenant == tenant).cloned().collect();
        roles.sort_by_key(|row| (row.created_at, row.id));
        Ok((roles, state.roles_version.get(&tenant).copied().unwrap_or_default()))
    }

    async fn user_roles(&self, tenant: TenantId, user: UserId) -> Result<Vec<RoleId>, StoreError> {
        Ok(self.read().roles_of(tenant, user))
    }

    async fn roles_of_users(&self, tenant: TenantId, users: &[UserId]) -> Result<Vec<(UserId, RoleId)>, StoreError> {
        let state = self.read();
        let held = state.assignments.iter().filter(|row| row.0 == tenant && users.contains(&row.1));
        Ok(held.map(|row| (row.1, row.2)).collect())
    }

    async fn count_holders(&self, tenant: TenantId, role: RoleId) -> Result<i64, StoreError> {
        let state = self.read();
        let active = |user| state.users.get(&(tenant, user)).is_some_and(|row| row.status == UserStatus::Active);
        Ok(count(state.assignments.iter().filter(|row| row.0 == tenant && row.2 == role && active(row.1)).count()))
    }
}

#[async_trait]
impl TenantStore for MemoryStore {
    async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        let mut tenants: Vec<Tenant> = self.read().tenants.values().cloned().collect();
        tenants.sort_by_key(|row| (row.created_at, row.id));
        Ok(tenants)
    }
}
