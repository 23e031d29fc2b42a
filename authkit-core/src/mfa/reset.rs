use super::{Mfa, MfaChange, not_enrolled};
use crate::{
    Error, Origin, Principal, Result,
    accounts::{AccountChange, push_hooks},
    audit,
    auth::Lockout,
    notices::{self, AccountEvent},
    ports::{Scope, Unit},
    rbac::require_reach,
    sessions::{FeedEvent, SessionChange},
};
use authkit_wire::{ErrorCode, UserId};

/// How often a reset reads again after the account or the tenant's roles changed under it.
const TRIES: usize = 16;

impl Mfa {
    /// Removes a user's second factors for an administrator or operator, and ends the user's sessions.
    ///
    /// # Errors
    /// `auth.forbidden` without `mfa:reset`; `account.not_found`, `role.exceeds_caller`, `mfa.totp_not_enrolled`.
    pub async fn reset(&self, origin: &Origin, principal: Option<&Principal>, user: UserId) -> Result<()> {
        if let Some(principal) = principal {
            principal.require("mfa:reset")?;
        }
        for _ in 0..TRIES {
            if self.try_reset(origin, principal, user).await? {
                return Ok(());
            }
        }
        Err(ErrorCode::Conflict.into())
    }

    async fn try_reset(&self, origin: &Origin, principal: Option<&Principal>, user: UserId) -> Result<bool> {
        let cx = &*self.cx;
        let tenant = principal.map_or(origin.tenant, |principal| principal.tenant);
        let user = cx.store.find_user(tenant, user).await?.ok_or_else(|| Error::from(ErrorCode::UserNotFound))?;
        let unchanged = require_reach(cx, principal, &user).await?;
        // One that was never confirmed asks for nothing, and is replaced by the next enrolment.
        let confirmed = cx.store.find_totp(tenant, user.id).await?.is_some_and(|totp| totp.confirmed);
        if !user.mfa_enabled && !confirmed {
            return Err(not_enrolled());
        }
        let operation = self.ask(&user, principal, "mfa.reset").await?;
        let administrator = audit::administrator(cx, principal).await?;
        let entry = audit::entry(cx, origin, "mfa.reset").tenant(tenant).by(principal).subject(user.id);
        let entry = entry.seen(administrator.as_ref());
        let mut unit = Unit::new()
            .with(AccountChange::SetMfa {
                user: user.id,
                security_version: user.security_version,
                enabled: false,
                kept_session: None,
                at: cx.now(),
            })
            .with(MfaChange::Remove { user: user.id })
            .with(SessionChange::EndAllOf { user: user.id, except: None })
            .with(Lockout::second_factor(cx, &user).clear())
            .with(FeedEvent::UserChanged(tenant, user.id))
            .with(notices::tell(cx, &user, AccountEvent::MfaDisabled))
            .with(entry.build());
        if let Some(unchanged) = unchanged {
            unit.push(unchanged);
        }
        push_hooks(cx, &mut unit, &operation);
        match cx.commit(Scope::Tenant(tenant), unit).await {
            Ok(_) => Ok(true),
            Err(error) if error.conflict().is_some() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
