//! The way back for whoever has switched the own account off or put it up for deletion.

use super::{
    AccountChange, Accounts, OneTimeToken, Presented, TokenPurpose, User, credentials::void_tokens, make_token,
    push_hook, tokens::void_link,
};
use crate::{
    Context, Origin, Result, audit,
    crypto::OpaqueToken,
    notices::{self, AccountEvent},
    ports::{Operation, OperationKind, Scope, Unit},
    sessions::FeedEvent,
};
use authkit_wire::{TokenRequest, UserStatus};
use jiff::SignedDuration;

/// How long the way back to a deactivated account is open. That to one that waits for its deletion is open until then.
pub(crate) const REACTIVATION: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Accounts {
    /// Activates an account with the token that was mailed when its owner switched it off or put it up for deletion.
    /// It signs nobody in.
    ///
    /// # Errors
    /// `auth.invalid_token_or_expired`, also when an administrator has deactivated the account since;
    /// `auth.refused_by_application`.
    pub async fn reactivate(&self, origin: &Origin, request: TokenRequest) -> Result<()> {
        let cx = &*self.cx;
        let Presented { origin, row, user } =
            Presented::get(cx, origin, TokenPurpose::Reactivate, &request.token).await?;
        let operation = Operation::new(OperationKind::ChangeStatus, user.tenant).on(user.id);
        let operation = operation.status(UserStatus::Active).action("user.activated");
        cx.before(&operation, None).await?;

        let mut unit = Unit::new()
            .with(AccountChange::SetStatus {
                user: user.id,
                security_version: user.security_version,
                status: UserStatus::Active,
                erase_at: None,
                at: cx.now(),
            })
            .with(AccountChange::ConsumeToken { id: row.id, token_hash: row.token_hash });
        void_tokens(&mut unit, &user);
        unit.push(FeedEvent::UserChanged(user.tenant, user.id));
        unit.push(audit::entry(cx, &origin, "user.activated").actor(user.id).person(&user).build());
        unit.push(notices::tell(cx, &user, AccountEvent::AccountReactivated));
        push_hook(cx, &mut unit, &operation);
        cx.commit(Scope::Tenant(user.tenant), unit).await.map_err(|error| error.or_conflict(void_link))?;
        Ok(())
    }
}

/// The token that activates `user` again once the account has got `status`.
pub(super) fn way_back(cx: &Context, user: &User, status: UserStatus) -> Result<(OneTimeToken, OpaqueToken)> {
    let life = match status {
        UserStatus::PendingDeletion => cx.settings.links.deletion_grace,
        _ => REACTIVATION,
    };
    // The change of status makes the version grow, and any further one makes the token void.
    let after = User { security_version: user.security_version + 1, ..user.clone() };
    make_token(cx, &after, TokenPurpose::Reactivate, life, &())
}
