//! Who presents a token, as other languages see it.

use authkit_engine::core::{rbac::GrantScope, sessions::Principal};
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
        "expires_at": ends_at(principal),
    })
}

/// When the token runs out, in seconds since 1970.
#[must_use]
pub fn ends_at(principal: &Principal) -> i64 {
    principal.expires_at.as_second()
}
