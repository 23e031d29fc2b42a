use crate::{Error, Result};
use authkit_wire::{ErrorCode, FieldError, PermissionGroupView, PermissionView, grants::Grant};
use std::{collections::BTreeMap, sync::Arc};

/// The longest name of a resource or an action.
const LONGEST: usize = 64;

/// A permission that exists: `resource:action`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// `resource:action`, both of `a–z`, digits, `_`, `-` and `.`, beginning with a letter.
    pub name: String,
    /// What it allows, for people.
    pub description: String,
    /// Whether it can be granted for one's own objects only (`resource:action:own`).
    pub own: bool,
}

impl Permission {
    /// A permission that can be granted for all objects and for one's own.
    #[must_use]
    pub fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self { name: name.into(), description: description.into(), own: true }
    }

    /// The same, for all objects only.
    #[must_use]
    pub fn all_only(mut self) -> Self {
        self.own = false;
        self
    }

    fn resource(&self) -> &str {
        self.name.split_once(':').map_or("", |(resource, _)| resource)
    }
}

/// The permissions that exist in this installation: AuthKit's own and those of the host application.
#[derive(Clone, Debug)]
pub struct Permissions {
    by_name: Arc<BTreeMap<String, Permission>>,
}

/// Each of them guards a route of AuthKit's: a permission that nothing asks for promises what is not so.
fn built_in() -> Vec<Permission> {
    let all = |name, description| Permission::new(name, description).all_only();
    vec![
        all("audit:read", "Read the audit log"),
        all("devices:read", "Read users' devices"),
        all("devices:revoke", "Take users' devices back"),
        all("mfa:reset", "Remove a user's second factors"),
        all("permissions:check", "Ask what another user may do"),
        all("roles:assign", "Assign roles to users and remove them"),
        all("roles:read", "Read roles"),
        all("roles:write", "Define, change and delete roles"),
        all("sessions:read", "Read users' sessions"),
        all("sessions:revoke", "End users' sessions"),
        all("users:read", "List and read users"),
        all("users:unlock", "Lift the lock that wrong passwords put on a user"),
        all("users:write", "Activate and deactivate users"),
    ]
}

fn is_word(text: &str) -> bool {
    text.len() <= LONGEST
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.'))
}

impl Default for Permissions {
    fn default() -> Self {
        Self { by_name: Arc::new(built_in().into_iter().map(|p| (p.name.clone(), p)).collect()) }
    }
}

impl Permissions {
    /// AuthKit's permissions and `extra` ones of the host application.
    ///
    /// ```
    /// use authkit_core::rbac::{Permission, Permissions};
    /// let permissions = Permissions::new(vec![Permission::new("documents:edit", "Edit documents")])?;
    /// assert!(permissions.knows("documents:edit:own") && permissions.knows("users:*"));
    /// assert!(!permissions.knows("documents:burn"));
    /// # Ok::<(), authkit_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// A name that is not `resource:action`, or that exists already; the fields are `permissions[i]`.
    pub fn new(extra: Vec<Permission>) -> Result<Self> {
        let mut by_name: BTreeMap<_, _> = built_in().into_iter().map(|p| (p.name.clone(), p)).collect();
        let mut refused = Vec::new();
        for (place, permission) in extra.into_iter().enumerate() {
            let shaped = permission.name.split_once(':').is_some_and(|(r, a)| is_word(r) && is_word(a));
            if !shaped {
                refused.push(FieldError::new(
                    format!("permissions[{place}]"),
                    "permission.malformed",
                    "Write `resource:action` in lower case.",
                ));
            } else if by_name.insert(permission.name.clone(), permission).is_some() {
                refused.push(FieldError::new(
                    format!("permissions[{place}]"),
                    "permission.taken",
                    "A permission of this name exists.",
                ));
            }
        }
        if refused.is_empty() { Ok(Self { by_name: Arc::new(by_name) }) } else { Err(Error::fields(refused)) }
    }

