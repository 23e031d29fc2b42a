//! Accounts as operators and administrators see them.

use super::{
    AccountChange, Accounts, Email, User, UserFilter,
    passwords::NewPassword,
    profile, push_hook,
    register::{NewUser, new_user, taken},
    settings_of,
};
use crate::{
    Error, Origin, Principal, Result, audit,
    auth::Lockout,
    paging::Paging,
    ports::{Conflict, NewAccount, Operation, OperationKind, Position, Scope, Unit},
};
use authkit_wire::{AdminUserView, ErrorCode, Page, RoleId, Secret, TenantId, UserId, UserView};
use jiff::Timestamp;
use serde_json::Map;
use std::collections::HashMap;

/// The longest text that a filter takes.
const MAX_FILTER: usize = 254;

impl Accounts {
    /// Makes a verified account for an operator (the command line, an importing application).
    ///
    /// # Errors
    /// `request.validation_failed`, `account.email_taken`, `tenant.not_found`, `auth.refused_by_application`.
    pub async fn create_verified(
        &self,
        origin: &Origin,
        email: &str,
        password: &Secret,
        name: Option<&str>,
    ) -> Result<UserView> {
        let cx = &*self.cx;
        let tenant = origin.tenant;
        let settings = settings_of(cx, tenant).ok_or(ErrorCode::TenantNotFound)?;
        let email = Email::parse(email, settings.unicode_addresses)?;
        let name = name.map(profile::name).transpose()?.flatten();
        let inputs = [email.as_str(), name.as_deref().unwrap_or_default()];
        let password = NewPassword::judge(cx, "password", password, &inputs).await?;
        let account = NewAccount { email: email.as_str(), name: name.as_deref(), profile: &Map::new() };
        let operation = Operation::new(OperationKind::CreateUser, tenant);
        cx.before(&operation, Some(&account)).await?;
        let password_hash = password.hash(cx).await?;
        let email_key = email.key(&cx.keyring, tenant);
        let new = NewUser {
            id: UserId::new(cx.uuid()),
            tenant,
            email: email.as_str().to_owned(),
            email_key,
            email_verified: true,
            name,
            locale: None,
            profile: Map::new(),
            password_hash,
        };
        let user = new_user(cx, new);
        let mut unit = Unit::new();
        let created = unit.push(AccountChange::CreateUser(Box::new(user.clone())));
        unit.push(AccountChange::DeleteRegistrationsOf { email_key });
        unit.push(audit::entry(cx, origin, "user.created").operator().subject(user.id).build());
        push_hook(cx, &mut unit, &operation.on(user.id));
        cx.commit(Scope::Tenant(tenant), unit).await.map_err(|error| match error.conflict() {
            Some((place, Conflict::Taken)) if place == created => taken(),
            _ => error.into(),
        })?;
        Ok(user.view())
    }

    /// Users for administration. `cursor` is one that this list gave out.
    ///
    /// # Errors
    /// `auth.forbidden`, `request.invalid_filter`, `request.invalid_cursor`, `request.invalid_limit`.
    pub async fn list_users(
        &self,
        principal: &Principal,
        mut filter: UserFilter,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<AdminUserView>> {
        let cx = &*self.cx;
        principal.require("users:read")?;
        filter.email_prefix = filter.email_prefix.map(|prefix| prefix.to_lowercase());
        for text in [&filter.email_prefix, &filter.name_contains].into_iter().flatten() {
            if text.is_empty() || text.len() > MAX_FILTER || text.chars().any(char::is_control) {
                return Err(Error::new(
                    ErrorCode::InvalidFilter,
                    format!("A filter's text has 1 to {MAX_FILTER} bytes and no control characters."),
                ));
            }
        }
        let bound = format!("{filter:?}");
        let paging = Paging::new(cx, principal.tenant, "users", &bound, cursor, limit)?;
        let users = cx.store.list_users(principal.tenant, &filter, paging.after.as_ref(), paging.fetch()).await?;
        let shown = &users[..users.len().min(paging.fetch() as usize - 1)];
        let mut more = self.standings(principal.tenant, shown).await?;
        let position = |user: &User| Position { key: String::new(), id: user.id.uuid() };
        Ok(paging.page(cx, users, position, |user| more.view(&user)))
    }

    /// One user for administration.
    ///
    /// # Errors
    /// `auth.forbidden`, `account.not_found`.
    pub async fn get_user(&self, principal: &Principal, id: UserId) -> Result<AdminUserView> {
        let origin = Origin::local(principal.tenant);
        let user = self.administered(&origin, Some(principal), "users:read", id).await?;
        self.admin_view(user).await
    }

    pub(super) async fn admin_view(&self, user: User) -> Result<AdminUserView> {
        Ok(self.standings(user.tenant, std::slice::from_ref(&user)).await?.view(&user))
    }

    /// What administration shows of `users`, who are of one tenant, beside their rows: two reads for all of them.
    async fn standings(&self, tenant: TenantId, users: &[User]) -> Result<Standings> {
        let ids: Vec<UserId> = users.iter().map(|user| user.id).collect();
        let mut roles: HashMap<UserId, Vec<RoleId>> = HashMap::new();
        for (user, role) in self.cx.store.roles_of_users(tenant, &ids).await? {
            roles.entry(user).or_default().push(role);
        }
        Ok(Standings { roles, locked: Lockout::locked_sign_ins(&self.cx, tenant, users).await? })
    }
}

/// Roles and locks of some users.
struct Standings {
    roles: HashMap<UserId, Vec<RoleId>>,
    locked: HashMap<UserId, Timestamp>,
}

impl Standings {
    fn view(&mut self, user: &User) -> AdminUserView {
        let mut roles = self.roles.remove(&user.id).unwrap_or_default();
        roles.sort_unstable();
        AdminUserView { user: user.view(), roles, locked_until: self.locked.remove(&user.id) }
    }
}
