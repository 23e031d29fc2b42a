//! What an operator reads, who is nobody's principal: the command line and embedding applications.

use crate::Engine;
use authkit_core::{
    Origin, Result,
    accounts::{Email, User, UserFilter},
    ports::Position,
    rbac::Role,
    sessions::Session,
    wire::{ErrorCode, RoleId, TenantId, UserId},
};

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
        let mut users: Vec<User> = Vec::new();
        while users.len() < limit as usize {
            let after = users.last().map(|last| Position { key: String::new(), id: last.id.uuid() });
            let want = (limit - users.len() as u32).min(500);
            let page = self.engine.context().store.list_users(self.tenant, filter, after.as_ref(), want).await?;
            let last = page.len() < want as usize;
            users.extend(page);
            if last {
                break;
            }
        }
        Ok(users)
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
        let mut sessions: Vec<Session> = Vec::new();
        while sessions.len() < limit as usize {
            let after = sessions.last().map(|last| Position { key: String::new(), id: last.id.uuid() });
            let want = (limit - sessions.len() as u32).min(500);
            let page = self.engine.context().store.list_sessions(self.tenant, user, after.as_ref(), want).await?;
            let last = page.len() < want as usize;
            sessions.extend(page);
            if last {
                break;
            }
        }
        Ok(sessions)
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
