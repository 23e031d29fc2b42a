use super::{
    BATCH, CHANGED, MemoryStore, Outcome, State, TAKEN, Undo, delete_where, insert, inserts, one, own, system,
};
use crate::{
    accounts::{AccountChange, AccountStore, EmailKey, OneTimeToken, Registration, User, UserFilter},
    ports::{Position, Scope, StoreError},
};
use async_trait::async_trait;
use authkit_wire::{OneTimeTokenId, RegistrationId, SessionId, TenantId, UserId, UserStatus};
use jiff::Timestamp;

impl State {
    pub(super) fn apply_account(&mut self, scope: Scope, change: AccountChange) -> Outcome {
        use AccountChange as C;
        match change {
            C::CreateUser(user) => {
                inserts(scope, user.tenant)?;
                let key = (user.tenant, user.id);
                if self.users.contains_key(&key) || self.has_address(user.tenant, &user.email_key, None) {
                    return Err(TAKEN);
                }
                self.passwords.insert(key, user.password_hash.iter().cloned().collect());
                self.users.insert(key, *user);
                Ok(1)
            }
            C::UpdateProfile { user, version, name, locale, profile, preferences, at } => {
                let row = self.users.get_mut(&(own(scope)?, user)).filter(|row| row.version == version);
                let row = row.ok_or(CHANGED)?;
                (row.name, row.locale, row.profile, row.preferences) = (name, locale, profile, preferences);
                row.version += 1;
                row.updated_at = at;
                Ok(1)
            }
            C::SetPassword { user, security_version, hash, kept_session, keep, at } => {
                let tenant = own(scope)?;
                let row = self.secured(tenant, user, security_version)?;
                row.password_hash = Some(hash.clone());
                secured(row, kept_session, at);
                let history = self.passwords.entry((tenant, user)).or_default();
                history.insert(0, hash);
                history.truncate(keep as usize);
                Ok(1)
            }
            C::Rehash { user, security_version, hash } => {
                let tenant = own(scope)?;
                let Ok(row) = self.secured(tenant, user, security_version) else { return Ok(0) };
                row.password_hash = Some(hash.clone());
                if let Some(newest) = self.passwords.entry((tenant, user)).or_default().first_mut() {
                    *newest = hash;
                }
                Ok(1)
            }
            C::SetEmail { user, security_version, email, email_key, kept_session, at } => {
                let tenant = own(scope)?;
                self.secured(tenant, user, security_version)?;
                if self.has_address(tenant, &email_key, Some(user)) {
                    return Err(TAKEN);
                }
                let row = self.secured(tenant, user, security_version)?;
                (row.email, row.email_key, row.email_verified) = (email, email_key, true);
                secured(row, kept_session, at);
                Ok(1)
            }
            C::VerifyEmail { user, email_key, at } => {
                let row = self.users.get_mut(&(own(scope)?, user));
                let row = row.filter(|row| !row.email_verified && row.email_key == email_key).ok_or(CHANGED)?;
                row.email_verified = true;
                row.version += 1;
                row.updated_at = at;
                Ok(1)
            }
            C::SetStatus { user, security_version, status, erase_at, at } => {
                let row = self.secured(own(scope)?, user, security_version)?;
                (row.status, row.erase_at) = (status, erase_at);
                secured(row, None, at);
                Ok(1)
            }
            C::SetMfa { user, security_version, enabled, kept_session, at } => {
                let row = self.secured(own(scope)?, user, security_version)?;
                row.mfa_enabled = enabled;
                secured(row, kept_session, at);
                Ok(1)
            }
            C::SignedIn { user, security_version, at } => {
                let row = self.secured(own(scope)?, user, security_version)?;
                if row.status != UserStatus::Active {
                    return Err(CHANGED);
                }
                row.last_sign_in_at = Some(at);
                Ok(1)
            }
            C::CreateRegistration(row) => {
                inserts(scope, row.tenant)?;
                insert(&mut self.registrations, (row.tenant, row.id), *row)
            }
            C::RenewRegistration { id, expected, token_hash, expires_at } => {
                let row = self.registrations.get_mut(&(own(scope)?, id)).filter(|row| row.token_hash == expected);
                let row = row.ok_or(CHANGED)?;
                (row.token_hash, row.expires_at) = (token_hash, expires_at);
                Ok(1)
            }
            C::ConsumeRegistration { id, token_hash } => {
                let key = (own(scope)?, id);
                let found = self.registrations.get(&key).is_some_and(|row| row.token_hash == token_hash);
                one(found && self.registrations.remove(&key).is_some())
            }
            C::DeleteRegistrationsOf { email_key } => {
                let tenant = own(scope)?;
                Ok(delete_where(&mut self.registrations, usize::MAX, |key, row| {
                    key.0 == tenant && row.email_key == email_key
                }))
            }
            C::DeleteRegistration { id } => Ok(self.registrations.remove(&(own(scope)?, id)).is_some().into()),
            C::CreateToken(row) => {
                inserts(scope, row.tenant)?;
                self.has_user(row.tenant, row.user)?;
                insert(&mut self.tokens, (row.tenant, row.id), row)
            }
            C::ConsumeToken { id, token_hash } => {
                let key = (own(scope)?, id);
                let found = self.tokens.get(&key).is_some_and(|row| row.token_hash == token_hash);
                one(found && self.tokens.remove(&key).is_some())
            }
            C::DeleteTokensOf { user, purpose } => {
                let tenant = own(scope)?;
                Ok(delete_where(&mut self.tokens, usize::MAX, |key, row| {
                    key.0 == tenant && row.user == user && row.purpose == purpose
                }))
            }
            C::DeleteTokensSince { user, purpose, since } => {
                let tenant = own(scope)?;
                Ok(delete_where(&mut self.tokens, usize::MAX, |key, row| {
                    key.0 == tenant && row.user == user && row.purpose == purpose && row.created_at >= since
                }))
            }
            C::DeleteExpired { before } => {
                system(scope)?;
                Ok(delete_where(&mut self.registrations, BATCH, |_, row| row.expires_at < before)
                    + delete_where(&mut self.tokens, BATCH, |_, row| row.expires_at < before))
            }
        }
    }

