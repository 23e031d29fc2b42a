use super::{PermissionSet, Permissions, Role};
use authkit_wire::RoleId;
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// How many combinations of roles are remembered.
const REMEMBERED: usize = 1024;

/// A tenant's roles at one version, with what they grant.
pub struct RoleTable {
    roles: Vec<Role>,
    by_id: HashMap<RoleId, usize>,
    by_name: HashMap<String, usize>,
    version: i64,
    permissions: Permissions,
    sets: RwLock<HashMap<Box<[RoleId]>, Arc<PermissionSet>>>,
}

impl RoleTable {
    /// The table of `roles` (as the store lists them), whose grants are resolved over `permissions`.
    #[must_use]
    pub fn new(roles: Vec<Role>, version: i64, permissions: &Permissions) -> Self {
        let by_id = roles.iter().enumerate().map(|(place, role)| (role.id, place)).collect();
        let by_name = roles.iter().enumerate().map(|(place, role)| (role.name.clone(), place)).collect();
        Self { roles, by_id, by_name, version, permissions: permissions.clone(), sets: RwLock::default() }
    }

    /// The version that the roles have together.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// Every role.
    #[must_use]
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The permissions that exist.
    #[must_use]
    pub const fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    /// The role.
    #[must_use]
    pub fn get(&self, id: RoleId) -> Option<&Role> {
        self.by_id.get(&id).map(|&place| &self.roles[place])
    }

    /// The role of that name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Role> {
        self.by_name.get(name).map(|&place| &self.roles[place])
    }

    /// The role and those it inherits from, the nearest first. It ends even when stored rows form a cycle.
    #[must_use]
    pub fn chain<'a>(&'a self, role: &'a Role) -> Vec<&'a Role> {
        let mut chain = vec![role];
        let mut next = role.parent;
        while let Some(role) = next.and_then(|id| self.get(id)) {
            // Chains are short; a set would cost more.
            if chain.iter().any(|seen| seen.id == role.id) {
                break;
            }
            chain.push(role);
            next = role.parent;
        }
        chain
    }

    /// What the roles grant together; ids of no role grant nothing. Remembered for each combination.
    #[must_use]
    pub fn permissions_of(&self, ids: &[RoleId]) -> Arc<PermissionSet> {
        let mut key: Box<[RoleId]> = ids.into();
        key.sort_unstable();
        if let Some(set) = self.sets.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return set.clone();
        }
        let roles: Vec<&Role> = key.iter().filter_map(|&id| self.get(id)).collect();
        let set = Arc::new(PermissionSet::of(&roles, self));
        let mut sets = self.sets.write().unwrap_or_else(PoisonError::into_inner);
        if sets.len() >= REMEMBERED {
            sets.clear();
        }
        sets.insert(key, set.clone());
        set
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.sets.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl std::fmt::Debug for RoleTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RoleTable")
            .field("roles", &self.roles.len())
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
