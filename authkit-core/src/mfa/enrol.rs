use super::{
    Guard, Mfa, MfaChange, Totp,
    check::{PURPOSE, matching_step, wrong},
    codes, not_enrolled, otpauth,
};
use crate::{
    Origin, Principal, Result,
    accounts::{AccountChange, credentials_changed, push_hook, push_hooks, signed_in},
    audit,
    notices::{self, AccountEvent},
    ports::{Scope, Unit},
};
use authkit_wire::{BackupCodesView, ErrorCode, Secret, TotpConfirmRequest, TotpEnrolmentView};
use zeroize::Zeroizing;

/// As long as the output of HMAC-SHA-1 (RFC 4226, section 4, R6).
const SECRET_LENGTH: usize = 20;

impl Mfa {
    /// Makes a TOTP secret that asks for nothing until it is confirmed; needs a fresh sign-in.
    ///
    /// # Errors
    /// `auth.step_up_required`, `auth.invalid_token`, `mfa.totp_already_active`, `auth.refused_by_application`.
    pub async fn enrol_totp(&self, origin: &Origin, principal: &Principal) -> Result<TotpEnrolmentView> {
        let cx = &*self.cx;
        principal.require_fresh(cx)?;
        let user = signed_in(cx, principal).await?;
        let operation = self.ask(&user, Some(principal), "mfa.totp_enrolled").await?;
        let mut secret = Zeroizing::new([0; SECRET_LENGTH]);
        cx.random.fill(secret.as_mut());
        let base32 = otpauth::base32(secret.as_ref());
        let uri = otpauth::uri(&cx.settings.product_name, &user.email, &base32);
        let (qr_svg, qr_png) = (otpauth::qr_svg(&uri)?, otpauth::qr_png(&uri)?);
        let totp = Totp {
            user: user.id,
            secret: cx.keyring.seal(&*cx.random, PURPOSE, user.id.uuid().as_bytes(), secret.as_ref()),
            confirmed: false,
            last_step: 0,
            created_at: cx.now(),
        };
        let mut unit = Unit::new()
            .with(MfaChange::Enrol(totp))
            .with(audit::entry(cx, origin, "mfa.totp_enrolled").person(&user).actor(user.id).build());
        push_hook(cx, &mut unit, &operation);
        let active = || ErrorCode::TotpAlreadyActive.into();
        cx.commit(Scope::Tenant(user.tenant), unit).await.map_err(|error| error.or_conflict(active))?;
        Ok(TotpEnrolmentView {
            secret: Secret::from(base32.as_str()),
            otpauth_uri: Secret::from(uri.as_str()),
            qr_svg: qr_svg.into(),
            qr_png: qr_png.into(),
        })
    }

    /// Confirms the secret with a code of it and hands out ten backup codes; the other sessions end.
    ///
    /// # Errors
    /// `auth.step_up_required`, `auth.invalid_token`, `mfa.totp_not_enrolled`, `mfa.totp_already_active`,
    /// `auth.invalid_mfa_code`, `auth.too_many_attempts`, `auth.refused_by_application`; `server.conflict` when the
    /// account or the secret changed meanwhile.
    pub async fn confirm_totp(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: TotpConfirmRequest,
    ) -> Result<BackupCodesView> {
        let cx = &*self.cx;
        principal.require_fresh(cx)?;
        let user = signed_in(cx, principal).await?;
        let totp = cx.store.find_totp(user.tenant, user.id).await?.ok_or_else(not_enrolled)?;
        if totp.confirmed {
            return Err(ErrorCode::TotpAlreadyActive.into());
        }
        let operation = self.ask(&user, Some(principal), "mfa.totp_enabled").await?;
        let guard = Guard::begin(cx, origin, &user, false).await?;
        let step = match matching_step(cx, &totp, &request.code).and_then(|step| step.ok_or_else(wrong)) {
            Ok(step) => step,
            Err(error) => return Err(guard.failed(cx, origin, &user, error).await),
        };
        let (codes, now) = (codes::generate(cx), cx.now());
        let mut unit = Unit::new()
            .with(AccountChange::SetMfa {
                user: user.id,
                security_version: user.security_version,
                enabled: true,
                kept_session: Some(principal.session),
                at: now,
            })
            .with(MfaChange::Confirm { user: user.id, secret: totp.secret, step })
            .with(MfaChange::ReplaceBackupCodes { user: user.id, codes: codes::all_stored(cx, &user, &codes), at: now })
            .with(guard.clear())
            .with(notices::tell(cx, &user, AccountEvent::MfaEnabled))
            .with(audit::entry(cx, origin, "mfa.totp_enabled").person(&user).actor(user.id).build());
        credentials_changed(&mut unit, &user, Some(principal.session));
        push_hooks(cx, &mut unit, &operation);
        let Err(error) = cx.commit(Scope::Tenant(user.tenant), unit).await else {
            return Ok(BackupCodesView { backup_codes: codes });
        };
        // The code was right. Another request confirmed it, enrolled anew, or changed the account meanwhile.
        let confirmed = match error.conflict() {
            Some(_) => cx.store.find_totp(user.tenant, user.id).await?.is_some_and(|totp| totp.confirmed),
            None => false,
        };
        let error = if confirmed { ErrorCode::TotpAlreadyActive.into() } else { error.into() };
        Err(guard.failed(cx, origin, &user, error).await)
    }
}
