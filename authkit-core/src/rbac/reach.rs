//! Whom an administrator may act on.

use super::{RoleChange, RoleTable};
use crate::{Context, Error, Principal, Result, accounts::User};
use authkit_wire::ErrorCode;

/// Refuses an act on a user who holds more than the caller does: who may only look after accounts could otherwise lock
/// administrators out, or strip them of their second factor. Operators and the user themself pass.
///
/// The change it returns belongs into the unit of the act. The unit then conflicts when roles change meanwhile, and
/// whoever commits it asks again.
///
/// # Errors
/// `role.exceeds_caller`, and those of the store.
pub(crate) async fn require_reach(
    cx: &Context,
    principal: Option<&Principal>,
    target: &User,
) -> Result<Option<RoleChange>> {
    let Some(principal) = principal.filter(|principal| principal.user != target.id) else { return Ok(None) };
    // The version is read first, so that what is read after it is still so when the unit commits.
    let (roles, version) = cx.store.list_roles(target.tenant).await?;
    let table = RoleTable::new(roles, version, &cx.permissions);
    let caller = table.permissions_of(&cx.store.user_roles(target.tenant, principal.user).await?);
    let held = cx.store.user_roles(target.tenant, target.id).await?;
    let mut grants =
        held.iter().filter_map(|id| table.get(*id)).flat_map(|role| table.chain(role)).flat_map(|r| &r.permissions);
    if grants.all(|grant| caller.covers(grant)) {
        return Ok(Some(RoleChange::Advance { version }));
    }
    Err(Error::new(ErrorCode::RoleExceedsCaller, "The user's roles permit what yours do not."))
}
