use super::KeySet;
use crate::{
    rbac::RoleTable,
    tenants::{Tenant, TenantTable},
};
use authkit_wire::TenantId;
use std::{collections::HashMap, sync::Arc};

/// A value as one read gave it. A read with a higher ticket began later, so that it saw at least as much.
#[derive(Debug)]
pub(super) struct Stamped<T> {
    pub(super) ticket: u64,
    pub(super) value: Arc<T>,
}

impl<T> Clone for Stamped<T> {
    fn clone(&self) -> Self {
        Self { ticket: self.ticket, value: self.value.clone() }
    }
}

impl<T: Default> Default for Stamped<T> {
    fn default() -> Self {
        Self { ticket: 0, value: Arc::default() }
    }
}

/// What a node knows of keys, tenants and roles at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// Grows with each change, so that nothing derived from an older snapshot is used.
    pub(super) generation: u64,
    pub(super) keys: Arc<KeySet>,
    keys_ticket: u64,
    tenants: Stamped<TenantTable>,
    roles: HashMap<TenantId, Stamped<RoleTable>>,
}

/// Something that was read.
#[derive(Debug)]
pub(super) enum News {
    /// The signing keys.
    Keys(Stamped<KeySet>),
    /// The tenants.
    Tenants(Stamped<TenantTable>),
    /// A tenant's roles.
    Roles(TenantId, Stamped<RoleTable>),
}

impl Snapshot {
    /// This snapshot with `news`, but for what it has from a later read.
    pub(super) fn with(&self, news: &[News]) -> Self {
        let mut next = self.clone();
        next.generation += 1;
        for item in news {
            match item {
                News::Keys(read) if read.ticket > next.keys_ticket => {
                    next.keys_ticket = read.ticket;
                    next.keys = read.value.clone();
                }
                News::Tenants(read) if read.ticket > next.tenants.ticket => next.tenants = read.clone(),
                News::Roles(tenant, read) if next.roles.get(tenant).is_none_or(|held| read.ticket > held.ticket) => {
                    next.roles.insert(*tenant, read.clone());
                }
                News::Keys(_) | News::Tenants(_) | News::Roles(..) => {}
            }
        }
        next
    }

    /// The tenant, active or not.
    pub(super) fn tenant(&self, id: TenantId) -> Option<&Arc<Tenant>> {
        self.tenants.value.get(id)
    }

    /// All tenants.
    pub(super) fn tenants(&self) -> &Arc<TenantTable> {
        &self.tenants.value
    }

    /// The tenant's roles.
    pub(super) fn roles_of(&self, tenant: TenantId) -> Option<&Arc<RoleTable>> {
        self.roles.get(&tenant).map(|read| &read.value)
    }
}
