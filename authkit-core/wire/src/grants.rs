//! What a role's grant means: `resource:action`, `resource:action:own`, `resource:*` and `*`.
//!
//! Servers decide with it, and clients that show or hide what a person may do.

/// The form of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant<'a> {
    /// `*`: every permission, for all objects.
    Everything,
    /// `resource:*`: every permission of the resource, for all objects.
    Resource(&'a str),
    /// One permission.
    One {
        /// `resource:action`
        permission: &'a str,
        /// Whether for the holder's own objects only.
        own: bool,
    },
}

impl<'a> Grant<'a> {
    /// Reads a grant. Every text is one, if only of a permission that does not exist.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        if text == "*" {
            return Self::Everything;
        }
        if let Some(resource) = text.strip_suffix(":*") {
            return Self::Resource(resource);
        }
        match text.strip_suffix(":own") {
            // `x:own` is an action of that name; `x:y:own` is a scope.
            Some(permission) if permission.contains(':') => Self::One { permission, own: true },
            _ => Self::One { permission: text, own: false },
        }
    }

    /// Whether the grant holds for `permission` (`resource:action`), on an object that is the holder's `own` or not.
    ///
    /// It does not know which permissions exist, nor which of them can be held for one's own objects only: a server
    /// that decides asks its list first.
    ///
    /// ```
    /// use authkit_wire::grants::Grant;
    /// assert!(Grant::parse("documents:*").allows("documents:edit", false));
    /// assert!(Grant::parse("documents:edit:own").allows("documents:edit", true));
    /// assert!(!Grant::parse("documents:edit:own").allows("documents:edit", false));
    /// ```
    #[must_use]
    pub fn allows(self, permission: &str, own: bool) -> bool {
        let Some((resource, action)) = permission.split_once(':') else { return false };
        if resource.is_empty() || action.is_empty() || action.contains(':') || permission.contains('*') {
            return false;
        }
        match self {
            Self::Everything => true,
            Self::Resource(granted) => granted == resource,
            Self::One { permission: granted, own: only_own } => granted == permission && (own || !only_own),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_holds_for_what_it_names_and_nothing_else() {
        for (grant, permission, own, allowed) in [
            ("*", "users:read", false, true),
            ("users:*", "users:read", false, true),
            ("users:*", "usersx:read", false, false),
            ("users:read", "users:read", false, true),
            ("users:read", "users:write", true, false),
            ("users:read:own", "users:read", true, true),
            ("users:read:own", "users:read", false, false),
            ("users:own", "users:own", false, true),
            ("users:own", "users:read", true, false),
            ("", "users:read", true, false),
            ("users:**", "users:read", true, false),
        ] {
            assert_eq!(Grant::parse(grant).allows(permission, own), allowed, "{grant} {permission} {own}");
        }
    }

    #[test]
    fn what_is_no_permission_is_never_allowed() {
        for wrong in ["", "users", "users:", ":read", "*", "users:*", "users:read:own", "*:*"] {
            for grant in ["*", wrong] {
                assert!(!Grant::parse(grant).allows(wrong, true), "{grant} {wrong}");
            }
        }
    }
}
