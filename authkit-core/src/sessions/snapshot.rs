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

impl<T> Stamped<T> {
    /// Takes `read` over when it is later; returns whether that says anything new.
    fn take(&mut self, read: &Self, is_same: impl Fn(&T, &T) -> bool) -> bool {
        if read.ticket <= self.ticket {
            return false;
        }
        let news = !is_same(&self.value, &read.value);
        *self = read.clone();
        news
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
    keys: Stamped<KeySet>,
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
    /// This snapshot with `news`, but for what it has from a later read. It is of the same generation when nothing
    /// changed: what was read again unchanged, as feeds may ask for, costs no verified token.
    pub(super) fn with(&self, news: &[News]) -> Self {
        let mut next = self.clone();
        let mut changed = false;
        for item in news {
            changed |= match item {
                News::Keys(read) => next.keys.take(read, KeySet::is_same),
                News::Tenants(read) => next.tenants.take(read, TenantTable::is_same),
                News::Roles(tenant, read) => match next.roles.get_mut(tenant) {
                    Some(held) => held.take(read, |held, read| held.roles() == read.roles()),
                    None => next.roles.insert(*tenant, read.clone()).is_none(),
                },
            };
        }
        next.generation += u64::from(changed);
        next
    }

    /// The signing keys.
    pub(super) fn keys(&self) -> &Arc<KeySet> {
        &self.keys.value
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
