use authkit_wire::{RoleId, RoleView, TenantId};
use jiff::Timestamp;

/// A role of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Unique in the tenant.
    pub name: String,
    /// Since when it has this name: a token older than that does not mean this role by it.
    pub named_at: Timestamp,
    /// What it is for.
    pub description: String,
    /// The role it inherits from.
    pub parent: Option<RoleId>,
    /// What it grants itself.
    pub permissions: Vec<String>,
    /// Whether it is fixed.
    pub system: bool,
    /// Grows with each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Which roles of a tenant are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleFilter {
    /// Those that inherit from this role directly.
    pub parent: Option<RoleId>,
    /// Those whose name starts with this.
    pub name: Option<String>,
    /// The fixed ones, or the others.
    pub system: Option<bool>,
}

impl RoleFilter {
    pub(super) fn keeps(&self, role: &Role) -> bool {
        (self.parent.is_none() || role.parent == self.parent)
            && self.name.as_ref().is_none_or(|start| role.name.starts_with(&**start))
            && self.system.is_none_or(|system| role.system == system)
    }
}

impl Role {
    /// What clients see.
    #[must_use]
    pub fn view(&self) -> RoleView {
        RoleView {
            id: self.id,
            name: self.name.clone(),
            description: self.description.clone(),
            parent_id: self.parent,
            permissions: self.permissions.clone(),
            system: self.system,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}
