//! Registration: a pending record that becomes an account only by proof of its address.

use super::{
    AccountChange, Accounts, Email, Registration, User, passwords::NewPassword, profile, pseudonym, push_hook,
    redirect, settings_of,
};
use crate::{
    Context, Error, Origin, Result, audit,
    crypto::{OpaqueKind, OpaqueToken},
    notices::{self, Notice},
    ports::{Conflict, NewAccount, OperationKind, Scope, Unit},
};
use authkit_wire::{
    EmailRequest, ErrorCode, FieldError, RegisterRequest, RegistrationId, RegistrationView, UserId, UserStatus,
};
use jiff::Timestamp;
use serde_json::Map;

impl Accounts {
    /// Records a pending registration; alike for free and taken addresses.
    ///
    /// In a tenant that allows unverified accounts the account exists at once, and a taken address is told.
    ///
    /// # Errors
    /// `request.validation_failed` with all refused fields, `redirect.not_allowed`, `auth.refused_by_application`;
    /// `account.email_taken` in a tenant that allows unverified accounts.
    pub async fn register(&self, origin: &Origin, request: RegisterRequest) -> Result<RegistrationView> {
        let cx = &*self.cx;
        let tenant = origin.tenant;
        let answer = RegistrationView { status: "verification_required".into() };
        let settings = settings_of(cx, tenant);
        let known = settings.is_some();
        let settings = settings.unwrap_or_default();

        let mut refused = Refused::default();
        let email = refused.take(Email::parse(&request.email, settings.unicode_addresses))?;
        let name = refused.take(request.name.as_deref().map(profile::name).transpose())?.flatten().flatten();
        let locale = refused.take(request.locale.as_deref().map(profile::locale).transpose())?.flatten().flatten();
        let fields = request.profile.unwrap_or_default();
        let fields = refused.take(profile::fields(cx, &Map::new(), fields))?;
        let inputs = [request.email.as_str(), request.name.as_deref().unwrap_or_default()];
        let password = refused.take(NewPassword::judge(cx, "password", &request.password, &inputs).await)?;
        let (Some(email), Some(fields), Some(password)) = (email, fields, password) else {
            return Err(Error::fields(refused.0));
        };
        if !refused.0.is_empty() {
            return Err(Error::fields(refused.0));
        }
        if let Some(url) = &request.redirect_url {
            redirect::check(url, cx.settings.redirect_urls.iter().chain(&settings.redirect_urls))?;
        }
        let account = NewAccount { email: email.as_str(), name: name.as_deref(), profile: &fields };
        cx.before(OperationKind::Register, tenant, None, None, Some(&account)).await?;
        if settings.allow_unverified {
            cx.before(OperationKind::CreateUser, tenant, None, None, Some(&account)).await?;
        }

        let password_hash = password.hash(cx).await?;
        if !known {
            return Ok(answer);
        }
        let email_key = email.key(&cx.keyring, tenant);
        let id = RegistrationId::new(cx.uuid());
        let token = OpaqueToken::generate(&cx.keyring, &*cx.random, OpaqueKind::Verify, tenant, id.uuid());
        let registration = Registration {
            id,
            tenant,
            email: email.as_str().to_owned(),
            email_key,
            name,
            locale: locale.clone(),
            profile: fields,
            password_hash,
            token_hash: token.hash(),
            redirect_url: request.redirect_url,
            created_at: cx.now(),
            expires_at: expiry(cx),
        };
        let mut unit = Unit::new();
        let entry = audit::entry(cx, origin, "user.registered").actor(pseudonym(&cx.keyring, &email_key));
        if settings.allow_unverified {
            let user = new_user(cx, &registration, false);
            push_hook(cx, &mut unit, OperationKind::CreateUser, tenant, Some(user.id), None);
            unit.push(entry.subject(user.id).person(&user).build());
            unit.changes.insert(0, AccountChange::CreateUser(Box::new(user)).into());
        } else {
            unit.push(entry.build());
        }
        let notice = Notice::Registration {
            registration: id,
            email: registration.email.clone(),
            token: token.secret().clone(),
            locale,
        };
        unit.push(AccountChange::CreateRegistration(Box::new(registration)));
        unit.push(notices::enqueue(cx, tenant, &notice));
        cx.commit(Scope::Tenant(tenant), unit).await.map_err(|error| match error.conflict() {
            Some((0, Conflict::Taken)) if settings.allow_unverified => taken(),
            _ => error.into(),
        })?;
        Ok(answer)
    }

    /// Mails the proof's link again, if there is something to prove; alike whatever the address.
    ///
    /// # Errors
    /// `request.validation_failed`.
    pub async fn resend_verification(&self, origin: &Origin, request: EmailRequest) -> Result<()> {
        let cx = &*self.cx;
        let Some(settings) = settings_of(cx, origin.tenant) else { return Ok(()) };
        let email = Email::parse(&request.email, settings.unicode_addresses)?;
        let notice = Notice::ResendVerification { email: email.as_str().to_owned() };
        let unit = Unit::new().with(notices::enqueue(cx, origin.tenant, &notice));
        cx.commit(Scope::Tenant(origin.tenant), unit).await?;
        Ok(())
    }
}

/// Gives a registration another token, for sending its link again. The old link is void once the change is committed.
pub(crate) fn renew(cx: &Context, registration: &Registration) -> (AccountChange, OpaqueToken) {
    let token = OpaqueToken::generate(
        &cx.keyring,
        &*cx.random,
        OpaqueKind::Verify,
        registration.tenant,
        registration.id.uuid(),
    );
    let change = AccountChange::RenewRegistration {
        id: registration.id,
        expected: registration.token_hash,
        token_hash: token.hash(),
        expires_at: expiry(cx),
    };
    (change, token)
}

/// The id of the account that a registration becomes. Before the proof there is such an account only where the tenant
/// allows unverified ones.
pub(crate) const fn user_of(registration: RegistrationId) -> UserId {
    UserId::new(registration.uuid())
}

/// The account that `registration` becomes.
pub(super) fn new_user(cx: &Context, registration: &Registration, email_verified: bool) -> User {
    let now = cx.now();
    User {
        id: user_of(registration.id),
        tenant: registration.tenant,
        email: registration.email.clone(),
        email_key: registration.email_key,
        email_verified,
        name: registration.name.clone(),
        locale: registration.locale.clone(),
        profile: registration.profile.clone(),
        preferences: Map::new(),
        password_hash: Some(registration.password_hash.clone()),
        status: UserStatus::Active,
        mfa_enabled: false,
        subject_key: audit::new_subject_key(cx),
        security_version: 1,
        kept_session: None,
        version: 1,
        erase_at: None,
        last_sign_in_at: None,
        created_at: now,
        updated_at: now,
    }
}

pub(super) fn taken() -> Error {
    Error::new(ErrorCode::EmailTaken, "Sign in with it, or use another address.")
}

fn expiry(cx: &Context) -> Timestamp {
    cx.now().checked_add(cx.settings.links.verify).unwrap_or(Timestamp::MAX)
}

/// Collects what is wrong with the fields of a request, so that all of it is told at once.
#[derive(Default)]
struct Refused(Vec<FieldError>);

impl Refused {
    fn take<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.code == ErrorCode::ValidationFailed => {
                self.0.extend(error.fields);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
