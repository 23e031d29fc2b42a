//! Registration: a pending record that becomes an account only by proof of its address.

use super::{
    AccountChange, Accounts, Email, EmailKey, Registration, User, asked_tenant::AskedTenant, passwords::NewPassword,
    profile, pseudonym, push_hook, redirect,
};
use crate::{
    Context, Error, Origin, Result, audit,
    crypto::{OpaqueKind, OpaqueToken},
    notices::{self, Notice},
    ports::{Conflict, NewAccount, Operation, OperationKind, Scope, Unit},
};
use authkit_wire::{
    EmailRequest, ErrorCode, FieldError, RegisterRequest, RegistrationId, RegistrationView, TenantId, UserId,
    UserStatus,
};
use jiff::Timestamp;
use serde_json::{Map, Value};

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
        let asked = AskedTenant::of(cx, origin);
        let settings = &asked.settings;

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
        let operation = Operation::new(OperationKind::Register, tenant);
        cx.before(&operation, Some(&account)).await?;
        let creation = Operation::new(OperationKind::CreateUser, tenant);
        if settings.allow_unverified {
            cx.before(&creation, Some(&account)).await?;
        }

        let password_hash = password.hash(cx).await?;
        let email_key = email.key(&cx.keyring, tenant);
        let id = RegistrationId::new(cx.uuid());
        let token = OpaqueToken::generate(&cx.keyring, &*cx.random, OpaqueKind::Verify, asked.home, id.uuid());
        let registration = Registration {
            id,
            tenant: asked.home,
            email: email.as_str().to_owned(),
            email_key,
            name,
            locale: locale.clone(),
            profile: fields,
            password_hash,
            token_hash: token.hash(),
            redirect_url: request.redirect_url,
            created_at: cx.now(),
            // In a tenant that there is not, the registration is over before its link is mailed.
            expires_at: if asked.known { expiry(cx) } else { cx.now() },
        };
        let mut unit = Unit::new();
        let entry = audit::entry(cx, &asked.origin, "user.registered").actor(pseudonym(&cx.keyring, &email_key));
        let mut created = None;
        if settings.allow_unverified {
            let user = new_user(cx, NewUser::of(&registration, false));
            created = Some(unit.push(AccountChange::CreateUser(Box::new(user.clone()))));
            push_hook(cx, &mut unit, &creation.on(user.id));
            unit.push(entry.subject(user.id).person(&user).build());
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
        unit.push(notices::enqueue(cx, asked.home, &notice));
        push_hook(cx, &mut unit, &asked.at_home(operation));
        cx.commit(Scope::Tenant(asked.home), unit).await.map_err(|error| match error.conflict() {
            Some((place, Conflict::Taken)) if Some(place) == created => taken(),
            _ => error.into(),
        })?;
        Ok(answer)
    }

    /// Mails the proof's link again, if there is something to prove; alike whatever the address.
    ///
    /// # Errors
    /// `request.validation_failed`, `auth.refused_by_application`.
    pub async fn resend_verification(&self, origin: &Origin, request: EmailRequest) -> Result<()> {
        let cx = &*self.cx;
        let asked = AskedTenant::of(cx, origin);
        let email = Email::parse(&request.email, asked.settings.unicode_addresses)?;
        let operation = Operation::new(OperationKind::RequestVerification, origin.tenant);
        cx.before(&operation, None).await?;
        let notice = if asked.known {
            Notice::ResendVerification { email: email.as_str().to_owned() }
        } else {
            notices::to_nobody(cx, &email)
        };
        let mut unit = Unit::new().with(notices::enqueue(cx, asked.home, &notice));
        push_hook(cx, &mut unit, &asked.at_home(operation));
        cx.commit(Scope::Tenant(asked.home), unit).await?;
        Ok(())
    }
}

/// A further link for a registration, for which row it is, and its token.
///
/// Earlier links go on working, since the registration is copied for the new one: the proof of either deletes both. A
/// registration that is an account already (`is_account`) gives its id to the account; there the new link replaces the old.
pub(crate) fn another_link(
    cx: &Context,
    registration: &Registration,
    is_account: bool,
) -> (AccountChange, RegistrationId, OpaqueToken) {
    let id = if is_account { registration.id } else { RegistrationId::new(cx.uuid()) };
    let tenant = registration.tenant;
    let token = OpaqueToken::generate(&cx.keyring, &*cx.random, OpaqueKind::Verify, tenant, id.uuid());
    let (token_hash, expires_at) = (token.hash(), expiry(cx));
    let change = if is_account {
        AccountChange::RenewRegistration { id, expected: registration.token_hash, token_hash, expires_at }
    } else {
        let copy = Registration { id, token_hash, expires_at, ..registration.clone() };
        AccountChange::CreateRegistration(Box::new(copy))
    };
    (change, id, token)
}

/// Whether both are rows of one registration, each with its own link. Password hashes are salted.
pub(crate) fn is_same(one: &Registration, other: &Registration) -> bool {
    one.created_at == other.created_at && one.password_hash == other.password_hash
}

/// The id of the account that a registration becomes. Before the proof there is such an account only where the tenant
/// allows unverified ones.
pub(crate) const fn user_of(registration: RegistrationId) -> UserId {
    UserId::new(registration.uuid())
}

/// What an account begins with.
pub(super) struct NewUser {
    pub(super) id: UserId,
    pub(super) tenant: TenantId,
    pub(super) email: String,
    pub(super) email_key: EmailKey,
    pub(super) email_verified: bool,
    pub(super) name: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) profile: Map<String, Value>,
    pub(super) password_hash: String,
}

impl NewUser {
    /// What the account begins with that `registration` becomes.
    pub(super) fn of(registration: &Registration, email_verified: bool) -> Self {
        let Registration { tenant, email, email_key, name, locale, profile, password_hash, .. } = registration.clone();
        let id = user_of(registration.id);
        Self { id, tenant, email, email_key, email_verified, name, locale, profile, password_hash }
    }
}

pub(super) fn new_user(cx: &Context, new: NewUser) -> User {
    let now = cx.now();
    User {
        id: new.id,
        tenant: new.tenant,
        email: new.email,
        email_key: new.email_key,
        email_verified: new.email_verified,
        name: new.name,
        locale: new.locale,
        profile: new.profile,
        preferences: Map::new(),
        password_hash: Some(new.password_hash),
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
    cx.after(cx.settings.links.verify)
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
