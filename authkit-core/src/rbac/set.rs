use super::{Role, RoleTable};
use authkit_wire::{DecisionVia, UserId, grants};
use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::Arc,
};

/// For which objects a permission is granted. The order is that of strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantScope {
    /// For those that the user owns.
    Own,
    /// For all.
    All,
}

/// Why a permission is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// For which objects.
    pub scope: GrantScope,
    /// The names of the roles: the assigned one first, the one that holds the grant last.
    pub roles: Arc<[String]>,
    /// The grant as the role holds it, for example `users:*`.
    pub grant: Arc<str>,
}

impl Grant {
    /// What clients see.
    #[must_use]
    pub fn via(&self) -> DecisionVia {
        DecisionVia { roles: self.roles.to_vec(), grant: self.grant.as_ref().into() }
    }
}

/// What a set of roles grants, wildcards and inheritance resolved: a check is one lookup.
#[derive(Clone, Debug, Default)]
pub struct PermissionSet {
    grants: HashMap<String, Grant>,
    everything: bool,
    resources: HashSet<String>,
}

impl PermissionSet {
    /// What `roles` grant together with all that they inherit in `all`. Of several grants of a permission the widest
    /// counts, of equally wide ones the one nearest to an assigned role.
    #[must_use]
    pub fn of(roles: &[&Role], all: &RoleTable) -> Self {
        let mut set = Self::default();
        let chains: Vec<Vec<&Role>> = roles.iter().map(|role| all.chain(role)).collect();
        let deepest = chains.iter().map(Vec::len).max().unwrap_or_default();
        for depth in 0..deepest {
            for chain in &chains {
                let Some(role) = chain.get(depth) else { continue };
                let names: Arc<[String]> = chain[..=depth].iter().map(|role| role.name.clone()).collect();
                for grant in &role.permissions {
                    set.add(grant, &names, all);
                }
            }
        }
        set
    }

    fn add(&mut self, grant: &str, roles: &Arc<[String]>, all: &RoleTable) {
        match grants::Grant::parse(grant) {
            grants::Grant::Everything => self.everything = true,
            grants::Grant::Resource(resource) => {
                self.resources.insert(resource.into());
            }
            grants::Grant::One { .. } => {}
        }
        let text: Arc<str> = grant.into();
        for (permission, own) in all.permissions().expand(grant) {
            let scope = if own { GrantScope::Own } else { GrantScope::All };
            let new = || Grant { scope, roles: roles.clone(), grant: text.clone() };
            match self.grants.entry(permission.name.clone()) {
                Entry::Vacant(place) => {
                    place.insert(new());
                }
                Entry::Occupied(mut place) if place.get().scope < scope => {
                    place.insert(new());
                }
                Entry::Occupied(_) => {}
            }
        }
    }

    /// The grant of `permission` (`resource:action`), for whichever objects.
    #[must_use]
    pub fn grants(&self, permission: &str) -> Option<&Grant> {
        self.grants.get(permission)
    }

    /// Whether `permission` is granted for all objects.
    #[must_use]
    pub fn allows(&self, permission: &str) -> bool {
        self.grants(permission).is_some_and(|grant| grant.scope == GrantScope::All)
    }

    /// The grant that lets `subject` use `permission` on an object of `owner`.
    #[must_use]
    pub fn decide(&self, permission: &str, subject: UserId, owner: Option<UserId>) -> Option<&Grant> {
        self.grants(permission).filter(|grant| grant.scope == GrantScope::All || owner == Some(subject))
    }

    /// Whether whoever holds this may hand out `grant`. A wildcard needs an equal or wider one, since it means
    /// permissions that do not exist yet.
    #[must_use]
    pub fn covers(&self, grant: &str) -> bool {
        self.everything
            || match grants::Grant::parse(grant) {
                grants::Grant::Everything => false,
                grants::Grant::Resource(resource) => self.resources.contains(resource),
                grants::Grant::One { permission, own } => {
                    self.grants(permission).is_some_and(|held| own || held.scope == GrantScope::All)
                }
            }
    }

    /// Every permission with its grant, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Grant)> {
        self.grants.iter().map(|(name, grant)| (name.as_str(), grant))
    }
}
