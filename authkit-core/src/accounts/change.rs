//! A signed-in user's own change of password.

use super::{
    AccountChange, Accounts, credentials_changed,
    passwords::{NewPassword, confirm},
    push_hooks, signed_in,
};
use crate::{
    Origin, Principal, Result, audit,
    notices::{self, AccountEvent},
    ports::{Operation, OperationKind, Scope, Unit},
};
use authkit_wire::PasswordChangeRequest;

impl Accounts {
    /// Sets a new password and ends the other sessions, given the current one or a fresh sign-in.
    ///
    /// # Errors
    /// `auth.invalid_credentials` for a wrong current password, `auth.step_up_required` without one when the sign-in is
    /// not fresh, `request.validation_failed` for the new one,
    /// `auth.refused_by_application`, `server.conflict` when the credentials change at the same time.
    pub async fn change_password(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: PasswordChangeRequest,
    ) -> Result<()> {
        let cx = &*self.cx;
        let user = signed_in(cx, principal).await?;
        let (tenant, session) = (user.tenant, Some(principal.session));
        confirm(cx, origin, principal, &user, request.current_password.as_ref()).await?;
        let inputs = [user.email.as_str(), user.name.as_deref().unwrap_or_default()];
        let password = NewPassword::judge(cx, "new_password", &request.new_password, &inputs).await?;
        password.refuse_reuse(cx, &user).await?;
        let operation = Operation::new(OperationKind::ChangePassword, tenant).on(user.id).by(Some(principal));
        let operation = operation.action("password.changed");
        cx.before(&operation, None).await?;
        let hash = password.hash(cx).await?;

        let mut unit = Unit::new().with(AccountChange::SetPassword {
            user: user.id,
            security_version: user.security_version,
            hash,
            kept_session: session,
            keep: cx.settings.password.history,
            at: cx.now(),
        });
        credentials_changed(&mut unit, &user, session);
        unit.push(audit::entry(cx, origin, "password.changed").actor(user.id).person(&user).build());
        unit.push(notices::tell(cx, &user, AccountEvent::PasswordChanged));
        push_hooks(cx, &mut unit, &operation);
        // No second try on a conflict: the current password was checked against credentials that are gone.
        cx.commit(Scope::Tenant(tenant), unit).await?;
        Ok(())
    }
}
