//! What must hold for a write of roles.

use super::{PermissionSet, Role, RoleTable, Roles};
use crate::{
    Error, Origin, Principal, Result,
    accounts::{User, signed_in},
    audit,
    sessions::forbidden,
};
use authkit_wire::{ErrorCode, FieldError, RoleId, TenantId};
use std::{collections::HashSet, sync::Arc};

pub(super) const LONGEST_NAME: usize = 64;
const LONGEST_DESCRIPTION: usize = 500;
const MOST_GRANTS: usize = 256;

/// What a write decides on: the roles at one version, and the caller as of that version.
pub(super) struct Basis {
    pub(super) tenant: TenantId,
    pub(super) table: RoleTable,
    caller: Option<Caller>,
}

struct Caller {
    user: User,
    held: Arc<PermissionSet>,
}

impl Roles {
    /// Reads the basis of a write and checks that the caller holds `permission`. The caller's roles are read after the
    /// version, so they too are still so when a unit that expects the version commits.
    pub(super) async fn basis(
        &self,
        origin: &Origin,
        principal: Option<&Principal>,
        permission: &str,
    ) -> Result<Basis> {
        let tenant = principal.map_or(origin.tenant, |principal| principal.tenant);
        let table = self.table(tenant).await?;
        let Some(principal) = principal else { return Ok(Basis { tenant, table, caller: None }) };
        let user = signed_in(&self.cx, principal).await?;
        let held = table.permissions_of(&self.cx.store.user_roles(tenant, user.id).await?);
        if !held.allows(permission) {
            return Err(forbidden(permission));
        }
        Ok(Basis { tenant, table, caller: Some(Caller { user, held }) })
    }
}

impl Basis {
    /// The role.
    pub(super) fn role(&self, id: RoleId) -> Result<&Role> {
        self.table.get(id).ok_or_else(|| ErrorCode::RoleNotFound.into())
    }

    /// The caller must hold all that `grants` give.
    ///
    /// For a change of a role this is asked of what the role grants before and after it, inheritance included. The
    /// roles below it need no question of their own: they gain and lose only what the role itself does.
    pub(super) fn require_held<'a>(&self, grants: impl Iterator<Item = &'a String>) -> Result<()> {
        let Some(caller) = &self.caller else { return Ok(()) };
        let mut missing: Vec<&str> = grants.map(String::as_str).filter(|grant| !caller.held.covers(grant)).collect();
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        missing.truncate(10);
        Err(Error::new(ErrorCode::RoleExceedsCaller, format!("You do not hold: {}.", missing.join(", "))))
    }

    /// What the role grants, with all that it inherits.
    pub(super) fn grants<'a>(&'a self, role: &'a Role) -> impl Iterator<Item = &'a String> {
        self.table.chain(role).into_iter().flat_map(|role| &role.permissions)
    }

    /// The parent exists and does not inherit from the role `below` itself.
    pub(super) fn parent(&self, parent: RoleId, below: Option<RoleId>) -> Result<&Role> {
        let parent = self.table.get(parent).ok_or_else(|| {
            Error::field("parent_id", ErrorCode::RoleNotFound.as_str(), "Name a role of this tenant.")
        })?;
        if self.table.chain(parent).iter().any(|role| Some(role.id) == below) {
            return Err(Error::new(
                ErrorCode::RoleCycle,
                format!("`{}` is this role itself or inherits from it.", parent.name),
            ));
        }
        Ok(parent)
    }

    /// No other role has the name, in whatever case: `Admin` beside `admin` would deceive people.
    pub(super) fn require_free(&self, name: &str, except: Option<RoleId>) -> Result<()> {
        let folded = name.to_lowercase();
        let taken = |role: &&Role| Some(role.id) != except && role.name.to_lowercase() == folded;
        match self.table.roles().iter().find(taken) {
            Some(_) => Err(ErrorCode::RoleNameTaken.into()),
            None => Ok(()),
        }
    }

    /// The audit record of a write by this caller.
    pub(super) fn entry<'a>(&'a self, roles: &'a Roles, origin: &'a Origin, action: &str) -> audit::Entry<'a> {
        let entry = audit::entry(&roles.cx, origin, action).tenant(self.tenant);
        match &self.caller {
            Some(caller) => entry.person(&caller.user).actor(caller.user.id),
            None => entry.operator(),
        }
    }
}

/// The values of a role as a request gives them, validated.
pub(super) struct Definition {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) permissions: Option<Vec<String>>,
}

impl Roles {
    /// Validates what needs no reading.
    pub(super) fn definition(
        &self,
        name: Option<String>,
        description: Option<String>,
        permissions: Option<Vec<String>>,
    ) -> Result<Definition> {
        let mut refused = Vec::new();
        if name.as_deref().is_some_and(|name| !is_name(name)) {
            refused.push(FieldError::new(
                "name",
                "role.invalid_name",
                format!(
                    "Use 1 to {LONGEST_NAME} letters (A to Z), digits, `. _ : - /` and single spaces between them."
                ),
            ));
        }
        let is_odd = |c: char| c.is_control() && c != '\n' && c != '\t';
        if description
            .as_deref()
            .is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION || text.contains(is_odd))
        {
            refused.push(FieldError::new(
                "description",
                "role.invalid_description",
                format!("Use at most {LONGEST_DESCRIPTION} characters and no control characters."),
            ));
        }
        if permissions.as_ref().is_some_and(|grants| grants.len() > MOST_GRANTS) {
            refused.push(FieldError::new(
                "permissions",
                "role.too_many_permissions",
                format!("Use at most {MOST_GRANTS}; `resource:*` grants all of a resource."),
            ));
        }
        if !refused.is_empty() {
            return Err(Error::fields(refused));
        }
        let permissions = permissions
            .map(|grants| {
                self.cx.permissions.validate(&grants)?;
                let mut seen = HashSet::new();
                Ok::<_, Error>(grants.into_iter().filter(|grant| seen.insert(grant.clone())).collect())
            })
            .transpose()?;
        Ok(Definition { name, description, permissions })
    }
}

/// Names are in access tokens, where services compare them: of two of them it must be plain whether they are the same.
fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b" ._:-/".contains(&b))
        && name.split(' ').all(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_plain() {
        for name in ["admin", "Support level 2", "team:blue/on-call_v1.2", "x", &"x".repeat(64)] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            " ",
            " admin",
            "admin ",
            "two  spaces",
            "ad\nmin",
            "ad\tmin",
            "ad\0min",
            "ad\u{200b}min",
            "\u{202e}nimda",
            "a\u{a0}b",
            "аdmin", // Cyrillic
            "é",
            "admin\u{1f6e0}",
            "a,b",
            "a\"b",
            &"x".repeat(65),
        ] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
