//! Moving an account to another address, and the way back.

use super::{
    AccountChange, Accounts, Email, OneTimeToken, Presented, TokenPurpose, User, credentials_changed, data_of,
    make_token, passwords, push_hook, push_hooks, register::taken, reset::drop_factors, settings_of, signed_in,
    tokens::void_link,
};
use crate::{
    Context, Origin, Principal, Result, audit,
    devices::DeviceChange,
    notices::{self, Notice},
    ports::{Conflict, Operation, OperationKind, Scope, StoreError, Unit},
};
use authkit_wire::{ChangeEmailRequest, SessionId, TokenRequest};
use serde::{Deserialize, Serialize};

/// What an e-mail change waits with.
#[derive(Serialize, Deserialize)]
struct Wanted {
    email: String,
    session: SessionId,
}

/// What the way back to an address waits with.
#[derive(Serialize, Deserialize)]
struct WayBack {
    email: String,
    /// Whether the account had a second factor when its address changed.
    mfa_enabled: bool,
}

impl Accounts {
    /// Mails a proof to the new address; needs a fresh sign-in. Whether the address is taken is not told here.
    ///
    /// # Errors
    /// `auth.step_up_required`, `request.validation_failed`, `auth.refused_by_application`.
    pub async fn request_email_change(
        &self,
        origin: &Origin,
        principal: &Principal,
        request: ChangeEmailRequest,
    ) -> Result<()> {
        let cx = &*self.cx;
        principal.require_fresh(cx)?;
        let user = signed_in(cx, principal).await?;
        let settings = settings_of(cx, user.tenant).unwrap_or_default();
        let email = Email::parse_field("new_email", &request.new_email, settings.unicode_addresses)?;
        let wanted = Wanted { email: email.as_str().to_owned(), session: principal.session };
        let (row, token) = make_token(cx, &user, TokenPurpose::EmailChange, cx.settings.links.email_change, &wanted)?;
        let operation = Operation::new(OperationKind::RequestEmailChange, user.tenant).on(user.id).by(Some(principal));
        cx.before(&operation, None).await?;
        let notice = Notice::EmailChange {
            user: user.id,
            record: row.id,
            email: wanted.email,
            token: token.secret().clone(),
            locale: user.locale.clone(),
        };
        let mut unit = Unit::new()
            .with(AccountChange::DeleteTokensOf { user: user.id, purpose: TokenPurpose::EmailChange })
            .with(AccountChange::CreateToken(row))
            .with(notices::enqueue(cx, user.tenant, &notice))
            .with(audit::entry(cx, origin, "email.change_requested").actor(user.id).person(&user).build());
        push_hook(cx, &mut unit, &operation);
        cx.commit(Scope::Tenant(user.tenant), unit).await?;
        Ok(())
    }

    /// Moves the account to the proved address, ends all other sessions and offers the old address, if that was proved,
    /// the way back.
    ///
    /// # Errors
    /// `auth.invalid_token_or_expired`, `account.email_taken`, `auth.refused_by_application`.
    pub async fn confirm_email_change(&self, origin: &Origin, request: TokenRequest) -> Result<()> {
        let cx = &*self.cx;
        let Presented { origin, row, user } =
            Presented::get(cx, origin, TokenPurpose::EmailChange, &request.token).await?;
        let Wanted { email, session } = data_of(cx, &row)?;
        let email_key = key_of(cx, &email, user.tenant)?;
        let operation = Operation::new(OperationKind::ChangeEmail, user.tenant).on(user.id).session(session);
        let operation = operation.action("email.changed");
        cx.before(&operation, None).await?;

        // An address that was never proved may be anybody's: its owner gets no way into the account.
        let way_back = if user.email_verified { Some(way_back(cx, &user, &email)?) } else { None };
        let mut unit = Unit::new();
        let moved = unit.push(AccountChange::SetEmail {
            user: user.id,
            security_version: user.security_version,
            email,
            email_key,
            kept_session: Some(session),
            at: cx.now(),
        });
        unit.push(AccountChange::ConsumeToken { id: row.id, token_hash: row.token_hash });
        unit.push(AccountChange::DeleteRegistrationsOf { email_key });
        credentials_changed(&mut unit, &user, Some(session));
        unit.push(audit::entry(cx, &origin, "email.changed").actor(user.id).person(&user).build());
        if let Some((undo, told)) = way_back {
            unit.push(AccountChange::CreateToken(undo));
            unit.push(notices::enqueue(cx, user.tenant, &told));
        }
        push_hooks(cx, &mut unit, &operation);
        cx.commit(Scope::Tenant(user.tenant), unit).await.map_err(|error| refused(error, moved))?;
        Ok(())
    }

