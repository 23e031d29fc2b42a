use super::{Mfa, MfaChange, not_enrolled};
use crate::{
    Context, Origin, Principal, Result, TRIES,
    accounts::{AccountChange, User, credentials_changed, push_hooks},
    audit,
    auth::Lockout,
    notices::{self, AccountEvent},
    ports::{Scope, Unit},
    rbac::{RoleChange, require_reach},
};
use authkit_wire::{ErrorCode, TenantId, UserId};

impl Mfa {
    /// Removes a user's second factors for an administrator or operator, and ends the user's sessions.
    ///
    /// # Errors
    /// `auth.forbidden` without `mfa:reset`; `account.not_found`, `role.exceeds_caller`, `mfa.totp_not_enrolled`.
    pub async fn reset(&self, origin: &Origin, principal: Option<&Principal>, user: UserId) -> Result<()> {
        if let Some(principal) = principal {
            principal.require("mfa:reset")?;
        }
        let cx = &*self.cx;
        let tenant = principal.map_or(origin.tenant, |principal| principal.tenant);
        let (mut user, mut unchanged) = enrolled(cx, principal, tenant, user).await?;
        let operation = self.ask(&user, principal, "mfa.reset").await?;
        let administrator = audit::administrator(cx, principal).await?;
        for _ in 0..TRIES {
            let entry = audit::entry(cx, origin, "mfa.reset").tenant(tenant).by(principal).subject(user.id);
            let mut unit = Unit::new()
                .with(AccountChange::SetMfa {
                    user: user.id,
                    security_version: user.security_version,
                    enabled: false,
                    kept_session: None,
                    at: cx.now(),
                })
                .with(MfaChange::Remove { user: user.id })
                .with(Lockout::second_factor(cx, &user).clear())
                .with(notices::tell(cx, &user, AccountEvent::MfaDisabled))
                .with(entry.seen(administrator.as_ref()).build());
            credentials_changed(&mut unit, &user, None);
            unit.extend(unchanged);
            push_hooks(cx, &mut unit, &operation);
            if cx.try_commit(Scope::Tenant(tenant), unit).await?.is_some() {
                return Ok(());
            }
            (user, unchanged) = enrolled(cx, principal, tenant, user.id).await?;
        }
        Err(ErrorCode::Conflict.into())
    }
}

/// The user, who is in the caller's reach and has a second factor, and the change that makes sure of the former. (A
/// factor that was never confirmed asks for nothing, and is replaced by the next enrolment.)
async fn enrolled(
    cx: &Context,
    principal: Option<&Principal>,
    tenant: TenantId,
    user: UserId,
) -> Result<(User, Option<RoleChange>)> {
    let user = cx.store.find_user(tenant, user).await?.ok_or(ErrorCode::UserNotFound)?;
    let unchanged = require_reach(cx, principal, &user).await?;
    if user.mfa_enabled || cx.store.find_totp(tenant, user.id).await?.is_some_and(|totp| totp.confirmed) {
        return Ok((user, unchanged));
    }
    Err(not_enrolled())
}
