use super::Tenant;
use authkit_wire::TenantId;
use std::{collections::HashMap, sync::Arc};

/// All tenants, found by id, short name and host.
#[derive(Debug, Default)]
pub(crate) struct TenantTable {
    by_id: HashMap<TenantId, Arc<Tenant>>,
    by_slug: HashMap<String, TenantId>,
    by_host: HashMap<String, TenantId>,
}

impl TenantTable {
    /// The table of `tenants`.
    pub(crate) fn new(tenants: Vec<Tenant>) -> Self {
        let mut table = Self::default();
        for tenant in tenants {
            table.by_slug.insert(tenant.slug.clone(), tenant.id);
            table.by_host.extend(tenant.hosts.iter().map(|host| (host.clone(), tenant.id)));
            table.by_id.insert(tenant.id, Arc::new(tenant));
        }
        table
    }

    /// Whether both hold the same tenants in the same state.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.by_id == other.by_id
    }

    /// The tenant.
    pub(crate) fn get(&self, id: TenantId) -> Option<&Arc<Tenant>> {
        self.by_id.get(&id)
    }

    /// The tenant of that short name or id.
    pub(crate) fn by_name(&self, name: &str) -> Option<&Arc<Tenant>> {
        self.get(self.by_slug.get(name).copied().or_else(|| name.parse().ok())?)
    }

    /// The tenant of that host, which is in lower case and without port.
    pub(crate) fn by_host(&self, host: &str) -> Option<&Arc<Tenant>> {
        self.get(*self.by_host.get(host)?)
    }

    /// All ids.
    pub(crate) fn ids(&self) -> impl Iterator<Item = TenantId> {
        self.by_id.keys().copied()
    }

    /// All tenants.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Tenant>> {
        self.by_id.values()
    }
}