    /// Takes an address change back, ends all sessions, revokes all devices, voids the password and mails the old address a
    /// link to set a new one: whoever changed the address knew the password or has set it since. A second factor that was
    /// not there when the address changed goes too; one that was there stays, since a mailbox alone never removes it.
    ///
    /// It works whatever was done to the account since, so that whoever took it over cannot shut this way. Changes that
    /// came after this one lose their way back; earlier ones keep it.
    ///
    /// # Errors
    /// `auth.invalid_token_or_expired`; `account.email_taken` when another account has the old address by now.
    pub async fn undo_email_change(&self, origin: &Origin, request: TokenRequest) -> Result<()> {
        let cx = &*self.cx;
        let Presented { origin, row, user } =
            Presented::get(cx, origin, TokenPurpose::EmailUndo, &request.token).await?;
        let WayBack { email, mfa_enabled } = data_of(cx, &row)?;
        let email_key = key_of(cx, &email, user.tenant)?;
        let operation =
            Operation::new(OperationKind::ChangeEmail, user.tenant).on(user.id).action("email.change_undone");
        cx.before(&operation, None).await?;
        let hash = passwords::nobodys(cx).await?;

        let at = cx.now();
        let reset = Notice::PasswordResetRequested { email: email.clone() };
        let mut unit = Unit::new();
        let moved = unit.push(AccountChange::SetEmail {
            user: user.id,
            security_version: user.security_version,
            email,
            email_key,
            kept_session: None,
            at,
        });
        unit.push(AccountChange::SetPassword {
            user: user.id,
            // The new address has made it grow.
            security_version: user.security_version + 1,
            hash,
            kept_session: None,
            keep: cx.settings.password.history,
            at,
        });
        unit.push(AccountChange::ConsumeToken { id: row.id, token_hash: row.token_hash });
        let since = row.created_at;
        unit.push(AccountChange::DeleteTokensSince { user: user.id, purpose: TokenPurpose::EmailUndo, since });
        if !mfa_enabled {
            drop_factors(&mut unit, &user, user.security_version + 2, at);
        }
        unit.push(AccountChange::DeleteRegistrationsOf { email_key });
        credentials_changed(&mut unit, &user, None);
        unit.push(DeviceChange::RevokeAllOf { owner: user.id, at });
        unit.push(notices::enqueue(cx, user.tenant, &reset));
        unit.push(audit::entry(cx, &origin, "email.change_undone").actor(user.id).person(&user).build());
        push_hooks(cx, &mut unit, &operation);
        cx.commit(Scope::Tenant(user.tenant), unit).await.map_err(|error| refused(error, moved))?;
        Ok(())
    }
}

/// The way back to the address that `user` has now, and what that address is told.
fn way_back(cx: &Context, user: &User, new_email: &str) -> Result<(OneTimeToken, Notice)> {
    let data = WayBack { email: user.email.clone(), mfa_enabled: user.mfa_enabled };
    let (undo, token) = make_token(cx, user, TokenPurpose::EmailUndo, cx.settings.links.email_undo, &data)?;
    let told = Notice::EmailChanged {
        email: user.email.clone(),
        new_email: new_email.to_owned(),
        token: token.secret().clone(),
        locale: user.locale.clone(),
    };
    Ok((undo, told))
}

/// The key of an address that was accepted before; which letters the tenant allows now does not matter.
fn key_of(cx: &Context, email: &str, tenant: authkit_wire::TenantId) -> Result<super::EmailKey> {
    Ok(Email::parse(email, true)?.key(&cx.keyring, tenant))
}

/// What a failed commit means, when the change of the address is at `moved` of the unit.
fn refused(error: StoreError, moved: usize) -> crate::Error {
    match error.conflict() {
        Some((place, Conflict::Taken)) if place == moved => taken(),
        _ => error.or_conflict(void_link),
    }
}