    /// The permission of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Permission> {
        self.by_name.get(name)
    }

    /// Every permission, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Permission> {
        self.by_name.values()
    }

    /// Whether a role may hold `grant`: `resource:action`, `resource:action:own`, `resource:*` or `*`, of what exists.
    #[must_use]
    pub fn knows(&self, grant: &str) -> bool {
        match Grant::parse(grant) {
            Grant::Everything => true,
            Grant::Resource(resource) => self.iter().any(|p| p.resource() == resource),
            Grant::One { permission, own } => self.get(permission).is_some_and(|p| p.own || !own),
        }
    }

    /// Refuses grants that do not exist.
    pub(super) fn validate(&self, grants: &[String]) -> Result<()> {
        let refused: Vec<_> = grants
            .iter()
            .enumerate()
            .filter(|(_, grant)| !self.knows(grant))
            .map(|(place, _)| {
                FieldError::new(
                    format!("permissions[{place}]"),
                    ErrorCode::UnknownPermission.as_str(),
                    "Choose from the listed permissions: `resource:action`, `resource:action:own`, `resource:*` or `*`.",
                )
            })
            .collect();
        if refused.is_empty() {
            return Ok(());
        }
        let mut error = Error::from(ErrorCode::UnknownPermission);
        error.fields = refused;
        Err(error)
    }

    /// What `grant` means: the permissions it names that exist, and whether for one's own objects only.
    pub(super) fn expand<'a>(&'a self, grant: &'a str) -> impl Iterator<Item = (&'a Permission, bool)> {
        let pattern = Grant::parse(grant);
        self.iter().filter_map(move |permission| match pattern {
            Grant::Everything => Some((permission, false)),
            Grant::Resource(resource) => (permission.resource() == resource).then_some((permission, false)),
            Grant::One { permission: name, own } => {
                (permission.name == name && (permission.own || !own)).then_some((permission, own))
            }
        })
    }

    /// For clients, by resource.
    pub(super) fn views(&self) -> Vec<PermissionGroupView> {
        let mut groups: Vec<PermissionGroupView> = Vec::new();
        for permission in self.iter() {
            let view = PermissionView {
                name: permission.name.clone(),
                description: permission.description.clone(),
                scopes: if permission.own { vec!["all".into(), "own".into()] } else { vec!["all".into()] },
            };
            match groups.iter_mut().find(|group| group.resource == permission.resource()) {
                Some(group) => group.permissions.push(view),
                None => {
                    groups.push(PermissionGroupView { resource: permission.resource().into(), permissions: vec![view] })
                }
            }
        }
        groups.sort_by(|a, b| a.resource.cmp(&b.resource));
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_known_only_when_they_name_what_exists() {
        let permissions = Permissions::new(vec![
            Permission::new("documents:edit", "Edit documents"),
            Permission::new("documents:own", "Become the owner").all_only(),
        ])
        .expect("valid");
        for grant in ["*", "documents:*", "documents:edit", "documents:edit:own", "documents:own", "users:read"] {
            assert!(permissions.knows(grant), "{grant}");
        }
        for grant in [
            "",
            "**",
            ":*",
            "*:*",
            "*:own",
            "documents",
            "documents:",
            "documents:edit:all",
            "documents:*:own",
            "documents:own:own",
            "documents:edit:own:own",
            "documents:Edit",
            " documents:edit",
            "users:read:own",
            "nothing:*",
        ] {
            assert!(!permissions.knows(grant), "{grant}");
        }
    }

    #[test]
    fn an_application_cannot_redefine_or_misspell_a_permission() {
        let error = Permissions::new(vec![
            Permission::new("users:read", ""),
            Permission::new("Documents:edit", ""),
            Permission::new("documents", ""),
            Permission::new("documents:*", ""),
            Permission::new("documents:edit:own", ""),
            Permission::new("fine:one", ""),
            Permission::new("fine:one", ""),
        ])
        .expect_err("refused");
        let fields: Vec<_> = error.fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "permissions[0]",
                "permissions[1]",
                "permissions[2]",
                "permissions[3]",
                "permissions[4]",
                "permissions[6]"
            ]
        );
    }
}
