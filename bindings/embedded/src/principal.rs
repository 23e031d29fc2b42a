//! Who presents a token, as other languages see it.

use crate::failure;
use authkit_client::{Error, Result};
use authkit_engine::core::{rbac::GrantScope, sessions::Principal, wire::UserId};
use serde_json::{Value, json};

/// `{user, tenant, session, roles, permissions, amr, auth_time, expires_at}`: ids, `resource:action` with `:own` behind it
/// where it is granted for one's own objects only, and times in seconds since 1970.
#[must_use]
pub fn to_json(principal: &Principal) -> Value {
    let permissions = principal.permissions.iter().map(|(name, grant)| match grant.scope {
        GrantScope::All => Value::from(name),
        GrantScope::Own => format!("{name}:own").into(),
    });
    json!({
        "user": principal.user,
        "tenant": principal.tenant,
        "session": principal.session,
        "roles": *principal.roles,
        "permissions": permissions.collect::<Vec<_>>(),
        "amr": *principal.amr,
        "auth_time": principal.auth_time.as_second(),
        "expires_at": principal.expires_at.as_second(),
    })
}

/// Refuses a principal that lacks the permission: on everything, or on what belongs to `owner` (a user's id).
///
/// # Errors
/// `auth.forbidden`; `client.invalid_argument` when the owner is no user's id.
pub fn require(principal: &Principal, permission: &str, owner: Option<&str>) -> Result<()> {
    let allowed = match owner {
        None => principal.require(permission),
        Some(owner) => {
            let owner: UserId = owner.parse().map_err(|_| Error::invalid_argument("The owner must be a user's id."))?;
            principal.require_for(permission, owner)
        }
    };
    allowed.map_err(|error| failure::refused(error, None))
}