    fn has_address(&self, tenant: TenantId, key: &EmailKey, but: Option<UserId>) -> bool {
        self.users.values().any(|row| row.tenant == tenant && row.email_key == *key && Some(row.id) != but)
    }

    /// The user, when nothing changed its security since `security_version`.
    fn secured(&mut self, tenant: TenantId, user: UserId, security_version: i64) -> Result<&mut User, Undo> {
        self.users.get_mut(&(tenant, user)).filter(|row| row.security_version == security_version).ok_or(CHANGED)
    }
}

fn secured(row: &mut User, kept_session: Option<SessionId>, at: Timestamp) {
    row.security_version += 1;
    row.version += 1;
    row.kept_session = kept_session;
    row.updated_at = at;
}

#[async_trait]
impl AccountStore for MemoryStore {
    async fn find_user(&self, tenant: TenantId, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.read().users.get(&(tenant, id)).cloned())
    }

    async fn find_user_by_email(&self, tenant: TenantId, key: &EmailKey) -> Result<Option<User>, StoreError> {
        Ok(self.read().users.values().find(|row| row.tenant == tenant && row.email_key == *key).cloned())
    }

    async fn list_users(
        &self,
        tenant: TenantId,
        filter: &UserFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        let state = self.read();
        let holds = |user: UserId| filter.role.is_none_or(|role| state.assignments.contains(&(tenant, user, role)));
        let wanted = |row: &&User| {
            row.tenant == tenant
                && after.is_none_or(|position| row.id.uuid() < position.id)
                && filter.email_prefix.as_ref().is_none_or(|prefix| row.email.to_lowercase().starts_with(prefix))
                && filter.name_contains.as_ref().is_none_or(|part| {
                    row.name.as_ref().is_some_and(|name| name.to_lowercase().contains(&part.to_lowercase()))
                })
                && filter.status.is_none_or(|status| row.status == status)
                && holds(row.id)
        };
        Ok(state.users.values().rev().filter(wanted).take(limit as usize).cloned().collect())
    }

    async fn password_history(&self, tenant: TenantId, user: UserId, limit: u32) -> Result<Vec<String>, StoreError> {
        let state = self.read();
        Ok(state.passwords.get(&(tenant, user)).into_iter().flatten().take(limit as usize).cloned().collect())
    }

    async fn find_registration(
        &self,
        tenant: TenantId,
        id: RegistrationId,
    ) -> Result<Option<Registration>, StoreError> {
        Ok(self.read().registrations.get(&(tenant, id)).cloned())
    }

    async fn list_registrations(
        &self,
        tenant: TenantId,
        key: &EmailKey,
        limit: u32,
    ) -> Result<Vec<Registration>, StoreError> {
        let state = self.read();
        let of_address = state.registrations.values().filter(|row| row.tenant == tenant && row.email_key == *key);
        let mut found: Vec<_> = of_address.cloned().collect();
        found.sort_unstable_by_key(|row| std::cmp::Reverse(row.id));
        found.truncate(limit as usize);
        Ok(found)
    }

    async fn find_token(&self, tenant: TenantId, id: OneTimeTokenId) -> Result<Option<OneTimeToken>, StoreError> {
        Ok(self.read().tokens.get(&(tenant, id)).cloned())
    }
}
