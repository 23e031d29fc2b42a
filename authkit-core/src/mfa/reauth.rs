use super::{Guard, Mfa, MfaChange, check, codes, not_enrolled, refused};
use crate::{
    Origin, Principal, Result,
    accounts::{AccountChange, User, credentials_changed, passwords, push_hook, push_hooks, signed_in},
    audit,
    notices::{self, AccountEvent},
    ports::{Operation, Scope, Unit},
};
use authkit_wire::{BackupCodesView, MfaMethod, MfaReauthRequest};

/// What password and code proved.
struct Proof {
    user: User,
    /// Consumes the code: it belongs into the operation's unit.
    consume: MfaChange,
    guard: Guard,
    operation: Operation,
}

impl Mfa {
    /// Removes TOTP and the backup codes, given password and a code; the other sessions end.
    ///
    /// # Errors
    /// `mfa.totp_not_enrolled`, `auth.invalid_credentials`, `auth.invalid_mfa_code`, `auth.mfa_method_unavailable`,
    /// `auth.too_many_attempts`.
    pub async fn disable_totp(&self, origin: &Origin, principal: &Principal, request: MfaReauthRequest) -> Result<()> {
        let cx = &*self.cx;
        let Proof { user, consume, guard, operation } =
            self.reauthenticate(origin, principal, &request, "mfa.totp_disabled").await?;
        let mut unit = Unit::new().with(AccountChange::SetMfa {
            user: user.id,
            security_version: user.security_version,
            enabled: false,
            kept_session: Some(principal.session),
            at: cx.now(),
        });
        let place = unit.push(consume);
        unit.push(MfaChange::Remove { user: user.id });
        credentials_changed(&mut unit, &user, Some(principal.session));
        unit.push(guard.clear());
        unit.push(notices::tell(cx, &user, AccountEvent::MfaDisabled));
        unit.push(used(self, origin, &user, "mfa.totp_disabled", request.method));
        push_hooks(cx, &mut unit, &operation);
        self.consume(origin, &user, unit, place, &guard).await
    }

    /// Makes ten new backup codes, given password and a code; the old ones are void.
    ///
    /// # Errors
    /// Those of [`disable_totp`](Self::disable_totp).
    pub async fn regenerate_backup_codes(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: MfaReauthRequest,
    ) -> Result<BackupCodesView> {
        let cx = &*self.cx;
        let Proof { user, consume, guard, operation } =
            self.reauthenticate(origin, principal, &request, "mfa.backup_codes_regenerated").await?;
        let codes = codes::generate(cx);
        let mut unit = Unit::new();
        // Removing the second factor at the same time makes this conflict, so that no codes are left behind.
        let place = unit.push(consume);
        unit.push(MfaChange::ReplaceBackupCodes {
            user: user.id,
            codes: codes::all_stored(cx, &user, &codes),
            at: cx.now(),
        });
        unit.push(guard.clear());
        unit.push(notices::tell(cx, &user, AccountEvent::BackupCodesRegenerated));
        unit.push(used(self, origin, &user, "mfa.backup_codes_regenerated", request.method));
        push_hook(cx, &mut unit, &operation);
        self.consume(origin, &user, unit, place, &guard).await?;
        Ok(BackupCodesView { backup_codes: codes })
    }

    /// Checks password and code.
    async fn reauthenticate(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: &MfaReauthRequest,
        action: &str,
    ) -> Result<Proof> {
        let cx = &*self.cx;
        let user = signed_in(cx, principal).await?;
        if !cx.store.find_totp(user.tenant, user.id).await?.is_some_and(|totp| totp.confirmed) {
            return Err(not_enrolled());
        }
        passwords::check_current_from(cx, origin, &user, &request.password).await?;
        let operation = self.ask(&user, Some(principal), action).await?;
        let guard = Guard::begin(cx, origin, &user, false).await?;
        match check(cx, &user, request.method, &request.code).await {
            Ok(consume) => Ok(Proof { user, consume, guard, operation }),
            Err(error) => Err(guard.failed(cx, origin, &user, error).await),
        }
    }

    /// Commits; the change at `place` consumes the code.
    async fn consume(&self, origin: &Origin, user: &User, unit: Unit, place: usize, guard: &Guard) -> Result<()> {
        match self.cx.commit(Scope::Tenant(user.tenant), unit).await {
            Ok(_) => Ok(()),
            Err(error) => Err(guard.failed(&self.cx, origin, user, refused(error, place)).await),
        }
    }
}

fn used(mfa: &Mfa, origin: &Origin, user: &User, action: &str, method: MfaMethod) -> audit::AuditChange {
    let method = if method == MfaMethod::BackupCode { "backup_code" } else { "totp" };
    audit::entry(&mfa.cx, origin, action).person(user).actor(user.id).data("method", method).build()
}
