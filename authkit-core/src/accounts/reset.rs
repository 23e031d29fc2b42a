//! Forgotten passwords.

use super::{
    AccountChange, Accounts, Email, OneTimeToken, Presented, TokenPurpose, User, asked_tenant::AskedTenant,
    credentials_changed, make_token, passwords::NewPassword, pseudonym, push_hook, push_hooks, tokens::void_link,
};
use crate::{
    Context, Origin, Result, audit,
    auth::Lockout,
    crypto::OpaqueToken,
    devices::DeviceChange,
    mfa::MfaChange,
    notices::{self, AccountEvent, Notice},
    ports::{Operation, OperationKind, Scope, Unit},
};
use authkit_wire::{EmailRequest, PasswordResetRequest};
use jiff::Timestamp;

impl Accounts {
    /// Mails a reset link, if there is an account; alike whatever the address.
    ///
    /// # Errors
    /// `request.validation_failed`, `auth.refused_by_application`.
    pub async fn forgot_password(&self, origin: &Origin, request: EmailRequest) -> Result<()> {
        let cx = &*self.cx;
        let tenant = origin.tenant;
        let asked = AskedTenant::of(cx, origin);
        let email = Email::parse(&request.email, asked.settings.unicode_addresses)?;
        let operation = Operation::new(OperationKind::RequestPasswordReset, tenant);
        cx.before(&operation, None).await?;
        let actor = pseudonym(&cx.keyring, &email.key(&cx.keyring, tenant));
        let notice = if asked.known {
            Notice::PasswordResetRequested { email: email.as_str().to_owned() }
        } else {
            notices::to_nobody(cx, &email)
        };
        let mut unit = Unit::new()
            .with(notices::enqueue(cx, asked.home, &notice))
            .with(audit::entry(cx, &asked.origin, "password.reset_requested").actor(actor).build());
        push_hook(cx, &mut unit, &asked.at_home(operation));
        cx.commit(Scope::Tenant(asked.home), unit).await?;
        Ok(())
    }

    /// Sets a new password with a mailed token, ends all sessions and lifts a lock. It never bypasses MFA, but where it
    /// is the first proof of the address it removes the second factor of whoever held the account without one.
    ///
    /// A refused password does not use the token up.
    ///
    /// # Errors
    /// `auth.invalid_token_or_expired`, `request.validation_failed`, `auth.refused_by_application`.
    pub async fn reset_password(&self, origin: &Origin, request: PasswordResetRequest) -> Result<()> {
        let cx = &*self.cx;
        let Presented { origin, row, user } =
            Presented::get(cx, origin, TokenPurpose::PasswordReset, &request.token).await?;
        let inputs = [user.email.as_str(), user.name.as_deref().unwrap_or_default()];
        let password = NewPassword::judge(cx, "new_password", &request.new_password, &inputs).await?;
        password.refuse_reuse(cx, &user).await?;
        let operation = Operation::new(OperationKind::ChangePassword, user.tenant).on(user.id).action("password.reset");
        cx.before(&operation, None).await?;
        let hash = password.hash(cx).await?;

        let at = cx.now();
        let mut unit = Unit::new()
            .with(AccountChange::SetPassword {
                user: user.id,
                security_version: user.security_version,
                hash,
                kept_session: None,
                keep: cx.settings.password.history,
                at,
            })
            .with(AccountChange::ConsumeToken { id: row.id, token_hash: row.token_hash });
        if !user.email_verified {
            unit.push(AccountChange::VerifyEmail { user: user.id, email_key: user.email_key, at });
            drop_factors(&mut unit, &user, user.security_version + 1, at);
            unit.push(DeviceChange::RevokeAllOf { owner: user.id, at });
        }
        credentials_changed(&mut unit, &user, None);
        unit.push(Lockout::sign_in(cx, user.tenant, &user.email_key).clear());
        unit.push(Lockout::reauthentication(cx, &user).clear());
        unit.push(audit::entry(cx, &origin, "password.reset").actor(user.id).person(&user).build());
        unit.push(notices::tell(cx, &user, AccountEvent::PasswordChanged));
        push_hooks(cx, &mut unit, &operation);
        cx.commit(Scope::Tenant(user.tenant), unit).await.map_err(|error| error.or_conflict(void_link))?;
        Ok(())
    }
}

/// Makes a reset token. Whoever stores it deletes the older ones in the same unit
/// ([`DeleteTokensOf`](AccountChange::DeleteTokensOf), then [`CreateToken`](AccountChange::CreateToken)).
///
/// # Errors
/// None that depends on the user.
pub(crate) fn issue(cx: &Context, user: &User) -> Result<(OneTimeToken, OpaqueToken)> {
    make_token(cx, user, TokenPurpose::PasswordReset, cx.settings.links.reset, &())
}

/// Removes the second factors of an account that somebody held who does not own its address. `security_version` is what the
/// changes before it in the unit have made of it.
pub(super) fn drop_factors(unit: &mut Unit, user: &User, security_version: i64, at: Timestamp) {
    if user.mfa_enabled {
        let kept_session = None;
        unit.push(AccountChange::SetMfa { user: user.id, security_version, enabled: false, kept_session, at });
    }
    unit.push(MfaChange::Remove { user: user.id });
}
