//! The proof of a registration's address.

use super::{
    AccountChange, Accounts, Presented, Registration, TokenPurpose, of_tenant, push_hook, redirect,
    register::{NewUser, new_user, user_of},
    settings_of,
    tokens::void_link,
};
use crate::{
    Context, Origin, Result, audit,
    crypto::{OpaqueKind, OpaqueToken},
    notices::{self, AccountEvent},
    ports::{NewAccount, Operation, OperationKind, Scope, Unit},
    tenants::TenantSettings,
};
use authkit_wire::{RegistrationId, Secret, TokenRequest, VerifiedView};

impl Accounts {
    /// Proves a registration: the account exists from here, and every other registration of the address is deleted.
    ///
    /// # Errors
    /// `auth.invalid_token_or_expired`, also when another registration of the address was proved first;
    /// `auth.refused_by_application`.
    pub async fn verify_email(&self, origin: &Origin, request: TokenRequest) -> Result<VerifiedView> {
        let cx = &*self.cx;
        let (origin, settings, registration) = find(cx, origin, &request.token).await?.ok_or_else(void_link)?;
        let tenant = registration.tenant;

        let unverified = cx.store.find_user(tenant, user_of(registration.id)).await?;
        let mut unit = Unit::new();
        let user = if let Some(mut user) = unverified {
            let (user_id, email_key, at) = (user.id, registration.email_key, cx.now());
            let operation = Operation::new(OperationKind::VerifyEmail, tenant).on(user_id);
            cx.before(&operation, None).await?;
            unit.push(AccountChange::VerifyEmail { user: user_id, email_key, at });
            push_hook(cx, &mut unit, &operation);
            user.email_verified = true;
            user.version += 1;
            user.updated_at = at;
            user
        } else {
            let account = NewAccount {
                email: &registration.email,
                name: registration.name.as_deref(),
                profile: &registration.profile,
            };
            let operation = Operation::new(OperationKind::CreateUser, tenant).on(user_of(registration.id));
            cx.before(&operation, Some(&account)).await?;
            let user = new_user(cx, NewUser::of(&registration, true));
            unit.push(AccountChange::CreateUser(Box::new(user.clone())));
            push_hook(cx, &mut unit, &operation);
            user
        };
        unit.push(AccountChange::ConsumeRegistration { id: registration.id, token_hash: registration.token_hash });
        unit.push(AccountChange::DeleteRegistrationsOf { email_key: registration.email_key });
        unit.push(audit::entry(cx, &origin, "user.verified").actor(user.id).person(&user).build());
        unit.push(notices::tell(cx, &user, AccountEvent::Welcome));
        // Also when the address was taken while this request was under way.
        cx.commit(Scope::Tenant(tenant), unit).await.map_err(|error| error.or_conflict(void_link))?;
        let allowed = || cx.settings.redirect_urls.iter().chain(&settings.redirect_urls);
        let redirect_url = registration.redirect_url.filter(|url| redirect::check(url, allowed()).is_ok());
        Ok(VerifiedView { user: user.view(), redirect_url })
    }

    /// Whether a mailed token of `kind` would be accepted now, for the page behind its link. Changes nothing.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn token_is_valid(&self, origin: &Origin, kind: OpaqueKind, token: &Secret) -> Result<bool> {
        let cx = &*self.cx;
        if kind == OpaqueKind::Verify {
            return Ok(find(cx, origin, token).await?.is_some());
        }
        match TokenPurpose::ALL.into_iter().find(|purpose| purpose.opaque() == kind) {
            Some(purpose) => Ok(Presented::find(cx, origin, purpose, token).await?.is_some()),
            None => Ok(false),
        }
    }
}

/// The registration that a presented token proves, with the request's origin in its tenant, and the tenant's settings.
async fn find(cx: &Context, origin: &Origin, text: &Secret) -> Result<Option<(Origin, TenantSettings, Registration)>> {
    let Some(token) = OpaqueToken::parse(&cx.keyring, OpaqueKind::Verify, text.expose()) else { return Ok(None) };
    let Some(origin) = of_tenant(origin, token.tenant) else { return Ok(None) };
    let Some(settings) = settings_of(cx, token.tenant) else { return Ok(None) };
    let registration = cx.store.find_registration(token.tenant, RegistrationId::new(token.id)).await?;
    let live = |row: &Registration| token.matches(&row.token_hash) && row.expires_at > cx.now();
    Ok(registration.filter(live).map(|registration| (origin, settings, registration)))
}
