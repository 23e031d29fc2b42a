//! What an operator reads, who is nobody's principal: the command line and embedding applications.

use crate::Engine;
use authkit_core::{
    Origin, Result,
    accounts::{Email, User, UserFilter},
    ports::{Position, StoreError},
    rbac::Role,
    sessions::Session,
    wire::{ErrorCode, RoleId, TenantId, UserId},
};
use uuid::Uuid;

/// Reads of one tenant without a principal. Whoever holds the engine holds the database and its keys, so nothing is asked.
#[derive(Clone, Debug)]
pub struct Operator {
    engine: Engine,
    tenant: TenantId,
}

impl Engine {
    /// An operator's view of `tenant`.
    #[must_use]
    pub fn operator(&self, tenant: TenantId) -> Operator {
        Operator { engine: self.clone(), tenant }
    }
}

impl Operator {
    /// The origin of an operator's own operations.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        Origin::local(self.tenant)
    }

    /// The user with this id or address.
    ///
    /// # Errors
    /// `account.not_found`.
    pub async fn get_user(&self, id_or_email: &str) -> Result<User> {
        let cx = self.engine.context();
        let found = match id_or_email.parse::<UserId>() {
            Ok(id) => cx.store.find_user(self.tenant, id).await?,
            Err(_) => {
                let email = Email::parse(id_or_email, true)?;
                cx.store.find_user_by_email(self.tenant, &email.key(&cx.keyring, self.tenant)).await?
            }
        };
        found.ok_or_else(|| {
            let detail = format!("There is no user `{id_or_email}` in this tenant; `authkit user list` shows them.");
            authkit_core::Error::new(ErrorCode::UserNotFound, detail)
        })
    }

    /// Users, newest first, at most `limit`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list_users(&self, filter: &UserFilter, limit: u32) -> Result<Vec<User>> {
        let store = &self.engine.context().store;
        let page = async |after: Option<&Position>, want| store.list_users(self.tenant, filter, after, want).await;
        pages(limit, |user: &User| user.id.uuid(), page).await
    }

    /// The tenant's roles, by name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list_roles(&self) -> Result<Vec<Role>> {
        let (mut roles, _) = self.engine.context().store.list_roles(self.tenant).await?;
        roles.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(roles)
    }

    /// The role with this name or id.
    ///
    /// # Errors
    /// `role.not_found`, naming the roles there are.
    pub async fn get_role(&self, name_or_id: &str) -> Result<Role> {
        let id = name_or_id.parse::<RoleId>().ok();
        let roles = self.list_roles().await?;
        let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
        let detail = format!("There is no role `{name_or_id}`; there are {}.", names.join(", "));
        let found = roles.iter().find(|role| role.name == name_or_id || Some(role.id) == id).cloned();
        found.ok_or_else(|| authkit_core::Error::new(ErrorCode::RoleNotFound, detail))
    }

    /// The user's sessions, newest first, at most `limit`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list_sessions(&self, user: UserId, limit: u32) -> Result<Vec<Session>> {
        let store = &self.engine.context().store;
        let page = async |after: Option<&Position>, want| store.list_sessions(self.tenant, user, after, want).await;
        pages(limit, |session: &Session| session.id.uuid(), page).await
    }

    /// The names of the roles that the user holds directly.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn roles_of(&self, user: UserId) -> Result<Vec<String>> {
        let ids = self.engine.context().store.user_roles(self.tenant, user).await?;
        let roles = self.list_roles().await?;
        Ok(roles.into_iter().filter(|role| ids.contains(&role.id)).map(|role| role.name).collect())
    }
}

/// Reads a list that is ordered by id, page after page, until it ends or has `limit` rows.
async fn pages<T>(
    limit: u32,
    id: impl Fn(&T) -> Uuid,
    page: impl AsyncFn(Option<&Position>, u32) -> Result<Vec<T>, StoreError>,
) -> Result<Vec<T>> {
    let mut rows: Vec<T> = Vec::new();
    while rows.len() < limit as usize {
        let after = rows.last().map(|last| Position { key: String::new(), id: id(last) });
        let want = (limit - rows.len() as u32).min(500);
        let read = page(after.as_ref(), want).await?;
        let last = read.len() < want as usize;
        rows.extend(read);
        if last {
            break;
        }
    }
    Ok(rows)
}
